"""From what a find asks for to criteria, all of which must hold.

Within one bag, the find qualifiers say how its members combine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, or_, select
from sqlalchemy.engine import Connection

from registry.further_criteria import owners_of_group, owners_of_url
from registry.matching import Condition, escape, matches
from registry.model import Find, KeyedReference, KeyedReferenceGroup, Kind, LangText
from registry.name_values import matching_values
from registry.projections import projected_by, projecting, projection
from registry.qualifiers import Qualifiers
from registry.rows import PARENT_KIND, fold_reference, no_such_key
from registry.sources import Criterion, Everything, Keys, Rows, Source, unindexed
from registry.tables import entity, instance_info, keyed_reference, light, name
from registry.uddi.wellknown import GENERAL_KEYWORDS

#: tModels that a binding is asked for one by one; more are counted instead.
_ONE_BY_ONE = 5

_ENTITY, _NAME = light(entity), light(name)
_REFERENCE, _INSTANCE = light(keyed_reference), light(instance_info)


def criteria(
    connection: Connection,
    kind: Kind,
    find: Find,
    qualifiers: Qualifiers,
    tmodel_keys: Sequence[str],
) -> list[Criterion]:
    """None where nothing was asked for. ``tmodel_keys``: those of the tModelBag and of the
    embedded find. E_invalidKeyPassed for a parent that is not there."""
    found: list[Criterion] = []
    if find.parent_key:
        found.append(_inside(connection, kind, find.parent_key, qualifiers))
    if find.names:
        found.append(_by_names(connection, kind, find.names, qualifiers))
    bags = _Bags(connection, kind, qualifiers)
    if find.identifier_bag:
        found += bags.criteria("identifier", find.identifier_bag, (), "orAllKeys")
    if find.category_bag.references or find.category_bag.groups:
        bag = find.category_bag
        found += bags.criteria("category", bag.references, bag.groups, "andAllKeys")
    if find.discovery_urls:
        keys = owners_of_url(find.discovery_urls, qualifiers)
        found.append(Criterion((Keys(kind, keys),), ("URL", find.discovery_urls, qualifiers)))
    if tmodel_keys:
        found.append(bags.with_tmodels(list(dict.fromkeys(tmodel_keys))))
    return found


def _inside(
    connection: Connection, kind: Kind, parent_key: str, qualifiers: Qualifiers
) -> Criterion:
    """What stands in this business or service."""
    parent = exists().where(entity.c.key == parent_key, entity.c.kind == PARENT_KIND[kind])
    if not connection.execute(select(parent)).scalar():
        raise no_such_key(parent_key)
    each = _ENTITY.alias()
    inside: list[Source] = [
        Rows(each.c.sort_name, each.c.key, (each.c.parent_key == parent_key,), ordered=True)
    ]
    if kind == "service" and "suppressProjectedServices" not in qualifiers:
        projects = exists().where(projection.c.business_key == parent_key)
        if connection.execute(select(projects)).scalar():
            inside.append(Keys(kind, projected_by(parent_key)))
    return Criterion(tuple(inside))


def _by_names(
    connection: Connection, kind: Kind, names: Sequence[LangText], qualifiers: Qualifiers
) -> Criterion:
    if qualifiers.approximate and len(names) == 1 and not names[0].lang:
        values = matching_values(connection, kind, names[0].value, qualifiers)
        if values is not None:
            return _with_names(kind, values, folded=qualifiers.fold)
    found: list[Source] = []
    for wanted in names:
        if qualifiers.approximate and not wanted.value.strip("%") and not wanted.lang:
            # Every name matches; only services may be without.
            found.append(Everything(kind, named=kind == "service"))
            continue
        table = _NAME.alias().c
        lang: tuple[Condition, ...] = ()
        if wanted.lang:
            lang = (table.lang.like(escape(wanted.lang.lower()) + "%", escape="\\"),)
        value, ordered = wanted.value, not qualifiers.approximate
        where = (table.kind == kind, matches(table.value, table.folded, value, qualifiers), *lang)
        # An entity's names are of its own kind.
        plain = matches(unindexed(table.value), unindexed(table.folded), value, qualifiers)
        found.append(Rows(table.sort_name, table.entity_key, where, ordered, (plain, *lang)))
    return Criterion(tuple(found), ("name", kind, tuple(names), qualifiers))


def _with_names(kind: Kind, values: Sequence[str], *, folded: bool) -> Criterion:
    """What has any of these names."""
    found: list[Source] = []
    for value in values:
        table = _NAME.alias().c
        where = (table.kind == kind, (table.folded if folded else table.value) == value)
        found.append(Rows(table.sort_name, table.entity_key, where, ordered=True))
    return Criterion(tuple(found), ("named", kind, tuple(values), folded))


class _Bags:
    """Bags of a kind of entity, and of what stands inside it where the qualifiers say so."""

    def __init__(self, connection: Connection, kind: Kind, qualifiers: Qualifiers) -> None:
        self._kind = kind
        self._qualifiers = qualifiers
        # Hardly any registry has projections, and an answer in order has one source only.
        self._projects = (
            kind == "business"
            and "suppressProjectedServices" not in qualifiers
            and connection.execute(select(projection.c.business_key).limit(1)).first() is not None
        )

    def criteria(
        self,
        bag: str,
        references: Sequence[KeyedReference],
        groups: Sequence[KeyedReferenceGroup],
        default: str,
    ) -> list[Criterion]:
        levels = self._levels() if bag == "category" else [self._kind]
        every: dict[KeyedReference | KeyedReferenceGroup, list[Source]] = {
            r: [source for level in levels for source in self._with_reference(bag, r, level)]
            for r in map(fold_reference, references)
        }
        for group in groups:
            every[group] = [s for level in levels for s in self._with_group(group, level)]

        def any_of(members: Sequence[KeyedReference | KeyedReferenceGroup]) -> Criterion:
            about = (self._kind, bag, tuple(members), self._qualifiers)
            return Criterion(tuple(s for one in members for s in every[one]), about)

        if "orLikeKeys" in self._qualifiers:
            alike: defaultdict[str, list[KeyedReference]] = defaultdict(list)
            for reference in map(fold_reference, references):
                alike[reference.tmodel_key].append(reference)
            return [*map(any_of, alike.values()), *(any_of([group]) for group in groups)]
        said = [one for one in ("andAllKeys", "orAllKeys") if one in self._qualifiers]
        if (said or [default])[0] == "orAllKeys":
            return [any_of(list(every))]
        return [any_of([one]) for one in every]

    def _levels(self) -> list[Kind]:
        """Whose category bags count: a business's own, its services', its bindings'."""
        below: dict[Kind, list[Kind]] = {"business": ["service", "binding"], "service": ["binding"]}
        inside = below.get(self._kind, [])
        if "combineCategoryBags" in self._qualifiers:
            return [self._kind, *inside]
        if "serviceSubset" in self._qualifiers and self._kind == "business":
            return ["service"]
        if "bindingSubset" in self._qualifiers and inside:
            return ["binding"]
        return [self._kind]

    def _with_reference(self, bag: str, reference: KeyedReference, level: Kind) -> list[Source]:
        """What has this reference in that bag. The keyName only counts among general keywords,
        where it is the name of the user's own system."""
        table = _REFERENCE.alias().c

        def conditions(same: Callable[[Any], Any]) -> tuple[Condition, ...]:
            value, folded = same(table.key_value), same(table.folded)
            found = (
                same(table.tmodel_key) == reference.tmodel_key,
                matches(value, folded, reference.key_value, self._qualifiers),
                same(table.bag) == bag,
                same(table.kind) == level,
            )
            if reference.tmodel_key == GENERAL_KEYWORDS:
                return (*found, table.key_name == reference.key_name)
            return found

        where = conditions(lambda column: column)
        own = level == self._kind
        ordered = not self._qualifiers.approximate and (own or not self._qualifiers.fold)
        if own:
            by_key = conditions(unindexed)
            return [Rows(table.sort_name, table.entity_key, where, ordered, by_key)]
        return self._raised(table, level, where, ordered=ordered)

    def _raised(
        self, table: Any, level: Kind, where: tuple[Condition, ...], *, ordered: bool
    ) -> list[Source]:
        """The rows of entities of that level, as those of what they stand in."""
        if level == self._kind:
            return [Rows(table.sort_name, table.entity_key, where, ordered)]
        if self._kind == "service":
            return [Rows(table.service_sort, table.service_key, where, ordered)]
        found: list[Source] = [Rows(table.business_sort, table.business_key, where, ordered)]
        if self._projects:
            service_key = table.entity_key if level == "service" else table.service_key
            found.append(Keys("business", projecting(select(service_key).where(*where))))
        return found

    def _with_group(self, group: KeyedReferenceGroup, level: Kind) -> list[Source]:
        """What has such a group in its category bag."""
        keys: Any = owners_of_group(group, self._qualifiers)
        while level != self._kind:
            keys = self._above(level, keys)
            level = PARENT_KIND[level]
        return [Keys(self._kind, keys)]

    def _above(self, level: Kind, keys: Any) -> Any:
        """The keys of what these of that level stand in."""
        inner = _ENTITY.alias()
        above: Select[Any] = select(inner.c.parent_key).where(
            inner.c.kind == level, inner.c.key.in_(keys)
        )
        if level == "service" and self._projects:
            return above.union_all(projecting(keys))
        return above

    def with_tmodels(self, keys: Sequence[str]) -> Criterion:
        """Bindings whose fingerprint holds every, or any, of these tModels, or what they stand
        in."""
        table = _INSTANCE.alias().c
        if "orAllKeys" in self._qualifiers:
            where: list[Condition] = [or_(*(table.tmodel_key == key for key in keys))]
            if len(keys) > _ONE_BY_ONE:
                where = [table.tmodel_key.in_(keys)]
        else:
            where = [table.tmodel_key == keys[0], *_also(table, keys[1:])]
        ordered = len(keys) == 1 or "orAllKeys" not in self._qualifiers
        sources = self._raised(table, "binding", tuple(where), ordered=ordered)
        return Criterion(tuple(sources), (self._kind, "tModels", tuple(keys), self._qualifiers))


def _also(table: Any, keys: Sequence[str]) -> list[Condition]:
    """That the binding of a row has these tModels too."""
    other = _INSTANCE.alias().c
    if not keys:
        return []
    if len(keys) <= _ONE_BY_ONE:
        each = [_INSTANCE.alias().c for _ in keys]
        return [
            exists(
                select(literal(1)).where(
                    and_(one.entity_key == table.entity_key, one.tmodel_key == key)
                )
            )
            for one, key in zip(each, keys, strict=True)
        ]
    # One condition however many there are: an embedded find_tModel may find a thousand, and
    # databases limit how deep an expression goes.
    counted = (
        select(func.count())
        .where(other.entity_key == table.entity_key, other.tmodel_key.in_(keys))
        .scalar_subquery()
    )
    return [counted == len(keys)]
