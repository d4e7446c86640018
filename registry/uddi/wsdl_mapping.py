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
    BindingTemplate,
    BusinessService,
    CategoryBag,
    InstanceDetails,
    KeyedReference,
    LangText,
    OverviewDoc,
    TModel,
    TModelInstanceInfo,
    UseText,
)
from registry.registered import hospital_key
from registry.uddi.wellknown import (
    BY_HAND,
    FACE_INSIDE,
    PORTTYPE_REFERENCE,
    PROTOCOL,
    PROTOCOL_HTTP,
    PROTOCOL_SOAP,
    PROTOCOL_SOAP12,
    TRANSPORT,
    TRANSPORT_HTTP,
    TYPES,
    WSDL_TYPES,
    XML_LOCALNAME,
    XML_NAMESPACE,
)
from services.soap.wsdl_reading import Binding, NotWsdl, Port, PortType, Service, Wsdl, read

T = TypeVar("T")

#: Protocols by the names that people ask for them.
PROTOCOLS = {"soap": PROTOCOL_SOAP, "soap12": PROTOCOL_SOAP12, "http": PROTOCOL_HTTP}
_SOAP_HTTP = "http://schemas.xmlsoap.org/soap/http"
_HTTP_TRANSPORTS = (_SOAP_HTTP, "http://www.w3.org/2003/05/soap/bindings/HTTP/")

_VERSION = re.compile(r"urn:yilian:[^:]+:(\d+)")
_PLAIN = re.compile(r"[a-z0-9._~-]+")
_SPACE = uuid.UUID("1b0a3a5e-77a1-5ad3-8d0c-5f6e6f7f2a01")
_LONGEST = 255


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
    if (binding.protocol, binding.transport) != ("soap", _SOAP_HTTP):
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
    abstract = _port_type_tmodel(f"{stem}:porttype-v{names.version}", port_type, wsdl_url)
    concrete = _binding_tmodel(
        f"{stem}:binding-v{names.version}", binding, abstract.key, wsdl_url,
        keys_names=("SOAP protocol", "HTTP transport"),
    )  # fmt: skip
    key = fold(f"uddi:yilian:{hospital}:{names.service}")
    faces = [("outside", outside_address)] if outside_address else []
    faces.append(("inside", inside_address))
    # The shared tModels name whichever hospital's WSDL was first; this one names its own.
    bindings = [
        _template(key, face, address or "", port, wsdl_url, concrete, abstract, face == "inside")
        for face, address in faces
    ]
    called = (*([LangText(zh, "zh")] if zh else []), LangText(names.service, "en"))
    return MappedWsdl(names, abstract, concrete, _service(key, hospital, service, called, bindings))


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
    if not wsdl.services:
        raise NotWsdl(f"{wsdl.url} 中没有 service / holds no service")
    port_types: dict[str, TModel] = {}
    bindings: dict[str, TModel] = {}
    services: dict[str, BusinessService] = {}
    for service in wsdl.services:
        if not service.namespace or not service.name or not service.ports:
            raise NotWsdl(
                f"service 缺少名称、命名空间或 port / a service without name, namespace or port: "
                f"{service.name!r}"
            )
        key = f"uddi:yilian:{fold(hospital)}:{_stem(service.name)}"
        if key in services:
            raise NotWsdl("两个 service 同名 / two services of one name in the document")
        templates = []
        for port in service.ports:
            if not port.name or not port.address:
                raise NotWsdl(
                    f"port 缺少名称或地址 / a port without name or address: {port.name!r}"
                )
            binding = wsdl.binding(port)
            port_type = wsdl.port_type(binding)
            abstract = _port_type_tmodel(
                _shared_key("porttype", port_type), port_type, port_type.url
            )
            concrete = _binding_tmodel(
                _shared_key("binding", binding), binding, abstract.key, binding.url
            )
            port_types[abstract.key], bindings[concrete.key] = abstract, concrete
            templates.append(
                _template(
                    *(key, _stem(port.name), port.address, port, wsdl.url),
                    *(concrete, abstract, inside),
                )
            )
        services[key] = _service(
            *(key, hospital, service, (LangText(_fits(service.name)),), templates),
            KeyedReference(BY_HAND, "wsdl", "publish-wsdl"),
        )
    return Mapped((*port_types.values(), *bindings.values()), tuple(services.values()))


def _shared_key(kind: str, one: PortType | Binding) -> str:
    name = uuid.uuid5(_SPACE, f"{kind} {{{one.namespace}}}{one.name}")
    return f"uddi:yilian:wsdl:{kind}:{name}"


def _stem(local: str) -> str:
    """A name as part of a key: itself, or where keys have no such characters, a UUID of it."""
    folded = local.lower()
    return folded if _PLAIN.fullmatch(folded) else str(uuid.uuid5(_SPACE, local))


# --- the note ------------------------------------------------------------------------------------


def _port_type_tmodel(key: str, port_type: PortType, url: str) -> TModel:
    return TModel(
        key=key,
        name=LangText(_fits(port_type.name)),
        overview_docs=_overview(url),
        category_bag=CategoryBag(
            (_reference(WSDL_TYPES, "portType", "WSDL type"), *_namespace(port_type.namespace))
        ),
    )


def _binding_tmodel(
    key: str,
    binding: Binding,
    port_type_key: str,
    url: str,
    keys_names: tuple[str, str] = ("protocol", "transport"),
) -> TModel:
    """``keys_names``: the keyNames of protocol and transport, which stay what they were once, as a
    registry compares them."""
    references = [
        _reference(WSDL_TYPES, "binding", "WSDL type"),
        _reference(PORTTYPE_REFERENCE, port_type_key, "portType"),
    ]
    if binding.protocol in PROTOCOLS:
        references.append(_reference(PROTOCOL, PROTOCOLS[binding.protocol], keys_names[0]))
    if binding.protocol == "http" or binding.transport in _HTTP_TRANSPORTS:
        references.append(_reference(TRANSPORT, TRANSPORT_HTTP, keys_names[1]))
    references += [_reference(TYPES, "wsdlSpec", "wsdlSpec"), *_namespace(binding.namespace)]
    return TModel(
        key=key,
        name=LangText(_fits(binding.name)),
        overview_docs=_overview(url),
        category_bag=CategoryBag(tuple(references)),
    )


def _template(
    service_key: str,
    stem: str,
    address: str,
    port: Port,
    wsdl_url: str,
    binding: TModel,
    port_type: TModel,
    inside: bool,
) -> BindingTemplate:
    return BindingTemplate(
        key=f"{service_key}:{stem}",
        service_key=service_key,
        access_point=UseText(address, "endPoint"),
        instances=(
            TModelInstanceInfo(binding.key, InstanceDetails(_fits(port.name), _overview(wsdl_url))),
            TModelInstanceInfo(port_type.key),
            *((TModelInstanceInfo(FACE_INSIDE),) if inside else ()),
        ),
    )


def _service(
    key: str,
    hospital: str,
    service: Service,
    names: tuple[LangText, ...],
    bindings: list[BindingTemplate],
    *marks: KeyedReference,
) -> BusinessService:
    said = service.documentation[:_LONGEST]
    return BusinessService(
        key=key,
        business_key=hospital_key(hospital),
        names=names,
        bindings=tuple(bindings),
        category_bag=CategoryBag(
            (
                _reference(WSDL_TYPES, "service", "WSDL type"),
                *_namespace(service.namespace),
                _reference(XML_LOCALNAME, service.name, "service"),
                *marks,
            )
        ),
        descriptions=(LangText(said),) if said else (),
    )


def _reference(system: str, value: str, name: str) -> KeyedReference:
    return KeyedReference(system, _fits(value), name)


def _namespace(namespace: str) -> tuple[KeyedReference, ...]:
    return (_reference(XML_NAMESPACE, namespace, "namespace"),) if namespace else ()


def _overview(url: str) -> tuple[OverviewDoc, ...]:
    return (OverviewDoc(UseText(url, "wsdlInterface")),)


def _fits(text: str) -> str:
    if len(text) > _LONGEST:
        raise NotWsdl(f"超过 {_LONGEST} 个字符 / longer than {_LONGEST} characters: {text[:60]!r}…")
    return text
