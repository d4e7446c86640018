"""What a document may hold, counted before anything is parsed.

A look at the bytes passes nearly every message: it counts from above, so what it passes holds the
limits for certain. Only what it cannot pass (a long text, an "=" in every word) is counted
exactly, tag by tag, and the count stops where a limit is reached. Both are linear in the size.

The exact count reads a document as XML does where it is well-formed, and stops where it is not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.faults import MalformedMessage


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may be. ``size`` in bytes; ``depth`` counts the Envelope as one;
    ``attributes``, namespace declarations among them, are those of the whole message.

    What is None is not limited: ``attributes_each`` of one element, declarations among them;
    ``name_length`` of an element or attribute with its prefix, characters; ``text_bytes`` of the
    text between two tags or of an attribute, bytes of UTF-8; ``namespaces``: how many different
    ones are declared.
    ``instructions``: whether processing instructions may stand in it (they are never read)."""

    size: int = 10 * 1024 * 1024
    depth: int = 64
    elements: int = 200_000
    attributes: int = 100_000
    attributes_each: int | None = None
    name_length: int | None = None
    text_bytes: int | None = None
    namespaces: int | None = None
    instructions: bool = True


LIMITS = Limits()

# Atomic and possessive: it never goes back into what it has passed, so it is linear in whatever
# anybody sends before an envelope.
_PROLOG_DTD = re.compile(rb"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARATION = re.compile(rb"<\?xml\s")
#: between two "<" there is less than this, so no name is long and no element has many attributes
_SHORT = 256
_LONG_PIECE = re.compile(rb"<[^<]{%d}" % _SHORT)
# Text, then one piece of markup. "<" stands in no tag and no attribute's value.
_TOKEN = re.compile(
    rb"(?P<text>[^<]*+)<"
    rb"(?:(?P<comment>!--.*?-->)|!\[CDATA\[(?P<cdata>.*?)\]\]>|(?P<pi>\?.*?\?>)|/[^<>]*+>"
    rb"""|(?P<tag>[^<>"'/!?](?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)>)""",
    re.DOTALL,
)
_TAG = re.compile(rb"""<(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>""")
_ANY_XMLNS = re.compile(rb"""xmlns[^\s=]*+\s*+=\s*+("[^"]*+"|'[^']*+')""")
_QUOTED = re.compile(rb""""[^"]*+"|'[^']*+'""")
_XMLNS = re.compile(rb"""\sxmlns(?::[^\s=]++)?\s*+=\s*+("[^"]*+"|'[^']*+')""")
_NAME_ENDS = re.compile(rb"[\s=/]+")


def bounded(data: bytes, limits: Limits) -> int:
    """How many elements ``data`` (UTF-8, without a byte order mark) has at most. MalformedMessage
    where it goes beyond a limit other than the depth, or has a DTD; its ``rule`` names which."""
    # To look for one byte first is quicker by far, and nearly always enough.
    if b"!" in data and b"<!DOCTYPE" in data and _PROLOG_DTD.match(data):
        raise has_dtd()
    tags = data.count(b"<")  # each element begins with one of them
    if tags > limits.depth or tags > limits.elements:  # else it may be a few too many
        tags -= data.count(b"</")
    if _surely_within(data, tags, limits):
        return tags
    if tags > limits.elements and b"<!" not in data:  # no "<" of them stands in a CDATA section
        _held(tags, 0, limits)
    return _counted(data, limits)


def has_dtd() -> MalformedMessage:
    return MalformedMessage("不接受 DTD（DOCTYPE）", "a DTD (DOCTYPE) is not accepted", rule="dtd")


def too_deep(limits: Limits) -> MalformedMessage:
    return _beyond(
        "depth",
        f"元素嵌套超过 {limits.depth} 层",
        f"elements are nested deeper than {limits.depth}",
    )


def _surely_within(data: bytes, tags: int, limits: Limits) -> bool:
    if tags > limits.elements:
        return False
    if len(data) > limits.attributes and data.count(b"=") > limits.attributes:
        return False
    if not limits.instructions and b"?" in data and _has_instruction(data):
        return False
    if limits.text_bytes is not None and len(data) > limits.text_bytes:
        return False
    if limits.namespaces is not None and data.count(b"xmlns") > limits.namespaces:
        # Many toolkits declare the same few again and again.
        declared_here = set(_ANY_XMLNS.findall(data))
        if len(declared_here) > limits.namespaces:
            return False
    each, name = limits.attributes_each, limits.name_length
    if each is None and name is None:
        return True
    if (each is not None and each * 4 < _SHORT) or (name is not None and name < _SHORT):
        return False  # limits so narrow that a short piece can go beyond them
    piece = _LONG_PIECE.search(data)
    while piece is not None:
        if _long_tag(data, piece.start()):
            return False
        piece = _LONG_PIECE.search(data, piece.end())
    return True


def _has_instruction(data: bytes) -> bool:
    """Perhaps: what stands in a comment counts too."""
    return data.find(b"<?", 1 if _DECLARATION.match(data) else 0) != -1


def _long_tag(data: bytes, at: int) -> bool:
    """Whether the piece that begins there may be a start tag that is long itself, and not only
    followed by a long text."""
    if data[at + 1] in b"!?/":
        return False
    tag = _TAG.match(data, at)
    return tag is None or tag.end() - at >= _SHORT


def _counted(data: bytes, limits: Limits) -> int:
    """The exact count."""
    elements = attributes = text = at = 0
    namespaces: set[bytes] = set()
    end = len(data)
    while at < end:
        token = _TOKEN.match(data, at)
        if token is None:
            if data.find(b"<", at) == -1:
                return elements  # text behind the last tag
            raise MalformedMessage(
                f"不是格式良好的 XML（UTF-8 第 {at + 1} 字节之后）",
                f"not well-formed XML behind byte {at + 1} of its UTF-8",
                rule="well-formed",
            )
        begin, at = at, token.end()
        if limits.text_bytes is not None:
            text += len(token["text"]) + len(token["cdata"] or b"")
            if text > limits.text_bytes:
                raise _text_too_long(limits.text_bytes)
        kind = token.lastgroup
        if kind == "pi":
            if not limits.instructions and not (begin == 0 and _DECLARATION.match(data)):
                raise MalformedMessage(
                    "不接受处理指令（<?…?>）",
                    "a processing instruction (<?...?>) is not accepted",
                    rule="processing-instruction",
                )
            continue
        if kind == "tag":
            tag = token["tag"]
            attributes += _tag(tag, namespaces, limits)
            text = 0
        elif kind == "text":  # an end tag
            text = 0
            continue
        elements += 1
        _held(elements, attributes, limits)
    return elements


def _held(elements: int, attributes: int, limits: Limits) -> None:
    if elements > limits.elements:
        raise _beyond(
            "elements",
            f"报文元素超过 {limits.elements} 个",
            f"more than {limits.elements} elements",
        )
    if attributes > limits.attributes:
        raise _beyond(
            "attributes",
            f"报文属性超过 {limits.attributes} 个",
            f"more than {limits.attributes} attributes",
        )


def _tag(tag: bytes, namespaces: set[bytes], limits: Limits) -> int:
    """How many attributes a start tag has; those of ``namespaces`` that it declares are added."""
    if b"=" not in tag:
        _names(_NAME_ENDS.split(tag), limits)
        return 0
    longest = limits.text_bytes
    if longest is not None and len(tag) > longest:
        values = _QUOTED.findall(tag)
        if any(len(value) > longest + 2 for value in values):
            raise _text_too_long(longest)
    bare = _QUOTED.sub(b"", tag)
    attributes = bare.count(b"=")
    if limits.attributes_each is not None and attributes > limits.attributes_each:
        raise _beyond(
            "attributes",
            f"单个元素的属性超过 {limits.attributes_each} 个",
            f"an element has more than {limits.attributes_each} attributes",
        )
    _names(_NAME_ENDS.split(bare), limits)
    if limits.namespaces is not None and b"xmlns" in tag:
        namespaces.update(value[1:-1] for value in _XMLNS.findall(tag))
        if len(namespaces) > limits.namespaces:
            raise _beyond(
                "namespaces",
                f"报文声明了超过 {limits.namespaces} 个命名空间",
                f"more than {limits.namespaces} namespaces are declared",
            )
    return attributes


def _names(names: list[bytes], limits: Limits) -> None:
    limit = limits.name_length
    if limit is None:
        return
    if any(len(name) > limit and len(name.decode("utf-8", "replace")) > limit for name in names):
        raise _beyond(
            "name_length",
            f"元素或属性名超过 {limit} 个字符",
            f"the name of an element or attribute is longer than {limit} characters",
        )


def _text_too_long(limit: int) -> MalformedMessage:
    return _beyond(
        "text_bytes",
        f"一段文字或一个属性值超过 {limit} 字节",
        f"a text or the value of an attribute is longer than {limit} bytes",
    )


def _beyond(limit: str, zh: str, en: str) -> MalformedMessage:
    return MalformedMessage(zh, en, rule=f"limits.{limit}")
