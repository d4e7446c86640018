"""What it means that a value matches: exactly, in any case, or as a pattern; as SQL."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, and_

from registry.qualifiers import Qualifiers

Condition = ColumnElement[bool]


def matches(column: Any, folded: Any, wanted: str, qualifiers: Qualifiers) -> Condition:
    """``folded`` is the same column after casefold()."""
    if qualifiers.fold:
        column, wanted = folded, wanted.casefold()
    if not qualifiers.approximate:
        return and_(column == wanted)
    prefix, pattern = like_pattern(wanted)
    if pattern == escape(prefix):
        return and_(column == prefix)
    condition: Condition = column.like(pattern, escape="\\")
    if prefix:
        # What LIKE says too, in a form that an index can answer.
        condition = and_(column >= prefix, column < prefix + "\U0010ffff", condition)
    return condition


def like_pattern(wanted: str) -> tuple[str, str]:
    """From UDDI wildcards (``%``, ``_``, ``\\`` to escape either) to what stands before the first
    wildcard, literally, and the SQL pattern. A backslash before anything else is a backslash."""
    prefix, pattern, literal = "", "", True
    position = 0
    while position < len(wanted):
        char = wanted[position]
        following = wanted[position + 1 : position + 2]
        if char in "%_":
            literal = False
            pattern += char
        else:
            if char == "\\" and following and following in "%_\\":
                char = following
                position += 1
            pattern += escape(char)
            prefix += char if literal else ""
        position += 1
    return prefix, pattern


def escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def text_matches(value: str, wanted: str, qualifiers: Qualifiers) -> bool:
    """The same of one text that is at hand."""
    if qualifiers.fold:
        value, wanted = value.casefold(), wanted.casefold()
    if not qualifiers.approximate:
        return value == wanted
    pieces = {"%": ".*", "_": "."}
    pattern, position = "", 0
    while position < len(wanted):
        char = wanted[position]
        if char == "\\" and wanted[position + 1 : position + 2] in ("%", "_", "\\"):
            position += 1
            pattern += re.escape(wanted[position])
        else:
            pattern += pieces.get(char) or re.escape(char)
        position += 1
    return re.fullmatch(pattern, value, re.DOTALL) is not None
