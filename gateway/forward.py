"""Forwarding: the seam between the way of a call and whatever carries it to the node.

``gateway/upstream.py`` is the first implementation. A Forwarder gives the node's answer, or says
by one of the errors below why there is none; it never makes up an answer and never decides what
the caller is told.
"""

from __future__ import annotations

import math
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.binding import Binding


# Not frozen, though nobody changes them: freezing triples what making one costs.
@dataclass(slots=True)
class NodeRequest:
    """What is sent to a node. ``query`` has no question mark; ``suffix`` goes behind the access
    point's path; ``headers`` hold neither Content-Length nor Host nor anything hop-by-hop: those
    are the forwarder's business. ``repeatable``: sending it twice does no harm, because it only
    reads or carries a RequestId. ``deadline``: the event loop's time by which there must be an
    answer, whatever is tried until then."""

    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    query: str = ""
    suffix: str = ""
    repeatable: bool = False
    deadline: float = math.inf


@dataclass(slots=True)
class NodeAnswer:
    """A node's whole answer. ``headers`` by lower-case name; the body as it came. ``node``: the
    access point that gave it, where that is known."""

    status: int
    headers: dict[str, str]
    body: bytes
    node: str = ""


#: an answer that is awaited. One forwarder hands on another's without waiting in between: each
#: coroutine more on the way is resumed for every call.
Coming = Coroutine[Any, Any, NodeAnswer]


class Forwarder(Protocol):
    def send(self, binding: Binding, request: NodeRequest) -> Coming:
        """The node's answer, within the configured time. Raises a NoAnswer."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class NoAnswer(Exception):
    """No usable answer. The text is for the log, with addresses; callers never see it."""


class NotReached(NoAnswer):
    """Refused, unknown name, no connection in time: the node has seen nothing of the call."""


class Busy(NotReached):
    """Every way to the node is taken, and as many calls wait as may: it has seen nothing."""


class GateClosed(NotReached):
    """Outside the hours in which the hospital's gate lets anything through; nothing was sent."""

    def __init__(self, window: str) -> None:
        super().__init__(f"the gate is open {window}")
        self.window = window


class TooLargeForGate(NoAnswer):
    """The request is larger than what the hospital's gate lets through; nothing was sent."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the gate lets {limit} bytes through")
        self.limit = limit


class TimedOut(NoAnswer):
    """It was sent and not answered in time: it may have been carried out, or still be.
    ``seconds``: how long that was, where it is not ``forward.timeout_seconds``."""

    def __init__(self, text: str, *, seconds: float | None = None) -> None:
        super().__init__(text)
        self.seconds = seconds


class BrokenOff(NoAnswer):
    """The connection ended after the call was sent: it may have been carried out."""


class BadAnswer(NoAnswer):
    """Something came back that is not HTTP, is encoded, or leads elsewhere."""


class AnswerTooLarge(NoAnswer):
    """The answer is larger than ``forward.max_answer_bytes``."""
