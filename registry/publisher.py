"""A node publishes itself: shared tModels where they are missing, and its own business, whole.

Safe to repeat at every start: what already stands there as it should be is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from registry.client import UddiClient
from registry.errors import UddiError
from registry.model import (
    BusinessEntity,
    BusinessService,
    Contact,
    InstanceDetails,
    KeyedReference,
    LangText,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.registered import hospital_key, service_key
from registry.uddi.wellknown import BY_HAND, HOSPITAL_CODE, PROBE, WELL_KNOWN
from registry.uddi.wsdl_mapping import MappedWsdl, map_wsdl


@dataclass(frozen=True, slots=True)
class ContactEntry:
    """Whom to ask: ``use_type`` is OWNER or ON_CALL, by which a later publishing replaces it."""

    use_type: str
    name: str
    phone: str = ""
    email: str = ""


OWNER, ON_CALL = "owner", "on-call"


@dataclass(frozen=True, slots=True)
class HospitalEntry:
    """A hospital as its node's configuration names it."""

    code: str
    name: str
    name_en: str = ""
    contacts: tuple[ContactEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service that the node hosts: its WSDL and where it is reached. ``outside_address`` is
    at the gateway, None where the alliance has none; ``zh`` is its Chinese name;
    ``probe`` its declared harmless call (services/soap/probe.py), "" where it has none."""

    name: str
    wsdl: bytes
    outside_address: str | None
    inside_address: str
    zh: str = ""
    probe: str = ""


@dataclass(frozen=True, slots=True)
class PublishedSummary:
    """What publishing came to. The tuples hold keys; ``services`` are all that now stand there,
    the others say what changed; all of those empty: the registry already knew everything."""

    business_key: str
    services: tuple[BusinessService, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    tmodels_saved: tuple[str, ...] = ()
    tmodels_found: tuple[str, ...] = ()
    business_saved: bool = field(default=False)


PROBE_TMODEL = next(tmodel for tmodel in WELL_KNOWN if tmodel.key == PROBE)


class PublishError(Exception):
    """The registry has something else under a key that this node needs."""


def publish_node(
    client: UddiClient,
    user: str,
    password: str,
    hospital: HospitalEntry,
    services: Sequence[ServiceEntry],
) -> PublishedSummary:
    """Publish a node's services under its hospital. A service that stands there and is not
    among ``services`` is taken out; nothing of any other hospital is touched. What somebody
    else put on the business, such as contacts and descriptions, stays.

    NotWsdl for a WSDL that cannot be mapped, PublishError where a shared tModel disagrees,
    UddiError for what the registry refuses, RegistryUnavailable.
    """
    token = client.get_auth_token(user, password)
    try:
        return publish(client, token, hospital, services)
    finally:
        client.discard_auth_token(token)


def publish(
    client: UddiClient,
    token: str,
    hospital: HospitalEntry,
    services: Sequence[ServiceEntry],
    *,
    leave: Collection[str] = (),
) -> PublishedSummary:
    """As ``publish_node``, with a token that stays good. ``leave``: names of services that are
    not to be published now, and whose entries stay as they are."""
    mapped = [_map(hospital, service) for service in services if service.name not in leave]
    left = {service_key(hospital.code, name) for name in leave}
    shared = {t.key: t for each in mapped for t in (each.port_type, each.binding)}
    if any(_is_probed(each) for each in mapped):
        shared[PROBE] = PROBE_TMODEL  # a registry that is older than probes lacks it
    saved, found = ensure_tmodels(client, token, list(shared.values()))
    summary = _save_business(client, token, hospital, [each.service for each in mapped], left)
    return replace(summary, tmodels_saved=tuple(saved), tmodels_found=tuple(found))


def _map(hospital: HospitalEntry, service: ServiceEntry) -> MappedWsdl:
    mapped = map_wsdl(
        service.wsdl,
        f"{service.outside_address or service.inside_address}?wsdl",
        hospital=hospital.code,
        inside_address=service.inside_address,
        outside_address=service.outside_address,
        zh=service.zh,
    )
    if mapped.names.service != service.name:
        raise PublishError(
            f"WSDL 描述的是 {mapped.names.service}，不是 {service.name} / the WSDL describes "
            f"{mapped.names.service} and not {service.name}"
        )
    if not service.probe:
        return mapped
    declared = TModelInstanceInfo(PROBE, InstanceDetails(service.probe))
    bindings = tuple(
        replace(binding, instances=(*binding.instances, declared))
        for binding in mapped.service.bindings
    )
    return replace(mapped, service=replace(mapped.service, bindings=bindings))


# --- shared tModels ------------------------------------------------------------------------------


def ensure_tmodels(
    client: UddiClient, token: str, tmodels: Sequence[TModel]
) -> tuple[list[str], list[str]]:
    """Save those that are missing; the keys saved now and the keys found. A binding's tModel
    refers to its portType's, so that one comes first. PublishError where one says something
    else."""
    saved: list[str] = []
    found: list[str] = []
    for tmodel in tmodels:
        (saved if _ensure_tmodel(client, token, tmodel) else found).append(tmodel.key)
    return saved, found


def _is_probed(mapped: MappedWsdl) -> bool:
    bindings = mapped.service.bindings
    return any(one.tmodel_key == PROBE for binding in bindings for one in binding.instances)


def _ensure_tmodel(client: UddiClient, token: str, tmodel: TModel) -> bool:
    """Whether it was saved now."""
    there = _tmodel(client, tmodel.key)
    if there is None or (there.deleted and _agrees(there, tmodel)):
        try:
            client.save_tmodels(token, [tmodel])
        except UddiError as error:
            # Another node saved it first, or owns the hidden one: what counts is what it says.
            if error.code != "userMismatch":
                raise
            there = _tmodel(client, tmodel.key)
        else:
            return True
    if there is None or not _agrees(there, tmodel):
        raise PublishError(
            f"注册中心已有的 {tmodel.key} 与本节点的契约不同；契约改变须用新版本命名空间 / "
            f"{tmodel.key} stands in the registry and differs from this node's contract; "
            "a changed contract needs a new version and namespace"
        )
    return False


def _tmodel(client: UddiClient, key: str) -> TModel | None:
    try:
        return client.get_tmodel_detail([key])[0]
    except UddiError as error:
        if error.code != "invalidKeyPassed":
            raise
        return None


def _agrees(there: TModel, wanted: TModel) -> bool:
    """The same contract; each hospital's WSDL has a URL of its own, so that is not compared."""
    return there.name.value == wanted.name.value and set(wanted.category_bag.references) <= set(
        there.category_bag.references
    )


# --- the hospital's own business -------------------------------------------------------------


def _save_business(
    client: UddiClient,
    token: str,
    hospital: HospitalEntry,
    services: list[BusinessService],
    left: Collection[str],
) -> PublishedSummary:
    key = hospital_key(hospital.code)
    try:
        there: BusinessEntity | None = client.get_business_detail([key])[0]
    except UddiError as error:
        if error.code != "invalidKeyPassed":
            raise
        there = None
    code = KeyedReference(HOSPITAL_CODE, hospital.code, "医院代码")
    base = there or BusinessEntity(key=key)
    own_keys = {service.key for service in services}
    services = services + [
        service
        for service in base.services
        if service.key in left or (_foreign(service, key) and service.key not in own_keys)
    ]
    others = tuple(r for r in base.identifier_bag if r.tmodel_key != HOSPITAL_CODE)
    # What somebody else put there stays, also an on-call that this node's configuration lacks.
    own = {entry.use_type for entry in hospital.contacts}
    foreign = tuple(c for c in base.contacts if c.use_type not in own)
    english = (LangText(hospital.name_en, "en"),) if hospital.name_en else ()
    wanted = replace(
        base,
        names=(LangText(hospital.name, "zh"), *english),
        identifier_bag=(code, *others),
        contacts=(*map(_contact, hospital.contacts), *foreign),
        services=tuple(services),
    )
    if wanted != there:
        client.save_businesses(token, [wanted])
    before = {service.key: service for service in base.services}
    after = {service.key: service for service in services}
    return PublishedSummary(
        business_key=key,
        services=tuple(services),
        added=tuple(k for k in after if k not in before),
        changed=tuple(k for k, s in after.items() if k in before and before[k] != s),
        removed=tuple(k for k in before if k not in after),
        business_saved=wanted != there,
    )


def _foreign(service: BusinessService, business_key: str) -> bool:
    """Not this node's to take out: a projection, or what somebody published by its WSDL."""
    return service.business_key != business_key or any(
        reference.tmodel_key == BY_HAND for reference in service.category_bag.references
    )


def _contact(entry: ContactEntry) -> Contact:
    return Contact(
        (LangText(entry.name, "zh"),),
        entry.use_type,
        phones=(UseText(entry.phone),) if entry.phone else (),
        emails=(UseText(entry.email),) if entry.email else (),
    )
