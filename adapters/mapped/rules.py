"""A field's rule: which column it is, how its values are written there; both ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Date, Numeric
from sqlalchemy.types import NullType

from adapters import values as v
from adapters.columns import Moment
from adapters.mapped.formats import DateFormat
from adapters.marks import ABNORMAL_MARKS, SHIFTS
from services import terms as t
from services.contract import Code, Count, Field, Scalar, Text

#: code tables with words that every hospital writes, and the code of what is in no table
_KNOWN: dict[int, tuple[Mapping[str, str], str]] = {
    id(t.SHIFT): (SHIFTS, "9"),
    id(t.RESULT_STATUS): ({}, "9"),
    id(t.EXAM_STATUS): ({}, "9"),
    id(t.ABNORMAL): (ABNORMAL_MARKS, "A"),
    id(t.IDENTITY_TYPE): ({"身份证": "01", "居民身份证": "01", "护照": "03"}, "99"),
}
#: what NULL is in a field that must have a value
_NULL = {id(t.RESULT_STATUS): "9", id(t.ABNORMAL): "U", id(t.SEX): "0"}

Read = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """``column`` of the result; ``pack``: the columns that an id is made of; ``constant``: no
    column, always this; ``values``: theirs to ours; ``spaces`` and ``zeros``: the width of a
    padded code."""

    column: str = ""
    pack: tuple[str, ...] = ()
    constant: Any = None
    values: Mapping[str, Any] | None = None
    format: DateFormat | None = None
    default: Any = None
    spaces: int = 0
    zeros: int = 0

    def written(self, value: Any, scalar: Scalar) -> tuple[Any, Any]:
        """A contract's value as the database has it, and its SQLAlchemy type: none for texts and
        whole numbers, so that no dialect casts them to what the column is not."""
        if value is None:
            return None, NullType()
        if self.values is not None:
            for theirs, ours in self.values.items():
                if ours == value:
                    return theirs, NullType()
        if isinstance(value, datetime | date) and self.format is not None:
            return self.format.write(value), NullType()
        if isinstance(value, datetime):
            return value, Moment()
        if isinstance(value, date):
            return value, Date()
        if isinstance(value, Decimal):
            return value, Numeric(14, 2)
        if isinstance(value, int):
            return int(value), NullType()
        return value.zfill(self.zeros).ljust(self.spaces), NullType()


def reader(field: Field, rule: Rule) -> Read:
    """How a column's value becomes the field's; Unreadable says what is wrong with it. The
    reader answers None for nothing, also where the field is required."""
    assert isinstance(field.type, Scalar)
    plain = _plain(field, field.type, rule)
    values = rule.values
    if values is None:
        return plain

    def mapped(value: Any, column: str) -> Any:
        found = v.text(_whole(value), column)
        if found is not None and found in values:
            return values[found]
        if isinstance(field.type, Scalar) and field.type.python is bool and found is not None:
            raise v.Unreadable(
                column,
                "的取值不在映射的 values 中",
                "has a value that is not in the mapping's values",
            )
        return plain(value, column)

    return mapped


def _plain(field: Field, scalar: Scalar, rule: Rule) -> Read:
    kind, facet = scalar.python, scalar.facet
    if isinstance(facet, Code):
        return _code(facet, _NULL.get(id(facet)) if field.required else None)
    if kind is bool:
        return lambda value, column: None if value is None else v.yes(_whole(value), column)
    if kind in (date, datetime):
        return _date(rule.format, kind)
    if kind is int and isinstance(facet, Count):
        if field.name == "Age":
            return v.age
        return _int(facet)
    if kind is Decimal:
        return lambda value, column: None if value is None else v.money(value, column)
    longest = facet.max_len if isinstance(facet, Text) else None
    return _text(longest, "" if field.name == "Name" and field.required else None)


def _whole(value: Any) -> Any:
    """1.0 and Decimal("1.00") as 1: flags stand in NUMBER columns."""
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return int(value)
    return value


def _code(facet: Code, null: str | None) -> Read:
    words, other = _KNOWN.get(id(facet), ({}, ""))

    def read(value: Any, column: str) -> str | None:
        found = v.text(_whole(value), column)
        if found is None:
            return null
        if found in facet.table:
            return found
        if facet is t.SEX:
            return v.sex(found, column)
        code = words.get(found, other)
        if not code:
            raise v.Unreadable(
                column,
                f"应为 {'、'.join(facet.table)} 之一，或在映射的 values 中",
                f"should be one of {', '.join(facet.table)}, or stand in the mapping's values",
            )
        return code

    return read


def _date(written: DateFormat | None, kind: type) -> Read:
    def read(value: Any, column: str) -> date | None:
        if type(value) is int:
            value = str(value)  # 20261121 in a NUMBER column
        if written is not None and type(value) is str:
            try:
                value = written.read(value.strip(" "))
            except ValueError:
                raise v.Unreadable(
                    column,
                    f"不是 {written.written} 格式的日期",
                    f"is no date written as {written.written}",
                ) from None
        found = v.moment(value, column)
        return found.date() if found is not None and kind is date else found

    return read


def _int(facet: Count) -> Read:
    def read(value: Any, column: str) -> int | None:
        if value is None or (type(value) is str and not value.strip()):
            return None
        number = v.count(value, column)
        if not facet.minimum <= number <= facet.maximum:
            raise v.Unreadable(
                column,
                f"应在 {facet.minimum} 与 {facet.maximum} 之间",
                f"should be between {facet.minimum} and {facet.maximum}",
            )
        return number

    return read


def _text(longest: int | None, null: str | None) -> Read:
    def read(value: Any, column: str) -> str | None:
        found = v.text(_whole(value), column)
        if found is not None and longest is not None and len(found) > longest:
            raise v.Unreadable(
                column, f"超过 {longest} 个字符", f"is longer than {longest} characters"
            )
        return null if found is None else found

    return read
