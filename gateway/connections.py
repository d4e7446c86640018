"""All connections of one worker together: how many there may be, whose, and for how long."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Protocol

from gateway.room import Room
from gateway.turned_away import TurnedAway, Why
from gateway_config.model import GatewayConfig
from services.faults import Overloaded
from services.soap.replies import fault_reply

#: seconds between two looks at the clocks of all connections, at most
SWEEP_SECONDS = 1.0


class Timed(Protocol):
    """A connection, as the sweep sees it."""

    def look_at_the_clock(self, now: float) -> None: ...


class Connections:
    """Made for one event loop; ``begin`` it there."""

    def __init__(self, config: GatewayConfig, turned_away: TurnedAway) -> None:
        self.room = Room()
        self.take(config)
        self.turned_away = turned_away
        self._open: set[Timed] = set()
        self._of_peer: Counter[str] = Counter()
        self._sweeping = False
        #: what a connection gets that is one too many
        self.full = _full()

    def take(self, config: GatewayConfig) -> None:
        """Go by these limits from now on; connections that are open stay."""
        self.limits = config.limits
        proxy = config.proxy
        self._unlimited = frozenset(proxy.trusted) if proxy is not None else frozenset()
        self.room.go_by(self.limits, self._unlimited)
        self._every = max(0.02, min(SWEEP_SECONDS, self.limits.head_seconds / 4))

    @property
    def handshake_seconds(self) -> float:
        """For a TLS handshake."""
        return self.limits.head_seconds

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Timed, peer: str) -> bool:
        """Count a connection in, or say that it is one too many."""
        limits = self.limits
        if len(self._open) >= limits.max_connections:
            self.turned_away.add(peer, Why("max_connections"))
            return False
        if self._of_peer[peer] >= limits.max_connections_per_peer and peer not in self._unlimited:
            self.turned_away.add(peer, Why("max_connections_per_peer"))
            return False
        self._open.add(connection)
        self._of_peer[peer] += 1
        if not self._sweeping:
            self._sweeping = True
            asyncio.get_running_loop().call_later(self._every, self._sweep)
        return True

    def gone(self, connection: Timed, peer: str) -> None:
        if connection in self._open:
            self._open.discard(connection)
            self._of_peer[peer] -= 1
            if not self._of_peer[peer]:
                del self._of_peer[peer]

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._open):
            connection.look_at_the_clock(now)
        self._sweeping = bool(self._open)
        if self._sweeping:
            loop.call_later(self._every, self._sweep)


def _full() -> bytes:
    reply = fault_reply(
        Overloaded(
            "网关的连接数已达上限，请稍后重试",
            "the gateway has as many connections as it takes; try again in a moment",
        ),
        status=503,
    )
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        f"Content-Type: {reply.content_type}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
    )
    return head.encode() + reply.body
