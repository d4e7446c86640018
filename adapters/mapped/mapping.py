"""A mapping file: read, checked as far as that goes without the database, and as data.

docs/mapped.md tells of every key. What is wrong is raised as WrongMapping, all of it at once.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.mapped.problems import Problem, Spot, Text, WrongMapping
from adapters.mapped.rule_tables import RULE_KEYS, RuleTables
from adapters.mapped.rules import Rule
from adapters.mapped.sql import BadSql, Sql
from adapters.mapped.vocabulary import ENTRIES, Entry
from services.contract import Field
from services.faults import Conflict, Fault, InvalidArgument, NotFound, SourceError

#: what a statement may answer when it refuses
FAULTS: dict[str, type[Fault]] = {
    "Conflict": Conflict,
    "NotFound": NotFound,
    "InvalidArgument": InvalidArgument,
    "SourceError": SourceError,
}
#: keys of a statement's table, and of its ``fails``
STATEMENT_KEYS = ("sql", "fields", "expect_rows", "otherwise", "message", "fails", "counts_up")
FAILS_KEYS = ("column", "values", "message", "fault")
#: keys of a contract's table that are no statements
SWITCHES = {"Registration": ("number_is_place",)}


@dataclass(frozen=True)
class Fails:
    """A first row that says that a procedure refused: in ``column`` stands one of ``values``, and
    in ``message`` why. Columns are numbers from 1, or names."""

    column: int | str
    values: tuple[str, ...]
    message: int | str
    fault: type[Fault]


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement. ``rows``: what it must change (None: any number); ``otherwise``: the fault
    if it changes fewer, None: by the step's own meaning."""

    entry: Entry
    spot: Spot
    sql: Sql
    rules: Mapping[str, Rule]
    rows: int | None = None
    otherwise: type[Fault] | None = None
    message: tuple[str, str] = ("", "")
    fails: Fails | None = None
    counts_up: str = ""


@dataclass(frozen=True)
class MappingFile:
    """``statements`` by contract and name; ``packs``: the columns that a ScheduleId is made of,
    by contract."""

    text: Text
    statements: Mapping[tuple[str, str], tuple[Statement, ...]]
    number_is_place: bool

    def one(self, contract: str, name: str) -> Statement:
        return self.statements[contract, name][0]

    def has(self, contract: str, name: str) -> bool:
        return (contract, name) in self.statements

    def rule(self, contract: str, name: str, field: str) -> Rule:
        return self.one(contract, name).rules.get(field, Rule())


def load_mapping(file: Path) -> MappingFile:
    """Raises WrongMapping."""
    spot = Spot(str(file), 1, "-")
    try:
        written = file.read_text("utf-8")
        data = tomllib.loads(written)
    except (OSError, UnicodeDecodeError) as error:
        raise WrongMapping([Problem(spot, f"无法读取：{error}", f"unreadable: {error}")]) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        spot = Spot(str(file), int(line[1]) if line else written.count("\n") + 1, "-")
        hint = "；键中有汉字时要加引号" if "Invalid" in str(error) else ""
        raise WrongMapping(
            [Problem(spot, f"不是有效的 TOML{hint}：{error}", f"not valid TOML: {error}")]
        ) from None
    return _Reading(Text(file, written), data).mapping()


class _Reading:
    """One reading of a file; ``problems`` grows on the way."""

    def __init__(self, text: Text, data: Mapping[str, Any]) -> None:
        self.text = text
        self.data = data
        self.problems: list[Problem] = []
        self.rules = RuleTables(self.wrong)
        self.statements: dict[tuple[str, str], tuple[Statement, ...]] = {}

    def wrong(self, way: Iterable[str | int], zh: str, en: str) -> None:
        self.problems.append(Problem(self.text.spot(*way), zh, en))

    def mapping(self) -> MappingFile:
        for key, value in self.data.items():
            if key == "fields":
                every = [field for group in ENTRIES.values() for field in _fields(group.values())]
                self.rules.read(("fields",), value, every)
            elif key in ENTRIES:
                self._contract(key, value)
            else:
                self._unknown((key,), key, ["fields", *ENTRIES])
        number_is_place = False
        registration = self.data.get("Registration")
        if isinstance(registration, dict):
            number_is_place = registration.get("number_is_place", False)
            if not isinstance(number_is_place, bool):
                self.wrong(("Registration", "number_is_place"), "应为 true 或 false", "a boolean")
        self._shared_parameters()
        if self.problems:
            raise WrongMapping(sorted(self.problems, key=lambda one: one.spot.line))
        return MappingFile(self.text, self.statements, number_is_place)

    def _contract(self, contract: str, value: Any) -> None:
        entries = ENTRIES[contract]
        if not isinstance(value, dict):
            self.wrong((contract,), "应为表", "should be a table")
            return
        if "fields" in value:
            self.rules.read((contract, "fields"), value["fields"], _fields(entries.values()))
        for name, written in value.items():
            if name in entries:
                self._entry(entries[name], written)
            elif name != "fields" and name not in SWITCHES.get(contract, ()):
                known = [*entries, "fields", *SWITCHES.get(contract, ())]
                self._unknown((contract, name), name, known)

    def _entry(self, entry: Entry, written: Any) -> None:
        way = (entry.contract, entry.name)
        if not isinstance(written, list):
            made = self._statement(entry, written, way)
            self.statements[way] = (made,) if made else ()
            return
        if entry.kind != "steps":
            self.wrong(way, "只能有一条语句", "takes one statement")
            return
        if not written:
            self.wrong(way, "没有语句", "holds no statement")
        steps = [
            self._statement(entry, one, (*way, index), last=index == len(written) - 1)
            for index, one in enumerate(written)
        ]
        self.statements[way] = tuple(one for one in steps if one)
        if self.statements[way]:
            used = {name for one in self.statements[way] for name in one.sql.names}
            self._needs(entry, way, used)

    def _statement(
        self, entry: Entry, written: Any, way: tuple[str | int, ...], *, last: bool = True
    ) -> Statement | None:
        table = {"sql": written} if isinstance(written, str) else written
        at = way if isinstance(written, str) else (*way, "sql")
        if not isinstance(table, dict) or not isinstance(table.get("sql"), str):
            self.wrong(at, "应为 SQL 文字，或含 sql 的表", "should be SQL, or a table with sql")
            return None
        for key in table:
            if key not in STATEMENT_KEYS:
                self._unknown((*way, key), key, STATEMENT_KEYS)
        try:
            sql = Sql(table["sql"])
        except BadSql as bad:
            self.wrong(at, bad.zh, bad.en)
            return None
        own = table.get("fields", {})
        if "fields" in table:
            self.rules.read((*way, "fields"), own, _fields([entry]))
        rules = self.rules.of(entry, self.data, own)
        statement = Statement(
            entry,
            self.text.spot(*at),
            sql,
            rules,
            *self._guard(entry, table, way, sql),
            self._fails(table.get("fails"), (*way, "fails")) if "fails" in table else None,
            self._counts_up(table, way, sql),
        )
        if entry.kind != "steps":
            self._names(entry, at, sql, rules)
            if len(way) == 2:
                self._needs(entry, at, set(sql.names))
            if not (sql.reads or sql.verb in ("EXEC", "EXECUTE", "CALL")):
                self.wrong(at, f"应为查询，而不是 {sql.verb}", f"should be a query, not {sql.verb}")
        elif len(way) == 2:
            self._names(entry, at, sql, rules)
            self._needs(entry, at, set(sql.names))
        elif way[-1] == 0:
            # A later one may use what an earlier one answered, which only the database knows.
            self._names(entry, at, sql, rules)
        return statement

    def _names(self, entry: Entry, at: Any, sql: Sql, rules: Mapping[str, Rule]) -> None:
        known = [one.name for one in entry.parameters]
        known += [part for rule in rules.values() for part in rule.pack]
        for name in sql.names:
            if name not in known:
                self._unknown(at, f":{name}", [f":{one}" for one in known])

    def _needs(self, entry: Entry, at: Any, used: set[str]) -> None:
        rule = self.rules.of(entry, self.data, {}).get("ScheduleId", Rule())
        for name in entry.needs:
            if name not in used and not (name == "ScheduleId" and set(rule.pack) & used):
                self.wrong(
                    at,
                    f"没有使用参数 :{name}，会答出或改动不该涉及的行",
                    f"does not use :{name} and would answer or change rows of others",
                )

    def _guard(
        self, entry: Entry, table: Mapping[str, Any], way: tuple[str | int, ...], sql: Sql
    ) -> tuple[int | None, type[Fault] | None, tuple[str, str]]:
        rows = entry.rows if sql.verb in ("UPDATE", "INSERT", "DELETE", "MERGE") else None
        if "expect_rows" in table:
            wanted = table["expect_rows"]
            if wanted != "any" and (type(wanted) is not int or wanted < 0):
                self.wrong((*way, "expect_rows"), "应为行数或 any", "should be a number or any")
                wanted = "any"
            rows = None if wanted == "any" else wanted
        otherwise = None
        if "otherwise" in table:
            otherwise = FAULTS.get(str(table["otherwise"]))
            if otherwise is None:
                self._unknown((*way, "otherwise"), table["otherwise"], FAULTS)
        zh, _, en = str(table.get("message", "")).partition(" / ")
        return rows, otherwise, (zh, en or zh)

    def _fails(self, table: Any, way: tuple[str | int, ...]) -> Fails | None:
        if not isinstance(table, dict):
            self.wrong(way, "应为表", "should be a table")
            return None
        for key in table:
            if key not in FAILS_KEYS:
                self._unknown((*way, key), key, FAILS_KEYS)
        fault = FAULTS.get(str(table.get("fault", "Conflict")))
        if fault is None:
            self._unknown((*way, "fault"), table["fault"], FAULTS)
        values = table.get("values")
        if not isinstance(values, list) or not values:
            self.wrong((*way, "values"), '应为取值的数组，如 ["F"]', 'should be a list as ["F"]')
            values = []
        columns = table.get("column", 1), table.get("message", 2)
        for key, column in zip(("column", "message"), columns, strict=True):
            if not isinstance(column, int | str) or column == 0:
                self.wrong((*way, key), "应为列名，或从 1 起的序号", "a column, or its number")
        return Fails(columns[0], tuple(map(str, values)), columns[1], fault or Conflict)

    def _counts_up(self, table: Mapping[str, Any], way: tuple[str | int, ...], sql: Sql) -> str:
        name = table.get("counts_up", "")
        if name and name not in sql.names:
            self.wrong(
                (*way, "counts_up"),
                f"语句中没有 :{name}",
                f"the statement has no :{name}",
            )
        return str(name)

    def _shared_parameters(self) -> None:
        """A statement that serves several operations must do without what only some give."""
        for (contract, name), always in self._given().items():
            for statement in self.statements.get((contract, name), ()):
                for parameter in sorted(statement.sql.always - always):
                    if all(parameter != one.name for one in statement.entry.parameters):
                        continue  # unknown, which is said already; or a part of ScheduleId
                    self.problems.append(
                        Problem(
                            statement.spot,
                            f":{parameter} 并非每次都给出，应写在 [? ?] 中，"
                            f"如 [? AND 列 = :{parameter} ?]",
                            f":{parameter} is not always given and must stand in [? ?], "
                            f"as in [? AND COLUMN = :{parameter} ?]",
                        )
                    )

    def _given(self) -> dict[tuple[str, str], set[str]]:
        """What each query is always given, by how it is used."""
        shared = ("NumberSource", "GetNumberSource") not in self.statements
        registers = "Registration" in self.data
        sessions = set() if shared or registers else {"ScheduleDate"}
        query = self.statements.get(("LabResults", "QueryLabMaster"))
        by_number = bool(query) and "TestNo" in query[0].sql.names if query else False
        return {
            ("NumberSource", "QueryNumberSource"): sessions,
            ("NumberSource", "GetNumberSource"): {"ScheduleId"},
            ("Patients", "FindPatients"): set(),
            ("LabResults", "QueryLabMaster"): set() if by_number else {"PatientId"},
            ("Registration", "visits"): set(),
        }

    def _unknown(self, way: Any, name: object, known: Iterable[str]) -> None:
        known = list(dict.fromkeys(known))
        near = difflib.get_close_matches(str(name), known, 1)
        hint_zh = f"；是不是 {near[0]}？" if near else ""
        hint_en = f"; did you mean {near[0]}?" if near else ""
        self.wrong(
            way,
            f"没有 {name}；可用：{'、'.join(known)}{hint_zh}",
            f"there is no {name}; there are: {', '.join(known)}{hint_en}",
        )


def _fields(entries: Iterable[Entry]) -> list[Field]:
    """Fields and parameters of these, those of one name in every entry."""
    return [field for entry in entries for field in (*entry.fields, *entry.parameters)]


__all__ = ["FAILS_KEYS", "FAULTS", "RULE_KEYS", "STATEMENT_KEYS", "SWITCHES", "load_mapping"]
