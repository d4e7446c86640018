"""What UDDI says of any WSDL 1.1: its services, ports, bindings and portTypes, imports followed.

The nodes' own WSDLs are flat and read by wsdl_mapping.py; this reads those of anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import etree

from registry.uddi.soap import EnvelopeError, parse_xml
from registry.uddi.wsdl_mapping import WsdlError

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"

#: The extension that a binding is of: its protocol.
_PROTOCOLS = {
    "http://schemas.xmlsoap.org/wsdl/soap/": "soap",
    "http://schemas.xmlsoap.org/wsdl/soap12/": "soap12",
    "http://schemas.xmlsoap.org/wsdl/http/": "http",
}
_HTTP_TRANSPORTS = {
    "http://schemas.xmlsoap.org/soap/http",
    "http://www.w3.org/2003/05/soap/bindings/HTTP/",
}

#: Documents that one WSDL may consist of.
_MOST_DOCUMENTS = 20

#: From a URL to the document there; OSError or ValueError where it cannot be had.
Fetch = Callable[[str], bytes]

Name = tuple[str, str]  # namespace, local name


@dataclass(frozen=True, slots=True)
class PortType:
    name: Name
    url: str


@dataclass(frozen=True, slots=True)
class Binding:
    """``protocol``: soap, soap12, http or "" for others; ``transport``: http or ""."""

    name: Name
    port_type: Name
    protocol: str
    transport: str
    url: str


@dataclass(frozen=True, slots=True)
class Port:
    name: str
    binding: Name
    address: str


@dataclass(frozen=True, slots=True)
class Service:
    name: Name
    ports: tuple[Port, ...]
    documentation: str = ""


@dataclass(slots=True)
class Wsdl:
    """``url``: where it was found; each part names the document that it stands in itself."""

    url: str
    services: list[Service] = field(default_factory=list)
    bindings: dict[Name, Binding] = field(default_factory=dict)
    port_types: dict[Name, PortType] = field(default_factory=dict)


def read_wsdl(url: str, fetch: Fetch) -> Wsdl:
    """WsdlError where it, or what it imports, is no WSDL 1.1, or names what is not there."""
    wsdl = Wsdl(url)
    waiting, seen = [url], {url}
    while waiting:
        here = waiting.pop(0)
        root = _root(here, fetch)
        for imported in root.findall(f"{_WSDL}import"):
            there = urljoin(here, imported.get("location", ""))
            if there not in seen:
                seen.add(there)
                waiting.append(there)
        if len(seen) > _MOST_DOCUMENTS:
            raise WsdlError(
                f"{url} 引入的文件超过 {_MOST_DOCUMENTS} 个 / imports more than {_MOST_DOCUMENTS} "
                "documents"
            )
        _read(wsdl, root, here)
    _check(wsdl)
    return wsdl


def _root(url: str, fetch: Fetch) -> etree._Element:
    try:
        root = parse_xml(fetch(url))
    except EnvelopeError as error:
        raise WsdlError(f"{url}: {error.message}") from error
    except (OSError, ValueError) as error:
        raise WsdlError(f"无法取得 / cannot be had: {url}: {error}") from error
    if root.tag != f"{_WSDL}definitions":
        raise WsdlError(f"{url} 不是 WSDL 1.1 / is not WSDL 1.1: {root.tag!s}")
    return root


def _read(wsdl: Wsdl, root: etree._Element, url: str) -> None:
    namespace = root.get("targetNamespace", "")
    for element in root.findall(f"{_WSDL}portType"):
        name = (namespace, element.get("name", ""))
        wsdl.port_types[name] = PortType(name, url)
    for element in root.findall(f"{_WSDL}binding"):
        name = (namespace, element.get("name", ""))
        protocol, transport = _extension(element)
        of = _qname(element, "type")
        wsdl.bindings[name] = Binding(name, of, protocol, transport, url)
    for element in root.findall(f"{_WSDL}service"):
        ports = tuple(
            Port(port.get("name", ""), _qname(port, "binding"), _address(port))
            for port in element.findall(f"{_WSDL}port")
        )
        said = (element.findtext(f"{_WSDL}documentation") or "").strip()
        wsdl.services.append(Service((namespace, element.get("name", "")), ports, said))


def _extension(binding: etree._Element) -> tuple[str, str]:
    for child in binding:
        name = etree.QName(child)
        protocol = _PROTOCOLS.get(name.namespace or "")
        if protocol and name.localname == "binding":
            http = protocol == "http" or child.get("transport") in _HTTP_TRANSPORTS
            return protocol, "http" if http else ""
    return "", ""


def _address(port: etree._Element) -> str:
    for child in port:
        if etree.QName(child).localname == "address":
            return child.get("location", "").strip()
    return ""


def _qname(element: etree._Element, attribute: str) -> Name:
    prefix, colon, local = element.get(attribute, "").rpartition(":")
    return element.nsmap.get(prefix if colon else None) or "", local


def _check(wsdl: Wsdl) -> None:
    if not wsdl.services:
        raise WsdlError(f"{wsdl.url} 中没有 service / holds no service")
    for service in wsdl.services:
        if not all(service.name) or not service.ports:
            raise WsdlError(
                f"service 缺少名称、命名空间或 port / a service without name, namespace or port: "
                f"{service.name[1]!r}"
            )
        for port in service.ports:
            binding = wsdl.bindings.get(port.binding)
            if binding is None or binding.port_type not in wsdl.port_types:
                raise WsdlError(
                    f"port {port.name} 的 binding 或 portType 不在文件中 / the binding or portType "
                    f"of port {port.name} is not in the document: {port.binding[1]!r}"
                )
            if not port.name or not port.address:
                raise WsdlError(
                    f"port 缺少名称或地址 / a port without name or address: {port.name!r}"
                )
