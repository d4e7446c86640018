"""The XML parser for what strangers send: data alone, and nothing fetched."""

from __future__ import annotations

import re

from lxml import etree

from services.faults import MalformedMessage
from services.soap.charset import to_text

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")


class NotXml(ValueError):
    """Says what is wrong, and where, in Chinese and English."""


def data_parser(*, encoding: str | None = None, huge_tree: bool = False) -> etree.XMLParser:
    """No entity is resolved and nothing is loaded; comments and processing instructions, which
    carry nothing and would split an element's text, are left out. ``encoding``: instead of what
    the document declares. It may be used by one thread at a time."""
    return etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=huge_tree,
        remove_comments=True,
        remove_pis=True,
    )


def parsed(document: bytes, charset: str | None = None) -> etree._Element:
    """The root of a document that is read at leisure. No DTD, no entities, nothing fetched, no
    comments or instructions. ``charset``: the HTTP Content-Type's. NotXml."""
    try:
        text = to_text(document, charset)
    except MalformedMessage as error:
        raise NotXml(str(error)) from error
    # Looked for in the decoded text, so that no encoding can hide it, and before any parsing.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotXml("不接受 DTD / a DTD is not accepted")
    # Blanked and not cut out, so that positions stay those of the message as it was sent.
    text = _DECLARATION.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text, count=1).rstrip()
    if not text:
        raise NotXml("消息是空的 / the message is empty")
    try:
        return etree.fromstring(text.encode("utf-8"), data_parser(encoding="utf-8"))
    except etree.XMLSyntaxError as error:
        raise NotXml(_what_to_do(error)) from error


def _what_to_do(error: etree.XMLSyntaxError) -> str:
    """Where it stopped being XML and what to look at. The parser's own words are about the
    parser, and its way out, to lift its limits, is not ours."""
    line, column = error.position
    if "huge" in str(error).lower():
        return (
            f"第 {line} 行第 {column} 列：元素嵌套超过 256 层，或一处文字过长；请改小消息 / "
            f"line {line}, column {column}: elements nested more than 256 deep, or one text that "
            "is too long; make the message smaller"
        )
    return (
        f"不是合格的 XML：第 {line} 行第 {column} 列附近。请检查标签是否成对、& 与 < 是否写作 "
        f"&amp; 与 &lt;、消息是否完整 / not well-formed XML near line {line}, column {column}: "
        "check that tags match, that & and < are written &amp; and &lt;, and that nothing is cut "
        "off"
    )
