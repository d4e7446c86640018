"""Long poll over the change log: who has seen number N waits here for what comes behind it.

One reader for all: a change is read from the database once, however many wait, and the answer to
all who stood at the same number is the same bytes.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from registry.changes import Change
from registry.errors import UddiError
from registry.failures import described
from registry.lived_time import epoch
from registry.store import Store

T = TypeVar("T")

log = structlog.get_logger("registry")

#: changes in one answer; who is told ``more`` comes again at once
MOST_CHANGES = 500
#: changes kept in memory; who is further behind is answered from the database
RECENT = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watcher has seen: changes up to ``index`` of the database that was ``epoch``."""

    index: int
    epoch: str = ""


class Watch:
    """``waiters``: how many may wait at one time. All but ``end`` in the server's event loop."""

    def __init__(self, store: Store, waiters: int) -> None:
        self._store = store
        self._most = waiters
        self._waiting: set[asyncio.Future[None]] = set()
        self._recent: deque[Change] = deque(maxlen=RECENT)
        self._last = 0
        self._epoch = ""
        self._answers: dict[int, bytes] = {}
        self._reading: asyncio.Task[None] | None = None
        self._again = False
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._limiter = CapacityLimiter(1)  # of the loop that runs it

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def last(self) -> int:
        """The last change that watchers can have been told of."""
        return self._last

    async def start(self) -> None:
        """SQLAlchemyError where the database cannot be had."""
        self._loop = asyncio.get_running_loop()
        self._epoch, self._last = await self._threaded(self._stand)
        loop = self._loop

        def told(_last: int) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._look)

        self._unsubscribe = await self._threaded(partial(self._store.subscribe, told))
        self._look()  # for what came between the two

    async def stop(self) -> None:
        self.end()
        await self._threaded(self._unsubscribe)
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    def end(self) -> None:
        """Let everybody go, at once, and nobody wait again: the registry ends. From any thread."""
        self._ended = True
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    # --- waiting -----------------------------------------------------------------------------

    async def after(self, seen: Seen | None, seconds: float) -> bytes:
        """The answer, JSON, to a watcher who has seen that much (None: nothing yet), at the latest
        after ``seconds``. E_busy where too many wait already."""
        if seen is None or seconds <= 0 or self._is_other(seen):
            # Who does not wait is told what is true now, and not what was read a moment ago.
            self._look()
            assert self._reading is not None
            await asyncio.shield(self._reading)
        if seen is None or self._is_other(seen):
            return self._answer([], reset=True)
        if seen.index >= self._last and seconds > 0 and not self._ended:
            await self._wait(seen.index, seconds)
        if seen.index >= self._last:
            return self._answer([], reset=False)
        known = self._answers.get(seen.index)
        if known is None:
            known = await self._told(seen.index)
        return known

    def _is_other(self, seen: Seen) -> bool:
        """Whether the number is of another database, or of this one before it was put back."""
        return seen.index > self._last or (seen.epoch not in ("", self._epoch))

    async def _wait(self, index: int, seconds: float) -> None:
        if len(self._waiting) >= self._most:
            raise UddiError(
                "busy",
                f"等待变更的已有 {self._most} 个，请改用轮询或稍后再试 / {self._most} are waiting "
                "for changes already; poll, or try again later",
            )
        assert self._loop is not None
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return
        finally:
            self._waiting.discard(future)

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    # --- answering ---------------------------------------------------------------------------

    async def _told(self, index: int) -> bytes:
        # From memory, where memory goes back far enough.
        if self._recent and self._recent[0].index <= index + 1:
            changes = [change for change in self._recent if change.index > index]
        else:
            changes = await to_thread.run_sync(
                self._store.changes, index, MOST_CHANGES, limiter=self._limiter
            )
        known = self._answers.get(index)
        if known is not None:
            return known
        if not changes or changes[0].index != index + 1:
            return self._answer([], reset=True)  # the log no longer goes back so far
        answer = self._answer(changes[:MOST_CHANGES], reset=False)
        if len(self._answers) < RECENT:
            self._answers[index] = answer
        return answer

    def _answer(self, changes: Sequence[Change], *, reset: bool) -> bytes:
        index = changes[-1].index if changes else self._last
        return json.dumps(
            {
                "epoch": self._epoch,
                "index": index,
                "reset": reset,
                "more": index < self._last,
                "changes": [as_json(change) for change in changes],
            },
            ensure_ascii=False,
        ).encode()

    # --- reading -----------------------------------------------------------------------------

    def _look(self) -> None:
        """Read what is new, in one task however often this is called."""
        self._again = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="registry watch")

    async def _read(self) -> None:
        while self._again and not self._ended:
            self._again = False
            try:
                word, last = await self._threaded(self._stand)
                new: list[Change] = []
                if last - self._last <= RECENT:
                    new = await self._threaded(partial(self._store.changes, self._last, RECENT))
            except SQLAlchemyError as error:
                log.warning("registry changes not read", error=described(error))
                await asyncio.sleep(1)
                self._again = True
                continue
            if word == self._epoch and last == self._last:
                continue
            if word != self._epoch or not 0 <= last - self._last <= RECENT:
                self._recent.clear()  # another registry has started over it, or it was put back
            self._recent.extend(new)
            self._epoch = word
            self._last = new[-1].index if new else last
            self._answers.clear()
            self._wake()

    def _stand(self) -> tuple[str, int]:
        with self._store.engine.connect() as connection:
            return epoch(connection), self._store.last_index()

    async def _threaded(self, function: Callable[[], T]) -> T:
        return await to_thread.run_sync(function, limiter=self._limiter)


def as_json(change: Change | Row[Any]) -> dict[str, object]:
    """A change as watchers are told of it."""
    return {
        "index": change.index,
        "moment": change.moment,
        "publisher": change.publisher,
        "action": change.action,
        "kind": change.kind,
        "key": change.key,
    }
