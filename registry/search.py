"""find_*: one page of keys of what meets all of a find's criteria, in order.

The criterion that least entities meet, as far as can be counted quickly, is gone through in the
order of the answer, and of each match it is asked whether it meets the others. So the first page
of ten thousand matches costs what a page of a hundred does.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.engine import Connection

from registry.changes import last_index
from registry.criteria import criteria
from registry.errors import UddiError
from registry.matching import Condition
from registry.model import Find, Kind
from registry.qualifiers import Qualifiers, parse
from registry.sources import Criterion, Everything, Sizes
from registry.tables import entity

# How many tModels an embedded find_tModel may find before it is called too large.
_EMBEDDED = 1000

#: How many names, keys, references or qualifiers one list of a find may have: each becomes a
#: condition, and no real search has as many.
MOST_CRITERIA = 100

# How many criteria are compared to find the one that least entities meet.
_COMPARED = 6

# In an order of its own, a page is looked for among so many entities before all matches are sorted.
_WINDOW = 2500

#: Finds whose number of matches is remembered.
_REMEMBERED = 500


class Counts:
    """How many entities meet a find, remembered until anything changes: who pages through ten
    thousand matches has them counted once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Kind, Find], tuple[int, int]] = OrderedDict()

    def of(self, connection: Connection, kind: Kind, find: Find, count: Callable[[], int]) -> int:
        index = last_index(connection)
        key = (kind, replace(find, max_rows=None, list_head=None))
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] == index:
            return known[1]
        counted = count()
        with self._lock:
            self._known[key] = (index, counted)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return counted


@dataclass(frozen=True, slots=True)
class Limits:
    """``default_rows``: how many a find answers that says no maxRows; ``max_rows``: how many it
    answers at most."""

    max_rows: int = 1000
    find_all: bool = False
    default_rows: int = 1000
    counts: Counts = field(default_factory=Counts)
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
    search = _Search(connection, kind, wanted, qualifiers, limits.sizes)
    keys = search.keys(head - 1, rows + 1)
    actual, more = head - 1 + len(keys), len(keys) > rows
    if listed and (more or (head > 1 and not keys)):
        actual = limits.counts.of(connection, kind, find, search.count)
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
        sizes: Sizes,
    ) -> None:
        self._connection = connection
        self._kind = kind
        self._qualifiers = qualifiers
        self._sizes = sizes
        first = 0
        if len(wanted) > 1:
            compared = [sizes.of(connection, each) for each in wanted[:_COMPARED]]
            first = compared.index(min(compared))
        self._first = wanted[first]
        self._others = wanted[:first] + wanted[first + 1 :]

    def keys(self, offset: int, limit: int) -> list[str]:
        order = _special_order(self._kind, self._qualifiers)
        if order is None:
            return self._page(self._in_own_order(), offset, limit)
        if self._sizes.of(self._connection, self._first) >= _WINDOW // 10:
            # With that many matches, a page of them is likely to be among the first of all.
            found = self._page(self._in_window(order), offset, limit)
            if len(found) == limit:
                return found
        return self._page(self._in_order(order), offset, limit)

    def _page(self, query: Select[Any], offset: int, limit: int) -> list[str]:
        rows = self._connection.execute(query.offset(offset).limit(limit))
        return [row.key for row in rows.all()]

    def _in_own_order(self) -> Select[Any]:
        matches = self._matches(self._first.rows(), self._others).distinct()
        sort, key = matches.selected_columns
        backwards = self._kind != "binding" and "sortByNameDesc" in self._qualifiers
        return matches.order_by(*((sort.desc(), key.desc()) if backwards else (sort, key)))

    def _in_order(self, order: list[tuple[str, bool]]) -> Select[Any]:
        """All matches sorted by columns of the entities' own table."""
        each = entity.alias()
        matches = self._matches(self._first.rows(), self._others).distinct()
        sort, key = matches.selected_columns
        matches = matches.join(each, each.c.key == key)
        matches = matches.add_columns(*(each.c[name] for name, _ in order))
        return matches.order_by(*_by(each.c, order), sort, key)

    def _in_window(self, order: list[tuple[str, bool]]) -> Select[Any]:
        """Those matches that are among the first entities of the kind in this order."""
        each = entity.alias()
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

    def count(self) -> int:
        matches = self._matches(self._first.rows(), self._others).distinct().subquery()
        return int(self._connection.execute(select(func.count()).select_from(matches)).scalar_one())

    def _matches(self, rows: Select[Any], criteria: list[Criterion]) -> Select[Any]:
        """Those of the rows, columns ``sort`` and ``key``, that meet the criteria and are not
        hidden."""
        sort, key = rows.selected_columns
        hidden = entity.alias()
        return rows.where(
            *(criterion.holds(sort, key) for criterion in criteria),
            key.not_in(select(hidden.c.key).where(hidden.c.hidden.is_(True))),
        )


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
