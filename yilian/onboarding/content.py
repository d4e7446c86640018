"""What stands in a column, told without showing it: shapes, masked samples, few short codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from adapters.mapped.formats import date_format

#: forms that a date is often kept in as text
DATE_FORMATS = (
    *("yyyymmdd", "yyyymmddhhmiss", "yyyymmddhh:mm:ss", "yyyy/mm/dd", "yyyy.mm.dd"),
    *("yyyy年mm月dd日", "yyyy/mm/dd hh:mm:ss", "yyyymmdd hh:mm:ss", "yyyymmddhhmi"),
)
#: what datetime.fromisoformat reads by itself
_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
_IDENTITY = re.compile(r"\d{17}[\dXx]")
_PHONE = re.compile(r"1[3-9]\d{9}")
_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
#: a column of so few, so short values is one of codes
_CODES, _LENGTH = 8, 8


@dataclass(frozen=True)
class Content:
    """``shape``: what the values look like, empty if like nothing in particular; ``codes``: the
    few values that there are; ``masked``: an example without what it says."""

    shape: str
    masked: str
    codes: tuple[str, ...] = ()
    date_format: str = ""


def content(values: Sequence[Any]) -> Content:
    """What a column's sampled values are like."""
    texts = [str(one).rstrip() for one in values if one is not None and str(one).strip()]
    if not texts:
        return Content("empty", "")
    masked = mask(texts[0])
    if all(isinstance(one, date) for one in values if one is not None):
        return Content("date", masked)
    if all(map(_IDENTITY.fullmatch, texts)):
        return Content("identity number", masked)
    if all(map(_PHONE.fullmatch, texts)):
        return Content("phone", masked)
    if all(map(_ISO.fullmatch, texts)):
        return Content("date", masked)
    written = next((one for one in DATE_FORMATS if _all_dates(one, texts)), "")
    if written:
        return Content("date as text", masked, date_format=written)
    numbers = all(isinstance(one, int | float | Decimal) for one in values if one is not None)
    counted = Counter(texts)
    short = max(map(len, counted)) <= _LENGTH
    few = len(counted) <= _CODES and len(texts) > 2 * len(counted)
    if (few and short and not numbers) or counted.keys() <= {"0", "1"}:
        return Content("few values", masked, tuple(sorted(counted)))
    if all(map(_NAME.fullmatch, texts)):
        return Content("names", masked)
    if numbers:
        return Content("number", masked)
    return Content("", masked)


def mask(text: str) -> str:
    """The text's form: letters ``x``, digits ``9``, Han characters ``某``, at most 24 of them."""

    def one(character: str) -> str:
        if "\u3400" <= character <= "\u9fff" or ord(character) > 0x1FFFF:
            return "某"
        if character.isnumeric():
            return "9"
        return "x" if character.isalnum() else character

    masked = "".join(map(one, text[:24])).replace("\n", " ")
    return masked + ("…" if len(text) > 24 else "")


def _all_dates(written: str, texts: Sequence[str]) -> bool:
    form = date_format(written)
    try:
        found = [form.read(text) for text in texts]
    except ValueError:
        return False
    years = [one.year for one in found if one is not None]
    return bool(years) and all(1900 <= year <= 2100 for year in years)
