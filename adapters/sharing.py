"""Reads that are alike are asked of a source once: single flight, and a short cache.

Callers who ask the same while it is being asked wait for that one answer. Where the configuration
gives a query a time, its answer serves everybody for so long. A write of this node ends both: who
asks after it has an answer that began after it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from adapters.bulkhead import Bulkhead

#: answers that are kept at most; they are dropped together when there are more
_MOST = 1000


@dataclass
class _Flight:
    task: asyncio.Task[Any]
    callers: int = 0


class Sharing:
    """Of one source. All of it runs in the event loop, so nothing is locked."""

    def __init__(self, source: Bulkhead) -> None:
        self._source = source
        self._single = source.config.single_flight
        self._seconds = source.config.cache_seconds
        self._flights: dict[Hashable, _Flight] = {}
        self._kept: dict[Hashable, tuple[float, Any]] = {}
        self._age = 0  # raised by every write, so that what began before it is told from the rest
        self._writing = 0

    async def write(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """A write; never shared."""
        self._writing += 1
        try:
            return await self._source.run(function, **arguments)
        finally:
            self._writing -= 1
            self._age += 1
            self._kept.clear()

    async def read(self, operation: str, function: Callable[..., Any], **arguments: Any) -> Any:
        """The answer of ``operation`` to these arguments, perhaps together with others'."""
        seconds = self._seconds.get(operation, 0.0)
        if not (self._single or seconds):
            return await self._source.run(function, **arguments)
        key: Hashable = (operation, tuple(sorted(arguments.items())))
        try:
            hash(key)
        except TypeError:  # a list among the arguments
            return await self._source.run(function, **arguments)
        kept = self._kept.get(key)
        if kept is not None:
            if time.monotonic() < kept[0]:
                self._source.shared += 1
                self._source.cached += 1
                return kept[1]
            del self._kept[key]
        age = self._age
        if self._single:
            answer = await self._flown((key, age), function, arguments)
        else:
            answer = await self._source.run(function, **arguments)
        if seconds and not self._writing and age == self._age:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = time.monotonic() + seconds, answer
        return answer

    async def _flown(
        self, key: Hashable, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> Any:
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.create_task(self._source.run(function, **arguments)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        else:
            self._source.shared += 1
        flight.callers += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            # The last one to leave stops the statement; nobody joins it any more.
            if flight.callers == 1 and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()
            raise
        finally:
            flight.callers -= 1
