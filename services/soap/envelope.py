"""The SOAP envelope: bytes to the Body's child, and a reply around its text.

Everything that can be refused before an argument is looked at is refused here: DTDs, depth and
breadth, what is no envelope, headers that must be understood.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Container
from functools import cache
from typing import NamedTuple, NoReturn

from lxml import etree

from services.faults import MalformedMessage, MustUnderstand, VersionMismatch
from services.soap.bounds import LIMITS, Limits, bounded, has_dtd, too_deep
from services.soap.charset import to_utf8
from services.soap.parser import data_parser
from services.soap.read import local_name
from services.soap.values import escape
from services.soap.version import BY_ENVELOPE, SOAP_1_1, SOAP_1_2, SoapVersion


class Message(NamedTuple):
    """A request. ``root`` is the Envelope, ``body`` the Body's first child; ``others`` are further
    ones, which only rpc/encoded messages (multiRef) have; ``blocks`` are those of the Header."""

    version: SoapVersion
    root: etree._Element
    body: etree._Element
    others: tuple[etree._Element, ...]
    blocks: tuple[etree._Element, ...]


_parsers = threading.local()
#: bytes from which libxml2's own bound on a text could be met
_HUGE = 9_000_000


def parse(
    body: bytes,
    content_type: str | None,
    limits: Limits = LIMITS,
    understood: Container[str] = (),
) -> Message:
    """The message, or MalformedMessage, VersionMismatch or MustUnderstand. ``understood``: the
    QNames of headers that the caller of this function looks at itself."""
    if len(body) > limits.size:
        raise MalformedMessage(
            f"报文超过 {limits.size} 字节",
            f"the message exceeds {limits.size} bytes",
            rule="limits.max_body_bytes",
        )
    data = to_utf8(body, content_type).lstrip()
    if not data:
        raise MalformedMessage(
            "报文为空，需要 SOAP 信封", "the message is empty; send an envelope", rule="envelope"
        )
    root = _tree(data, limits)
    names = _NAMES.get(root.tag)
    if names is None:
        _no_envelope(root)
    return _message(root, names, understood)


class _Names(NamedTuple):
    """A version's QNames, as lxml writes them: put together once and not for every message."""

    version: SoapVersion
    header: str
    body: str


_NAMES: dict[object, _Names] = {
    f"{{{namespace}}}Envelope": _Names(version, f"{{{namespace}}}Header", f"{{{namespace}}}Body")
    for namespace, version in BY_ENVELOPE.items()
}


def _no_envelope(root: etree._Element) -> NoReturn:
    if local_name(root) != "Envelope":
        raise MalformedMessage(
            "根元素不是 SOAP Envelope", "the root element is no SOAP Envelope", rule="envelope"
        )
    raise VersionMismatch(
        "未知的 SOAP 版本，仅支持 1.1 与 1.2",
        "unknown SOAP version; send 1.1 or 1.2",
        rule="envelope",
    )


def _tree(data: bytes, limits: Limits) -> etree._Element:
    tags = bounded(data, limits)
    try:
        root = _root(data)
    except etree.XMLSyntaxError as error:
        if "depth" in error.msg:  # libxml2 gives up at 256 by itself
            raise too_deep(limits) from None
        line, column = error.position
        raise MalformedMessage(
            f"不是格式良好的 XML（第 {line} 行第 {column} 列）",
            f"not well-formed XML at line {line}, column {column}",
            rule="well-formed",
        ) from None
    if tags > limits.depth and _deeper(limits.depth)(root):
        raise too_deep(limits)
    if b"!" in data and b"<!DOCTYPE" in data and root.getroottree().docinfo.doctype:
        raise has_dtd()
    return root


@cache
def _deeper(depth: int) -> etree.XPath:
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


def _root(data: bytes) -> etree._Element:
    parser = _parser(len(data) > _HUGE)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        joined = _SURROGATES.sub(_joined, data)
        if joined == data:
            raise
        return etree.fromstring(joined, parser)


# Axis 1.4 and old Java serializers write a rare character (𠮷) as references to the two halves of
# its UTF-16 form. That is not XML, and means one thing only. What is literal text is passed over.
_SURROGATES = re.compile(
    rb"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    rb"|&#(x[Dd][89ABab][0-9A-Fa-f]{2}|5[56]\d{3});&#(x[Dd][C-Fc-f][0-9A-Fa-f]{2}|5[67]\d{3});",
    re.DOTALL,
)


def _joined(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return match[0]
    high, low = (int(m[1:], 16) if m[:1] == b"x" else int(m) for m in match.groups())
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return match[0]
    return b"&#%d;" % (0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)


def _parser(huge: bool) -> etree.XMLParser:
    """Two parsers a thread, since lxml's error log belongs to the parser. ``huge`` takes a text of
    more than 10,000,000 bytes, and nests deeper before it gives up."""
    try:
        return _parsers.pair[huge]  # type: ignore[no-any-return]
    except AttributeError:
        # The encoding is given because a converted body may still declare its former one.
        _parsers.pair = [
            data_parser(encoding="utf-8", huge_tree=huge_tree) for huge_tree in (False, True)
        ]
        return _parsers.pair[huge]  # type: ignore[no-any-return]


def _message(root: etree._Element, names: _Names, understood: Container[str]) -> Message:
    parts = root[:]
    blocks: tuple[etree._Element, ...] = ()
    if parts and parts[0].tag == names.header:
        blocks = tuple(parts.pop(0))
        _headers(blocks, names.version, understood)
    if len(parts) != 1 or parts[0].tag != names.body:
        raise MalformedMessage(
            "Envelope 内应只有可选的 Header 和一个 Body",
            "an Envelope holds an optional Header and one Body",
            rule="envelope",
        )
    children = parts[0][:]
    if not children:
        raise MalformedMessage(
            "Body 为空，未指明操作", "the Body is empty: no operation is named", rule="envelope"
        )
    return Message(names.version, root, children[0], tuple(children[1:]), blocks)


def _headers(
    blocks: tuple[etree._Element, ...], version: SoapVersion, understood: Container[str]
) -> None:
    """What must be understood and is not is refused, unless it is meant for another node."""
    must = f"{{{version.envelope}}}mustUnderstand"
    for block in blocks:
        wanted = (block.get(must) or "").strip() in ("1", "true")
        if wanted and str(block.tag) not in understood and is_for_us(block, version):
            raise MustUnderstand(
                f"不支持必须理解的 SOAP 头 {block.tag!s}",
                f"the header {block.tag!s} must be understood and is not",
                rule="mustUnderstand",
            )


_ROLES = {SOAP_1_1: f"{{{SOAP_1_1.envelope}}}actor", SOAP_1_2: f"{{{SOAP_1_2.envelope}}}role"}
_OURS = {
    None,
    "",
    "http://schemas.xmlsoap.org/soap/actor/next",
    f"{SOAP_1_2.envelope}/role/next",
    f"{SOAP_1_2.envelope}/role/ultimateReceiver",
}


def is_for_us(block: etree._Element, version: SoapVersion) -> bool:
    """Whether a header is meant for whoever reads it here, and not for another node by name."""
    return block.get(_ROLES[version]) in _OURS


def wrap(version: SoapVersion, content: str) -> bytes:
    """An envelope around the Body's content, as the bytes to send."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{version.envelope}">'
        f"<soap:Body>{content}</soap:Body></soap:Envelope>"
    ).encode()


def fault(version: SoapVersion, code: str, reason: str, detail: str) -> bytes:
    """A Fault's envelope. ``code`` is a local name of the version's namespace; ``detail`` is the
    XML within the detail element, or ''."""
    if version is SOAP_1_1:
        tail = f"<detail>{detail}</detail>" if detail else ""
        content = (
            f"<soap:Fault><faultcode>soap:{code}</faultcode>"
            f"<faultstring>{escape(reason)}</faultstring>{tail}</soap:Fault>"
        )
    else:
        tail = f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
        content = (
            f"<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
            f'<soap:Reason><soap:Text xml:lang="zh-CN">{escape(reason)}</soap:Text></soap:Reason>'
            f"{tail}</soap:Fault>"
        )
    return wrap(version, content)
