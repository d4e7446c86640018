"""The WSDL of each UDDI port: flat, one service, made from the operation tables and the XSD."""

from __future__ import annotations

from lxml import etree

from registry.uddi import v3
from registry.uddi.dispatch import PORTS
from registry.uddi.schema import SCHEMA_FILE, SUBSCRIPTION_SCHEMA_FILE
from registry.uddi.subscription_results import NAMESPACE as SUBSCRIPTION_NAMESPACE

_WSDL = "http://schemas.xmlsoap.org/wsdl/"
_SOAP = "http://schemas.xmlsoap.org/wsdl/soap/"
_XS = "http://www.w3.org/2001/XMLSchema"
_XML = "http://www.w3.org/XML/1998/namespace"
_TARGET = "urn:yilian:uddi"

#: The element that answers each operation; None: an empty Body.
ANSWERS: dict[str, str | None] = {
    "find_business": "businessList",
    "find_service": "serviceList",
    "find_binding": "bindingDetail",
    "find_tModel": "tModelList",
    "find_relatedBusinesses": "relatedBusinessesList",
    "get_businessDetail": "businessDetail",
    "get_serviceDetail": "serviceDetail",
    "get_bindingDetail": "bindingDetail",
    "get_tModelDetail": "tModelDetail",
    "get_operationalInfo": "operationalInfos",
    "save_business": "businessDetail",
    "save_service": "serviceDetail",
    "save_binding": "bindingDetail",
    "save_tModel": "tModelDetail",
    "delete_business": None,
    "delete_service": None,
    "delete_binding": None,
    "delete_tModel": None,
    "get_registeredInfo": "registeredInfo",
    "add_publisherAssertions": None,
    "set_publisherAssertions": "publisherAssertions",
    "delete_publisherAssertions": None,
    "get_publisherAssertions": "publisherAssertions",
    "get_assertionStatusReport": "assertionStatusReport",
    "save_subscription": "subscriptions",
    "delete_subscription": None,
    "get_subscriptions": "subscriptions",
    "get_subscriptionResults": "subscriptionResultsList",
    "get_authToken": "authToken",
    "discard_authToken": None,
}


def wsdl(port: str, address: str) -> bytes:
    """The WSDL of ``/uddi/{port}`` with this soap:address."""
    name = f"UDDI_{port.capitalize()}"
    nsmap = {None: _WSDL, "soap": _SOAP, "tns": _TARGET, "uddi": v3.NAMESPACE}
    prefix = "uddi"
    if port == "subscription":
        nsmap["sub"], prefix = SUBSCRIPTION_NAMESPACE, "sub"
    root = etree.Element(_w("definitions"), {"targetNamespace": _TARGET, "name": name}, nsmap=nsmap)
    types = etree.SubElement(root, _w("types"))
    types.append(_schema())
    if port == "subscription":
        types.append(_subscription_schema())
    operations = list(PORTS[port])
    answers = dict.fromkeys(ANSWERS[operation] for operation in operations)
    for element in [*operations, *(a for a in answers if a)]:
        _message(root, element, f"{prefix}:{element}")
    _message(root, "dispositionReport", "uddi:dispositionReport")
    if None in answers:
        _message(root, "empty", None)
    port_type = etree.SubElement(root, _w("portType"), name=f"{name}_PortType")
    binding = etree.SubElement(
        root, _w("binding"), name=f"{name}_Binding", type=f"tns:{name}_PortType"
    )
    etree.SubElement(
        binding, _s("binding"), style="document", transport="http://schemas.xmlsoap.org/soap/http"
    )
    for operation in operations:
        _operation(port_type, binding, operation)
    service = etree.SubElement(root, _w("service"), name=f"{name}_Service")
    served = etree.SubElement(service, _w("port"), name=name, binding=f"tns:{name}_Binding")
    etree.SubElement(served, _s("address"), location=address)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _schema() -> etree._Element:
    """The schema without its import of the xml namespace: zeep fetches that from www.w3.org
    even where it stands in the same file, and a medical network has no way there. xml:lang is
    let in by a wildcard instead."""
    schema = etree.parse(str(SCHEMA_FILE)).getroot()
    for imported in schema.findall(f"{{{_XS}}}import"):
        schema.remove(imported)
    for lang in schema.findall(f".//{{{_XS}}}attribute[@ref='xml:lang']"):
        parent = lang.getparent()
        assert parent is not None
        parent.remove(lang)
        # A wildcard comes behind the attributes.
        etree.SubElement(parent, f"{{{_XS}}}anyAttribute", namespace=_XML, processContents="skip")
    return schema


def _subscription_schema() -> etree._Element:
    """Subscription's schema, whose import is of the one beside it."""
    schema = etree.parse(str(SUBSCRIPTION_SCHEMA_FILE)).getroot()
    for imported in schema.findall(f"{{{_XS}}}import"):
        del imported.attrib["schemaLocation"]
    return schema


def _message(root: etree._Element, name: str, element: str | None) -> None:
    message = etree.SubElement(root, _w("message"), name=name)
    if element:
        etree.SubElement(message, _w("part"), name="body", element=element)


def _operation(port_type: etree._Element, binding: etree._Element, name: str) -> None:
    abstract = etree.SubElement(port_type, _w("operation"), name=name)
    etree.SubElement(abstract, _w("input"), message=f"tns:{name}")
    etree.SubElement(abstract, _w("output"), message=f"tns:{ANSWERS[name] or 'empty'}")
    etree.SubElement(abstract, _w("fault"), name="error", message="tns:dispositionReport")
    concrete = etree.SubElement(binding, _w("operation"), name=name)
    etree.SubElement(concrete, _s("operation"), soapAction=name, style="document")
    for direction in ("input", "output"):
        part = etree.SubElement(concrete, _w(direction))
        etree.SubElement(part, _s("body"), use="literal")
    fault = etree.SubElement(concrete, _w("fault"), name="error")
    etree.SubElement(fault, _s("fault"), name="error", use="literal")


def _w(name: str) -> str:
    return f"{{{_WSDL}}}{name}"


def _s(name: str) -> str:
    return f"{{{_SOAP}}}{name}"
