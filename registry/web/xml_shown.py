"""XML for people: indented, and cut into pieces that a template gives their colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lxml import etree

from registry.uddi.soap import EnvelopeError, parse_xml

#: characters that are coloured; beyond that it is plain text, and still whole
_MOST_COLOURED = 300_000

_TOKEN = re.compile(
    r"(?P<comment><!--.*?-->|<\?.*?\?>)"
    r"|(?P<open></?)(?P<tag>[^\s<>/]+)(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<close>/?>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"(\s+)([^\s=]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")


class Piece(NamedTuple):
    """``kind`` is a class of the stylesheet: tag, name, value, text, note."""

    kind: str
    text: str


def shown(document: bytes) -> list[Piece]:
    """The document indented and cut up. What is no XML is one piece, as it is: only of XML is it
    certain that cutting takes no longer than reading."""
    try:
        root = parse_xml(document)
    except EnvelopeError:
        return [Piece("text", document.decode("utf-8", "replace"))]
    etree.indent(root)
    text = etree.tostring(root, encoding="unicode")
    return [Piece("text", text)] if len(text) > _MOST_COLOURED else list(_pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    done = 0
    for found in _TOKEN.finditer(text):
        if found.start() > done:
            yield Piece("text", text[done : found.start()])
        done = found.end()
        if found["comment"]:
            yield Piece("note", found["comment"])
            continue
        yield Piece("tag", found["open"] + found["tag"])
        yield from _attributes(found["attributes"])
        yield Piece("tag", found["close"])
    if done < len(text):
        yield Piece("text", text[done:])


def _attributes(text: str) -> Iterator[Piece]:
    done = 0
    for found in _ATTRIBUTE.finditer(text):
        if found.start() > done:
            yield Piece("text", text[done : found.start()])
        done = found.end()
        yield Piece("name", found[1] + found[2])
        yield Piece("text", found[3])
        yield Piece("value", found[4])
    if done < len(text):
        yield Piece("text", text[done:])
