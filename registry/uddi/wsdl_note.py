"""What wsdl_mapping.py has mapped: published, and found again.

The finds are those of the OASIS note "Using WSDL in a UDDI Registry" 2.0.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from registry.client import UddiClient
from registry.errors import UddiError
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Find,
    KeyedReference,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
)
from registry.publisher import HospitalEntry, ensure_tmodels
from registry.registered import hospital_key
from registry.uddi.wellknown import (
    HOSPITAL_CODE,
    PORTTYPE_REFERENCE,
    PROTOCOL,
    WSDL_TYPES,
    XML_LOCALNAME,
    XML_NAMESPACE,
)
from registry.uddi.wsdl_entities import PROTOCOLS
from registry.uddi.wsdl_mapping import Mapped

T = TypeVar("T")


def publish_wsdl(
    client: UddiClient, token: str, hospital: HospitalEntry, mapped: Mapped
) -> list[BusinessService]:
    """Save the tModels that are missing and the services, in a business that is made where it is
    missing. Publishing again replaces the services and leaves everything else.

    PublishError where a shared tModel says something else, UddiError, RegistryUnavailable."""
    ensure_tmodels(client, token, mapped.tmodels)
    _ensure_business(client, token, hospital)
    return client.save_services(token, mapped.services)


def _ensure_business(client: UddiClient, token: str, hospital: HospitalEntry) -> None:
    key = hospital_key(hospital.code)
    try:
        client.get_business_detail([key])
    except UddiError as error:
        if error.code != "invalidKeyPassed":
            raise
        english = (LangText(hospital.name_en, "en"),) if hospital.name_en else ()
        business = BusinessEntity(
            key=key,
            names=(LangText(hospital.name or hospital.code, "zh"), *english),
            identifier_bag=(KeyedReference(HOSPITAL_CODE, hospital.code, "医院代码"),),
        )
        client.save_businesses(token, [business])


# --- back ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundBinding:
    """What a bindingTemplate says of its WSDL. ``protocol`` as in PROTOCOLS, else the tModel's
    key, or ""; ``port_type`` and ``binding`` are names; ``namespace`` the service's."""

    hospital: str
    service: str
    port: str
    address: str
    namespace: str
    port_type: str
    binding: str
    protocol: str
    wsdl_url: str
    binding_key: str


def find_port_types(client: UddiClient, name: str = "", namespace: str = "") -> list[str]:
    """The keys of portType tModels, by name (with % for anything), namespace, or both."""
    return _all(client.find_tmodel, _typed("portType", name, namespace))


def find_binding_tmodels(
    client: UddiClient, *, port_type_key: str = "", protocol: str = "", namespace: str = ""
) -> list[str]:
    """The keys of binding tModels: of a portType, of a protocol, in a namespace, or of all."""
    find = _typed("binding", "", namespace)
    more = []
    if port_type_key:
        more.append(KeyedReference(PORTTYPE_REFERENCE, port_type_key))
    if protocol:
        more.append(KeyedReference(PROTOCOL, PROTOCOLS.get(protocol, protocol)))
    bag = CategoryBag((*find.category_bag.references, *more))
    return _all(client.find_tmodel, Find(find.qualifiers, find.names, category_bag=bag))


def _typed(kind: str, name: str, namespace: str) -> Find:
    references = [KeyedReference(WSDL_TYPES, kind)]
    if namespace:
        references.append(KeyedReference(XML_NAMESPACE, _literal(namespace)))
    names = (LangText(name),) if name else ()
    return Find(("approximateMatch",), names, category_bag=CategoryBag(tuple(references)))


def _literal(text: str) -> str:
    for wild in "\\%_":
        text = text.replace(wild, f"\\{wild}")
    return text


def find_implementations(
    client: UddiClient, *, port_type: str = "", namespace: str = "", protocol: str = ""
) -> list[FoundBinding]:
    """Every binding that implements such a portType by such a protocol, and what it says of its
    WSDL. At least one of the three is to be given; what is "" is not asked for."""
    keys: list[str] = []
    if port_type or (namespace and not protocol):
        for key in find_port_types(client, port_type, namespace):
            if protocol:
                keys += find_binding_tmodels(client, port_type_key=key, protocol=protocol)
            else:
                keys.append(key)
    elif protocol:
        keys = find_binding_tmodels(client, protocol=protocol, namespace=namespace)
    bindings: dict[str, BindingTemplate] = {}
    for start in range(0, len(keys), _LISTED):
        find = Find(("orAllKeys",), tmodel_bag=tuple(keys[start : start + _LISTED]))
        found = _all(client.find_binding, find)
        bindings.update((binding.key, binding) for binding in found)
    return described(client, list(bindings.values()))


_LISTED, _A_PAGE = 50, 500


def _all(find: Callable[[Find], list[T]], asked: Find) -> list[T]:
    """Every page of a find."""
    found: list[T] = []
    while True:
        page = find(replace(asked, list_head=len(found) + 1, max_rows=_A_PAGE))
        found += page
        if len(page) < _A_PAGE:
            return found


def described(client: UddiClient, bindings: Sequence[BindingTemplate]) -> list[FoundBinding]:
    """What these bindings' tModels and services say of portType, binding, namespace and WSDL."""
    if not bindings:
        return []
    service_keys = list(dict.fromkeys(binding.service_key for binding in bindings))
    services = {s.key: s for s in client.get_service_detail(service_keys)}
    wanted = dict.fromkeys(i.tmodel_key for b in bindings for i in b.instances)
    tmodels = {t.key: t for t in client.get_tmodel_detail(list(wanted))} if wanted else {}
    return [_described(b, services[b.service_key], tmodels) for b in bindings]


def _described(
    binding: BindingTemplate, service: BusinessService, tmodels: dict[str, TModel]
) -> FoundBinding:
    of_kind: dict[str, tuple[TModelInstanceInfo, TModel]] = {}
    for instance in binding.instances:
        tmodel = tmodels[instance.tmodel_key]
        of_kind.setdefault(_category(tmodel, WSDL_TYPES), (instance, tmodel))
    in_binding, binding_tmodel = of_kind.get("binding", (None, TModel()))
    _, port_type = of_kind.get("portType", (None, TModel()))
    details = in_binding.instance_details if in_binding else None
    protocol = _category(binding_tmodel, PROTOCOL)
    known = {key: name for name, key in PROTOCOLS.items()}
    return FoundBinding(
        hospital=service.business_key.removeprefix("uddi:yilian:hospital:"),
        service=_category(service, XML_LOCALNAME)
        or (service.names[0].value if service.names else ""),
        port=details.instance_parms if details else "",
        address=binding.access_point.value if binding.access_point else "",
        namespace=_category(service, XML_NAMESPACE) or _category(port_type, XML_NAMESPACE),
        port_type=port_type.name.value,
        binding=binding_tmodel.name.value,
        protocol=known.get(protocol, protocol),
        # its own WSDL where it names one, else the shared tModels'
        wsdl_url=_url(details.overview_docs if details else ())
        or _url(binding_tmodel.overview_docs)
        or _url(port_type.overview_docs),
        binding_key=binding.key,
    )


def _category(item: TModel | BusinessService, system: str) -> str:
    for reference in item.category_bag.references:
        if reference.tmodel_key == system:
            return reference.key_value
    return ""


def _url(documents: Sequence[OverviewDoc]) -> str:
    return next((d.overview_url.value for d in documents if d.overview_url is not None), "")
