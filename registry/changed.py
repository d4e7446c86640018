"""Which entities changed in a time, their children included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.engine import Connection

from registry.changes import change
from registry.model import Kind
from registry.tables import entity


@dataclass(frozen=True, slots=True)
class Period:
    """Milliseconds since 1970, both ends included. With a ``last_index``: the changes behind
    ``after_index`` up to that one, whatever the clock says; for who must not miss any."""

    start: int
    end: int
    after_index: int = 0
    last_index: int | None = None

    def has_changed(self, kind: Kind) -> ColumnElement[bool]:
        """The condition on ``entity``."""
        if self.last_index is not None:
            return self._in_the_log(kind)
        modified = entity.c.modified_including_children
        return (modified >= self.start * 1000) & (modified <= self.end * 1000 + 999)

    def _in_the_log(self, kind: Kind) -> ColumnElement[bool]:
        def of(other: Kind, column: Any) -> Any:
            return select(column).where(
                change.c.index > self.after_index,
                change.c.index <= self.last_index,
                change.c.kind == other,
            )

        any_of = [entity.c.key.in_(of(kind, change.c.key))]
        if kind == "business":
            inner = entity.alias()
            any_of.append(entity.c.key.in_(of("service", change.c.parent_key)))
            services = of("binding", change.c.parent_key)
            any_of.append(
                entity.c.key.in_(select(inner.c.parent_key).where(inner.c.key.in_(services)))
            )
        if kind == "service":
            any_of.append(entity.c.key.in_(of("binding", change.c.parent_key)))
        return or_(*any_of)


def changed_keys(
    connection: Connection,
    kind: Kind,
    period: Period,
    where: Sequence[ColumnElement[bool]] = (),
    after: str = "",
    most: int = 1_000_000,
) -> list[str]:
    """The keys behind ``after``, in their order, of those that have changed and meet ``where``."""
    query = select(entity.c.key).where(
        entity.c.kind == kind, entity.c.key > after, period.has_changed(kind), *where
    )
    return list(connection.execute(query.order_by(entity.c.key).limit(most)).scalars())
