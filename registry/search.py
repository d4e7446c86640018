"""find_*: from criteria to SQL, and one page of keys back.

All criteria must hold (AND). Within one bag, the find qualifiers say how its members combine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, exists, false, func, or_, select
from sqlalchemy.engine import Connection

from registry.errors import UddiError
from registry.further_criteria import owners_of_group, owners_of_url
from registry.matching import Condition, escape, matches
from registry.model import Find, KeyedReference, KeyedReferenceGroup, Kind, LangText
from registry.projections import projected_by, projecting
from registry.qualifiers import Qualifiers, parse
from registry.rows import PARENT_KIND, fold_reference, no_such_key
from registry.tables import entity, instance_info, keyed_reference, name
from registry.uddi.wellknown import GENERAL_KEYWORDS

# How many tModels an embedded find_tModel may find before it is called too large.
_EMBEDDED = 1000

#: How many names, keys, references or qualifiers one list of a find may have: each becomes a
#: condition, and no real search has as many.
MOST_CRITERIA = 100


@dataclass(frozen=True, slots=True)
class Limits:
    max_rows: int = 1000
    find_all: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """``keys`` from number ``head`` (from 1) out of ``actual`` that match; ``entities`` are the
    same, read. ``listed``: the asker paged, so that it is answered with a listDescription."""

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
    rows = limits.max_rows if find.max_rows is None else min(find.max_rows, limits.max_rows)
    if head < 1 or rows < 1:
        raise UddiError(
            "fatalError",
            f"listHead 与 maxRows 应不小于 1 / listHead and maxRows start at 1: {head}, {rows}",
        )
    where = _where(connection, kind, find, qualifiers)
    if "signaturePresent" in qualifiers:
        # Signed entities are not taken, so nothing here has a signature.
        where.append(false())
    if not where and not limits.find_all:
        return Page((), 0, head, find.list_head is not None)
    conditions = [entity.c.kind == kind, entity.c.hidden.is_(False), *where]
    actual = connection.execute(select(func.count()).select_from(entity).where(*conditions))
    query = select(entity.c.key).where(*conditions).order_by(*_order(kind, qualifiers))
    keys = connection.execute(query.offset(head - 1).limit(rows)).scalars().all()
    return Page(tuple(keys), int(actual.scalar_one()), head, find.list_head is not None)


def conditions(
    connection: Connection, kind: Kind, find: Find, limits: Limits
) -> list[Condition] | None:
    """What the find asks for, as conditions on ``entity``; None where it finds nothing. Errors
    as for ``find_keys``."""
    _check_size(find)
    qualifiers = parse(find.qualifiers)
    where = _where(connection, kind, find, qualifiers)
    if "signaturePresent" in qualifiers or not (where or limits.find_all):
        return None
    return where


def _check_size(find: Find) -> None:
    for what, given in (
        ("findQualifiers", find.qualifiers),
        ("name", find.names),
        ("identifierBag", find.identifier_bag),
        ("categoryBag", find.category_bag.references),
        ("tModelBag", find.tmodel_bag),
        ("discoveryURLs", find.discovery_urls),
        ("keyedReferenceGroup", find.category_bag.groups),
        *(("keyedReferenceGroup", group.references) for group in find.category_bag.groups),
    ):
        if len(given) > MOST_CRITERIA:
            raise UddiError(
                "messageTooLarge",
                f"{what} 有 {len(given)} 项，一次查找最多 {MOST_CRITERIA} 项，请分几次查找 / "
                f"{len(given)} in {what}: one find may have {MOST_CRITERIA}; use several",
            )


def _order(kind: Kind, qualifiers: Qualifiers) -> list[Any]:
    folded = "caseInsensitiveSort" in qualifiers
    by_name: Any = entity.c.sort_folded if folded else entity.c.sort_name
    by_date: Any = entity.c.modified
    order: list[Any] = []
    if kind != "binding":
        if "sortByNameDesc" in qualifiers:
            order.append(by_name.desc())
        elif "sortByNameAsc" in qualifiers:
            order.append(by_name)
    if "sortByDateDesc" in qualifiers:
        order.append(by_date.desc())
    elif "sortByDateAsc" in qualifiers:
        order.append(by_date)
    # The specification's own order: by name, and for bindings, which have none, by date. Then a
    # service's bindings in their own order, the outside face before the inside one; the key
    # settles what is left, so that pages never overlap.
    order = order or [by_date if kind == "binding" else by_name]
    return [*order, entity.c.parent_key, entity.c.position, entity.c.key]


def _where(
    connection: Connection, kind: Kind, find: Find, qualifiers: Qualifiers
) -> list[Condition]:
    """The conditions, none where there are no criteria."""
    where: list[Condition] = []
    if find.parent_key:
        parent_kind = PARENT_KIND[kind]
        query = select(
            exists().where(entity.c.key == find.parent_key, entity.c.kind == parent_kind)
        )
        if not connection.execute(query).scalar():
            raise no_such_key(find.parent_key)
        within = entity.c.parent_key == find.parent_key
        if kind == "service" and "suppressProjectedServices" not in qualifiers:
            within = or_(within, entity.c.key.in_(projected_by(find.parent_key)))
        where.append(within)
    if find.names:
        where.append(_by_names(kind, find.names, qualifiers))
    if find.identifier_bag:
        default = "orAllKeys"
        where.append(_by_bag(kind, "identifier", find.identifier_bag, qualifiers, default))
    if find.category_bag.references or find.category_bag.groups:
        where.append(_by_bag(kind, "category", find.category_bag.references, qualifiers,
                             "andAllKeys", find.category_bag.groups))  # fmt: skip
    if find.discovery_urls:
        where.append(entity.c.key.in_(owners_of_url(find.discovery_urls, qualifiers)))
    tmodel_keys = list(find.tmodel_bag)
    if find.find_tmodel is not None:
        embedded = replace(find.find_tmodel, max_rows=None, list_head=None)
        page = find_keys(connection, "tmodel", embedded, Limits(_EMBEDDED))
        if page.truncated:
            raise UddiError(
                "resultSetTooLarge",
                f"嵌套的 find_tModel 结果超过 {_EMBEDDED} 个 / the embedded find_tModel found more "
                f"than {_EMBEDDED} tModels",
            )
        tmodel_keys += page.keys
        if not tmodel_keys:
            return [false()]
    if tmodel_keys:
        bindings = _bindings_with(tmodel_keys, every="orAllKeys" not in qualifiers)
        where.append(entity.c.key.in_(_raise_to(kind, "binding", bindings, qualifiers)))
    return where


# --- names -------------------------------------------------------------------------------------


def _by_names(kind: Kind, names: Sequence[LangText], qualifiers: Qualifiers) -> Condition:
    any_of = []
    for wanted in names:
        match = matches(name.c.value, name.c.folded, wanted.value, qualifiers)
        if wanted.lang:
            prefix = escape(wanted.lang.lower()) + "%"
            match = and_(match, name.c.lang.like(prefix, escape="\\"))
        any_of.append(match)
    return entity.c.key.in_(select(name.c.entity_key).where(name.c.kind == kind, or_(*any_of)))


# --- bags --------------------------------------------------------------------------------------


def _by_bag(
    kind: Kind,
    bag: str,
    references: Sequence[KeyedReference],
    qualifiers: Qualifiers,
    default: str,
    groups: Sequence[KeyedReferenceGroup] = (),
) -> Condition:
    levels = _levels(kind, qualifiers) if bag == "category" else [kind]

    def at_any_level(owners: Select[Any]) -> Condition:
        return or_(
            *(entity.c.key.in_(_raise_to(kind, level, owners, qualifiers)) for level in levels)
        )

    def has(reference: KeyedReference) -> Condition:
        return at_any_level(_owners(bag, fold_reference(reference), qualifiers))

    have_groups = [at_any_level(owners_of_group(group, qualifiers)) for group in groups]

    if "orLikeKeys" in qualifiers:
        alike: defaultdict[str, list[Condition]] = defaultdict(list)
        for reference in references:
            alike[reference.tmodel_key].append(has(reference))
        return and_(*(or_(*conditions) for conditions in alike.values()), *have_groups)
    said = [choice for choice in ("andAllKeys", "orAllKeys") if choice in qualifiers]
    combine = or_ if (said or [default])[0] == "orAllKeys" else and_
    return combine(*(has(reference) for reference in references), *have_groups)


def _levels(kind: Kind, qualifiers: Qualifiers) -> list[Kind]:
    """Whose category bags count: a business's own, its services', its bindings'."""
    below: dict[Kind, list[Kind]] = {"business": ["service", "binding"], "service": ["binding"]}
    if "combineCategoryBags" in qualifiers:
        return [kind, *below.get(kind, [])]
    if "serviceSubset" in qualifiers and kind == "business":
        return ["service"]
    if "bindingSubset" in qualifiers and kind in below:
        return ["binding"]
    return [kind]


def _owners(bag: str, reference: KeyedReference, qualifiers: Qualifiers) -> Select[Any]:
    """The keys of entities that have this reference in that bag. The keyName only counts among
    general keywords, where it is the name of the user's own system."""
    table = keyed_reference.c
    where = [
        table.bag == bag,
        table.tmodel_key == reference.tmodel_key,
        matches(table.key_value, table.folded, reference.key_value, qualifiers),
    ]
    if reference.tmodel_key == GENERAL_KEYWORDS:
        where.append(table.key_name == reference.key_name)
    return select(table.entity_key).where(*where)


def _bindings_with(tmodel_keys: Sequence[str], *, every: bool) -> Select[Any]:
    """The keys of bindings whose fingerprint holds every, or any, of the tModels."""
    owner, key = instance_info.c.entity_key, instance_info.c.tmodel_key
    wanted = list(dict.fromkeys(tmodel_keys))
    query = select(owner).where(key.in_(wanted))
    if not every:
        return query
    # One condition however many there are: an embedded find_tModel may find a thousand, and
    # databases limit how deep an expression goes.
    return query.group_by(owner).having(func.count(key.distinct()) == len(wanted))


def _raise_to(kind: Kind, level: Kind, keys: Any, qualifiers: Qualifiers) -> Any:
    """From keys of one level to the keys of what contains them, up to ``kind``. A business also
    contains the services that it projects."""
    while level != kind:
        inner = entity.alias()
        above = select(inner.c.parent_key).where(inner.c.kind == level, inner.c.key.in_(keys))
        if level == "service" and "suppressProjectedServices" not in qualifiers:
            keys = above.union_all(projecting(keys))
        else:
            keys = above
        level = PARENT_KIND[level]
    return keys
