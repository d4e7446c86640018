"""Keys made of several columns, as one word; and keys looked up where CHARs are padded."""

from __future__ import annotations

import re
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, String

from adapters.columns import gbk_length

Padding = Literal["none", "bytes", "characters"]

_ESCAPED = re.compile(r"_([0-9a-f]{1,6})_")


def pack(*parts: str) -> str:
    """The parts with ``-`` between them. Letters and digits of any script stay as they are, and
    every other character becomes ``_hex_``: safe in a delimited row, a URL and a file name."""
    return "-".join("".join(c if c.isalnum() else f"_{ord(c):x}_" for c in part) for part in parts)


def unpack(packed: str) -> list[str] | None:
    """The parts of a packed key; None where ``pack`` never made such a text."""
    try:
        parts = [_ESCAPED.sub(lambda m: chr(int(m[1], 16)), part) for part in packed.split("-")]
    except (ValueError, OverflowError):
        return None
    if any("\ud800" <= c <= "\udfff" for part in parts for c in part):
        return None  # half a character, which no database can be asked for
    return parts if pack(*parts) == packed else None


def matches(column: Column[Any], value: str, padding: Padding) -> ColumnElement[bool]:
    """``column = value``, also where the column is a CHAR that the database keeps padded and
    compares as it stands. Both forms are looked up by value, so that an index serves."""
    kind = column.type
    if padding == "none" or not isinstance(kind, String) or kind.length is None:
        return column == value
    used = gbk_length(value) if padding == "bytes" else len(value)
    return column.in_((value, value + " " * max(0, kind.length - used)))
