"""UDDI entities by the OASIS note "Using WSDL in a UDDI Registry" 2.0.2, each from its part of a
WSDL; wsdl_mapping.py gives them their keys.
"""

from __future__ import annotations

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
from services.soap.wsdl_reading import Binding, NotWsdl, Port, PortType, Service

#: Protocols by the names that people ask for them.
PROTOCOLS = {"soap": PROTOCOL_SOAP, "soap12": PROTOCOL_SOAP12, "http": PROTOCOL_HTTP}
SOAP_HTTP = "http://schemas.xmlsoap.org/soap/http"
_HTTP_TRANSPORTS = (SOAP_HTTP, "http://www.w3.org/2003/05/soap/bindings/HTTP/")
_LONGEST = 255


def port_type_tmodel(key: str, port_type: PortType, url: str) -> TModel:
    return TModel(
        key=key,
        name=LangText(fits(port_type.name)),
        overview_docs=_overview(url),
        category_bag=CategoryBag(
            (_reference(WSDL_TYPES, "portType", "WSDL type"), *_namespace(port_type.namespace))
        ),
    )


def binding_tmodel(
    key: str,
    binding: Binding,
    port_type_key: str,
    url: str,
    key_names: tuple[str, str] = ("protocol", "transport"),
) -> TModel:
    """``key_names``: the keyNames of protocol and transport, which stay what they were once, as a
    registry compares them."""
    references = [
        _reference(WSDL_TYPES, "binding", "WSDL type"),
        _reference(PORTTYPE_REFERENCE, port_type_key, "portType"),
    ]
    if binding.protocol in PROTOCOLS:
        references.append(_reference(PROTOCOL, PROTOCOLS[binding.protocol], key_names[0]))
    if binding.protocol == "http" or binding.transport in _HTTP_TRANSPORTS:
        references.append(_reference(TRANSPORT, TRANSPORT_HTTP, key_names[1]))
    references += [_reference(TYPES, "wsdlSpec", "wsdlSpec"), *_namespace(binding.namespace)]
    return TModel(
        key=key,
        name=LangText(fits(binding.name)),
        overview_docs=_overview(url),
        category_bag=CategoryBag(tuple(references)),
    )


def template_of(
    service_key: str,
    stem: str,
    address: str,
    port: Port,
    wsdl_url: str,
    binding: TModel,
    port_type: TModel,
    inside: bool,
) -> BindingTemplate:
    """A port at an address. ``stem``: the end of its key; ``inside``: for the gateway alone."""
    return BindingTemplate(
        key=f"{service_key}:{stem}",
        service_key=service_key,
        access_point=UseText(address, "endPoint"),
        instances=(
            TModelInstanceInfo(binding.key, InstanceDetails(fits(port.name), _overview(wsdl_url))),
            TModelInstanceInfo(port_type.key),
            *((TModelInstanceInfo(FACE_INSIDE),) if inside else ()),
        ),
    )


def service_entity(
    key: str,
    hospital: str,
    service: Service,
    names: tuple[LangText, ...],
    bindings: list[BindingTemplate],
    *marks: KeyedReference,
) -> BusinessService:
    """``hospital``: its code; ``marks``: what else stands in the categoryBag."""
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
    return KeyedReference(system, fits(value), name)


def _namespace(namespace: str) -> tuple[KeyedReference, ...]:
    return (_reference(XML_NAMESPACE, namespace, "namespace"),) if namespace else ()


def _overview(url: str) -> tuple[OverviewDoc, ...]:
    return (OverviewDoc(UseText(url, "wsdlInterface")),)


def fits(text: str) -> str:
    """The text; NotWsdl where UDDI has no room for it."""
    if len(text) > _LONGEST:
        raise NotWsdl(f"超过 {_LONGEST} 个字符 / longer than {_LONGEST} characters: {text[:60]!r}…")
    return text
