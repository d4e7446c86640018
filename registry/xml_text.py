"""XML as text: an answer that is joined from strings takes a tenth of the time of a tree."""

from __future__ import annotations

import re
from collections.abc import Iterable

from registry.model import LangText

_MARKED = re.compile("[&<>\r]")
_QUOTED = re.compile('[&<>"\t\n\r]')
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;",
    "\t": "&#9;", "\n": "&#10;", "\r": "&#13;",
}  # fmt: skip


def content(text: str) -> str:
    """The text as an element's content."""
    return _MARKED.sub(_escape, printable(text)) if _MARKED.search(text) else printable(text)


def attribute(text: str) -> str:
    """The text as the value of an attribute in double quotes."""
    return _QUOTED.sub(_escape, printable(text)) if _QUOTED.search(text) else printable(text)


def printable(text: str) -> str:
    """The text without characters that XML cannot carry."""
    return text if text.isascii() and text.isprintable() else _FORBIDDEN.sub("\ufffd", text)


def texts(name: str, values: Iterable[LangText]) -> str:
    """An element for each, with its xml:lang."""
    return "".join(
        f'<{name} xml:lang="{attribute(each.lang)}">{content(each.value)}</{name}>'
        if each.lang
        else f"<{name}>{content(each.value)}</{name}>"
        for each in values
    )


def _escape(found: re.Match[str]) -> str:
    return _ESCAPED[found[0]]
