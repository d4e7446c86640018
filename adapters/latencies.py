"""How long what was asked of a source took, per operation, counted in buckets."""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, field

#: upper ends of the buckets, in seconds; the last one has none
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass
class Histogram:
    """``counts[i]``: how many took at most ``BOUNDS[i]`` and more than the bound before it; the
    last one, how many took longer. ``seconds``: all of them together."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0


class Latencies:
    """Of one source. Added to by the threads of its pool."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, Histogram] = {}

    def add(self, operation: str, seconds: float) -> None:
        bucket = bisect_left(BOUNDS, seconds)
        with self._lock:
            found = self._of.get(operation)
            if found is None:
                found = self._of[operation] = Histogram()
            found.counts[bucket] += 1
            found.seconds += seconds

    def read(self) -> dict[str, Histogram]:
        """As they stand now, by operation."""
        with self._lock:
            return {
                operation: Histogram(list(one.counts), one.seconds)
                for operation, one in self._of.items()
            }
