"""Saving an entity with everything inside it, inside a transaction that somebody else began."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from registry.changes import Entry
from registry.errors import UddiError
from registry.further_criteria import discovery_url, grouped_reference, groups_of, urls_of
from registry.keys import GENERATOR, check_form, generator_needed, new_key
from registry.listed import listed_rows
from registry.model import BindingTemplate, BusinessEntity, BusinessService, Entity, Kind, TModel
from registry.older_keys import older_key
from registry.projections import is_projection, own_services, save_projections
from registry.reading import chunks, rows_where
from registry.rows import (
    PARENT_KIND,
    children_of,
    decode,
    encode,
    info_of,
    kind_of,
    names_of,
    no_such_key,
    references_of,
    sort_of,
    tmodel_keys_of,
    tree,
)
from registry.tables import entity, instance_info, keyed_reference, name
from registry.uddi.wellknown import KEY_GENERATOR, TYPES
from registry.values import check_values, values_that_are_keys


def now() -> int:
    return time.time_ns() // 1000


def with_keys(item: Any) -> Any:
    """The entity with a key for itself and everything inside, each pointing to its parent."""
    key = item.key or new_key()
    match item:
        case BusinessEntity():
            services = tuple(
                s if is_projection(s, key) else with_keys(replace(s, business_key=key))
                for s in item.services
            )
            return replace(item, key=key, services=services)
        case BusinessService():
            bindings = tuple(with_keys(_inside(b, key)) for b in item.bindings)
            return replace(item, key=key, bindings=bindings)
        case TModel():
            return replace(item, key=key, deleted=False)
    return replace(item, key=key)


def _inside(binding: BindingTemplate, service_key: str) -> BindingTemplate:
    if binding.service_key not in ("", service_key):
        raise UddiError(
            "invalidKeyPassed",
            f"{binding.key or '?'} 属于 {binding.service_key}，不属于 {service_key} / "
            f"{binding.key or '?'} names {binding.service_key} as its service and stands in "
            f"{service_key}",
        )
    return replace(binding, service_key=service_key)


def save_tree(connection: Connection, publisher: str, item: Entity) -> list[Entry]:
    """Save it and answer what that changed: the item itself always, what is inside it where it
    is new, other than before, or gone."""
    whole, item = item, own_services(item)
    kind = kind_of(item)
    nodes = {node.key: node for node in tree(item)}
    if len(nodes) != sum(1 for _ in tree(item)):
        raise UddiError("invalidKeyPassed", f"键重复 / a key twice inside {item.key}")
    parent_key = _parent(connection, publisher, item)
    existing = {row.key: row for row in rows_where(connection, entity.c.key, list(nodes))}
    for key, node in nodes.items():
        _check_key(connection, publisher, key, kind_of(node), existing.get(key))
    _check_references(connection, nodes.values())
    moment = now()
    position = _position(connection, existing.get(item.key), parent_key)
    gone = [row for row in descendants(connection, list(existing)) if row.key not in nodes]
    for old in existing.values():
        touch(connection, old.parent_key, moment)
    for part in chunks(list(existing)):
        if kind != "tmodel":
            connection.execute(delete(entity).where(entity.c.key.in_(part)))
    if kind == "tmodel" and existing:
        # Others refer to its row, which stays. Only what it is found by is replaced.
        for table in (name, keyed_reference, grouped_reference):
            connection.execute(delete(table).where(table.c.entity_key == item.key))
    insert_entities(connection, publisher, item, parent_key, position, moment, existing)
    save_projections(connection, whole)
    touch(connection, parent_key, moment)
    return [removed(row) for row in gone] + [
        Entry("save", kind_of(node), key, parent)
        for key, (node, parent, place) in _placed(item, parent_key, position).items()
        if key == item.key or not _same(existing.get(key), node, parent, place)
    ]


def removed(row: Any, action: str = "delete") -> Entry:
    return Entry(action, row.kind, row.key, row.parent_key, row.body)


def descendants(connection: Connection, keys: list[str]) -> list[Any]:
    """The rows of everything inside these, the innermost first."""
    children = rows_where(connection, entity.c.parent_key, keys) if keys else []
    below = descendants(connection, [row.key for row in children]) if children else []
    return below + children


def _placed(
    item: Entity, parent_key: str | None, position: int
) -> dict[str, tuple[Entity, str | None, int]]:
    """The entity and everything inside it, each with where it stands."""
    placed = {item.key: (item, parent_key, position)}
    for number, child in enumerate(children_of(item)):
        placed |= _placed(child, item.key, number)
    return placed


def _same(row: Any, node: Entity, parent_key: str | None, position: int) -> bool:
    return row is not None and (row.body, row.parent_key, row.position) == (
        encode(node),
        parent_key,
        position,
    )


def _parent(connection: Connection, publisher: str, item: Entity) -> str | None:
    """The key of what the entity stands in, checked to be there and the publisher's own."""
    match item:
        case BusinessService():
            parent_key = item.business_key
        case BindingTemplate():
            parent_key = item.service_key
        case _:
            return None
    kind = PARENT_KIND[kind_of(item)]
    rows = rows_where(connection, entity.c.key, [parent_key], kind)
    if not rows:
        raise no_such_key(parent_key)
    check_owner(rows[0], publisher)
    return parent_key


def check_owner(row: Any, publisher: str) -> None:
    if row.publisher != publisher:
        raise UddiError(
            "userMismatch",
            f"{row.key} 属于另一发布者 / {row.key} belongs to another publisher",
        )


def _check_key(connection: Connection, publisher: str, key: str, kind: Kind, row: Any) -> None:
    if row is not None:
        check_owner(row, publisher)
        if row.kind != kind:
            raise UddiError(
                "keyUnavailable",
                f"{key} 已用于 {row.kind} / {key} is already in use for a {row.kind}",
            )
        return
    check_form(key)
    if key.endswith(GENERATOR) and kind != "tmodel":
        raise UddiError(
            "invalidKeyPassed",
            f"{key} 只能是 tModel 的键 / {key} can only be the key of a tModel",
        )
    generator = generator_needed(key)
    if generator is None:
        return
    rows = rows_where(connection, entity.c.key, [generator], "tmodel")
    if not rows or rows[0].publisher != publisher:
        raise UddiError(
            "keyUnavailable",
            f"{key} 不在本发布者的键分区内：需先拥有 {generator} / {key} is in no partition of "
            f"this publisher: it must own {generator} first",
        )


def _check_references(connection: Connection, nodes: Iterable[Entity]) -> None:
    """That every tModel referred to is here, and every value one that its system has."""
    items = list(nodes)
    saved_now = {item.key: item for item in items if isinstance(item, TModel)}
    for tmodel in saved_now.values():
        _check_generator(tmodel)
    wanted = {key for item in items for key in tmodel_keys_of(item)}
    values = {key for item in items for key in values_that_are_keys(item)}
    rows = rows_where(connection, entity.c.key, sorted(wanted | values), "tmodel")
    tmodels = {row.key: decode(row) for row in rows} | saved_now
    for key in sorted(wanted - tmodels.keys()):
        raise UddiError("invalidKeyPassed", f"没有这个 tModel / no such tModel: {key}")
    for item in items:
        check_values(item, tmodels)


def _check_generator(tmodel: TModel) -> None:
    marked = any(
        r.tmodel_key in (TYPES, KEY_GENERATOR) and r.key_value == "keyGenerator"
        for r in tmodel.category_bag.references
    )
    if marked != tmodel.key.endswith(GENERATOR):
        raise UddiError(
            "invalidKeyPassed",
            f"键以 {GENERATOR} 结尾的 tModel 必须分类为 keyGenerator，反之亦然 / "
            f"a tModel whose key ends in {GENERATOR} must be categorized as keyGenerator, "
            "and no other may be: "
            f"{tmodel.key}",
        )


def _position(connection: Connection, row: Any, parent_key: str | None) -> int:
    """Where it stands among its parent's children: where it stood before, else at the end."""
    if parent_key is None:
        return 0
    if row is not None and row.parent_key == parent_key:
        return int(row.position)
    last = select(func.max(entity.c.position)).where(entity.c.parent_key == parent_key)
    highest = connection.execute(last).scalar()
    return 0 if highest is None else int(highest) + 1


def touch(connection: Connection, key: str | None, moment: int) -> None:
    """Note on everything that contains the key's entity that something inside has changed."""
    while key is not None:
        connection.execute(
            update(entity).where(entity.c.key == key).values(modified_including_children=moment)
        )
        key = connection.execute(select(entity.c.parent_key).where(entity.c.key == key)).scalar()


@dataclass(frozen=True, slots=True)
class Above:
    """What an entity stands in, as the tables repeat it: keys, and what those are sorted by."""

    service_key: str | None = None
    service_sort: str | None = None
    business_key: str | None = None
    business_sort: str | None = None


def _above(connection: Connection, parent_key: str | None) -> Above:
    found = Above()
    while parent_key is not None:
        query = select(entity.c.kind, entity.c.key, entity.c.parent_key, entity.c.sort_name)
        row = connection.execute(query.where(entity.c.key == parent_key)).one()
        found = _below(found, row.kind, row.key, row.sort_name)
        parent_key = row.parent_key
    return found


def _below(above: Above, kind: Kind, key: str, sort: str) -> Above:
    """The same, with this entity in it."""
    if kind == "service":
        return replace(above, service_key=key, service_sort=sort)
    return replace(above, business_key=key, business_sort=sort)


def insert_entities(
    connection: Connection,
    publisher: str,
    item: Entity,
    parent_key: str | None,
    position: int,
    moment: int,
    existing: Mapping[str, Any],
) -> None:
    """Write the rows of the entity and of everything inside it. ``existing``: the entities' rows
    of before, by key; only a tModel's may still be there."""
    rows: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
    above = _above(connection, parent_key)
    _collect(rows, publisher, item, parent_key, position, moment, existing, above)
    if isinstance(item, TModel) and item.key in existing:
        # A tModel keeps its row: others refer to it.
        [values] = rows.pop(entity)
        connection.execute(update(entity).where(entity.c.key == item.key).values(values))
    for table, values_of_rows in rows.items():
        connection.execute(insert(table), values_of_rows)


def _collect(
    rows: defaultdict[Table, list[dict[str, Any]]],
    publisher: str,
    item: Entity,
    parent_key: str | None,
    position: int,
    moment: int,
    existing: Mapping[str, Any],
    above: Above,
) -> None:
    kind, sort = kind_of(item), sort_of(item, position, moment)
    before = existing.get(item.key)
    rows[entity].append(
        {
            "key": item.key,
            "kind": kind,
            "v2_key": older_key(item.key),
            "parent_key": parent_key,
            "position": position,
            "publisher": publisher,
            "created": moment if before is None else before.created,
            "modified": moment,
            "modified_including_children": moment,
            "hidden": False,
            "sort_name": sort,
            "sort_folded": sort.casefold()[:255],
            "info": info_of(item),
            "body": encode(item),
        }
    )
    common = {"entity_key": item.key, "sort_name": sort}
    places = asdict(above)
    rows[name] += [{**common, **each} for each in names_of(item)]
    rows[keyed_reference] += [
        {**common, **places, "kind": kind, **each} for each in references_of(item)
    ]
    if isinstance(item, BindingTemplate):
        tmodel_keys = dict.fromkeys(each.tmodel_key for each in item.instances)
        rows[instance_info] += [{**common, **places, "tmodel_key": key} for key in tmodel_keys]
    rows[grouped_reference] += [{"entity_key": item.key, **each} for each in groups_of(item)]
    rows[discovery_url] += [{"entity_key": item.key, **each} for each in urls_of(item)]
    for table, row in listed_rows(item, parent_key, position).items():
        rows[table].append(row)
    below = _below(above, kind, item.key, sort)
    for number, child in enumerate(children_of(item)):
        _collect(rows, publisher, child, item.key, number, moment, existing, below)
    for table in [table for table, values in rows.items() if not values]:
        del rows[table]
