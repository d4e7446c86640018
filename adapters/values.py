"""A database's values to the contract's: padding, text dates, sexes, ages, amounts, codes.

Each reader takes the value and the name of its column, and raises Unreadable where the value
breaks the contract and no sensible answer exists. docs/adapters.md says which answer is given.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from services import terms

_SEXES = {
    **{code: code for code in terms.SEX.table},
    **{"男": "1", "男性": "1", "M": "1", "m": "1"},
    **{"女": "2", "女性": "2", "F": "2", "f": "2"},
    **{"未知": "0", "不详": "0", "未说明": "9", "其他": "9"},
}
_AGE = re.compile(r"(\d{1,3})(?:\.\d+)?(岁|[Yy])?")
_INFANT_AGE = re.compile(r"\d{1,3}(?:个?月|周|天|日|小?时).*")
_ONES = frozenset({"1", "Y", "y", "T", "t", "是", "true"})
_CHINA = timezone(timedelta(hours=8))
_CENT = Decimal("0.01")


class Unreadable(Exception):
    """A value that breaks the contract; ``zh`` and ``en`` say what it should have been.
    ``table`` and ``key`` say where, as soon as somebody knows."""

    def __init__(self, column: str, zh: str, en: str) -> None:
        super().__init__(column, zh, en)
        self.column = column
        self.zh = zh
        self.en = en
        self.table = ""
        self.key = ""


def text(value: Any, column: str) -> str | None:
    """Text without the spaces that pad a CHAR on its right; all blank is None, as in Oracle."""
    if value is None:
        return None
    if type(value) is str:
        return value.rstrip(" ") or None
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise Unreadable(column, "应为文字", "should be text")


def required(value: Any, column: str) -> str:
    """Text that must be there."""
    found = text(value, column)
    if found is None:
        raise Unreadable(column, "不能为空", "must not be empty")
    return found


def moment(value: Any, column: str) -> datetime | None:
    """A date and time, also where the column holds it as ISO text; with a zone: the time here."""
    if value is None:
        return None
    if type(value) is str:
        if not value.strip(" "):
            return None
        try:
            value = datetime.fromisoformat(value.strip(" "))
        except ValueError:
            value = None
    if isinstance(value, datetime):
        return value if value.tzinfo is None else value.astimezone(_CHINA).replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise Unreadable(
        column,
        "应为日期时间（如 2026-11-20 08:30:00）",
        "should be a date like 2026-11-20 08:30:00",
    )


def day(value: Any, column: str) -> date:
    """A date that must be there; the time beside it is not looked at."""
    found = moment(value, column)
    if found is None:
        raise Unreadable(column, "不能为空", "must not be empty")
    return found.date()


def count(value: Any, column: str) -> int:
    """A number of things, 0 or more; NULL is 0."""
    if value is None:
        return 0
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if not 0 <= number < 2**31:
        raise Unreadable(column, "应为不小于 0 的整数", "should be a whole number, 0 or more")
    return number


def money(value: Any, column: str) -> Decimal:
    """Yuan, rounded to the cent; NULL is 0.00."""
    if value is None:
        return Decimal("0.00")
    try:
        amount = Decimal(str(value)).quantize(_CENT)
    except InvalidOperation:
        raise Unreadable(column, "应为金额（元）", "should be an amount in yuan") from None
    if not amount.is_finite() or abs(amount) >= 10**10:
        raise Unreadable(column, "应为金额（元）", "should be an amount in yuan")
    return amount


def sex(value: Any, column: str) -> str | None:
    """GB/T 2261.1; NULL is None, and a word that nobody knows is 0, unknown."""
    found = text(value, column)
    return None if found is None else _SEXES.get(found, "0")


def age(value: Any, column: str) -> int | None:
    """Whole years, of 45, "45", "45岁"; 0 of "8月" or "12天"; None of anything else, for a
    wrong age is no reason to withhold a result."""
    if type(value) is int:
        return value if 0 <= value <= 200 else None
    found = text(value, column)
    if found is None:
        return None
    match = _AGE.fullmatch(found.strip())
    if match is None:
        return 0 if _INFANT_AGE.fullmatch(found.strip()) else None
    years = int(match[1])
    return years if years <= 200 else None


def result_status(value: Any, column: str) -> str:
    """RESULT_STATUS; NULL, blank and codes out of nobody's table are 9."""
    found = text(value, column)
    return "9" if found is None or found not in terms.RESULT_STATUS.table else found


def yes(value: Any, column: str) -> bool:
    """An indicator: 1, Y, T and 是 are yes; NULL and all else are no."""
    return text(value, column) in _ONES
