"""Checks of values in the category systems that the registry knows.

A system that is categorized as ``checked`` promises that its values are checked. This registry
checks those below; of any other such system it cannot tell, and refuses the reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from registry.errors import UddiError
from registry.model import BusinessEntity, Entity, KeyedReference, Kind, TModel
from registry.rows import kind_of
from registry.uddi.wellknown import (
    ENTITY_KEY_VALUES,
    RELATIONSHIPS,
    TYPES,
    WSDL_TYPES,
)

#: uddi-org:types: what a tModel may be.
_TYPES = frozenset(
    {
        "tModel", "identifier", "namespace", "categorization", "postalAddress",
        "categorizationGroup", "relationship", "specification", "xmlSpec", "soapSpec", "wsdlSpec",
        "protocol", "transport", "signatureComponent", "unvalidatable", "checked", "unchecked",
        "cacheable", "uncacheable", "keyGenerator", "findQualifier", "sortOrder", "wsdlDeployment",
    }
)  # fmt: skip

#: The OASIS note: which WSDL type may stand on what.
_WSDL: dict[str, Kind] = {
    "portType": "tmodel",
    "binding": "tmodel",
    "service": "service",
    "port": "binding",
}

_RELATIONSHIPS = frozenset({"parent-child", "peer-peer", "identity"})

_KNOWN: dict[str, frozenset[str]] = {
    TYPES: _TYPES,
    WSDL_TYPES: frozenset(_WSDL),
    RELATIONSHIPS: _RELATIONSHIPS,
}
_CHECKED_HERE = frozenset({*_KNOWN, *ENTITY_KEY_VALUES})


def values_that_are_keys(item: Entity) -> set[str]:
    """The tModel keys that stand as values in this entity, without its children."""
    return {r.key_value for r in _references(item) if r.tmodel_key in ENTITY_KEY_VALUES}


def check_values(item: Entity, tmodels: Mapping[str, TModel]) -> None:
    """``tmodels``: those that it refers to, by their keys. E_invalidValue for a value that its
    system does not have, E_valueNotAllowed for one that does not belong on such an entity,
    E_unvalidatable where the system promises checks that this registry cannot make."""
    for reference in _references(item):
        check_reference(reference, tmodels)
        wanted = _WSDL.get(reference.key_value)
        if reference.tmodel_key == WSDL_TYPES and wanted != kind_of(item):
            raise UddiError(
                "valueNotAllowed",
                f"WSDL 类型 {reference.key_value} 应放在 {wanted} 上，不在 {kind_of(item)} 上 / "
                f"the WSDL type {reference.key_value} belongs on a {wanted}, not on a "
                f"{kind_of(item)}",
            )


def check_reference(reference: KeyedReference, tmodels: Mapping[str, TModel]) -> None:
    """One reference; errors as for ``check_values`` but for what it stands on."""
    key, value = reference.tmodel_key, reference.key_value
    known = _KNOWN.get(key)
    if known is not None and value not in known:
        raise UddiError(
            "invalidValue",
            f"{key} 没有值 {value!r} / {key} has no value {value!r}; "
            f"it has: {', '.join(sorted(known))}",
        )
    if key in ENTITY_KEY_VALUES and value not in tmodels:
        raise UddiError(
            "invalidValue",
            f"{key} 的值应是已有 tModel 的键 / a value of {key} must be the key of a tModel that "
            f"is here: {value!r}",
        )
    system = tmodels.get(key)
    if system is None or key in _CHECKED_HERE:
        return
    types = {r.key_value for r in system.category_bag.references if r.tmodel_key == TYPES}
    for mark in ("unvalidatable", "checked"):
        if mark in types:
            raise UddiError(
                "unvalidatable",
                f"{key} 分类为 {mark}，本注册中心无法校验其值 / {key} is categorized as {mark}, "
                "and this registry cannot check its values",
            )


def _references(item: Entity) -> Iterator[KeyedReference]:
    bags: list[Iterable[KeyedReference]] = [item.category_bag.references]
    bags += [group.references for group in item.category_bag.groups]
    if isinstance(item, BusinessEntity | TModel):
        bags.append(item.identifier_bag)
    for references in bags:
        yield from references
