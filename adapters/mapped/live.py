"""A mapping against its database: every statement prepared, every field looked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.database import Source
from adapters.mapped.mapping import MappingFile, Statement
from adapters.mapped.problems import Problem
from adapters.mapped.rows import plan
from adapters.mapped.running import Runner, spellings
from adapters.mapped.vocabulary import ENTRIES
from services.contract import Code, Count, Scalar
from services.faults import SourceError, SourceTimeout, SourceUnavailable

#: databases that tell a statement's plan, and so whether it is right, without running it
_EXPLAINS = ("sqlite", "postgresql", "mariadb", "mysql")
#: those of them that do not where nothing may be written
_BLIND = ("mariadb", "mysql")
#: statements whose plan tells whether they are right; any other may be a procedure
_WRITES = ("UPDATE", "INSERT", "DELETE")


def lacking(mapping: MappingFile, offers: list[str]) -> list[Problem]:
    """Statements that the offered contracts need and the mapping has not."""
    problems = []
    needed = set(offers)
    if "Registration" in needed:
        needed |= {"NumberSource", "Patients"}
    for contract in [one for one in ENTRIES if one in needed]:
        for entry in ENTRIES[contract].values():
            if entry.required and not mapping.has(contract, entry.name):
                problems.append(
                    Problem(
                        mapping.text.spot(contract, entry.name),
                        f"缺少此语句（{entry.zh}）",
                        f"this statement is missing ({entry.en})",
                    )
                )
    if not problems:
        problems += _shared(mapping, needed, offers)
    return problems


def _shared(mapping: MappingFile, needed: set[str], offers: list[str]) -> Iterator[Problem]:
    """Parameters that a statement needs because it serves a second operation too."""
    wanted: list[tuple[str, str, str, str]] = []
    if "NumberSource" in needed:
        query = "QueryNumberSource"
        if not mapping.has("NumberSource", "GetNumberSource"):
            wanted.append(("NumberSource", query, "ScheduleId", "GetNumberSource"))
        if "Registration" in offers:
            wanted.append(("NumberSource", query, "SinceDate", "ListStopNotices"))
    if "LabResults" in needed:
        for name in ("GetLabResult", "MarkLabPrinted"):
            if mapping.has("LabResults", name):
                wanted.append(("LabResults", "QueryLabMaster", "TestNo", name))
    for contract, name, parameter, operation in wanted:
        statement = mapping.one(contract, name)
        packed = mapping.rule(contract, name, "ScheduleId").pack
        names = set(packed) if parameter == "ScheduleId" and packed else {parameter}
        if not names & set(statement.sql.names):
            yield Problem(
                statement.spot,
                f"也用于 {operation}，须有 [? AND 列 = :{parameter} ?]",
                f"serves {operation} as well and needs a [? AND COLUMN = :{parameter} ?]",
            )


def refusals(source: Source, runner: Runner, offers: list[str]) -> list[Problem]:
    """What the database says of each statement, and the fields that nothing gives. Raises
    SourceUnavailable or SourceTimeout where it says nothing."""
    needed = set(offers) | ({"NumberSource", "Patients"} if "Registration" in offers else set())
    problems: list[Problem] = []
    for (contract, _), statements in runner.mapping.statements.items():
        if contract not in needed:
            continue
        known = _Known(spellings(statements))
        for statement in statements:
            problems += _refused(source, runner, statement, known)
    return problems


class _Known:
    """What the steps before have answered; ``all``: and nothing else, as far as can be told."""

    def __init__(self, spelled: dict[str, str]) -> None:
        self._spelled = spelled
        self.values: dict[str, Any] = {}
        self.all = True

    def answers(self, columns: Iterable[str]) -> None:
        self.values |= {self._spelled.get(one.upper(), one): 1 for one in columns}


def _refused(source: Source, runner: Runner, statement: Statement, known: _Known) -> list[Problem]:
    given = {**sample(statement), **known.values}
    try:
        columns = _columns(source, runner, statement, given)
    except (SourceUnavailable, SourceTimeout):
        raise
    except SourceError as error:
        return [Problem(statement.spot, error.zh, error.en)]
    if columns is None and statement.sql.verb not in _WRITES:
        known.all = False  # a procedure, of which nothing is known before it runs
    known.answers(columns or ())
    if columns is None or statement.entry.kind != "rows":
        unknown = [name for name in statement.sql.names if name not in given and known.all]
        return [
            Problem(
                statement.spot,
                f":{name} 既不是本步的参数，也不是前面语句的列",
                f":{name} is no parameter here and no column of an earlier statement",
            )
            for name in unknown
        ]
    return list(_fields(statement, columns))


def _columns(
    source: Source, runner: Runner, statement: Statement, given: dict[str, Any]
) -> tuple[str, ...] | None:
    """The columns of a query: of a contract's, which is asked for what no row has; of a step's,
    which may be a function that writes or a sequence, without running it. None for what writes,
    whose plan alone is asked for, and for what cannot be known before it runs."""
    name = source.config.url.get_backend_name()
    sql = statement.sql
    if sql.reads and (statement.entry.kind == "rows" or name == "sqlite"):
        with source.connect() as connection:
            return tuple(runner.execute(connection, statement, given).keys())
    if name not in _EXPLAINS:
        return None
    if sql.reads:
        with suppress(SourceError), source.connect() as connection:
            described = replace(statement, sql=sql.described())
            return tuple(runner.execute(connection, described, given).keys())
    blind = source.config.read_only and name in _BLIND
    if sql.reads or (sql.verb in _WRITES and not blind):
        with source.connect() as connection:
            runner.execute(connection, statement, given, explain=True).close()
    return None


def _fields(statement: Statement, columns: tuple[str, ...]) -> Iterator[Problem]:
    made = plan(statement, columns)
    there = ", ".join(columns)
    for field, column in made.absent:
        yield Problem(
            statement.spot,
            f"字段 {field} 的列 {column} 不在结果中；结果的列：{there}",
            f"field {field}: no column {column} in the result; it has: {there}",
        )
    named = {field for field, _ in made.absent}
    for field in made.lacking:
        follows = set(statement.entry.derived.get(field, ())) & {*made.lacking, *named}
        if field not in named and not follows:
            yield Problem(
                statement.spot,
                f"必填字段 {field} 没有列：请在语句中写 AS {field}，或在 fields 中指明",
                f"required field {field} has no column: write AS {field}, or name it in fields",
            )


def sample(statement: Statement) -> dict[str, Any]:
    """Values that no row has, of the right types, one for each parameter."""
    values: dict[str, Any] = {}
    for field in statement.entry.parameters:
        assert isinstance(field.type, Scalar)
        kind, facet = field.type.python, field.type.facet
        if isinstance(facet, Code):
            values[field.name] = next(iter(facet.table))
        elif kind is int:
            values[field.name] = facet.minimum if isinstance(facet, Count) else 0
        elif kind is str:
            values[field.name] = "0"
        else:
            values[field.name] = {
                date: date(1900, 1, 1),
                datetime: datetime(1900, 1, 1),
                Decimal: Decimal("0.00"),
            }[kind]
    parts = {name for rule in statement.rules.values() for name in rule.pack}
    if parts:
        values.pop("ScheduleId", None)
    return values | dict.fromkeys(parts, "0")
