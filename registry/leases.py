"""Leases: what a node published stays alive as long as the node renews it.

    alive    renewed in time
    expired  not renewed for ``seconds``: marked on the page and in /leases, still found
    hidden   not renewed for ``hide_after_seconds`` more: no longer found, nor routed to; a get by
             its own key still answers it

Nothing is ever deleted, and one renewal brings an entry back from either state at once. Entries
without a lease, published by hand, are never touched. Leases run by the registry's own time
(registry/lived_time.py), so that its being down costs nobody a lease.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection

from registry.changes import Entry, record
from registry.errors import UddiError
from registry.lived_time import LivedTime
from registry.reading import chunks, rows_where
from registry.saving import check_owner
from registry.store import Store
from registry.tables import entity, metadata

log = structlog.get_logger("registry")

LeaseState = Literal["none", "alive", "expired", "hidden"]

lease = Table(
    "lease",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("publisher", String(255), nullable=False),
    Column("state", String(8), nullable=False),
    Column("renewed", BigInteger, nullable=False),  # wall clock, milliseconds, to be shown
    Column("due", BigInteger, nullable=False),  # the registry's own time
    Index("lease_by_due", "state", "due"),
)


@dataclass(frozen=True, slots=True)
class Lease:
    """``renewed``: the last renewal; ``expires``: when it runs out, or ran out; both None where
    there is no lease."""

    state: LeaseState
    renewed: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a renewal came to, by key. ``unknown`` are not in the catalogue: publish them again.
    ``revived`` had run out and are back."""

    renewed: tuple[str, ...]
    revived: tuple[str, ...]
    unknown: tuple[str, ...]


NONE = Lease("none")
#: Leases marked or hidden in one transaction; the next sweep goes on.
_AT_ONCE = 500
_WORST: dict[str, int] = {"none": 0, "alive": 1, "expired": 2, "hidden": 3}


class Leases:
    """``seconds``: how long a renewal lasts. ``clock``: seconds since 1970, for people alone."""

    def __init__(
        self,
        store: Store,
        lived: LivedTime,
        *,
        seconds: float = 120,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lived = lived
        self.seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        # Renewals of living leases wait here for the next sweep to write them in one transaction:
        # ten thousand nodes then cost the database one commit every few seconds. What a crash
        # loses of them is given back by ``begin``.
        self._pending: dict[str, tuple[int, int]] = {}

    # --- reading -----------------------------------------------------------------------------

    def of(self, keys: Iterable[str]) -> dict[str, Lease]:
        """The lease of each of these entities: its own, or that of what it stands in, whichever
        is worse off. "none" where there is neither."""
        wanted = list(dict.fromkeys(keys))
        with self._store.engine.connect() as connection:
            above = _ancestors(connection, wanted)
            every = list({one for chain in above.values() for one in chain})
            rows = {row.key: row for row in rows_of(connection, every)}
        now, wall = self._lived.now(), self._clock()
        return {
            key: max(
                (self._lease(rows[one], now, wall) for one in above[key] if one in rows),
                key=lambda found: _WORST[found.state],
                default=NONE,
            )
            for key in wanted
        }

    def hidden(self) -> list[str]:
        """The keys of all leases that are hidden now."""
        query = select(lease.c.key).where(lease.c.state == "hidden").order_by(lease.c.key)
        with self._store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def _lease(self, row: Any, now: int, wall: float) -> Lease:
        with self._lock:
            renewed, due = self._pending.get(row.key, (row.renewed, row.due))
        state: LeaseState = row.state
        if state == "alive" and due <= now:
            state = "expired"  # the sweep has not come by yet
        expires = datetime.fromtimestamp(wall + (due - now) / 1000, UTC)
        return Lease(state, datetime.fromtimestamp(renewed / 1000, UTC), expires)

    # --- renewing ----------------------------------------------------------------------------

    def renew(self, publisher: str, keys: Sequence[str]) -> Renewal:
        """Renew, or take, the leases of these entities, all or none. E_userMismatch where one is
        another publisher's, E_invalidKeyPassed for a tModel, which cannot be leased."""
        wanted = list(dict.fromkeys(keys))
        due, wall = self._due(), int(self._clock() * 1000)
        with self._store.engine.connect() as connection:
            there = {row.key: row for row in rows_where(connection, entity.c.key, wanted)}
            leases = {row.key: row for row in rows_of(connection, list(there))}
        for row in there.values():
            _check(row, publisher)
        living = [
            key
            for key, row in leases.items()
            if row.state == "alive" and row.publisher == publisher and not there[key].hidden
        ]
        others = [key for key in there if key not in set(living)]
        revived = self._take(publisher, others, due, wall) if others else ()
        with self._lock:
            self._pending |= dict.fromkeys(living, (wall, due))
        return Renewal(tuple(there), revived, tuple(key for key in wanted if key not in there))

    def _take(self, publisher: str, keys: Sequence[str], due: int, wall: int) -> tuple[str, ...]:
        """Write leases that are new, or have run out, at once. The keys of the latter."""

        def work(connection: Connection) -> tuple[str, ...]:
            there = {row.key: row for row in rows_where(connection, entity.c.key, keys)}
            old = {row.key: row for row in rows_of(connection, keys)}
            values = {"publisher": publisher, "state": "alive", "renewed": wall, "due": due}
            for key, row in there.items():
                _check(row, publisher)
                if key in old:
                    connection.execute(update(lease).where(lease.c.key == key).values(values))
                else:
                    connection.execute(insert(lease).values(key=key, kind=row.kind, **values))
            lapsed = [key for key in there if key in old and old[key].state != "alive"]
            below = with_descendants(connection, list(there))
            set_hidden(connection, [row.key for row in below if row.hidden], False)
            record(connection, publisher, [entry("revive", there[key]) for key in lapsed])
            return tuple(lapsed)

        revived = self._store.write(work)
        for key in revived:
            log.info("lease revived", key=key, publisher=publisher)
        return revived

    def release(self, publisher: str, keys: Sequence[str]) -> None:
        """Give leases up: the entries stay, as if published by hand. E_userMismatch."""

        def work(connection: Connection) -> None:
            rows = rows_where(connection, entity.c.key, list(keys))
            for row in rows:
                _check(row, publisher)
            found = [row.key for row in rows]
            for part in chunks(found):
                connection.execute(lease.delete().where(lease.c.key.in_(part)))
            below = with_descendants(connection, found)
            set_hidden(connection, [row.key for row in below if row.hidden], False)
            record(connection, publisher, [entry("release", row) for row in rows])

        with self._lock:
            for key in keys:
                self._pending.pop(key, None)
        self._store.write(work)

    def _due(self) -> int:
        return self._lived.now() + int(self.seconds * 1000)

    # --- keeping -----------------------------------------------------------------------------

    def begin(self) -> None:
        """At a start: every living lease has its full time again, because its node may just have
        been about to renew when the registry ended."""
        now, due = self._lived.now(), self._due()
        living = (lease.c.state == "alive", lease.c.due > now, lease.c.due < due)

        def work(connection: Connection) -> None:
            connection.execute(update(lease).where(*living).values(due=due))

        self._store.write(work)

    def flush(self) -> None:
        """Write the renewals that wait in memory."""
        with self._lock:
            pending = dict(self._pending)
        if not pending:
            return
        moved = (
            update(lease)
            .where(lease.c.key == bindparam("its_key"), lease.c.state == "alive")
            .values(renewed=bindparam("its_renewed"), due=bindparam("its_due"))
        )
        rows = [
            {"its_key": key, "its_renewed": renewed, "its_due": due}
            for key, (renewed, due) in pending.items()
        ]

        def work(connection: Connection) -> None:
            connection.execute(moved, rows)

        self._store.write(work)
        with self._lock:
            for key, told in pending.items():
                if self._pending.get(key) == told:
                    del self._pending[key]


def _check(row: Any, publisher: str) -> None:
    check_owner(row, publisher)
    if row.kind == "tmodel":
        raise UddiError(
            "invalidKeyPassed",
            f"tModel 没有租约 / a tModel has no lease: {row.key}",
        )


def entry(action: str, row: Any, *, gone: bool = False) -> Entry:
    return Entry(action, row.kind, row.key, row.parent_key, row.body if gone else None)


def set_hidden(connection: Connection, keys: Sequence[str], hidden: bool) -> None:
    for part in chunks(keys):
        connection.execute(update(entity).where(entity.c.key.in_(part)).values(hidden=hidden))


def with_descendants(connection: Connection, keys: Sequence[str]) -> list[Any]:
    """The rows of these entities and of everything inside them."""
    rows = rows_where(connection, entity.c.key, keys)
    found = list(rows)
    while rows:
        rows = rows_where(connection, entity.c.parent_key, [row.key for row in rows])
        found += rows
    return found


def rows_of(connection: Connection, keys: Sequence[str]) -> list[Any]:
    """The lease rows of these keys."""
    found: list[Any] = []
    for part in chunks(keys):
        found += connection.execute(select(lease).where(lease.c.key.in_(part)))
    return found


def _ancestors(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """By key: itself and what it stands in, as far up as the catalogue knows."""
    chains: dict[str, tuple[str, ...]] = {key: (key,) for key in keys}
    for _ in range(2):  # binding, service, business
        last = list({chain[-1] for chain in chains.values()})
        parents: dict[str, str] = {}
        for part in chunks(last):
            query = select(entity.c.key, entity.c.parent_key).where(entity.c.key.in_(part))
            parents |= {row.key: row.parent_key for row in connection.execute(query)}
        for key, chain in chains.items():
            parent = parents.get(chain[-1])
            if parent is not None:
                chains[key] = (*chain, parent)
    return chains
