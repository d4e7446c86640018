"""Reading entities by their keys, inside a transaction that somebody else began."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.engine import Connection

from registry.model import Kind
from registry.projections import projected_keys
from registry.rows import decode, no_such_key
from registry.tables import entity

# Keys in one IN (...): PostgreSQL and SQLite both carry far more; the plan stays quick.
_CHUNK = 500


def chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    return (keys[start : start + _CHUNK] for start in range(0, len(keys), _CHUNK))


def rows_where(
    connection: Connection, column: Any, keys: Sequence[str], kind: Kind | None = None
) -> list[Any]:
    """The rows that have any of these in that column, of that kind alone where one is given."""
    rows: list[Any] = []
    for part in chunks(list(dict.fromkeys(keys))):
        rows += connection.execute(select(entity).where(column.in_(part))).all()
    # Not in SQL: by a condition on the kind, SQLite would go through all of that kind instead.
    return [row for row in rows if row.kind == kind] if kind else rows


def require(keys: Sequence[str], known: dict[str, Any]) -> None:
    for key in keys:
        if key not in known:
            raise no_such_key(key)


def read(
    connection: Connection, kind: Kind, keys: Sequence[str], depth: int, *, hidden: bool = True
) -> list[Any]:
    """The entities of these keys. ``hidden``: also what is hidden inside them, as a get answers
    it and a find does not."""
    rows = {row.key: row for row in rows_where(connection, entity.c.key, keys, kind)}
    require(keys, rows)
    children = _children(connection, list(rows), depth, hidden)
    if kind == "business" and depth:
        _add_projections(connection, children, list(rows), depth, hidden)
    return [decode(rows[key], children[key]) for key in keys]


def _add_projections(
    connection: Connection,
    children: defaultdict[str, tuple[Any, ...]],
    businesses: Sequence[str],
    depth: int,
    hidden: bool,
) -> None:
    """Put the services that these businesses project where they stand among their own; those
    that are gone are left out."""
    projected = projected_keys(connection, businesses)
    wanted = [key for pairs in projected.values() for _, key in pairs]
    rows = {row.key: row for row in rows_where(connection, entity.c.key, wanted, "service")}
    below = _children(connection, list(rows), depth - 1, hidden)
    for business, pairs in projected.items():
        services = list(children[business])
        for position, key in pairs:
            if key in rows and (hidden or not rows[key].hidden):
                services.insert(position, decode(rows[key], below[key]))
        children[business] = tuple(services)


def _children(
    connection: Connection, keys: Sequence[str], depth: int, hidden: bool
) -> defaultdict[str, tuple[Any, ...]]:
    found: defaultdict[str, tuple[Any, ...]] = defaultdict(tuple)
    if depth:
        rows = sorted(
            rows_where(connection, entity.c.parent_key, keys), key=lambda row: row.position
        )
        below = _children(connection, [row.key for row in rows], depth - 1, hidden)
        grouped: defaultdict[str, list[Any]] = defaultdict(list)
        for row in rows:
            if row.hidden and not hidden:
                continue
            grouped[row.parent_key].append(decode(row, below[row.key]))
        found.update((parent, tuple(items)) for parent, items in grouped.items())
    return found
