"""A WSDL's addresses: the node's own replaced by the one that the asker can reach."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from lxml import etree

WSDL = "http://schemas.xmlsoap.org/wsdl/"
_ADDRESSES = tuple(
    f"{{http://schemas.xmlsoap.org/wsdl/{kind}/}}address" for kind in ("soap", "soap12", "http")
)


class NotAWsdl(ValueError):
    """The document is not a WSDL 1.1 that the gateway could pass on."""


def readdressed(document: bytes, address_of: Callable[[str], str]) -> bytes:
    """The WSDL with each port's location replaced by ``address_of(its path)``.

    Nothing else of the document's content changes, and the same document gives the same bytes.
    Raises NotAWsdl for what is no well-formed WSDL 1.1, or has a DTD.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=False)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise NotAWsdl(f"not XML: {error.msg}") from None
    tree = root.getroottree()
    if root.tag != f"{{{WSDL}}}definitions":
        raise NotAWsdl(f"the root element is {root.tag!s}")
    if tree.docinfo.doctype:
        raise NotAWsdl("it has a DOCTYPE")
    for address in root.iter(*_ADDRESSES):
        try:
            path = urlsplit(address.get("location", "")).path
        except ValueError:
            path = ""
        address.set("location", address_of(path))
    return etree.tostring(tree, encoding=tree.docinfo.encoding or "UTF-8", xml_declaration=True)
