"""Admission, a fair share: how many calls are under way at once, and who is next when it is full.

Without a queue the first come takes all: a caller with a thousand connections would leave nothing
to one with two. Here, when a place falls free, it goes to the waiting caller who has the fewest
calls under way; and when the queue is full, the newest of the caller who has the most waiting
makes room for one of a caller with fewer. One caller alone never holds all places: a quarter stays
for the others, who then need not wait for his slow calls to end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from gateway.admission.rate import busy
from gateway.head import Refused
from services.faults import Overloaded


@dataclass(slots=True)
class _Caller:
    running: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Places:
    """``places`` calls at once, of which one caller has three quarters at most where ``several``
    callers are configured; ``queue`` may wait, each ``seconds`` at most. ``rule`` names the
    setting. On the event loop only."""

    def __init__(
        self, rule: str, places: int, queue: int, seconds: float, *, several: bool = True
    ) -> None:
        self._rule = rule
        self._free = places
        self._most = max(1, places - places // 4) if several else places
        self._queue = queue
        self._seconds = seconds
        self._queued = 0
        self._callers: dict[str, _Caller] = {}

    @property
    def idle(self) -> bool:
        return not self._callers

    def enter(self, name: str) -> bool:
        """A place at once, if nobody waits for one and one is free: True. Then ``leave``."""
        if self._free <= 0:
            return False
        caller = self._callers.get(name)
        if caller is None:
            caller = self._callers[name] = _Caller()
        elif caller.running >= self._most or caller.waiting:
            return False
        caller.running += 1
        self._free -= 1
        return True

    async def wait(self, name: str) -> None:
        """A place, in turn. Refused where the queue is full or it takes too long."""
        if self.enter(name):
            return
        caller = self._callers.get(name) or _Caller()
        if self._queued >= self._queue:
            self._make_room(caller)
        self._callers[name] = caller
        turn = asyncio.get_running_loop().create_future()
        caller.waiting.append(turn)
        self._queued += 1
        try:
            async with asyncio.timeout(self._seconds):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(name)  # the place came at the moment of giving up
            elif turn in caller.waiting:
                caller.waiting.remove(turn)
                self._queued -= 1
            self._forget(name, caller)
            if isinstance(error, TimeoutError):
                raise self._full() from None
            raise

    def leave(self, name: str) -> None:
        """The call has ended; its place goes to whoever is next."""
        caller = self._callers[name]
        caller.running -= 1
        self._free += 1
        self._forget(name, caller)
        if self._queued:
            self._hand_out()

    def _hand_out(self) -> None:
        while self._free > 0:
            able = [
                (name, caller)
                for name, caller in self._callers.items()
                if caller.waiting and caller.running < self._most
            ]
            if not able:
                return
            name, caller = min(able, key=lambda one: one[1].running)
            # To the end, so that of two with as many under way the other one is next.
            self._callers[name] = self._callers.pop(name)
            turn = caller.waiting.popleft()
            self._queued -= 1
            if turn.done():
                continue  # it has just given up
            caller.running += 1
            self._free -= 1
            turn.set_result(None)

    def _make_room(self, caller: _Caller) -> None:
        noisiest = max(self._callers.values(), key=lambda c: len(c.waiting), default=caller)
        if len(noisiest.waiting) <= len(caller.waiting) + 1:
            raise self._full()
        turn = noisiest.waiting.pop()
        self._queued -= 1
        if not turn.done():
            turn.set_exception(self._full())

    def _forget(self, name: str, caller: _Caller) -> None:
        if not caller.running and not caller.waiting:
            self._callers.pop(name, None)

    def _full(self) -> Refused:
        return busy(
            Overloaded(
                "网关正忙，排队的调用过多，请稍后重试",
                "the gateway is busy and too many calls are waiting; try again after a moment",
                rule=self._rule,
            ),
            1,
        )
