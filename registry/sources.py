"""Where the matches of a criterion stand: rows of a table that name entities, with what those are
sorted by, so that matches come in the order of the answer without being read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, false, literal, or_, select, true, union
from sqlalchemy.engine import Connection
from sqlalchemy.sql.expression import func

from registry.matching import Condition
from registry.model import Kind
from registry.tables import entity


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table that meet ``where``. ``sort`` and ``key`` are its columns for what
    the entity is sorted by and its key. ``ordered``: there is an index of just the columns of
    ``where``, each compared with one value, then ``sort`` and ``key``. ``own``: the key has an
    index by itself."""

    sort: Any
    key: Any
    where: tuple[Condition, ...]
    ordered: bool = False
    own: bool = True

    def rows(self) -> Select[Any]:
        return select(self.sort.label("sort"), self.key.label("key")).where(*self.where)

    def holds(self, sort: Any, key: Any) -> Condition:
        if not self.ordered and not self.own:
            condition: Condition = key.in_(select(self.key).where(*self.where))
            return condition
        same = [self.sort == sort] if self.ordered else []
        return exists(select(literal(1)).where(*self.where, *same, self.key == key))


@dataclass(frozen=True, slots=True)
class Keys:
    """Entities of a kind whose keys a query answers."""

    kind: Kind
    keys: Any

    ordered = False

    def rows(self) -> Select[Any]:
        each = entity.alias()
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
        each = entity.alias()
        where = [each.c.kind == self.kind]
        if self.named:
            where.append(each.c.sort_name > "")
        return select(each.c.sort_name.label("sort"), each.c.key.label("key")).where(*where)

    def holds(self, sort: Any, key: Any) -> Condition:
        return sort > "" if self.named else true()


Source = Rows | Keys | Everything


@dataclass(frozen=True, slots=True)
class Criterion:
    """What any of the sources has; nothing has it where there are none."""

    sources: tuple[Source, ...]

    def holds(self, sort: Any, key: Any) -> Condition:
        return or_(false(), *(source.holds(sort, key) for source in self.sources))

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

    def size(self, connection: Connection, most: int) -> int:
        """How many matches, counted no further than ``most``."""
        matches = self.rows().limit(most).subquery()
        return int(connection.execute(select(func.count()).select_from(matches)).scalar_one())
