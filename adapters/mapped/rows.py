"""Rows of a mapped query as the contract's values; a column named as a field needs no mapping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from adapters import values as v
from adapters.keys import pack
from adapters.mapped.mapping import Statement
from adapters.mapped.rules import Rule, reader
from services import terms as t
from services.contract import Field, Scalar

#: field -> value; a field without a value is None
Values = dict[str, Any]

_Get = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True)
class Plan:
    """How one result's rows are read. ``lacking``: fields that must have a value and that no
    column, rule or other field gives; ``absent``: columns that a rule names and the result has
    not."""

    getters: tuple[tuple[str, _Get], ...]
    lacking: tuple[str, ...]
    absent: tuple[tuple[str, str], ...]


@lru_cache(maxsize=512)
def plan(statement: Statement, columns: tuple[str, ...]) -> Plan:
    """Columns are found in either case."""
    at = {column.upper(): index for index, column in reversed(list(enumerate(columns)))}
    getters: list[tuple[str, _Get]] = []
    absent: list[tuple[str, str]] = []
    given: set[str] = set()
    for field in statement.entry.fields:
        if not isinstance(field.type, Scalar):
            continue
        rule = statement.rules.get(field.name, Rule())
        named = rule.column or field.name
        missing = [one for one in rule.pack or (named,) if one.upper() not in at]
        if rule.constant is not None:
            getters.append((field.name, _constant(rule.constant)))
        elif not missing and rule.pack:
            places = [at[one.upper()] for one in rule.pack]
            getters.append((field.name, _packed(places, rule.pack)))
        elif not missing:
            getters.append((field.name, _column(field, rule, at[named.upper()], named)))
        else:
            if rule.column or rule.pack:
                absent += [(field.name, one) for one in missing]
            if rule.default is None:
                continue
            getters.append((field.name, _constant(rule.default)))
        given.add(field.name)
    lacking = tuple(
        field.name
        for field in statement.entry.fields
        if field.required
        and field.name not in given
        and field in (statement.entry.record.fields if statement.entry.record else ())
        and not _derived(statement, field.name, given)
    )
    return Plan(tuple(getters), lacking, tuple(absent))


def _derived(statement: Statement, name: str, given: set[str]) -> bool:
    sources = statement.entry.derived.get(name)
    if sources is None:
        return False
    return all(one in given or _derived(statement, one, given) for one in sources)


def read(made: Plan, row: Sequence[Any]) -> Values:
    """One row. Raises Unreadable."""
    return {name: get(row) for name, get in made.getters}


def complete(statement: Statement, values: Values) -> Values:
    """The values as the record's arguments. Raises Unreadable where a required one is missing."""
    record = statement.entry.record
    assert record is not None
    for field in record.fields:
        if field.required and values.get(field.name) is None:
            rule = statement.rules.get(field.name, Rule())
            raise v.Unreadable(rule.column or field.name, "不能为空", "must not be empty")
    return {field.name: values.get(field.name) for field in record.fields}


def _constant(value: Any) -> _Get:
    return lambda row: value


def _packed(places: Sequence[int], names: Sequence[str]) -> _Get:
    def get(row: Sequence[Any]) -> str:
        parts = [
            str(row[index])[:10] if isinstance(row[index], date) else v.text(row[index], name) or ""
            for index, name in zip(places, names, strict=True)
        ]
        return pack(*parts)

    return get


def _column(field: Field, rule: Rule, index: int, column: str) -> _Get:
    convert = reader(field, rule)
    default = rule.default
    if default is None and field.required and getattr(field.type, "facet", None) is t.SEX:
        default = "0"

    def get(row: Sequence[Any]) -> Any:
        value = convert(row[index], column)
        return default if value is None else value

    return get
