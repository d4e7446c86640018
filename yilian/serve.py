"""One process serving one ASGI app: the port taken first, an end that lets calls finish."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn

from services.soap.exchange import Endpoint
from yilian.dialling import Dialling
from yilian.http_protocol import call_protocol
from yilian.refused import Refused

#: seconds that calls under way are given when the process is told to end
GRACE = 10


def listening(host: str, port: int) -> socket.socket:
    """A listening socket. Refused, in one sentence, if the port is taken or not ours to take."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is; without that every
    # answer on a kept connection waits some 40 ms for the caller's delayed ACK.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
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


def serve(
    app: Callable[..., Any],
    host: str,
    port: int,
    *,
    what: str,
    stop_with_stdin: bool = False,
    calls: Mapping[str, Endpoint] | None = None,
    http: type[asyncio.Protocol] | None = None,
    dialling: Dialling | None = None,
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; ``what`` names the process in its first log line.

    ``calls``: endpoints by path whose POSTs take the short way of yilian/http_protocol.py. The
    app answers them too, with the same bytes, where they are not given; the limits of that
    protocol on heads and on patience hold either way. ``http``: another protocol in its place.
    ``on_end``: called when the end has begun, before calls under way are waited for: answers that
    are held back are to be given then.
    ``stop_with_stdin``: also end when standard input closes, which is how a child learns that
    its parent is gone, however that ended. ``dialling``: the gateways that are dialled, too.
    """
    sock = listening(host, port)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # one line a call belongs to the gateway's audit, not here
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=65,
        # Whoever asks from this machine could otherwise give himself any source address.
        proxy_headers=what != "gateway",
        http=http or call_protocol(calls or {}),
    )
    if stop_with_stdin:
        threading.Thread(target=_end_at_eof, daemon=True, name="stdin").start()
    logging.getLogger("yilian").info("%s: http://%s:%d", what, host, port)
    with sock:
        _Server(config, dialling, on_end).run(sockets=[sock])  # on uvloop where there is one


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, dialling: Dialling | None, on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._dialling = dialling
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._dialling is not None and self.started:
            self._dialling.start(self)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        if self._dialling is not None:
            await self._dialling.stop()  # the connections themselves end like any other
        await super().shutdown(sockets)


def _end_at_eof() -> None:
    # os.read and not sys.stdin: no lock that the interpreter's end would wait for.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
