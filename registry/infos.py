"""What a list shows of an entity: its key, its names, and for a business its services' names.

Read as it is written, XML for UDDI 3 that was made when the entity was saved: nothing is decoded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from registry.projections import projected_keys
from registry.reading import chunks
from registry.tables import entity


class Info(NamedTuple):
    """``info``: the content of its info element, as registry.rows.info_of makes it."""

    key: str
    parent_key: str
    info: str


def infos(connection: Connection, keys: Sequence[str]) -> list[Info]:
    """In the order of the keys; what is gone meanwhile is left out."""
    rows = {row.key: row for part in chunks(keys) for row in _rows(connection, entity.c.key, part)}
    return [Info(key, rows[key].parent_key, rows[key].info) for key in keys if key in rows]


def service_infos(
    connection: Connection, business_keys: Sequence[str], *, projected: bool
) -> dict[str, list[Info]]:
    """By business: the services that it shows, in their order; hidden ones are not shown.
    ``projected``: those of other businesses too."""
    found: defaultdict[str, list[Info]] = defaultdict(list)
    for part in chunks(business_keys):
        rows = _rows(connection, entity.c.parent_key, part)
        for row in sorted(rows, key=lambda row: row.position):
            found[row.parent_key].append(Info(row.key, row.parent_key, row.info))
    if projected:
        placed = projected_keys(connection, business_keys)
        wanted = list({key for pairs in placed.values() for _, key in pairs})
        others = {one.key: one for one in infos(connection, wanted)}
        for business_key, pairs in placed.items():
            for position, key in pairs:
                if key in others:
                    found[business_key].insert(position, others[key])
    return found


_SHOWN = select(
    entity.c.key, entity.c.parent_key, entity.c.position, entity.c.info
).where(entity.c.hidden.is_(False))  # fmt: skip


def _rows(connection: Connection, column: Any, keys: Sequence[str]) -> list[Any]:
    return list(connection.execute(_SHOWN.where(column.in_(keys))))
