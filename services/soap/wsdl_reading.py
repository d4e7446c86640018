"""A WSDL 1.1 read: its services, ports, bindings, portTypes, operations, messages and schema.

The one place where WSDL is read. Who asks: wsdl_diff.py compares two, registry/uddi/wsdl_mapping.py
makes UDDI entities of one, registry/web/wsdl_parts.py tells people of one, yilian/soap_arguments.py
takes lengths from its schema. References are looked up when they are followed, so that each of them
says itself what it cannot do without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar
from urllib.parse import urljoin

from lxml import etree

from services.soap.parser import NotXml, parsed
from services.soap.schema_model import XSD, Name, NotWsdl, Schema, qualified, resolved, text_of

__all__ = ["Binding", "Fetch", "Message", "Name", "NotWsdl", "Operation", "Part", "Port",
           "PortType", "Service", "Wsdl", "read", "read_from"]  # fmt: skip

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
#: The extension that a binding is of: its protocol.
_PROTOCOLS = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "soap",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "soap12",
    "http://schemas.xmlsoap.org/wsdl/http/": "http",
}
#: Documents that one WSDL may consist of.
_MOST_DOCUMENTS = 20

T = TypeVar("T")

#: From a URL to the document there; OSError or ValueError where it cannot be had.
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    binding: Name
    address: str


@dataclass(frozen=True, slots=True)
class Service:
    namespace: str
    name: str
    ports: tuple[Port, ...]
    documentation: str


@dataclass(frozen=True, slots=True)
class PortType:
    """``url``: the document that it stands in itself, as with a binding."""

    namespace: str
    name: str
    documentation: str
    url: str
    declaration: etree._Element


@dataclass(frozen=True, slots=True)
class Binding:
    """``protocol``: soap, soap12, http or "" for others; ``transport``: its URI, "" for none."""

    namespace: str
    name: str
    port_type: Name
    protocol: str
    transport: str
    style: str
    url: str
    declaration: etree._Element


@dataclass(frozen=True, slots=True)
class Message:
    """An operation's input, output or fault. ``use``: literal or encoded. ``body``: the names of
    the parts that stand in the Body, None for all."""

    name: Name
    use: str
    body: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Part:
    """A message part: an ``element`` (document style) or a ``type`` (rpc style), "" where it is
    the other."""

    name: str
    element: Name
    type: Name


@dataclass(frozen=True, slots=True)
class Operation:
    """``messages`` by "input", "output" and "fault NAME"."""

    name: str
    action: str
    style: str
    documentation: str
    messages: dict[str, Message]


@dataclass
class Wsdl:
    """``url`` and ``namespace`` are those of the document that was asked for; ``elsewhere``: the
    locations of what it imports and what was not read."""

    url: str
    namespace: str = ""
    services: list[Service] = field(default_factory=list)
    bindings: dict[Name, Binding] = field(default_factory=dict)
    port_types: dict[Name, PortType] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)
    messages: dict[Name, etree._Element] = field(default_factory=dict)
    schemas: list[etree._Element] = field(default_factory=list)

    @cached_property
    def schema(self) -> Schema:
        return Schema(self.schemas)

    def binding(self, port: Port) -> Binding:
        """NotWsdl: it is not in the document."""
        return _there(self.bindings, "binding", port.binding, f"port {port.name}")

    def port_type(self, binding: Binding) -> PortType:
        """NotWsdl: it is not in the document."""
        return _there(self.port_types, "portType", binding.port_type, f"binding {binding.name}")

    def operations(self, binding: Binding) -> tuple[Operation, ...]:
        """What its portType declares and it binds, in the portType's order. NotWsdl."""
        bound = {_name(one): one for one in binding.declaration.findall(f"{_WSDL}operation")}
        return tuple(
            _operation(declared, bound[_name(declared)], binding.style)
            for declared in self.port_type(binding).declaration.findall(f"{_WSDL}operation")
            if _name(declared) in bound
        )

    def parts(self, message: Message) -> tuple[Part, ...]:
        """Those that stand in the Body. NotWsdl: the message is not in the document."""
        declared = _there(self.messages, "message", message.name, "operation")
        return tuple(
            Part(_name(part), resolved(part, "element"), resolved(part, "type"))
            for part in declared.findall(f"{_WSDL}part")
            if message.body is None or _name(part) in message.body
        )


# --- documents -----------------------------------------------------------------------------------


def read(document: bytes) -> Wsdl:
    """A WSDL that is one document; nothing is fetched. NotWsdl."""
    wsdl = Wsdl("")
    root = _root(document)
    _add(wsdl, root, "")
    kinds = (f"{_WSDL}import", f"{XSD}import", f"{XSD}include", f"{XSD}redefine")
    # Within one document an import only names another of its schemas.
    wsdl.elsewhere += [
        place
        for one in root.iter(*kinds)
        if (place := one.get("schemaLocation") or one.get("location"))
    ]
    return wsdl


def read_from(url: str, fetch: Fetch) -> Wsdl:
    """The WSDL at a URL with those that it imports. NotWsdl where one of them cannot be had, or
    is none."""
    wsdl = Wsdl(url)
    waiting, seen = [url], {url}
    while waiting:
        here = waiting.pop(0)
        root = _fetched(here, fetch)
        for imported in root.findall(f"{_WSDL}import"):
            there = urljoin(here, imported.get("location", ""))
            if there not in seen:
                seen.add(there)
                waiting.append(there)
        if len(seen) > _MOST_DOCUMENTS:
            raise NotWsdl(
                f"{url} 引入的文件超过 {_MOST_DOCUMENTS} 个 / imports more than {_MOST_DOCUMENTS} "
                "documents"
            )
        _add(wsdl, root, here)
    return wsdl


def _fetched(url: str, fetch: Fetch) -> etree._Element:
    try:
        document = fetch(url)
    except (OSError, ValueError) as error:
        raise NotWsdl(f"无法取得 / cannot be had: {url}: {error}") from error
    try:
        return _root(document)
    except NotWsdl as error:
        raise NotWsdl(f"{url}: {error}") from error


def _root(document: bytes) -> etree._Element:
    try:
        root = parsed(document)
    except NotXml as error:
        raise NotWsdl(str(error)) from error
    if root.tag != f"{_WSDL}definitions":
        raise NotWsdl(f"不是 WSDL 1.1 / not WSDL 1.1: {root.tag!s}")
    return root


def _add(wsdl: Wsdl, root: etree._Element, url: str) -> None:
    """A document's content."""
    space = root.get("targetNamespace", "")
    if url == wsdl.url:
        wsdl.namespace = space
    for types in root.findall(f"{_WSDL}types"):
        wsdl.schemas += types.findall(f"{XSD}schema")
    for one in root.findall(f"{_WSDL}message"):
        wsdl.messages.setdefault(qualified(space, _name(one)), one)
    for one in _distinct(root, "portType"):
        port_type = PortType(space, _name(one), _documentation(one), url, one)
        wsdl.port_types[qualified(space, port_type.name)] = port_type
    for one in _distinct(root, "binding"):
        wsdl.bindings[qualified(space, _name(one))] = _binding(space, one, url)
    for one in root.findall(f"{_WSDL}service"):
        ports = tuple(
            Port(_name(port), resolved(port, "binding"), _address(port))
            for port in one.findall(f"{_WSDL}port")
        )
        wsdl.services.append(Service(space, _name(one), ports, _documentation(one)))


def _distinct(root: etree._Element, kind: str) -> list[etree._Element]:
    """A document's own of that kind. That another document repeats them is usual: the same one
    may have two addresses."""
    found = root.findall(_WSDL + kind)
    if len({_name(one) for one in found}) < len(found):
        raise NotWsdl(f"两个 {kind} 同名 / two {kind} elements of one name in a document")
    return found


def _there(declared: dict[Name, T], kind: str, name: Name, of: str) -> T:
    if name not in declared:
        raise NotWsdl(
            f"{of} 的 {kind} {name} 不在文件中 / the {kind} {name} of {of} is not in the document"
        )
    return declared[name]


# --- what stands in them -------------------------------------------------------------------------


def _binding(space: str, node: etree._Element, url: str) -> Binding:
    protocol, head = _extension(node, "binding")
    return Binding(
        *(space, _name(node), resolved(node, "type"), protocol),
        *(head.get("transport", ""), head.get("style", "document"), url, node),
    )


def _operation(declared: etree._Element, bound: etree._Element, style: str) -> Operation:
    """``style``: the binding's."""
    _, head = _extension(bound, "operation")
    messages = {}
    for node in declared:
        kind = etree.QName(node).localname
        if kind not in ("input", "output", "fault"):
            continue
        label = f"fault {_name(node)}" if kind == "fault" else kind
        there = (
            one
            for one in bound.findall(f"{_WSDL}{kind}")
            if kind != "fault" or _name(one) == _name(node)
        )
        _, body = _extension(next(there, None), "fault" if kind == "fault" else "body")
        messages[label] = Message(
            resolved(node, "message"),
            body.get("use", "literal"),
            tuple(body.get("parts", "").split()) if "parts" in body.attrib else None,
        )
    return Operation(
        _name(declared),
        head.get("soapAction", ""),
        head.get("style", style),
        _documentation(declared),
        messages,
    )


def _extension(node: etree._Element | None, local: str) -> tuple[str, etree._Element]:
    """The protocol's element of that name in what is bound, and which protocol that is; "" and an
    empty element for none."""
    for child in () if node is None else node:
        name = etree.QName(child)
        if name.localname == local and name.namespace in _PROTOCOLS:
            return _PROTOCOLS[name.namespace], child
    return "", etree.Element(local)


def _address(port: etree._Element) -> str:
    found = port.find("{*}address")
    return "" if found is None else found.get("location", "").strip()


def _documentation(node: etree._Element) -> str:
    return text_of(node.find(f"{_WSDL}documentation"))


def _name(node: etree._Element) -> str:
    return node.get("name", "")
