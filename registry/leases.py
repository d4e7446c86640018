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

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, Index, String, Table, select
from sqlalchemy.engine import Connection

from registry.lived_time import LivedTime
from registry.reading import chunks
from registry.store import Store
from registry.tables import entity, metadata

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


NONE = Lease("none")
_WORST: dict[str, int] = {"none": 0, "alive": 1, "expired": 2, "hidden": 3}


class Leases:
    """``seconds``: how long a renewal lasts; ``hide_after_seconds``: how much longer an expired
    entry is still found. ``answers``: which of these bindings' keys answer their probes; what
    answers is not hidden, however long its node was cut off from the registry alone."""

    def __init__(
        self,
        store: Store,
        lived: LivedTime,
        *,
        seconds: float = 120,
        hide_after_seconds: float = 24 * 3600,
        answers: Callable[[Sequence[str]], set[str]] = lambda keys: set(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lived = lived
        self.seconds = seconds
        self._hide_after = int(hide_after_seconds * 1000)
        self._answers = answers
        self._clock = clock

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

    def _lease(self, row: Any, now: int, wall: float) -> Lease:
        state: LeaseState = row.state
        if state == "alive" and row.due <= now:
            state = "expired"  # the sweep has not come by yet
        expires = datetime.fromtimestamp(wall + (row.due - now) / 1000, UTC)
        return Lease(state, datetime.fromtimestamp(row.renewed / 1000, UTC), expires)


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
