"""The sweep over the leases: what ran out is marked, what ran out long ago is hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from sqlalchemy import Select, func, select, union_all, update
from sqlalchemy.engine import Connection

from registry.changes import record
from registry.config import OPERATOR
from registry.leases import (
    Leases,
    LeaseState,
    entry,
    lease,
    set_hidden,
    with_descendants,
)
from registry.lived_time import LivedTime
from registry.reading import rows_where
from registry.store import Store
from registry.tables import entity

log = structlog.get_logger("registry")

#: Leases marked or hidden in one transaction; the next sweep goes on.
_AT_ONCE = 500


class LeaseSweep:
    """``hide_after_seconds``: how long an expired entry is still found. ``answers``: which of
    these bindings' keys answer their probes; what answers is not hidden, however long its node
    has been cut off from the registry alone."""

    def __init__(
        self,
        store: Store,
        lived: LivedTime,
        leases: Leases,
        *,
        hide_after_seconds: float = 24 * 3600,
        answers: Callable[[Sequence[str]], set[str]] = lambda keys: set(),
    ) -> None:
        self._store = store
        self._lived = lived
        self._leases = leases
        self._hide_after = int(hide_after_seconds * 1000)
        self._answers = answers

    def __call__(self) -> None:
        """One sweep. To be called every few seconds, by one thread."""
        self._leases.flush()
        self._mark()
        self._hide()
        self._enforce()

    def _mark(self) -> None:
        now = self._lived.now()

        def work(connection: Connection) -> list[Any]:
            query = select(lease).where(lease.c.state == "alive", lease.c.due <= now)
            rows = connection.execute(query.order_by(lease.c.due).limit(_AT_ONCE)).all()
            there = self._moved(connection, rows, "expired")
            record(connection, OPERATOR, [entry("expire", row) for row in there])
            return there

        if self._any("alive", now):
            for row in self._store.write(work):
                log.warning("lease expired", key=row.key, publisher=row.publisher)

    def _hide(self) -> None:
        before = self._lived.now() - self._hide_after
        if not self._any("expired", before):
            return
        query = select(lease).where(lease.c.state == "expired", lease.c.due <= before)
        with self._store.engine.connect() as connection:
            rows = connection.execute(query.order_by(lease.c.due)).all()
        for start in range(0, len(rows), _AT_ONCE):
            self._hide_some(rows[start : start + _AT_ONCE])

    def _hide_some(self, rows: Sequence[Any]) -> None:
        with self._store.engine.connect() as connection:
            below = with_descendants(connection, [row.key for row in rows])
        bindings = [row.key for row in below if row.kind == "binding"]
        parents = {row.key: row.parent_key for row in below}
        spared: set[str | None] = set()
        for key in self._answers(bindings) if bindings else ():
            at: str | None = key
            while at is not None:
                spared.add(at)
                at = parents.get(at)
        chosen = [row for row in rows if row.key not in spared]

        def work(connection: Connection) -> None:
            self._moved(connection, chosen, "hidden")

        if chosen:
            self._store.write(work)

    def _moved(self, connection: Connection, rows: Sequence[Any], state: LeaseState) -> list[Any]:
        """Put these leases into a state, unless they were renewed meanwhile; drop those whose
        entity is gone. The entities of the former."""
        keys = [row.key for row in rows]
        there = {row.key: row for row in rows_where(connection, entity.c.key, keys)}
        moved = []
        for row in rows:
            same = (lease.c.key == row.key, lease.c.state == row.state, lease.c.due == row.due)
            if row.key not in there:
                connection.execute(lease.delete().where(*same))
            elif connection.execute(update(lease).where(*same).values(state=state)).rowcount:
                moved.append(there[row.key])
        return moved

    def _enforce(self) -> None:
        """Hide what stands under a hidden lease and is not hidden: because the lease has just
        become so, or because somebody saved the entity since, which is no renewal."""
        shown = _shown_under_hidden_leases()
        with self._store.engine.connect() as connection:
            if not connection.execute(shown.limit(1)).first():
                return

        def work(connection: Connection) -> list[Any]:
            rows = list(connection.execute(shown.limit(_AT_ONCE)))
            set_hidden(connection, [row.key for row in rows], True)
            record(connection, OPERATOR, [entry("lapse", row, gone=True) for row in rows])
            return rows

        for row in self._store.write(work):
            log.warning("entry hidden", key=row.key, kind=row.kind, publisher=row.publisher)

    def _any(self, state: LeaseState, due: int) -> bool:
        """Whether there is anything to do: most sweeps find nothing, and write nothing."""
        query = select(lease.c.key).where(lease.c.state == state, lease.c.due <= due).limit(1)
        with self._store.engine.connect() as connection:
            return connection.execute(query).first() is not None


def _shown_under_hidden_leases() -> Select[Any]:
    over = select(lease.c.key).where(lease.c.state == "hidden")
    child, grandchild, parent = entity.alias(), entity.alias(), entity.alias()
    # Three look-ups by an index each, and not one condition that would read the whole table.
    under = union_all(
        over,
        select(child.c.key).where(child.c.parent_key.in_(over)),
        select(grandchild.c.key)
        .join(parent, grandchild.c.parent_key == parent.c.key)
        .where(parent.c.parent_key.in_(over)),
    )
    return (
        select(entity)
        .where(entity.c.key.in_(under), entity.c.hidden.is_(False))
        .order_by(entity.c.key)
    )


def counted(store: Store) -> dict[str, int]:
    """How many leases are in each state."""
    query = select(lease.c.state, func.count()).group_by(lease.c.state)
    with store.engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
