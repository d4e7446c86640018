"""Memory for the bodies of requests that are still arriving or under way, in one worker.

Each body has its own limit, and each worker may have thousands of connections: together they could
be larger than the machine. Whoever has to be known by what stands in his message (a UsernameToken)
is nobody yet while it arrives.
"""

from __future__ import annotations

from collections import Counter

from gateway.head import Refused
from gateway_config.limits import Limits
from services.faults import Overloaded

#: bodies up to here are not counted: as many as there may be connections do no harm
UNCOUNTED = 65_536


class Room:
    """``take`` and ``give_back`` bytes. One source address has half of it at most, save the
    ``unlimited`` ones; a body of the size that is allowed always has room by itself."""

    def __init__(self) -> None:
        self.taken = 0
        self._of_peer: Counter[str] = Counter()

    def go_by(self, limits: Limits, unlimited: frozenset[str]) -> None:
        self._most = max(limits.held_bytes, limits.max_body_bytes)
        self._most_of_peer = max(limits.held_bytes // 2, limits.max_body_bytes)
        self._unlimited = unlimited

    def take(self, peer: str, size: int) -> bool:
        """Whether there is room for so much more."""
        theirs = self._of_peer[peer] + size
        if self.taken + size > self._most:
            return False
        if theirs > self._most_of_peer and peer not in self._unlimited:
            return False
        self.taken += size
        self._of_peer[peer] = theirs
        return True

    def give_back(self, peer: str, size: int) -> None:
        self.taken -= size
        self._of_peer[peer] -= size
        if not self._of_peer[peer]:
            del self._of_peer[peer]


def no_room() -> Refused:
    return Refused(
        0,
        Overloaded(
            "网关正在接收的大报文过多，请稍后重试",
            "the gateway is receiving too many large messages; try again after a moment",
        ),
        step="connection",
        rule="held_bytes",
        headers=(("Retry-After", "1"),),
    )
