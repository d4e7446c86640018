"""Calls that were tried, kept to be looked at and shared.

In memory and nowhere else: requests and answers hold patients' data, which must not get into a
database, its backups, or an address. Each has a name that cannot be guessed and an end.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from registry.web.calling import Answered

#: bytes of all calls together; the oldest go first
_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """``values`` by their dotted names, as the form had them; ``unchecked``: sent as they were."""

    service_key: str
    operation: str
    address: str
    values: Mapping[str, str]
    unchecked: bool
    request: bytes
    answered: Answered
    at: datetime
    until: datetime

    @property
    def size(self) -> int:
        return len(self.request) + len(self.answered.body) + 4096


class KeptCalls:
    """At most ``most`` calls, each for ``seconds``. Safe from several threads."""

    def __init__(
        self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: dict[str, tuple[float, Call]] = {}

    def keep(self, call: Call) -> str:
        """The name under which it is found."""
        name = secrets.token_urlsafe(18)
        with self._lock:
            self._calls[name] = (self._clock() + self.seconds, call)
            self._tidy()
        return name

    def get(self, name: str) -> Call | None:
        with self._lock:
            self._tidy()
            found = self._calls.get(name)
            return found[1] if found else None

    def drop(self, name: str) -> None:
        with self._lock:
            self._calls.pop(name, None)

    def _tidy(self) -> None:
        now = self._clock()
        for name in [name for name, (until, _) in self._calls.items() if until <= now]:
            del self._calls[name]
        size = sum(call.size for _, call in self._calls.values())
        for name in list(self._calls):  # in the order in which they came
            if len(self._calls) <= self._most and size <= _MOST_BYTES:
                break
            size -= self._calls.pop(name)[1].size
