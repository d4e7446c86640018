"""The registry's own time: how long it has been up, in all. Leases run by it.

Time in which the registry was down, stopped or could not write does not pass, and neither the
wall clock's jumps nor a power cut can make a lease run out: nodes are only ever late by time in
which they could have renewed.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

from sqlalchemy import BigInteger, Column, Integer, String, Table, insert, select, update
from sqlalchemy.engine import Connection, Engine

from registry.tables import metadata

#: One row. ``lived``: milliseconds. ``epoch`` changes at every start of a registry over this
#: database, so that whoever follows the change log knows when to read everything anew.
registry_clock = Table(
    "registry_clock",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("lived", BigInteger, nullable=False),
    Column("epoch", String(36), nullable=False),
)

#: seconds between two ticks, and the most that one tick lets pass: a process that was stopped, or
#: a database that was away, for longer than that answered no renewals meanwhile
TICK_SECONDS = 5.0
LONGEST_TICK_SECONDS = 15.0


class LivedTime:
    """``clock``: seconds of a monotonic clock."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._writing = engine.execution_options(writes=True)
        self._clock = clock
        self._lock = threading.Lock()
        with self._writing.begin() as connection:
            self._written = _begin(connection)  # what stood in the database, at ``_at``
        self._at = clock()
        self._told = self._written

    def now(self) -> int:
        """Milliseconds that registries over this database have been up. Never goes back while
        this process lives."""
        with self._lock:
            return self._now()

    def tick(self) -> int:
        """Write down the time that has passed, and answer ``now``. Where another process over the
        same database has done so meanwhile, its word is taken: time passes once."""
        with self._lock:
            lived = self._written + self._passed()
            with self._writing.begin() as connection:
                mine = (registry_clock.c.id == 1, registry_clock.c.lived == self._written)
                moved = connection.execute(update(registry_clock).where(*mine).values(lived=lived))
                if not moved.rowcount:
                    query = select(registry_clock.c.lived)
                    lived = int(connection.execute(query).scalar_one())
            self._written, self._at = lived, self._clock()
            return self._now()

    def _now(self) -> int:
        self._told = max(self._told, self._written + self._passed())
        return self._told

    def _passed(self) -> int:
        seconds = min(max(self._clock() - self._at, 0.0), LONGEST_TICK_SECONDS)
        return int(seconds * 1000)


def epoch(connection: Connection) -> str:
    """The word for this database since the last start of a registry over it."""
    return str(connection.execute(select(registry_clock.c.epoch)).scalar_one())


def _begin(connection: Connection) -> int:
    """The time lived so far. A start is a new epoch."""
    new = str(uuid.uuid4())
    lived = connection.execute(select(registry_clock.c.lived)).scalar()
    if lived is None:
        connection.execute(insert(registry_clock).values(id=1, lived=0, epoch=new))
        return 0
    connection.execute(update(registry_clock).values(epoch=new))
    return int(lived)
