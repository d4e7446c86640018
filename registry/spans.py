"""What the two ends of a criterion's matches say, which an index answers without going through
them: that two criteria have nothing in common, or that one holds for whatever meets the other.

It spares looking up ten thousand matches of one criterion, one by one, among those of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlalchemy.engine import Connection

from registry.matching import Condition
from registry.model import Kind
from registry.remembered import Now
from registry.sources import Criterion, Rows, Sizes
from registry.tables import entity, light

#: With fewer matches, looking them up is quicker than asking about the ends.
FEW = 500

_ENTITY = light(entity)


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last of what matches are sorted by, both included."""

    low: str
    high: str

    def holds(self, sort: Any) -> Condition:
        condition: Condition = sort.between(self.low, self.high)
        return condition

    def common(self, other: Span) -> Span | None:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low, high) if low <= high else None


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is left to be asked of the matches of a criterion: that they lie within ``span``
    (None: anywhere) and meet the ``others``, of which the ``long`` ones have many matches."""

    others: tuple[Criterion, ...] = ()
    long: tuple[Criterion, ...] = ()
    span: Span | None = None

    @property
    def all(self) -> tuple[Criterion, ...]:
        return (*self.others, *self.long)


def narrowed(
    connection: Connection,
    first: Criterion,
    others: Sequence[Criterion],
    sizes: Sizes,
    known: Now,
) -> Narrowed | None:
    """``first``: the criterion whose matches are gone through, in order. None: nothing meets
    them all."""

    def is_long(criterion: Criterion) -> bool:
        return _by_index(criterion) and sizes.of(connection, criterion) >= FEW

    long = tuple(one for one in others if is_long(one)) if others and is_long(first) else ()
    if not long:
        return Narrowed(tuple(others))

    def ends_of(criterion: Criterion) -> Span | None:
        return known.of(("ends", criterion.about), lambda: _ends(connection, criterion))

    span = ends_of(first)
    for other in long:
        ends = ends_of(other)
        span = span.common(ends) if span and ends else None
    if span is None:
        return None
    return Narrowed(tuple(one for one in others if one not in long), long, span)


def without_needless(
    connection: Connection, kind: Kind, found: Narrowed, most: int, known: Now
) -> Narrowed:
    """The same without the long criteria that every entity of the kind within the span meets,
    as services are all of wsdl:types "service". Not looked at where more than ``most`` entities
    stand in the span."""
    span = found.span
    if span is None:
        return found
    everything = select(literal(1)).where(_ENTITY.c.kind == kind, span.holds(_ENTITY.c.sort_name))
    there = known.of((kind, span, most), lambda: _count(connection, everything, most + 1))
    if there > most:
        return found

    def needed(criterion: Criterion) -> bool:
        rows = criterion.sources[0].rows()
        # Distinct, since an entity may have the same thing twice.
        within = rows.where(span.holds(rows.selected_columns.sort)).distinct()
        key = (kind, span, most, criterion.about)
        return there != known.of(key, lambda: _count(connection, within, most + 1))

    return replace(found, long=tuple(one for one in found.long if needed(one)))


def _by_index(criterion: Criterion) -> bool:
    """Whether an index has all its matches in order."""
    return (
        len(criterion.sources) == 1
        and isinstance(criterion.sources[0], Rows)
        and criterion.sources[0].ordered
    )


def _ends(connection: Connection, criterion: Criterion) -> Span | None:
    """None: it has no matches."""
    rows = criterion.sources[0].rows()
    sort = rows.selected_columns.sort
    ends = (rows.with_only_columns(end(sort)).scalar_subquery() for end in (func.min, func.max))
    low, high = connection.execute(select(*ends)).one()
    return None if low is None else Span(low, high)


def _count(connection: Connection, query: Select[Any], most: int) -> int:
    counted = select(func.count()).select_from(query.limit(most).subquery())
    return int(connection.execute(counted).scalar_one())
