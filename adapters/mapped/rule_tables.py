"""The ``fields`` tables of a mapping: for the file, a contract, a statement; the inner adds to
the outer key by key."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.mapped.formats import date_format
from adapters.mapped.rules import Rule
from adapters.mapped.vocabulary import Entry
from services.contract import Code, Field, Money, Scalar

RULE_KEYS = ("column", "pack", "constant", "values", "format", "default", "spaces", "zeros")

Wrong = Callable[[Iterable[str | int], str, str], None]


class RuleTables:
    """``wrong`` is told of every problem, by the way to it."""

    def __init__(self, wrong: Wrong) -> None:
        self._wrong = wrong

    def read(self, way: tuple[str | int, ...], table: Any, fields: Iterable[Field]) -> None:
        """Check a table of rules against the fields that it may speak of."""
        if not isinstance(table, dict):
            self._wrong(way, "应为表", "should be a table")
            return
        known: dict[str, list[Field]] = {}
        for one in fields:
            known.setdefault(one.name, []).append(one)
        for name, rule in table.items():
            at = (*way, name)
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                self._wrong(
                    at,
                    f"没有字段 {name}" + (f"；是不是 {near[0]}？" if near else ""),
                    f"no field {name}" + (f"; did you mean {near[0]}?" if near else ""),
                )
            elif not isinstance(rule, str):
                self._rule(at, rule, known[name])

    def of(self, entry: Entry, data: Mapping[str, Any], own: Any) -> dict[str, Rule]:
        """The rules of one statement, by field or parameter. What is wrong was told before."""
        contract = data.get(entry.contract)
        outer = contract.get("fields", {}) if isinstance(contract, dict) else {}
        made: dict[str, Rule] = {}
        for field in (*entry.fields, *entry.parameters):
            merged: dict[str, Any] = {}
            for table in (data.get("fields", {}), outer, own):
                written = table.get(field.name, {}) if isinstance(table, dict) else {}
                merged |= {"column": written} if isinstance(written, str) else _dict(written)
            if merged and field.name not in made and isinstance(field.type, Scalar):
                made[field.name] = _made(field, field.type, merged)
        return made

    def _rule(self, at: tuple[str | int, ...], rule: Any, fields: list[Field]) -> None:
        if not isinstance(rule, dict):
            self._wrong(at, "应为列名或表", "should be a column's name or a table")
            return
        scalar = fields[0].type
        if not isinstance(scalar, Scalar):
            self._wrong(at, "不是单个值的字段", "is no field of one value")
            return
        for key in rule:
            if key not in RULE_KEYS:
                keys = ", ".join(RULE_KEYS)
                self._wrong(
                    (*at, key), f"未知的键；可用：{keys}", f"unknown key; there are: {keys}"
                )
        if sum(key in rule for key in ("column", "pack", "constant")) > 1:
            self._wrong(at, "column、pack、constant 只能有一个", "one of column, pack, constant")
        self._texts(at, rule, scalar)
        for key in ("constant", "default"):
            if key in rule:
                self._value((*at, key), rule[key], scalar)
        values = rule.get("values", {})
        if not isinstance(values, dict):
            self._wrong((*at, "values"), '应为表，如 { M = "1" }', 'a table as { M = "1" }')
            return
        for theirs, ours in values.items():
            self._value((*at, "values", theirs), ours, scalar)

    def _texts(self, at: tuple[str | int, ...], rule: Mapping[str, Any], scalar: Scalar) -> None:
        column = rule.get("column", "-")
        if not isinstance(column, str) or not column:
            self._wrong((*at, "column"), "应为列名", "should be a column's name")
        pack = rule.get("pack", ["-"])
        if not isinstance(pack, list) or not pack or not all(isinstance(p, str) for p in pack):
            self._wrong((*at, "pack"), "应为列名的数组", "should be a list of columns")
        elif "pack" in rule and at[-1] != "ScheduleId":
            self._wrong((*at, "pack"), "只用于 ScheduleId", "is for ScheduleId alone")
        if "format" in rule:
            if scalar.python not in (date, datetime):
                self._wrong((*at, "format"), "只用于日期时间", "is for dates and times alone")
            elif not _is_format(rule["format"]):
                self._wrong(
                    (*at, "format"),
                    "应如 yyyymmdd、yyyymmddhh:mm:ss",
                    "should be as yyyymmdd or yyyymmddhh:mm:ss",
                )
        for key in ("spaces", "zeros"):
            width = rule.get(key, 1)
            if type(width) is not int or not 1 <= width <= 256:
                self._wrong((*at, key), "应为 1 到 256 的宽度", "should be a width, 1 to 256")
            elif key in rule and (scalar.python is not str or isinstance(scalar.facet, Code)):
                self._wrong((*at, key), "只用于文字", "is for texts alone")

    def _value(self, at: tuple[str | int, ...], value: Any, scalar: Scalar) -> None:
        """A value of the contract's, as TOML has it."""
        facet = scalar.facet
        if isinstance(facet, Code):
            if not isinstance(value, str) or value not in facet.table:
                known = "、".join(f"{code} {zh}" for code, (zh, _) in facet.table.items())
                codes = ", ".join(f"{code} {en}" for code, (_, en) in facet.table.items())
                self._wrong(at, f"{value!r} 不是代码；有：{known}", f"no code; there are: {codes}")
        elif scalar.python is bool:
            if not isinstance(value, bool):
                self._wrong(at, "应为 true 或 false", "should be true or false")
        elif scalar.python is int:
            if type(value) is not int:
                self._wrong(at, "应为整数", "should be a whole number")
        elif scalar.python is Decimal:
            if _decimal(value) is None:
                self._wrong(at, "应为金额，如 1.00", "should be an amount as 1.00")
        elif scalar.python is str and not isinstance(value, str):
            self._wrong(at, "应为文字", "should be text")
        elif scalar.python in (date, datetime) and not isinstance(value, date):
            self._wrong(at, "应为日期", "should be a date")


def _made(field: Field, scalar: Scalar, merged: Mapping[str, Any]) -> Rule:
    values = merged.get("values")
    written = merged.get("format")
    given = {key: merged.get(key) for key in ("constant", "default")}
    if scalar.python is Decimal and isinstance(scalar.facet, Money):
        given = {key: None if one is None else _decimal(one) for key, one in given.items()}
    # A constant or a pack of an inner table stands instead of an outer one's column.
    return Rule(
        column=str(merged.get("column", "")),
        pack=tuple(map(str, merged.get("pack", ()))) if field.name == "ScheduleId" else (),
        values=dict(values) if isinstance(values, dict) else None,
        format=date_format(str(written)) if _is_format(written) else None,
        spaces=_width(merged.get("spaces")),
        zeros=_width(merged.get("zeros")),
        **given,
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _width(value: Any) -> int:
    return value if type(value) is int else 0


def _is_format(written: Any) -> bool:
    try:
        date_format(str(written))
    except ValueError:
        return False
    return True


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return Decimal(str(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
