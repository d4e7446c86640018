"""Reverse connections: the node dials out to us, and calls go back over what it has dialled.

For a hospital whose gate lets only the inside open connections. A node says which hospital it is
and proves it, in the manner of an HTTP/1.1 Upgrade:

    GET /hx HTTP/1.1
    Connection: Upgrade
    Upgrade: yilian-reverse
    Authorization: Bearer <token>

After 101 the connection is turned around: the gateway sends requests on it, one at a time, and the
node answers them. Each connection is asked now and then whether the node is still there, since a
gate cuts silently.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.arrival import HEAD_SECONDS, Arrival
from gateway.binding import Binding
from gateway.connections import Timed
from gateway.dialled_tokens import Busy as TokensBusy
from gateway.dialled_tokens import DialledTokens
from gateway.forward import Busy, NoAnswer, NodeAnswer, NodeRequest, NotReached
from gateway.log import Log
from gateway.node_connection import NodeConnection, take_usable
from gateway.tls import Certificates, TlsListener
from gateway.turned_away import TurnedAway, Why
from gateway.upstream import request_head
from gateway_config.dialled import Dialled
from gateway_config.hospitals import Hospital, Reverse
from gateway_config.model import Forward

#: how many may be making a handshake or saying who they are at a time, in all and of one address
_MOST_ARRIVING = 512
_MOST_OF_ONE_PEER = 64
_MANY, _BUSY = "too many connections", "too many tokens are being checked"
#: what a node answers without looking at anything: yilian/host.py
_PING = b"GET /alive HTTP/1.1\r\nHost: node\r\n\r\n"
#: seconds that it may take to
_PING_PATIENCE = 5.0


@dataclass(slots=True)
class _Line:
    """One hospital's connections. ``waiting``: calls for which there was none free, oldest
    first; a connection that comes free goes to the first of them."""

    code: str
    settings: Reverse
    connections: set[NodeConnection] = field(default_factory=set)
    idle: deque[NodeConnection] = field(default_factory=deque)
    waiting: deque[asyncio.Future[NodeConnection]] = field(default_factory=deque)
    refused: int = 0

    def free(self, connection: NodeConnection) -> None:
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self.idle.append(connection)


class ReverseConnections:
    """A Forwarder, and the listener for those who dial in. ``hospitals``: those of mode
    ``reverse``. ``start()`` and ``close()`` it on the event loop."""

    def __init__(
        self,
        listen: Dialled,
        hospitals: Mapping[str, Hospital],
        settings: Forward,
        log: Log,
        turned_away: TurnedAway,
        *,
        certificates: Certificates | None = None,
        worker: int = 0,
    ) -> None:
        self._listen = listen
        self._settings = settings
        self._log = log
        self._turned_away = turned_away
        self._certificates = certificates
        self._worker = worker
        self._lines = {
            code: _Line(code, hospital.reverse)
            for code, hospital in hospitals.items()
            if hospital.mode == "reverse" and hospital.reverse is not None
        }
        self._tokens = DialledTokens()
        self._arriving: dict[Timed | Arrival, str] = {}  # and from where
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | TlsListener | None = None
        self._pings: asyncio.Task[None] | None = None

    @property
    def ping_seconds(self) -> float:
        return self._listen.ping_seconds

    async def start(self) -> None:
        """OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        port = self._listen.port + self._worker
        if self._certificates is None:
            self._server = await loop.create_server(lambda: Arrival(self), self._listen.host, port)
        else:
            family = socket.AF_INET6 if ":" in self._listen.host else socket.AF_INET
            sock = socket.create_server((self._listen.host, port), family=family, backlog=1024)
            self._server = TlsListener(
                sock, self._certificates, _Doorway(self, self._turned_away), lambda: Arrival(self)
            )
            self._server.start()
        self._pings = loop.create_task(self._keep_asking())

    def take(self, hospitals: Mapping[str, Hospital]) -> None:
        """Go by other settings for those who dial in from now on; what stands stays."""
        for code, line in self._lines.items():
            hospital = hospitals.get(code)
            if hospital is not None and hospital.reverse is not None:
                line.settings = hospital.reverse

    async def close(self) -> None:
        if isinstance(self._server, TlsListener):
            await self._server.close()
        elif self._server is not None:
            self._server.close()
        for task in [*self._tasks, *([self._pings] if self._pings else [])]:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for arrival in list(self._arriving):
            if isinstance(arrival, Arrival):
                arrival.transport.abort()
        for line in self._lines.values():
            for connection in list(line.connections):
                connection.abandon()
            for waiter in line.waiting:
                waiter.cancel()

    def status(self) -> dict[str, Any]:
        """For /health, by hospital."""
        return {
            code: {
                "connections": sum(one.usable for one in line.connections),
                "wanted": line.settings.connections,
                "idle": len(line.idle),
                "waiting": len(line.waiting),
                "refused": line.refused,
            }
            for code, line in self._lines.items()
        }

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        line = self._lines[binding.hospital]
        loop = asyncio.get_running_loop()
        deadline = min(request.deadline, loop.time() + self._settings.timeout_seconds)
        connection = take_usable(line.idle) or await self._wait(line, deadline)
        head = request_head(binding.path, f"Host: {line.code}\r\n", request)
        where = f"{line.code} (reverse)"
        try:
            answer = await connection.ask(head, request.body, where, deadline - loop.time())
        except asyncio.CancelledError:
            connection.abandon()
            raise
        finally:
            if connection.usable:
                connection.idle_since = loop.time()
                line.free(connection)
        return answer

    async def _wait(self, line: _Line, deadline: float) -> NodeConnection:
        loop = asyncio.get_running_loop()
        if not any(connection.usable for connection in line.connections):
            # A node that is dialling again is back within a moment: that is worth a little time.
            seconds = min(line.settings.wait_seconds, 2.0)
        else:
            seconds = line.settings.wait_seconds
        seconds = min(seconds, deadline - loop.time())
        if len(line.waiting) >= line.settings.queue:
            line.refused += 1
            raise Busy(f"{line.code}: {len(line.waiting)} calls wait for a reverse connection")
        waiter: asyncio.Future[NodeConnection] = loop.create_future()
        line.waiting.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except BaseException as ended:
            if waiter in line.waiting:
                line.waiting.remove(waiter)
            elif waiter.done() and not waiter.cancelled():
                line.free(waiter.result())  # it came in the same moment: somebody else's
            if not isinstance(ended, TimeoutError):
                raise
        line.refused += 1
        if any(connection.usable for connection in line.connections):
            raise Busy(f"{line.code}: no reverse connection free in {seconds:.3g} s")
        raise NotReached(f"{line.code}: no node has dialled in")

    # --- those who dial in ---------------------------------------------------------------------

    def arrived(self, arrival: Arrival) -> bool:
        """Whether one more may say who it is: who says nothing must not keep the nodes out."""
        return self.room_for(arrival, arrival.peer)

    def gone(self, arrival: Timed | Arrival) -> None:
        self._arriving.pop(arrival, None)

    def room_for(self, one: Timed | Arrival, peer: str) -> bool:
        here = sum(other == peer for other in self._arriving.values())
        if here >= _MOST_OF_ONE_PEER or len(self._arriving) >= _MOST_ARRIVING:
            self._turned_away.add(peer, Why("dialled", reason=_MANY))
            return False
        self._arriving[one] = peer
        return True

    def said(self, arrival: Arrival, code: str, token: str) -> None:
        """A node has said who it is: find out whether that is true."""
        task = asyncio.get_running_loop().create_task(self._admit(arrival, code, token))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _admit(self, arrival: Arrival, code: str, token: str) -> None:
        line = self._lines.get(code)
        refusal = "unknown hospital" if line is None else await self._refusal(line, arrival, token)
        if refusal is None and line is not None:
            usable = sum(one.usable for one in line.connections)
            if usable >= 2 * line.settings.connections:
                refusal = _MANY
        if line is None or refusal is not None:
            # One answer for all that is wrong with who it is.
            busy = refusal in (_MANY, _BUSY)
            told = f"{line.code}: {refusal}" if line is not None else str(refusal)
            why = Why("dialled", "Overloaded" if busy else "NotAuthenticated", told)
            self._turned_away.add(arrival.peer, why)
            arrival.refuse("503 Service Unavailable" if busy else "403 Forbidden")
            return
        if arrival.transport.is_closing():
            return
        connection = _TurnedAround(asyncio.get_running_loop(), self._settings, line, self)
        arrival.turn_around(connection)
        line.connections.add(connection)
        connection.idle_since = asyncio.get_running_loop().time()
        self._log.info(
            "reverse connection", hospital=code, peer=arrival.peer, now=len(line.connections)
        )
        line.free(connection)

    async def _refusal(self, line: _Line, arrival: Arrival, token: str) -> str | None:
        wanted = line.settings
        if wanted.certificate is not None and arrival.certificate() != wanted.certificate:
            return "another certificate, or none"
        if wanted.token_hash is None:
            return None
        try:
            right = await self._tokens.right(token, wanted.token_hash, arrival.peer)
        except TokensBusy:
            return _BUSY
        return None if right else "wrong token"

    def lost(self, line: _Line, connection: NodeConnection) -> None:
        line.connections.discard(connection)
        if connection in line.idle:
            line.idle.remove(connection)
        self._log.info("reverse connection ended", hospital=line.code, now=len(line.connections))

    # --- is the node still there? ----------------------------------------------------------------

    async def _keep_asking(self) -> None:
        every = self._listen.ping_seconds
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every / 4)
            before = loop.time() - every
            for line in self._lines.values():
                for connection in [one for one in line.idle if one.idle_since <= before]:
                    line.idle.remove(connection)
                    task = loop.create_task(self._ask(line, connection))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _ask(self, line: _Line, connection: NodeConnection) -> None:
        patience = min(_PING_PATIENCE, self._listen.ping_seconds)
        try:
            await connection.ask(_PING, b"", f"{line.code} (reverse)", patience)
        except NoAnswer as error:
            self._log.warning(
                "reverse connection dead", hospital=line.code, why=type(error).__name__
            )
            return
        if connection.usable:
            connection.idle_since = asyncio.get_running_loop().time()
            line.free(connection)


class _TurnedAround(NodeConnection):
    __slots__ = ("_line", "_owner")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: Forward,
        line: _Line,
        owner: ReverseConnections,
    ) -> None:
        super().__init__(loop, settings.max_answer_bytes)
        self._line = line
        self._owner = owner

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._owner.lost(self._line, self)


class _Doorway:
    """Of those who dial in by TLS, the ones whose handshake is not made: they count among those
    who have not said who they are."""

    handshake_seconds = HEAD_SECONDS

    def __init__(self, owner: ReverseConnections, turned_away: TurnedAway) -> None:
        self._owner = owner
        self.turned_away = turned_away

    def admit(self, connection: Timed, peer: str) -> bool:
        return self._owner.room_for(connection, peer)

    def gone(self, connection: Timed, peer: str) -> None:
        self._owner.gone(connection)
