"""find_*: one page of keys of what meets all of a find's criteria, in order.

The criterion that least entities meet, as far as can be counted quickly, is gone through in the
order of the answer, and of each match it is asked whether it meets the others. So the first page
of ten thousand matches costs what a page of a hundred does.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import CompoundSelect, Select, func, select, union
from sqlalchemy.engine import Connection

from registry.criteria import criteria
from registry.errors import UddiError
from registry.matching import Condition
from registry.model import Find, Kind
from registry.qualifiers import Qualifiers, parse
from registry.remembered import Remembered
from registry.sources import Criterion, Everything, Rows, Sizes
from registry.spans import FEW, narrowed, without_needless
from registry.tables import entity, light

_ENTITY = light(entity)

# How many tModels an embedded find_tModel may find before it is called too large.
_EMBEDDED = 1000

#: How many names, keys, references or qualifiers one list of a find may have: each becomes a
#: condition, and no real search has as many.
MOST_CRITERIA = 100

# How many criteria are compared to find the one that least entities meet.
_COMPARED = 6

# In an order of its own, a page is looked for among so many entities before all matches are sorted.
_WINDOW = 2500

_ALL = 2**62

# As many sources of a criterion are merged in their order; more are gathered and sorted.
_MERGED = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """``default_rows``: how many a find answers that says no maxRows; ``max_rows``: how many it
    answers at most."""

    max_rows: int = 1000
    find_all: bool = False
    default_rows: int = 1000
    remembered: Remembered = field(default_factory=Remembered)
    sizes: Sizes = field(default_factory=Sizes)


_EVERY_TMODEL = Limits(_EMBEDDED, default_rows=_EMBEDDED)


@dataclass(frozen=True, slots=True)
class Page:
    """``keys`` from number ``head`` (from 1) out of ``actual`` that match; ``entities`` are the
    same, read. ``listed``: the asker paged, so that it is answered with a listDescription; only
    then ``actual`` is counted to the end, else it says whether there is more."""

    keys: tuple[str, ...]
    actual: int
    head: int
    listed: bool
    entities: tuple[Any, ...] = ()

    @property
    def truncated(self) -> bool:
        return self.head - 1 + len(self.keys) < self.actual


def find_keys(connection: Connection, kind: Kind, find: Find, limits: Limits) -> Page:
    """E_unsupported, E_invalidCombination, E_invalidKeyPassed (parent), E_resultSetTooLarge,
    E_messageTooLarge where a list of criteria has more than ``MOST_CRITERIA``."""
    _check_size(find)
    qualifiers = parse(find.qualifiers)
    head = 1 if find.list_head is None else find.list_head
    rows = limits.default_rows if find.max_rows is None else find.max_rows
    if head < 1 or rows < 1:
        raise UddiError(
            "fatalError",
            f"listHead 与 maxRows 应不小于 1 / listHead and maxRows start at 1: {head}, {rows}",
        )
    rows, listed = min(rows, limits.max_rows), find.list_head is not None
    wanted = _wanted(connection, kind, find, qualifiers, limits)
    if wanted is None:
        return Page((), 0, head, listed)
    search = _Search(connection, kind, wanted, qualifiers, limits)
    keys = search.keys(head - 1, rows + 1)
    actual, more = head - 1 + len(keys), len(keys) > rows
    if listed and (more or (head > 1 and not keys)):
        abouts = tuple(each.about for each in wanted)
        # By what it came to where that is known: many patterns begin the same few names.
        about = replace(find, max_rows=None, list_head=None) if None in abouts else abouts
        actual = search.counted((kind, about))
    return Page(tuple(keys[:rows]), actual, head, listed)


def conditions(
    connection: Connection, kind: Kind, find: Find, limits: Limits
) -> list[Condition] | None:
    """What the find asks for, as conditions on ``entity``; None where it finds nothing. Errors
    as for ``find_keys``."""
    _check_size(find)
    wanted = _wanted(connection, kind, find, parse(find.qualifiers), limits)
    if wanted is None:
        return None
    return [each.holds(entity.c.sort_name, entity.c.key) for each in wanted]


def _wanted(
    connection: Connection, kind: Kind, find: Find, qualifiers: Qualifiers, limits: Limits
) -> list[Criterion] | None:
    """At least one criterion; None where nothing can be found."""
    tmodel_keys = list(find.tmodel_bag)
    if find.find_tmodel is not None:
        tmodel_keys += _embedded(connection, find.find_tmodel)
        if not tmodel_keys:
            return None
    if "signaturePresent" in qualifiers:
        # Signed entities are not taken, so nothing here has a signature.
        return None
    wanted = criteria(connection, kind, find, qualifiers, tmodel_keys)
    if not wanted and limits.find_all:
        return [Criterion((Everything(kind),))]
    return wanted or None


def _embedded(connection: Connection, find: Find) -> tuple[str, ...]:
    """The keys of the tModels that the find inside a find finds."""
    asked = replace(find, max_rows=None, list_head=None)
    page = find_keys(connection, "tmodel", asked, _EVERY_TMODEL)
    if page.truncated:
        raise UddiError(
            "resultSetTooLarge",
            f"嵌套的 find_tModel 结果超过 {_EMBEDDED} 个 / the embedded find_tModel found more "
            f"than {_EMBEDDED} tModels",
        )
    return page.keys


class _Search:
    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        wanted: list[Criterion],
        qualifiers: Qualifiers,
        limits: Limits,
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._qualifiers = qualifiers
        self._sizes = limits.sizes
        self._known = limits.remembered.now(connection)
        first = 0
        if len(wanted) > 1:
            compared = [self._sizes.of(connection, each) for each in wanted[:_COMPARED]]
            first = compared.index(min(compared))
        self._first = wanted[first]
        self._others = wanted[:first] + wanted[first + 1 :]
        self._left = narrowed(connection, self._first, self._others, self._sizes, self._known)

    def keys(self, offset: int, limit: int) -> list[str]:
        if self._left is None:
            return []
        if offset >= FEW:
            self._drop_needless()
        order = _special_order(self._kind, self._qualifiers)
        if order is None:
            return self._page(self._in_own_order(), offset, limit)
        few, some = _WINDOW // 10, list[Any]()
        if all(source.ordered for source in self._first.sources):
            many = self._sizes.of(self._connection, self._first) > few
        else:
            # What no index has in order is gone through once, and not counted first.
            some += self._connection.execute(self._first.rows().limit(few + 1)).all()
            many = len(some) > few
        if many:
            # With that many matches, a page of them is likely to be among the first of all.
            found = self._page(self._in_window(order), offset, limit)
            if len(found) == limit:
                return found
        elif some:
            self._first = _entities([row.key for row in some])
        return self._page(self._in_order(order), offset, limit)

    def _page(self, query: Select[Any] | CompoundSelect[Any], offset: int, limit: int) -> list[str]:
        rows = self._connection.execute(query.offset(offset).limit(limit))
        return [row.key for row in rows.all()]

    def _in_own_order(self) -> Select[Any] | CompoundSelect[Any]:
        matches = self._all_matches()
        sort, key = matches.selected_columns
        backwards = self._kind != "binding" and "sortByNameDesc" in self._qualifiers
        return matches.order_by(*((sort.desc(), key.desc()) if backwards else (sort, key)))

    def _all_matches(self) -> Select[Any] | CompoundSelect[Any]:
        """Columns ``sort`` and ``key``, each entity once."""
        sources = self._first.sources
        if 1 < len(sources) <= _MERGED and all(source.ordered for source in sources):
            # Each comes in the order of the answer from its index, and so they are merged.
            return union(*(self._narrowed(source.rows()) for source in sources))
        return self._narrowed(self._first.rows()).distinct()

    def _narrowed(self, rows: Select[Any]) -> Select[Any]:
        """The rows that meet what else is asked for."""
        assert self._left is not None
        matches = self._matches(rows, self._left.all)
        span = self._left.span
        return matches if span is None else matches.where(span.holds(rows.selected_columns[0]))

    def _in_order(self, order: list[tuple[str, bool]]) -> Select[Any]:
        """All matches sorted by columns of the entities' own table."""
        each = _ENTITY.alias()
        matches = self._narrowed(self._first.rows()).distinct()
        sort, key = matches.selected_columns
        matches = matches.join(each, each.c.key == key)
        matches = matches.add_columns(*(each.c[name] for name, _ in order))
        return matches.order_by(*_by(each.c, order), sort, key)

    def _in_window(self, order: list[tuple[str, bool]]) -> Select[Any]:
        """Those matches that are among the first entities of the kind in this order."""
        each = _ENTITY.alias()
        columns = [each.c[name] for name, _ in order if name != "sort_name"]
        first = (
            select(each.c.sort_name.label("sort"), each.c.key.label("key"), *columns)
            .where(each.c.kind == self._kind)
            .order_by(*_by(each.c, order), each.c.sort_name, each.c.key)
            .limit(_WINDOW)
            .subquery()
        )
        rows = select(first.c.sort, first.c.key)
        matches = self._matches(rows, [self._first, *self._others])
        names = {"sort_name": "sort"}
        by = [(names.get(name, name), descending) for name, descending in order]
        return matches.order_by(*_by(first.c, by), first.c.sort, first.c.key)

    def counted(self, about: Hashable) -> int:
        """How many match. ``about``: what was asked for, whatever the page."""
        return self._known.of(("all", about), self._count)

    def _count(self) -> int:
        if self._left is None:
            return 0
        self._drop_needless()
        found = self._all_matches()
        if isinstance(found, CompoundSelect):
            # Merged in order, not gathered; but for the limit SQLite would leave the order out.
            found = self._in_own_order().limit(_ALL)
        matches = found.subquery()
        return int(self._connection.execute(select(func.count()).select_from(matches)).scalar_one())

    def _drop_needless(self) -> None:
        if self._left is not None and self._left.long:
            most = 2 * self._sizes.of(self._connection, self._first)
            self._left = without_needless(
                self._connection, self._kind, self._left, most, self._known
            )

    def _matches(self, rows: Select[Any], criteria: Sequence[Criterion]) -> Select[Any]:
        """Those of the rows, columns ``sort`` and ``key``, that meet the criteria and are not
        hidden."""
        sort, key = rows.selected_columns
        hidden = _ENTITY.alias()
        return rows.where(
            *(criterion.holds(sort, key) for criterion in criteria),
            key.not_in(select(hidden.c.key).where(hidden.c.hidden.is_(True))),
        )


def _entities(keys: Sequence[str]) -> Criterion:
    each = _ENTITY.alias()
    return Criterion((Rows(each.c.sort_name, each.c.key, (each.c.key.in_(keys),)),))


def _check_size(find: Find) -> None:
    for what, given in (
        ("findQualifiers", find.qualifiers),
        ("name", find.names),
        ("identifierBag", find.identifier_bag),
        ("categoryBag", find.category_bag.references),
        ("tModelBag", find.tmodel_bag),
        ("discoveryURLs", find.discovery_urls),
        ("keyedReferenceGroup", find.category_bag.groups),
        # each is a condition inside a condition, so it is all of them together that count
        ("keyedReferenceGroup", [r for g in find.category_bag.groups for r in g.references]),
    ):
        if len(given) > MOST_CRITERIA:
            raise UddiError(
                "messageTooLarge",
                f"{what} 有 {len(given)} 项，一次查找最多 {MOST_CRITERIA} 项，请分几次查找 / "
                f"{len(given)} in {what}: one find may have {MOST_CRITERIA}; use several",
            )


def _by(columns: Any, order: list[tuple[str, bool]]) -> list[Any]:
    return [columns[name].desc() if descending else columns[name] for name, descending in order]


def _special_order(kind: Kind, qualifiers: Qualifiers) -> list[tuple[str, bool]] | None:
    """Columns of ``entity`` and whether the last comes first; None for the specification's own
    order, which is by name, and for bindings, which have none, by date. A service's bindings come
    in their own order, the outside face before the inside one. The key settles what is left, so
    that pages never overlap."""
    order: list[tuple[str, bool]] = []
    folded = kind != "binding" and "caseInsensitiveSort" in qualifiers
    if kind != "binding" and ("sortByNameDesc" in qualifiers or "sortByNameAsc" in qualifiers):
        column = "sort_folded" if folded else "sort_name"
        order.append((column, "sortByNameDesc" in qualifiers))
    if "sortByDateDesc" in qualifiers:
        order.append(("modified", True))
    elif "sortByDateAsc" in qualifiers and kind != "binding":
        order.append(("modified", False))
    if not order and folded:
        order.append(("sort_folded", False))
    by_name_alone = [name for name, _ in order] == ["sort_name"]
    return None if not order or by_name_alone else order
