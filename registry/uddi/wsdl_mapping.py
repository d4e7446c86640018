"""The OASIS note "Using WSDL in a UDDI Registry" 2.0.2: a WSDL becomes UDDI entities.

portType -> tModel                 shared by all hospitals
binding  -> tModel                 the same
service  -> businessService
port     -> bindingTemplate

map_wsdl() is for the nodes' own WSDLs: their tModels are told apart by contract version, and the
one port stands there twice, at the gateway (outside) and at the node (inside). map_any_wsdl() is
for those of anybody, as they are.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from registry.keys import fold
from registry.model import (
    BusinessService,
    KeyedReference,
    LangText,
    TModel,
)
from registry.uddi.wellknown import BY_HAND
from registry.uddi.wsdl_entities import (
    SOAP_HTTP,
    binding_tmodel,
    fits,
    port_type_tmodel,
    service_entity,
    template_of,
)
from services.soap.wsdl_reading import Binding, Name, NotWsdl, Port, PortType, Service, Wsdl, read

T = TypeVar("T")

_VERSION = re.compile(r"urn:yilian:[^:]+:(\d+)")
_PLAIN = re.compile(r"[a-z0-9._~-]+")
_SPACE = uuid.UUID("1b0a3a5e-77a1-5ad3-8d0c-5f6e6f7f2a01")


# --- a node's own ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WsdlNames:
    """The names in a WSDL that the registry repeats."""

    namespace: str
    service: str
    port: str
    binding: str
    port_type: str

    @property
    def version(self) -> int:
        """The contract's version: the last part of ``urn:yilian:<service>:<version>``, else 1."""
        match = _VERSION.fullmatch(self.namespace)
        return int(match[1]) if match else 1


@dataclass(frozen=True, slots=True)
class MappedWsdl:
    names: WsdlNames
    port_type: TModel
    binding: TModel
    service: BusinessService


def read_names(document: bytes) -> WsdlNames:
    """The names in a flat WSDL 1.1 with one service, one port and a SOAP 1.1 binding over HTTP.
    NotWsdl where it is something else."""
    return _names(*_only(document))


def _names(service: Service, port: Port, binding: Binding, port_type: PortType) -> WsdlNames:
    return WsdlNames(service.namespace, service.name, port.name, binding.name, port_type.name)


def _only(document: bytes) -> tuple[Service, Port, Binding, PortType]:
    wsdl = read(document)
    service = _one(wsdl.services, "service")
    port = _one(service.ports, "port")
    _one(wsdl.bindings, "binding")
    _one(wsdl.port_types, "portType")
    binding = wsdl.binding(port)
    if (binding.protocol, binding.transport) != ("soap", SOAP_HTTP):
        raise NotWsdl("绑定不是 SOAP 1.1 over HTTP / the binding is not SOAP 1.1 over HTTP")
    if not all((service.namespace, service.name, port.name)):
        raise NotWsdl("WSDL 缺少名称或 targetNamespace / a name or the targetNamespace is missing")
    return service, port, binding, wsdl.port_type(binding)


def _one(found: Iterable[T], name: str) -> T:
    there = list(found)
    if len(there) != 1:
        raise NotWsdl(f"应恰有一个 {name} / one {name} is expected, there are {len(there)}")
    return there[0]


def map_wsdl(
    document: bytes,
    wsdl_url: str,
    *,
    hospital: str,
    inside_address: str,
    outside_address: str | None = None,
    zh: str = "",
) -> MappedWsdl:
    """The entities of one service of one hospital (its code). ``wsdl_url``: where askers fetch
    the document. The outside face stands first, because that is the one to bind to; without an
    outside address there is only the inside one. ``zh``: the service's Chinese name. NotWsdl."""
    service, port, binding, port_type = _only(document)
    names = _names(service, port, binding, port_type)
    stem = f"uddi:yilian:{fold(names.service)}"
    abstract = port_type_tmodel(f"{stem}:porttype-v{names.version}", port_type, wsdl_url)
    concrete = binding_tmodel(
        f"{stem}:binding-v{names.version}", binding, abstract.key, wsdl_url,
        key_names=("SOAP protocol", "HTTP transport"),
    )  # fmt: skip
    key = fold(f"uddi:yilian:{hospital}:{names.service}")
    faces = [("outside", outside_address)] if outside_address else []
    faces.append(("inside", inside_address))
    # The shared tModels name whichever hospital's WSDL was first; this one names its own.
    bindings = [
        template_of(key, face, address or "", port, wsdl_url, concrete, abstract, face == "inside")
        for face, address in faces
    ]
    called = (*([LangText(zh, "zh")] if zh else []), LangText(names.service, "en"))
    return MappedWsdl(
        names, abstract, concrete, service_entity(key, hospital, service, called, bindings)
    )


# --- anybody's ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one WSDL becomes: shared tModels, portTypes before bindings, and services."""

    tmodels: tuple[TModel, ...]
    services: tuple[BusinessService, ...]


def map_any_wsdl(wsdl: Wsdl, hospital: str, *, inside: bool = False) -> Mapped:
    """The entities of a hospital's (its code) services. The same WSDL has the same tModels for
    every hospital. ``inside``: the addresses are for the gateway alone. NotWsdl where it names
    what is not there, and for names that UDDI has no room for."""
    _publishable(wsdl)
    ports = [port for service in wsdl.services for port in service.ports]
    shared = {port.binding: _shared(wsdl, wsdl.binding(port)) for port in ports}
    tmodels = {one.key: one for kind in zip(*shared.values(), strict=True) for one in kind}
    services = {
        one.key: one
        for one in (_service_of(wsdl, each, hospital, shared, inside) for each in wsdl.services)
    }
    if len(services) < len(wsdl.services):
        raise NotWsdl("两个 service 同名 / two services of one name in the document")
    return Mapped(tuple(tmodels.values()), tuple(services.values()))


def _publishable(wsdl: Wsdl) -> None:
    if not wsdl.services:
        raise NotWsdl(f"{wsdl.url} 中没有 service / holds no service")
    for service in wsdl.services:
        if not service.namespace or not service.name or not service.ports:
            raise NotWsdl(
                f"service 缺少名称、命名空间或 port / a service without name, namespace or port: "
                f"{service.name!r}"
            )
        for port in service.ports:
            if not port.name or not port.address:
                raise NotWsdl(
                    f"port 缺少名称或地址 / a port without name or address: {port.name!r}"
                )


def _shared(wsdl: Wsdl, binding: Binding) -> tuple[TModel, TModel]:
    """The tModels of a binding's portType and its own."""
    port_type = wsdl.port_type(binding)
    abstract = port_type_tmodel(_shared_key("porttype", port_type), port_type, port_type.url)
    key = _shared_key("binding", binding)
    return abstract, binding_tmodel(key, binding, abstract.key, binding.url)


def _service_of(
    wsdl: Wsdl,
    service: Service,
    hospital: str,
    shared: dict[Name, tuple[TModel, TModel]],
    inside: bool,
) -> BusinessService:
    key = f"uddi:yilian:{fold(hospital)}:{_stem(service.name)}"
    templates = []
    for port in service.ports:
        abstract, concrete = shared[port.binding]
        face = key, _stem(port.name), port.address, port, wsdl.url
        templates.append(template_of(*face, concrete, abstract, inside))
    return service_entity(
        *(key, hospital, service, (LangText(fits(service.name)),), templates),
        KeyedReference(BY_HAND, "wsdl", "publish-wsdl"),
    )


def _shared_key(kind: str, one: PortType | Binding) -> str:
    name = uuid.uuid5(_SPACE, f"{kind} {{{one.namespace}}}{one.name}")
    return f"uddi:yilian:wsdl:{kind}:{name}"


def _stem(local: str) -> str:
    """A name as part of a key: itself, or where keys have no such characters, a UUID of it."""
    folded = local.lower()
    return folded if _PLAIN.fullmatch(folded) else str(uuid.uuid5(_SPACE, local))
