"""What has to be true of ``inspect`` for any bytes at all."""

from __future__ import annotations

import contextlib

from lxml import etree

from gateway.admission.message import Message, inspect
from services.faults import ClientFault
from services.soap import envelope
from services.soap.bounds import Limits
from services.soap.charset import to_utf8

LIMITS = Limits(
    size=100_000,
    depth=12,
    elements=60,
    attributes=80,
    attributes_each=10,
    name_length=300,
    text_bytes=2000,
    namespaces=8,
    instructions=False,
)
#: the first byte of an input chooses the Content-Type
TYPES = (
    "text/xml; charset=utf-8",
    "text/xml",
    None,
    "text/xml; charset=gbk",
    "application/soap+xml; charset=utf-8",
    "text/xml; charset=utf-16",
    'application/soap+xml; action="GetLabResult"',
)


def check(data: bytes) -> Message | None:
    """The message that passed, or None. AssertionError where anything is not as it must be."""
    if not data:
        return None
    content_type, body = TYPES[data[0] % len(TYPES)], data[1:]
    try:
        message = inspect(body, content_type, None, LIMITS)
    except ClientFault as fault:  # and nothing else
        assert fault.zh and fault.en and fault.rule
        return None
    within_limits(body, content_type, message)
    a_node_reads_the_same(body, content_type, message)
    return message


def within_limits(body: bytes, content_type: str | None, message: Message) -> None:
    """Counted by another parser's events over the whole document, comments and all."""
    text = to_utf8(body, content_type).lstrip()
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return  # halves of characters as references, which envelope.parse joins
    assert not root.getroottree().docinfo.doctype
    assert not root.xpath("//processing-instruction() | /processing-instruction()")
    elements = [e for e in root.iter() if isinstance(e.tag, str)]
    assert len(elements) <= LIMITS.elements
    namespaces: set[str] = set()
    for element in elements:
        above = element.getparent()
        known = above.nsmap if above is not None else {}
        declared = {p: u for p, u in element.nsmap.items() if known.get(p) != u}
        namespaces |= {u for u in declared.values() if u}
        assert len(element.attrib) + len(declared) <= (LIMITS.attributes_each or 0)
        name = element.prefix + ":" if element.prefix else ""
        assert len(name + etree.QName(element).localname) <= (LIMITS.name_length or 0)
        depth = 1 + sum(1 for _ in element.iterancestors())
        assert depth <= LIMITS.depth
        assert all(
            len(value.encode()) <= (LIMITS.text_bytes or 0) for value in element.attrib.values()
        )
    assert len(namespaces) <= (LIMITS.namespaces or 0)
    assert message.element.getroottree().getroot().tag == root.tag


def a_node_reads_the_same(body: bytes, content_type: str | None, message: Message) -> None:
    """What the gateway decides about is what the node carries out."""
    with contextlib.suppress(ClientFault):
        seen = envelope.parse(body, content_type)
        assert seen.version is message.version
        assert seen.body.tag == message.element.tag
        assert etree.tostring(seen.body) == etree.tostring(message.element)
