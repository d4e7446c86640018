"""The OASIS note "Using WSDL in a UDDI Registry" 2.0.2: a WSDL becomes UDDI entities.

portType -> tModel                 shared by all hospitals, told apart by contract version
binding  -> tModel                 the same
service  -> businessService
port     -> bindingTemplate        here twice: at the gateway (outside), at the node (inside)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

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
from registry.uddi.soap import EnvelopeError, parse_xml
from registry.uddi.wellknown import (
    FACE_INSIDE,
    PORTTYPE_REFERENCE,
    PROTOCOL,
    PROTOCOL_SOAP,
    TRANSPORT,
    TRANSPORT_HTTP,
    TYPES,
    WSDL_TYPES,
    XML_LOCALNAME,
    XML_NAMESPACE,
)

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
_SOAP_HTTP = "http://schemas.xmlsoap.org/soap/http"
_VERSION = re.compile(r"urn:yilian:[^:]+:(\d+)")


class WsdlError(ValueError):
    """The document is no WSDL that can be published; says why."""


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
    WsdlError where it is something else."""
    try:
        root = parse_xml(document)
    except EnvelopeError as error:
        raise WsdlError(error.message) from error
    if root.tag != f"{_WSDL}definitions":
        raise WsdlError(f"不是 WSDL 1.1 / not WSDL 1.1: {root.tag!s}")
    service = _one(root, "service")
    port = _one(service, "port")
    binding = _one(root, "binding")
    _one(root, "portType")
    soap = binding.find(f"{_SOAP}binding")
    if soap is None or soap.get("transport") != _SOAP_HTTP:
        raise WsdlError("绑定不是 SOAP 1.1 over HTTP / the binding is not SOAP 1.1 over HTTP")
    if _local(port, "binding") != binding.get("name"):
        raise WsdlError("port 指向未知的 binding / the port's binding is not in the document")
    names = WsdlNames(
        namespace=root.get("targetNamespace", ""),
        service=service.get("name", ""),
        port=port.get("name", ""),
        binding=binding.get("name", ""),
        port_type=_local(binding, "type"),
    )
    if root.find(f"{_WSDL}portType[@name='{names.port_type}']") is None:
        raise WsdlError(
            f"缺少 portType / the binding's portType is not in the document: {names.port_type!r}"
        )
    if not all((names.namespace, names.service, names.port)):
        raise WsdlError(
            "WSDL 缺少名称或 targetNamespace / a name or the targetNamespace is missing"
        )
    return names


def _one(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(_WSDL + name)
    if len(found) != 1:
        raise WsdlError(f"应恰有一个 {name} / one {name} is expected, there are {len(found)}")
    return found[0]


def _local(element: etree._Element, attribute: str) -> str:
    return element.get(attribute, "").rpartition(":")[2]


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
    outside address there is only the inside one. ``zh``: the service's Chinese name."""
    names = read_names(document)
    stem = fold(names.service)
    port_type_key = f"uddi:yilian:{stem}:porttype-v{names.version}"
    binding_key = f"uddi:yilian:{stem}:binding-v{names.version}"
    overview = (OverviewDoc(UseText(wsdl_url, "wsdlInterface")),)
    namespace = KeyedReference(XML_NAMESPACE, names.namespace, "namespace")
    port_type = TModel(
        key=port_type_key,
        name=LangText(names.port_type),
        overview_docs=overview,
        category_bag=CategoryBag((KeyedReference(WSDL_TYPES, "portType", "WSDL type"), namespace)),
    )
    binding = TModel(
        key=binding_key,
        name=LangText(names.binding),
        overview_docs=overview,
        category_bag=CategoryBag(
            (
                KeyedReference(WSDL_TYPES, "binding", "WSDL type"),
                KeyedReference(PORTTYPE_REFERENCE, port_type_key, "portType"),
                KeyedReference(PROTOCOL, PROTOCOL_SOAP, "SOAP protocol"),
                KeyedReference(TRANSPORT, TRANSPORT_HTTP, "HTTP transport"),
                KeyedReference(TYPES, "wsdlSpec", "wsdlSpec"),
                namespace,
            )
        ),
    )
    service_key = fold(f"uddi:yilian:{hospital}:{stem}")
    faces = [("outside", outside_address)] if outside_address else []
    faces.append(("inside", inside_address))
    service = BusinessService(
        key=service_key,
        business_key=fold(f"uddi:yilian:hospital:{hospital}"),
        names=(*([LangText(zh, "zh")] if zh else []), LangText(names.service, "en")),
        bindings=tuple(
            _binding(service_key, face, address or "", wsdl_url, names, port_type_key, binding_key)
            for face, address in faces
        ),
        category_bag=CategoryBag(
            (
                KeyedReference(WSDL_TYPES, "service", "WSDL type"),
                namespace,
                KeyedReference(XML_LOCALNAME, names.service, "service"),
            )
        ),
    )
    return MappedWsdl(names, port_type, binding, service)


def _binding(
    service_key: str,
    face: str,
    address: str,
    wsdl_url: str,
    names: WsdlNames,
    port_type_key: str,
    binding_key: str,
) -> BindingTemplate:
    # The shared tModels name whichever hospital's WSDL was first; this one names its own.
    details = InstanceDetails(names.port, (OverviewDoc(UseText(wsdl_url, "wsdlInterface")),))
    marks = (TModelInstanceInfo(FACE_INSIDE),) if face == "inside" else ()
    return BindingTemplate(
        key=f"{service_key}:{face}",
        service_key=service_key,
        access_point=UseText(address, "endPoint"),
        instances=(
            TModelInstanceInfo(binding_key, details),
            TModelInstanceInfo(port_type_key),
            *marks,
        ),
    )
