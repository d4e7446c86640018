"""TLS as the gateway offers it: contexts from [tls], renewed when the files change, and the
listener that makes the handshakes."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from gateway.connections import Timed
from gateway.log import Log
from gateway.turned_away import TurnedAway, Why
from gateway_config.model import Tls
from services.file_mark import Mark, mark_of

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
        self._watch: asyncio.Task[None] | None = None
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

    def start(self) -> None:
        """Look again and again, until ``stop()``; on the event loop."""
        loop = asyncio.get_running_loop()
        self._watch = loop.create_task(self._look_for_ever(), name="gateway certificates")

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    @property
    def usable(self) -> bool:
        """False while the files on disk are not what is in force."""
        return not self._problem


def _marks(settings: Tls) -> list[Mark | None]:
    files = (settings.certificate_file, settings.key_file, settings.client_ca_file)
    return [mark_of(file) for file in files if file is not None]


class Door(Protocol):
    """Who may make a handshake, and for how long, seconds. ``turned_away`` is told of those that
    failed."""

    turned_away: TurnedAway

    @property
    def handshake_seconds(self) -> float: ...

    def admit(self, connection: Timed, peer: str) -> bool: ...

    def gone(self, connection: Timed, peer: str) -> None: ...


class TlsListener:
    """Accepts connections, makes each one's handshake, and then hands it to ``make_protocol()``'s
    protocol. A connection counts at the door from its first packet on until the handshake is made;
    one that fails is counted as refused."""

    def __init__(
        self,
        sock: socket.socket,
        certificates: Certificates,
        door: Door,
        make_protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._certificates = certificates
        self._door = door
        self._make_protocol = make_protocol
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._begin(self._accept_for_ever(), "gateway tls")

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

    async def _accept_for_ever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(self._sock)
            except OSError as error:  # no file descriptor left, mostly: others end meanwhile
                self._door.turned_away.add("", Why("accept", reason=error.strerror or ""))
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                continue
            # An IPv4 address on a listener for both is the same address.
            peer = str(address[0]).removeprefix("::ffff:")
            arrival = Arrival()
            if self._door.admit(arrival, peer):
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
                ssl_handshake_timeout=self._door.handshake_seconds,
            )
        except OSError as error:  # ssl.SSLError and time-outs are such
            self._door.turned_away.add(peer, _why(error))
            accepted.close()
        finally:
            self._door.gone(arrival, peer)


def _why(error: OSError) -> Why:
    """What was wrong with a handshake, in OpenSSL's words: none of them are the peer's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Why("tls-handshake", "NotAuthenticated", error.verify_message)
    if isinstance(error, ssl.SSLError):
        reason = str(error.reason or "").lower().replace("_", " ")
        unknown = "did not return a certificate" in reason
        return Why("tls-handshake", "NotAuthenticated" if unknown else "MalformedMessage", reason)
    slow = isinstance(error, (TimeoutError, ConnectionAbortedError))
    reason = "not made in time" if slow else "broken off"
    return Why("tls-handshake", "MalformedMessage", reason)


class Arrival:
    """A connection before its handshake is made, as one among all connections."""

    def look_at_the_clock(self, now: float) -> None:
        """The handshake has a time of its own."""
