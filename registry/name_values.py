"""The different names that begin with something: a few among ten thousand, since what thousands
of hospitals offer goes by a few names. For each, an index has the entities in order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.engine import Connection

from registry.matching import like_pattern, text_matches
from registry.model import Kind
from registry.qualifiers import Qualifiers
from registry.tables import light, name

#: With more values than that, all names in the range are gathered and sorted.
FEW = 8


def matching_values(
    connection: Connection, kind: Kind, wanted: str, qualifiers: Qualifiers
) -> list[str] | None:
    """The values (folded ones, where cases do not matter) that match the pattern; None where too
    many begin like it, or it begins with a wildcard."""
    prefix, _ = like_pattern(wanted.casefold() if qualifiers.fold else wanted)
    if not prefix:
        return None
    query = _FOLDED if qualifiers.fold else _AS_THEY_ARE
    given = {"kind": kind, "low": prefix, "high": prefix + "\U0010ffff"}
    values = list(connection.execute(query, given).scalars())
    if len(values) > FEW:
        return None
    return [one for one in values if one is not None and text_matches(one, wanted, qualifiers)]


def _few(column: str) -> Select[Any]:
    """The first values in a range, each by one look into the index."""
    table = light(name)
    value, within = table.c[column], table.c.kind == bindparam("kind")
    least = select(func.min(value)).where(within, value < bindparam("high"))
    walk = least.where(value >= bindparam("low")).cte("walk", recursive=True)
    last = walk.c[0]
    following = least.where(value > last).correlate(walk).scalar_subquery()
    walk = walk.union_all(select(following).where(last.is_not(None)))
    return select(walk.c[0]).where(walk.c[0].is_not(None)).limit(FEW + 1)


_AS_THEY_ARE, _FOLDED = _few("value"), _few("folded")
