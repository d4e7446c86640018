"""One binding's condition: calls under way, failures in a row, and whether calls may go to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]

#: the pause doubles with each trial that fails, up to so many times the first one
_LONGEST = 12


class Breaker:
    """closed: calls go. open: none goes until ``seconds`` have passed, or a probe has succeeded.
    half-open: one call goes and decides. A call is told of by ``begun`` and then by exactly one
    of ``succeeded``, ``failed`` and ``undecided``."""

    __slots__ = (
        "_after",
        "_clock",
        "_longer",
        "_seconds",
        "_trial",
        "_until",
        "failures",
        "under_way",
    )

    def __init__(self, after: int, seconds: float, clock: Callable[[], float]) -> None:
        self._after = after
        self._seconds = seconds
        self._clock = clock
        self._longer = 1
        self._trial = False
        self._until: float | None = None
        self.failures = 0
        self.under_way = 0

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "half-open" if self._clock() >= self._until else "open"

    def lets_through(self) -> bool:
        if self._until is None:
            return True
        return not self._trial and self._clock() >= self._until

    def seconds_left(self) -> float:
        """Until a call may try it again."""
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def begun(self) -> None:
        self.under_way += 1
        if self._until is not None:
            self._trial = True

    def succeeded(self) -> bool:
        """True where this is news: calls may go again."""
        self.under_way -= 1
        was_open = self._until is not None
        self._until, self._trial = None, False
        self.failures, self._longer = 0, 1
        return was_open

    def failed(self) -> bool:
        """True where this is news: from now on no call goes."""
        self.under_way -= 1
        return self._count_failure()

    def undecided(self) -> None:
        """The call ended by something that says nothing of the binding."""
        self.under_way -= 1
        self._trial = False

    def probed(self, up: bool) -> bool:
        """What a probe found. Up: an open one takes a trial at once. Down: counts as a failure
        while it is closed; an open one stays as it is, because what cannot be probed may still
        answer calls. True where it opens by this."""
        if self._until is None:
            return False if up else self._count_failure()
        if up:
            self._until = min(self._until, self._clock())
        return False

    def _count_failure(self) -> bool:
        self.failures += 1
        if self._until is not None:
            if not self._trial:
                return False  # a call from before it opened
            self._trial = False
            self._longer = min(self._longer * 2, _LONGEST)
        elif self.failures < self._after:
            return False
        news = self._until is None
        self._until = self._clock() + self._seconds * self._longer
        return news
