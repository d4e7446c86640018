"""Texts into columns of a fixed width in GBK bytes: what does not fit is refused, never cut."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, String

from adapters.columns import gbk_length
from adapters.database import Source
from services.faults import InvalidArgument


def fitted(source: Source, column: Column[Any], value: str | None, field: str) -> str | None:
    """The value without blanks around it, None for a blank one. InvalidArgument names the field
    of the contract, and how much of it fits, and not the value, which may be a patient's."""
    text = (value or "").strip()
    if not text:
        return None
    kind = column.type
    width = kind.length if isinstance(kind, String) else None
    if width is None or gbk_length(text) <= width:
        return text
    fits = next(n for n in range(len(text), -1, -1) if gbk_length(text[:n]) <= width)
    raise source.fault(
        InvalidArgument,
        f"{field} 有 {len(text)} 个字符，本院该栏（{column.name}）宽 {width} 字节，"
        f"只容得下其中 {fits} 个字符（汉字最多 {width // 2} 个）。请缩短后重发。",
        f"{field} has {len(text)} characters; this hospital's column {column.name} of {width} "
        f"bytes holds {fits} of them ({width // 2} Han characters at most). Shorten it.",
        field=field,
    )
