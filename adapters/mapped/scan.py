"""Rows of a mapped database looked through for what breaks the contract, and for samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters import values as v
from adapters.database import Source
from adapters.mapped.mapping import Statement
from adapters.mapped.problems import Spot
from adapters.mapped.rows import Values, plan, read
from adapters.mapped.rules import Rule
from adapters.mapped.running import Runner, row_key
from services.contract import Scalar

#: what there is one row of
_UNIQUE = {
    **{"QueryNumberSource": "ScheduleId", "FindPatients": "PatientId"},
    **{"QueryLabMaster": "TestNo", "visits": "Key"},
}


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that would be answered by a SourceError; ``key`` holds nobody's name."""

    spot: Spot
    key: str
    column: str
    zh: str
    en: str


def broken_rows(source: Source, runner: Runner, offers: list[str], most: int) -> list[BrokenRow]:
    """Of the first ``most`` rows of each query that can be run without a value."""
    found: list[BrokenRow] = []
    for statement in _whole(runner, offers):
        seen: Counter[str] = Counter()
        unique = _UNIQUE.get(statement.entry.name, "")
        for key, values, unreadable in _rows(source, runner, statement, most):
            if unreadable is not None:
                column, zh, en = unreadable.column, unreadable.zh, unreadable.en
                found.append(BrokenRow(statement.spot, key, column, zh, en))
            elif unique:
                seen[str(values.get(unique))] += 1
        found += [
            BrokenRow(
                statement.spot,
                f"{unique}={value}",
                statement.rules.get(unique, Rule()).column or unique,
                f"有 {times} 行，应只有一行",
                f"stands in {times} rows and should in one",
            )
            for value, times in seen.items()
            if times > 1
        ]
    return found


def sampled(source: Source, runner: Runner, contract: str, most: int) -> list[str]:
    """Patient ids that stand in the contract's rows."""
    name = {"LabResults": "QueryLabMaster", "Patients": "FindPatients"}.get(contract, "visits")
    if not runner.mapping.has(contract, name) or runner.mapping.one(contract, name).sql.always:
        return []
    statement = runner.mapping.one(contract, name)
    rows = _rows(source, runner, statement, most * 20)
    ids = (values.get("PatientId") for _, values, unreadable in rows if unreadable is None)
    return list(dict.fromkeys(str(one) for one in ids if one))[:most]


def _whole(runner: Runner, offers: list[str]) -> Iterator[Statement]:
    for (contract, _), statements in runner.mapping.statements.items():
        for statement in statements:
            if contract in offers and statement.entry.kind == "rows" and not statement.sql.always:
                yield statement


def _rows(
    source: Source, runner: Runner, statement: Statement, most: int
) -> Iterator[tuple[str, Values, v.Unreadable | None]]:
    with source.connect() as connection:
        # Fetched as they are looked at: an unfiltered query would answer the whole table.
        connection = connection.execution_options(stream_results=True)
        result = runner.execute(connection, statement, {})
        columns = tuple(result.keys())
        made = plan(statement, columns)
        rows = result.fetchmany(most)
        result.close()
    for row in rows:
        key = row_key(statement, list(columns), row)
        try:
            values = read(made, row)
            _required(statement, values)
        except v.Unreadable as unreadable:
            yield key, {}, unreadable
        else:
            yield key, values, None


def _required(statement: Statement, values: dict[str, Any]) -> None:
    assert statement.entry.record is not None
    for field in statement.entry.record.fields:
        if not field.required or field.name in statement.entry.derived:
            continue
        assert isinstance(field.type, Scalar)
        nothing_is_no = field.type.python is Decimal or field.name in (
            *("Stopped", "Expert", "Returned", "Visited"),
        )
        if values.get(field.name) is None and not nothing_is_no:
            rule = statement.rules.get(field.name, Rule())
            raise v.Unreadable(rule.column or field.name, "不能为空", "must not be empty")
