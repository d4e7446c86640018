"""Where the matches of a criterion stand: rows of a table that name entities, with what those are
sorted by, so that matches come in the order of the answer without being read."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, false, func, literal, or_, select, true, union
from sqlalchemy.engine import Connection

from registry.matching import Condition
from registry.model import Kind
from registry.tables import entity, light

_ENTITY = light(entity)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table that meet ``where``. ``sort`` and ``key`` are its columns for what
    the entity is sorted by and its key. ``ordered``: there is an index of just the columns of
    ``where``, each compared with one value, then ``sort`` and ``key``. ``by_key``: the same as
    ``where`` in a form that no index but the key's own can answer, where it has one."""

    sort: Any
    key: Any
    where: tuple[Condition, ...]
    ordered: bool = False
    by_key: tuple[Condition, ...] = ()

    def rows(self) -> Select[Any]:
        return select(self.sort.label("sort"), self.key.label("key")).where(*self.where)

    def holds(self, sort: Any, key: Any) -> Condition:
        if self.ordered:
            same = (*self.where, self.sort == sort, self.key == key)
        elif self.by_key:
            same = (*self.by_key, self.key == key)
        else:
            condition: Condition = key.in_(select(self.key).where(*self.where))
            return condition
        return exists(select(literal(1)).where(*same))


@dataclass(frozen=True, slots=True)
class Keys:
    """Entities of a kind whose keys a query answers."""

    kind: Kind
    keys: Any

    ordered = False

    def rows(self) -> Select[Any]:
        each = _ENTITY.alias()
        return select(each.c.sort_name.label("sort"), each.c.key.label("key")).where(
            each.c.kind == self.kind, each.c.key.in_(self.keys)
        )

    def holds(self, sort: Any, key: Any) -> Condition:
        condition: Condition = key.in_(self.keys)
        return condition


@dataclass(frozen=True, slots=True)
class Everything:
    """Every entity of a kind; ``named``: that has a name."""

    kind: Kind
    named: bool = False

    ordered = True

    def rows(self) -> Select[Any]:
        each = _ENTITY.alias().c
        where = [each.kind == self.kind, *([each.sort_name > ""] if self.named else ())]
        return select(each.sort_name.label("sort"), each.key.label("key")).where(*where)

    def holds(self, sort: Any, key: Any) -> Condition:
        return sort > "" if self.named else true()


Source = Rows | Keys | Everything


def unindexed(column: Any) -> Any:
    """The same value in a form that no index answers. SQLite keeps no figures of how a column's
    values are spread, and would take ten thousand names with a prefix before one entity's two."""
    return column.concat("")


@dataclass(frozen=True, slots=True)
class Criterion:
    """What any of the sources has; nothing has it where there are none. ``about`` tells it from
    every other criterion; None: it is like no other, and has few matches."""

    sources: tuple[Source, ...]
    about: Hashable = None

    def holds(self, sort: Any, key: Any) -> Condition:
        return or_(false(), *(source.holds(sort, key) for source in self.sources))

    def counted(self, connection: Connection, most: int) -> int:
        """How many rows, up to ``most``; an entity may have several."""
        if len(self.sources) == 1:
            # Nothing of the rows is read but that they are there.
            rows = self.sources[0].rows().with_only_columns(literal(1), maintain_column_froms=True)
        else:
            rows = self.rows()
        some = rows.limit(most).subquery()
        return int(connection.execute(select(func.count()).select_from(some)).scalar_one())

    def rows(self) -> Select[Any]:
        """Its matches: columns ``sort`` and ``key``, in no order, perhaps more than once."""
        if len(self.sources) == 1:
            return self.sources[0].rows()
        if not self.sources:
            return select(entity.c.sort_name.label("sort"), entity.c.key.label("key")).where(
                false()
            )
        every = union(*(source.rows() for source in self.sources)).subquery()
        return select(every.c.sort, every.c.key)


class Sizes:
    """About how many matches criteria have, counted no further than ``_COUNTED`` and remembered
    for ``_SECONDS``: it only decides where a search begins."""

    _COUNTED, _SECONDS, _REMEMBERED = 20_000, 600.0, 2000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def of(self, connection: Connection, criterion: Criterion) -> int:
        if criterion.about is None:
            return 0
        now = time.monotonic()
        with self._lock:
            known = self._known.get(criterion.about)
        if known is not None and now - known[0] < self._SECONDS:
            return known[1]
        counted = criterion.counted(connection, self._COUNTED)
        with self._lock:
            self._known[criterion.about] = (now, counted)
            self._known.move_to_end(criterion.about)
            while len(self._known) > self._REMEMBERED:
                self._known.popitem(last=False)
        return counted
