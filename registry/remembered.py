"""What was found out about the registry's content, remembered until anything in it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from sqlalchemy.engine import Connection

from registry.changes import last_index

T = TypeVar("T")


class Remembered:
    """Of so many things; those that were not asked for longest are forgotten first."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()

    def now(self, connection: Connection) -> Now:
        return Now(self, connection)

    def get(self, about: Hashable, index: int, find_out: Callable[[], T]) -> T:
        with self._lock:
            known = self._known.get(about)
            if known is not None and known[0] == index:
                self._known.move_to_end(about)
                value: T = known[1]
                return value
        found = find_out()
        with self._lock:
            self._known[about] = (index, found)
            self._known.move_to_end(about)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return found


class Now:
    """What is true in a connection's transaction, whose change log is read once, when first
    something is asked for. That must be before ``find_out`` reads: a change in between makes a
    value look older than it is, and never newer."""

    def __init__(self, remembered: Remembered, connection: Connection) -> None:
        self._remembered = remembered
        self._connection = connection
        self._index = -1

    def of(self, about: Hashable, find_out: Callable[[], T]) -> T:
        """``about`` tells it from everything else that is asked for."""
        if self._index < 0:
            self._index = last_index(self._connection)
        return self._remembered.get(about, self._index, find_out)
