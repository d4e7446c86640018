"""Contract to WSDL 1.1, through spyne: the only module that imports it.

Spyne builds the document; it is then laid out as the widest range of client toolkits reads it
(docs/legacy.md has the reasons): one flat document; message parts named ``parameters``; anonymous
wrapper types; no nillable; soapAction = namespace + operation; only message elements global; only
prefixes that are used; types, message, portType, binding, service, in that order. Spyne's own
order follows the hash seed, so everything is sorted or follows the contract.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal as PyDecimal
from functools import cache
from typing import Any

from lxml import etree

from services.contract import Code, Count, Field, ListOf, Money, RecordType, Scalar, Text
from services.soap import spyne_import
from services.soap.interface import Interface, WireOperation
from services.soap.version import SOAP_1_1, SoapVersion

spyne_import.prepare()

from spyne import (  # noqa: E402
    Application,
    Array,
    Boolean,
    ComplexModel,
    Date,
    DateTime,
    Decimal,
    Integer32,
    ServiceBase,
    Unicode,
    rpc,
)
from spyne.interface.wsdl import Wsdl11  # noqa: E402
from spyne.protocol.soap import Soap11  # noqa: E402

XSD = "http://www.w3.org/2001/XMLSchema"
WSDL = "http://schemas.xmlsoap.org/wsdl/"
_NO_ADDRESS = "http://address.invalid/"


def wsdl(interface: Interface, address: str, version: SoapVersion = SOAP_1_1) -> bytes:
    """The WSDL of a service that is reached at ``address``, UTF-8, the same bytes every time."""
    head, tail = _document(interface, version)
    escaped = address.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return head + escaped.encode() + tail


def schema(interface: Interface) -> etree._Element:
    """The xs:schema element of the service's WSDL, as a document of its own."""
    root = etree.fromstring(wsdl(interface, _NO_ADDRESS))
    found = root.find(f"{{{WSDL}}}types/{{{XSD}}}schema")
    assert found is not None
    return etree.fromstring(etree.tostring(found))  # with the prefixes that it had in scope


def spyne_application(
    interface: Interface, call: Callable[[str, tuple[Any, ...]], Any], **protocol: Any
) -> Any:
    """The service as a spyne Application over Soap11: what the codec is compared with.
    ``call`` gets the operation's name and its arguments; ``protocol`` is Soap11's own."""
    methods = {op.name: _method(interface, op, call) for op in interface.operations}
    service = type(interface.name, (ServiceBase,), methods)
    return Application(
        [service],
        interface.namespace,
        name=interface.name,
        in_protocol=Soap11(**protocol),
        out_protocol=Soap11(),
    )


# --- contract to spyne -----------------------------------------------------------------------


def _method(
    interface: Interface, operation: WireOperation, call: Callable[[str, tuple[Any, ...]], Any]
) -> Any:
    name = operation.name

    def method(ctx: Any, *arguments: Any) -> Any:
        return call(name, arguments)

    method.__name__ = name
    results = [_model(interface.namespace, field) for field in operation.response]
    names = [field.name for field in operation.response]
    return rpc(
        *[_model(interface.namespace, field) for field in operation.request],
        _args=[field.name for field in operation.request],
        _returns=results if len(results) > 1 else results[0],
        **({"_out_variable_names": names} if len(names) > 1 else {"_out_variable_name": names[0]}),
    )(method)


def _model(namespace: str, field: Field) -> Any:
    occurs = {"min_occurs": 1 if field.required else 0, "nillable": False}
    kind = field.type
    if isinstance(kind, ListOf):
        item = _record(namespace, kind.item).customize(nillable=False)
        return Array(item, type_name=f"ArrayOf{kind.item.name}", **occurs)
    if isinstance(kind, RecordType):
        return _record(namespace, kind).customize(**occurs)
    return _scalar(kind).customize(**occurs)


@cache
def _record(namespace: str, kind: RecordType) -> Any:
    return type(
        kind.name,
        (ComplexModel,),
        {
            "__namespace__": namespace,
            "_type_info": [(field.name, _model(namespace, field)) for field in kind.fields],
        },
    )


_SIMPLE: dict[type, Any] = {
    str: Unicode,
    int: Integer32,
    bool: Boolean,
    PyDecimal: Decimal,
    date: Date,
    datetime: DateTime,
}


def _scalar(kind: Scalar) -> Any:
    simple = _SIMPLE[kind.python]
    match kind.facet:
        case Text(max_len, min_len):
            return simple(max_len=max_len, min_len=min_len) if min_len else simple(max_len=max_len)
        case Code():
            return simple(max_len=kind.facet.max_len)
        case Count(minimum, maximum):
            bounds = {"ge": minimum} if maximum == 2**31 - 1 else {"ge": minimum, "le": maximum}
            return simple(**bounds)
        case Money(digits, scale):
            return simple(digits, scale)
        case None:
            return simple


# --- spyne's document, laid out for clients --------------------------------------------------


@cache
def _document(interface: Interface, version: SoapVersion) -> tuple[bytes, bytes]:
    """The document before and behind the address."""
    application = spyne_application(interface, lambda name, arguments: None)
    built = Wsdl11(application.interface)
    built.build_interface_document(_NO_ADDRESS)
    stock = etree.fromstring(built.get_interface_document())
    stock_schema = stock.find(f"{{{WSDL}}}types/{{{XSD}}}schema")
    assert stock_schema is not None

    nsmap = {"wsdl": WSDL, "xs": XSD, "soap": version.wsdl_binding, "tns": interface.namespace}
    root = etree.Element(
        f"{{{WSDL}}}definitions",
        {"name": interface.name, "targetNamespace": interface.namespace},
        nsmap=nsmap,
    )
    types = etree.SubElement(root, f"{{{WSDL}}}types")
    types.append(_schema(interface, stock_schema))
    for operation in interface.operations:
        _message(root, f"{operation.name}SoapIn", operation.name)
        _message(root, f"{operation.name}SoapOut", f"{operation.name}Response")
    _port_type(root, interface)
    _binding(root, interface, version)
    _service(root, interface, version)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["tns"])
    etree.indent(root)
    text = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    head, tail = text.split(_NO_ADDRESS.encode())
    return head, tail + b"\n"


def _schema(interface: Interface, stock: etree._Element) -> etree._Element:
    result = etree.Element(
        f"{{{XSD}}}schema",
        {"elementFormDefault": "qualified", "targetNamespace": interface.namespace},
        nsmap={"xs": XSD, "tns": interface.namespace},
    )
    named: dict[str | None, etree._Element] = {
        child.get("name"): child for child in stock if child.tag != f"{{{XSD}}}element"
    }
    for child in stock.iter(f"{{{XSD}}}element"):
        child.attrib.pop("nillable", None)
    wrappers = set()
    for operation in interface.operations:
        for name in (operation.name, f"{operation.name}Response"):
            wrappers.add(name)
            element = etree.SubElement(result, f"{{{XSD}}}element", name=name)
            anonymous = named[name]
            del anonymous.attrib["name"]
            element.append(anonymous)
    simple = {name for name, child in named.items() if child.tag == f"{{{XSD}}}simpleType"}
    for name in sorted(str(name) for name in set(named) - simple - wrappers):
        result.append(named[name])
    prefix = next(p for p, uri in stock.nsmap.items() if uri == interface.namespace)
    for child in result.iter(f"{{{XSD}}}element"):
        kind = child.get("type", "").removeprefix(f"{prefix}:")
        if kind in simple:  # a restriction stands where it is used; toolkits make a class of a name
            del child.attrib["type"]
            child.append(copy.deepcopy(named[kind]))
            del child[0].attrib["name"]
        elif kind in named:
            child.set("type", f"tns:{kind}")
    return result


def _message(root: etree._Element, name: str, element: str) -> None:
    message = etree.SubElement(root, f"{{{WSDL}}}message", name=name)
    etree.SubElement(message, f"{{{WSDL}}}part", name="parameters", element=f"tns:{element}")


def _port_type(root: etree._Element, interface: Interface) -> None:
    port_type = etree.SubElement(root, f"{{{WSDL}}}portType", name=interface.name)
    for operation in interface.operations:
        element = etree.SubElement(port_type, f"{{{WSDL}}}operation", name=operation.name)
        documentation = etree.SubElement(element, f"{{{WSDL}}}documentation")
        documentation.text = " ".join(f"{operation.zh}。{operation.doc}".replace("`", "").split())
        for direction, suffix in (("input", "SoapIn"), ("output", "SoapOut")):
            etree.SubElement(
                element, f"{{{WSDL}}}{direction}", message=f"tns:{operation.name}{suffix}"
            )


def _binding(root: etree._Element, interface: Interface, version: SoapVersion) -> None:
    soap = version.wsdl_binding
    name = f"{interface.name}{version.binding_suffix}"
    binding = etree.SubElement(root, f"{{{WSDL}}}binding", name=name, type=f"tns:{interface.name}")
    etree.SubElement(
        binding,
        f"{{{soap}}}binding",
        transport="http://schemas.xmlsoap.org/soap/http",
        style="document",
    )
    for operation in interface.operations:
        element = etree.SubElement(binding, f"{{{WSDL}}}operation", name=operation.name)
        etree.SubElement(
            element, f"{{{soap}}}operation", soapAction=operation.soap_action, style="document"
        )
        for direction in ("input", "output"):
            body = etree.SubElement(element, f"{{{WSDL}}}{direction}")
            etree.SubElement(body, f"{{{soap}}}body", use="literal")


def _service(root: etree._Element, interface: Interface, version: SoapVersion) -> None:
    name = f"{interface.name}{version.binding_suffix}"
    service = etree.SubElement(root, f"{{{WSDL}}}service", name=interface.name)
    port = etree.SubElement(service, f"{{{WSDL}}}port", name=name, binding=f"tns:{name}")
    etree.SubElement(port, f"{{{version.wsdl_binding}}}address", location=_NO_ADDRESS)
