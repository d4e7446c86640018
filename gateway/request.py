"""One request on a connection: its head, and its body as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.call import BodyTooLarge, CallerLeft
from gateway.head import Refused
from gateway.room import UNCOUNTED, Room, no_room

Headers = list[tuple[bytes, bytes]]


class HttpRequest:
    """``length``: of the body, as its Content-Length says. ``refused``: why it will not be looked
    at further. ``complete``: the whole body is here. A body is kept up to ``limit`` bytes, while
    ``room`` has room for it on behalf of ``peer``; of what goes beyond only the size is.
    ``release`` it when its call has ended."""

    __slots__ = (
        "_ended",
        "_held",
        "_limit",
        "_loop",
        "_no_room",
        "_parts",
        "_peer",
        "_room",
        "_seconds",
        "_size",
        "_waiter",
        "complete",
        "continue_wanted",
        "headers",
        "keep_alive",
        "length",
        "method",
        "refused",
        "url",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        method: str,
        url: bytes,
        headers: Headers,
        length: int | None,
        *,
        keep_alive: bool,
        limit: int,
        seconds: float,
        room: Room,
        peer: str,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.length = length
        self.keep_alive = keep_alive
        self.complete = False
        self.refused: Refused | None = None
        self.continue_wanted: Callable[[], None] | None = None
        self._loop = loop
        self._limit = limit
        self._seconds = seconds
        self._room = room
        self._peer = peer
        self._size = self._held = 0
        self._no_room: Refused | None = None
        self._parts: list[bytes] = []
        self._ended: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    # --- the connection's side --------------------------------------------------------------

    def add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._limit:
            if self._no_room is None:
                self._parts.append(part)
                if self._size > UNCOUNTED:
                    self._hold()
        elif self._size - len(part) <= self._limit:  # it is this part that goes beyond
            self._parts.clear()
            self.release()
            self._wake()

    def _hold(self) -> None:
        if self._room.take(self._peer, self._size - self._held):
            self._held = self._size
            return
        self._no_room = no_room()
        self._parts.clear()
        self.release()
        self._wake()

    def release(self) -> None:
        """Its body is of no use any more."""
        if self._held:
            self._room.give_back(self._peer, self._held)
            self._held = 0

    def end(self) -> None:
        self.complete = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """The rest of the body will not come, or is not to be believed."""
        if not self.complete and self._ended is None:
            self._ended = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # --- the call's side --------------------------------------------------------------------

    async def read_body(self, limit: int) -> bytes:
        """The whole body. BodyTooLarge as soon as it is known to be larger than ``limit`` or than
        what is kept; CallerLeft; Refused where it is no proper HTTP; TimeoutError."""
        if not self.complete:
            await self._arrived()
        if self._size > min(limit, self._limit):
            raise BodyTooLarge
        if self._no_room is not None:
            raise self._no_room
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _arrived(self) -> None:
        if self.continue_wanted is not None:
            self.continue_wanted()
            self.continue_wanted = None
        async with asyncio.timeout(self._seconds):
            while not (self.complete or self._ended or self._no_room or self._size > self._limit):
                self._waiter = self._loop.create_future()
                await self._waiter
        if self._ended is not None and not self.complete and self._no_room is None:
            raise self._ended

    def left(self) -> None:
        """The caller has closed the connection."""
        self.fail(CallerLeft())
