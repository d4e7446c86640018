"""From entities to rows and back: the one place where content is encoded for the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from registry.errors import UddiError
from registry.keys import fold
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    Entity,
    KeyedReference,
    Kind,
    TModel,
)
from registry.uddi.wellknown import ENTITY_KEY_VALUES
from registry.xml_text import attribute, texts

CLASSES: dict[Kind, type[Entity]] = {
    "business": BusinessEntity,
    "service": BusinessService,
    "binding": BindingTemplate,
    "tmodel": TModel,
}
KINDS = {cls: kind for kind, cls in CLASSES.items()}
PARENT_KIND: dict[Kind, Kind] = {"service": "business", "binding": "service"}

_ADAPTERS: dict[Kind, TypeAdapter[Any]] = {kind: TypeAdapter(cls) for kind, cls in CLASSES.items()}


def kind_of(item: Entity) -> Kind:
    return KINDS[type(item)]


def encode(item: Entity) -> str:
    """The content without children, keys of its own or of its parent, or the hidden mark: those
    are columns."""
    match item:
        case BusinessEntity():
            item = replace(item, key="", services=())
        case BusinessService():
            item = replace(item, key="", business_key="", bindings=())
        case BindingTemplate():
            item = replace(item, key="", service_key="")
        case TModel():
            item = replace(item, key="", deleted=False)
    adapter = _ADAPTERS[kind_of(item)]
    return adapter.dump_json(item, exclude_defaults=True).decode("utf-8")


def decode(row: Any, children: tuple[Any, ...] = ()) -> Any:
    """The entity of an ``entity`` row, with its children put into it."""
    item = _ADAPTERS[row.kind].validate_json(row.body)
    match item:
        case BusinessEntity():
            return replace(item, key=row.key, services=children)
        case BusinessService():
            return replace(item, key=row.key, business_key=row.parent_key, bindings=children)
        case BindingTemplate():
            return replace(item, key=row.key, service_key=row.parent_key)
        case TModel():
            return replace(item, key=row.key, deleted=row.hidden)
    raise TypeError(f"no entity: {item!r}")


def children_of(item: Entity) -> tuple[Entity, ...]:
    match item:
        case BusinessEntity():
            return item.services
        case BusinessService():
            return item.bindings
    return ()


def tree(item: Entity) -> Iterator[Entity]:
    """The entity and everything inside it, parents first."""
    yield item
    for child in children_of(item):
        yield from tree(child)


def names_of(item: Entity) -> list[dict[str, str]]:
    match item:
        case BusinessEntity() | BusinessService():
            names = item.names
        case TModel():
            names = (item.name,)
        case _:
            names = ()
    kind = kind_of(item)
    return [
        {"kind": kind, "lang": n.lang.lower(), "value": n.value, "folded": n.value.casefold()}
        for n in names
    ]


def references_of(item: Entity) -> list[dict[str, str]]:
    """The references that a find may match. Those inside a group only count as a group, which
    no find here matches yet."""
    identifiers = item.identifier_bag if isinstance(item, BusinessEntity | TModel) else ()
    bags = (("identifier", identifiers), ("category", item.category_bag.references))
    return [
        {
            "bag": bag,
            "tmodel_key": r.tmodel_key,
            "key_name": r.key_name,
            "key_value": r.key_value,
            "folded": r.key_value.casefold(),
        }
        for bag, references in bags
        for r in references
    ]


def sort_of(item: Entity, position: int, moment: int) -> str:
    """What it comes by in a list: its first name. Bindings have none: those saved first come
    first (``moment``: microseconds), and in their service's order where they were saved at once."""
    if isinstance(item, BindingTemplate):
        return f"{moment:020} {position:06}"
    names = names_of(item)
    return names[0]["value"] if names else ""


def info_of(item: Entity) -> str:
    """Its info element in a list of UDDI 3, as XML; a business's without its end, behind which
    its services come; "" for bindings, which have none."""
    match item:
        case BusinessEntity():
            said = texts("name", item.names) + texts("description", item.descriptions)
            return f'<businessInfo businessKey="{attribute(item.key)}">{said}'
        case BusinessService():
            keys = (
                f'serviceKey="{attribute(item.key)}" businessKey="{attribute(item.business_key)}"'
            )
            return f"<serviceInfo {keys}>{texts('name', item.names)}</serviceInfo>"
        case TModel():
            said = texts("name", (item.name,)) + texts("description", item.descriptions)
            return f'<tModelInfo tModelKey="{attribute(item.key)}">{said}</tModelInfo>'
    return ""


def tmodel_keys_of(item: Entity) -> set[str]:
    """Every tModel that this entity, without its children, refers to."""
    keys = {r["tmodel_key"] for r in references_of(item)}
    for group in item.category_bag.groups:
        keys |= {group.tmodel_key, *(r.tmodel_key for r in group.references)}
    if isinstance(item, BindingTemplate):
        keys |= {instance.tmodel_key for instance in item.instances}
    if isinstance(item, BusinessEntity):
        addresses = [address for contact in item.contacts for address in contact.addresses]
        keys |= {address.tmodel_key for address in addresses if address.tmodel_key}
    return keys


def fold_reference(reference: KeyedReference) -> KeyedReference:
    """A value that is itself a key is folded like one."""
    if reference.tmodel_key in ENTITY_KEY_VALUES:
        return replace(reference, key_value=fold(reference.key_value))
    return reference


def no_such_key(key: str) -> UddiError:
    return UddiError("invalidKeyPassed", f"没有这个键 / no such key: {key}")
