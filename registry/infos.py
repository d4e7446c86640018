"""What a list shows of an entity: its key, its names, and for a business its services' names.

Read as it is written, XML for UDDI 3 that was made when the entity was saved: nothing is decoded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection

from registry.projections import projected_keys
from registry.reading import chunks
from registry.tables import entity


class Info(NamedTuple):
    """``info``: its element, as registry.rows.info_of makes it."""

    key: str
    info: str


def infos(connection: Connection, keys: Sequence[str]) -> list[Info]:
    """In the order of the keys; what is gone or hidden meanwhile is left out."""
    query = select(entity.c.key, entity.c.info).where(entity.c.hidden.is_(False))
    found = {
        row.key: Info(row.key, row.info)
        for part in chunks(keys)
        for row in connection.execute(query.where(entity.c.key.in_(part))).all()
    }
    return [found[key] for key in keys if key in found]


def service_infos(
    connection: Connection, business_keys: Sequence[str], *, projected: bool
) -> dict[str, list[Info]]:
    """By business: the services that it shows, in their order; hidden ones are not shown.
    ``projected``: those of other businesses too."""
    columns = (entity.c.parent_key, entity.c.position, entity.c.key, entity.c.info)
    query = select(*columns).where(entity.c.hidden.is_(False))
    found: defaultdict[str, list[Info]] = defaultdict(list)
    for part in chunks(business_keys):
        rows = connection.execute(query.where(entity.c.parent_key.in_(part))).all()
        for parent_key, _, key, info in sorted(rows, key=itemgetter(1)):
            found[parent_key].append(Info(key, info))
    if projected:
        placed = projected_keys(connection, business_keys)
        wanted = list({key for pairs in placed.values() for _, key in pairs})
        others = {one.key: one for one in infos(connection, wanted)}
        for business_key, pairs in placed.items():
            for position, key in pairs:
                if key in others:
                    found[business_key].insert(position, others[key])
    return found
