"""A WSDL 1.1 read into what its callers depend on: ports, operations, messages."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from services.soap.parser import data_parser
from services.soap.schema_model import (
    XSD,
    Element,
    Name,
    NotWsdl,
    Schema,
    global_element,
    resolved,
)

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_PROTOCOLS = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "SOAP 1.1",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "SOAP 1.2",
}


@dataclass(frozen=True)
class Part:
    """A message part: an ``element`` (document style) or a type by its name (rpc style)."""

    name: str
    element: Element | None
    type_name: Name


@dataclass(frozen=True)
class Message:
    """An operation's input, output or fault. ``use``: literal or encoded."""

    parts: tuple[Part, ...]
    use: str


@dataclass(frozen=True)
class Operation:
    """``messages`` by "input", "output" and "fault NAME"."""

    name: str
    action: str
    style: str
    messages: dict[str, Message]


@dataclass(frozen=True)
class Port:
    """One way to reach a service. ``name`` and ``binding`` are known to generated code alone."""

    service: str
    protocol: str
    name: str
    binding: str
    port_type: str
    transport: str
    operations: dict[str, Operation]


@dataclass(frozen=True)
class Wsdl:
    namespace: str
    ports: tuple[Port, ...]
    schema: Schema


def read(document: bytes) -> Wsdl:
    """NotWsdl where it cannot be read, or has no SOAP port."""
    root = _parsed(document)
    if root.tag != f"{_WSDL}definitions":
        raise NotWsdl(f"不是 WSDL 1.1 / not WSDL 1.1: {root.tag!s}")
    for element in root.iter(f"{_WSDL}import", f"{XSD}import", f"{XSD}include", f"{XSD}redefine"):
        # Within one document an import only names another of its schemas.
        if element.get("schemaLocation") or element.get("location"):
            raise NotWsdl(
                "WSDL 引用了别的文件，请先合为一个 / the WSDL imports another document; "
                "make it one document first"
            )
    types = root.find(f"{_WSDL}types")
    schema = Schema([] if types is None else types.findall(f"{XSD}schema"))
    ports = tuple(
        port
        for service in root.findall(f"{_WSDL}service")
        for node in service.findall(f"{_WSDL}port")
        if (port := _port(root, service, node, schema)) is not None
    )
    if not ports:
        raise NotWsdl("WSDL 中没有 SOAP 端口 / there is no SOAP port in the WSDL")
    return Wsdl(root.get("targetNamespace", ""), ports, schema)


def _parsed(document: bytes) -> etree._Element:
    try:
        root = etree.fromstring(document, data_parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotWsdl(f"不是 XML / not XML: {error}") from error
    if root.getroottree().docinfo.doctype:
        raise NotWsdl("不接受 DTD / a DTD is not accepted")
    return root


def _port(
    root: etree._Element, service: etree._Element, node: etree._Element, schema: Schema
) -> Port | None:
    """None for a port that is not SOAP's."""
    binding = _named(root, "binding", resolved(node, "binding"))
    soap, protocol = _soap_of(binding)
    if soap is None:
        return None
    port_type = _named(root, "portType", resolved(binding, "type"))
    head = binding.find(f"{soap}binding")
    assert head is not None
    style = head.get("style", "document")
    bound = {one.get("name", ""): one for one in binding.findall(f"{_WSDL}operation")}
    operations = {}
    for abstract in port_type.findall(f"{_WSDL}operation"):
        name = abstract.get("name", "")
        if name in bound:
            operations[name] = _operation(root, abstract, bound[name], soap, style, schema)
    return Port(
        service=service.get("name", ""),
        protocol=protocol,
        name=node.get("name", ""),
        binding=binding.get("name", ""),
        port_type=port_type.get("name", ""),
        transport=head.get("transport", ""),
        operations=operations,
    )


def _soap_of(binding: etree._Element) -> tuple[str | None, str]:
    for uri, protocol in _PROTOCOLS.items():
        if binding.find(f"{{{uri}}}binding") is not None:
            return f"{{{uri}}}", protocol
    return None, ""


def _named(root: etree._Element, kind: str, name: Name) -> etree._Element:
    """The WSDL's own element of that kind, which stands in its target namespace."""
    local = etree.QName(name).localname if name else ""
    for found in root.findall(f"{_WSDL}{kind}"):
        if found.get("name") == local:
            return found
    raise NotWsdl(f"缺少 {kind} {local} / there is no {kind} {local!r}")


def _operation(
    root: etree._Element,
    abstract: etree._Element,
    bound: etree._Element,
    soap: str,
    style: str,
    schema: Schema,
) -> Operation:
    head = bound.find(f"{soap}operation")
    messages = {}
    for node in abstract:
        kind = etree.QName(node).localname if isinstance(node.tag, str) else ""
        if kind not in ("input", "output", "fault"):
            continue
        name = node.get("name", "") if kind == "fault" else ""
        there = [
            one
            for one in bound.findall(f"{_WSDL}{kind}")
            if kind != "fault" or one.get("name") == name
        ]
        body = there[0].find(f"{soap}{'fault' if kind == 'fault' else 'body'}") if there else None
        use = "literal" if body is None else body.get("use", "literal")
        label = f"fault {name}" if kind == "fault" else kind
        messages[label] = Message(_parts(root, node, body, schema), use)
    return Operation(
        name=abstract.get("name", ""),
        action="" if head is None else head.get("soapAction", ""),
        style=style if head is None else head.get("style", style),
        messages=messages,
    )


def _parts(
    root: etree._Element, node: etree._Element, body: etree._Element | None, schema: Schema
) -> tuple[Part, ...]:
    """The parts that stand in the Body."""
    message = _named(root, "message", resolved(node, "message"))
    chosen = None if body is None else body.get("parts")
    parts = []
    for part in message.findall(f"{_WSDL}part"):
        name = part.get("name", "")
        if chosen is not None and name not in chosen.split():
            continue
        element = resolved(part, "element")
        parts.append(
            Part(
                name,
                global_element(schema, element) if element else None,
                resolved(part, "type"),
            )
        )
    return tuple(parts)
