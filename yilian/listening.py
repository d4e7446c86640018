"""A port taken before anything else is done, and an end when the parent is gone."""

from __future__ import annotations

import errno
import os
import signal
import socket
import threading

from yilian.refused import Refused

#: connections that wait to be accepted
_BACKLOG = 1024


def listening(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket. Refused, in one sentence, if the port is taken or not ours to take.

    ``shared``: one of several on the same port, among which the kernel spreads the connections.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without that every
    # answer on a kept connection waits some 40 ms for the caller's delayed ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise Refused(
                f"端口 {where} 已被占用。请停止占用它的程序，或在配置的 [listen] 中改用别的 port。",
                f"Port {where} is in use. Stop what uses it, or choose another port in [listen].",
            ) from None
        raise Refused(
            f"无法监听 {where}：{error.strerror}。请检查配置的 [listen]。",
            f"Cannot listen on {where}: {error.strerror}. Check [listen] in the configuration.",
        ) from None
    return sock


def listening_for(host: str, port: int, workers: int) -> list[socket.socket]:
    """A listening socket for each worker. Where there are several, each has connections of its
    own, spread by the kernel; they wait at their socket while its worker is started again."""
    if workers == 1:
        return [listening(host, port)]
    listening(host, port).close()  # two gateways must not share a port by mistake
    first = listening(host, port, shared=True)
    port = first.getsockname()[1]
    return [first, *(listening(host, port, shared=True) for _ in range(workers - 1))]


def end_with(descriptor: int) -> None:
    """End this process, as SIGTERM does, when the other end of a pipe closes: this is how a child
    learns that its parent is gone, however that ended."""

    def wait() -> None:
        # os.read and not a file object: no lock that the interpreter's end would wait for.
        while os.read(descriptor, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True, name="end of the parent").start()
