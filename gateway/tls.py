"""TLS as the gateway offers it: contexts from [tls], renewed when the files change, and the
listener that makes the handshakes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gateway.connections import Connections
from gateway.log import Log
from gateway_config.model import Tls

#: between looks at the certificates' files, seconds
LOOK_SECONDS = 2.0
_MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
#: pause after an accept that failed, seconds
_AFTER_ERROR_SECONDS = 0.2


def server_context(settings: Tls) -> ssl.SSLContext:
    """OSError, ssl.SSLError where a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _MINIMUM[settings.minimum]
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(settings.certificate_file, settings.key_file)
    if settings.client_ca_file is not None:
        context.load_verify_locations(cafile=settings.client_ca_file)
        required = settings.require_client_certificate
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context


class Certificates:
    """The context for new connections. A certificate, key or CA file that has changed is taken
    without a restart; one that cannot be used changes nothing, and the log says so until it is
    mended. OSError or ssl.SSLError at the start, where there is nothing to go on with."""

    def __init__(self, settings: Tls, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._seen = _marks(settings)
        self._problem = ""
        self.context = server_context(settings)

    def take(self, settings: Tls) -> None:
        """Go by other settings; raises, and changes nothing, where they cannot be used."""
        marks = _marks(settings)
        self.context = server_context(settings)
        self._settings, self._seen, self._problem = settings, marks, ""

    def look(self) -> None:
        """Take the files anew if one has changed."""
        marks = _marks(self._settings)
        if marks == self._seen and not self._problem:
            return
        try:
            self.take(self._settings)
        except OSError as error:  # ssl.SSLError is one
            problem = f"{type(error).__name__}: {error}"
            if problem != self._problem:
                self._log.error("certificates_unusable", reason=problem)
            self._problem = problem
            return
        self._log.info("certificates_renewed", file=str(self._settings.certificate_file))

    @property
    def usable(self) -> bool:
        """False while the files on disk are not what is in force."""
        return not self._problem


def _marks(settings: Tls) -> list[tuple[int, int, int] | None]:
    files = (settings.certificate_file, settings.key_file, settings.client_ca_file)
    return [_mark(file) for file in files if file is not None]


def _mark(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class TlsListener:
    """Accepts connections, makes each one's handshake, and then hands it to ``make_protocol()``'s
    protocol. A connection counts from its first packet on, and has ``limits.head_seconds`` for
    the handshake; one that fails is counted as refused."""

    def __init__(
        self,
        sock: socket.socket,
        certificates: Certificates,
        connections: Connections,
        make_protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._certificates = certificates
        self._connections = connections
        self._make_protocol = make_protocol
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._begin(self._accept_for_ever(), "gateway tls")
        self._begin(self._look_for_ever(), "gateway certificates")

    async def close(self) -> None:
        """Take no more connections; those whose handshake is made live on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sock.close()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._certificates.look()

    async def _accept_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(self._sock)
            except OSError as error:  # no file descriptor left, mostly: others end meanwhile
                self._connections.turned_away("", f"accept: {error.strerror}")
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                continue
            # An IPv4 address on a listener for both is the same address.
            peer = str(address[0]).removeprefix("::ffff:")
            arrival = Arrival()
            if self._connections.admit(arrival, peer):
                self._begin(self._open(accepted, peer, arrival), "gateway handshake")
            else:
                accepted.close()

    async def _open(self, accepted: socket.socket, peer: str, arrival: Arrival) -> None:
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make_protocol,
                accepted,
                ssl=self._certificates.context,
                ssl_handshake_timeout=self._connections.limits.head_seconds,
            )
        except OSError:  # ssl.SSLError and time-outs are such
            self._connections.turned_away(peer, "tls-handshake")
            accepted.close()
        finally:
            self._connections.gone(arrival, peer)


class Arrival:
    """A connection before its handshake is made, as one among all connections."""

    def look_at_the_clock(self, now: float) -> None:
        """The handshake has a time of its own."""
