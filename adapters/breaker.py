"""The circuit breaker of a source: one that is down is not asked by every caller in turn.

Closed: calls pass. After ``failures`` in a row it opens, and calls are refused at once. When
``seconds`` have passed, the next call is let through alone: if it succeeds all pass again, and if
it fails the breaker stays open as long again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """``failures`` 0: it never opens. ``clock`` gives seconds."""

    def __init__(
        self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._until: float | None = None  # open until then; None: closed
        self._trial = False
        self._opened = 0

    def admit(self) -> bool | None:
        """Whether a call may pass: True, as the trial of a source that failed; None, as any
        other; False, it may not."""
        with self._lock:
            if self._until is None:
                return None
            if self._trial or self._clock() < self._until:
                return False
            self._trial = True
            return True

    def withdrawn(self) -> None:
        """The trial ended without having asked the source anything: another call may be it."""
        with self._lock:
            self._trial = False

    def succeeded(self) -> None:
        with self._lock:
            self._failed = 0
            self._until = None
            self._trial = False

    def failed(self, trial: bool) -> None:
        """``trial``: by the call that was let through to try."""
        with self._lock:
            self._failed += 1
            if trial:
                self._trial = False
            if self._limit and (trial or (self._until is None and self._failed >= self._limit)):
                self._until = self._clock() + self._seconds
                self._opened += 1

    @property
    def wait(self) -> float:
        """Seconds until the next trial; 0: it may come now."""
        with self._lock:
            return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def state(self) -> dict[str, Any]:
        """For /health: how it stands, failures in a row, and how often it has opened."""
        wait = math.ceil(self.wait)
        with self._lock:
            state: State = "closed"
            if self._until is not None:
                state = "open" if wait and not self._trial else "half-open"
            return {"state": state, "failures": self._failed, "opened": self._opened}
