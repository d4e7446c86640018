"""Mapped statements run: queries into values, writes step by step under their guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.types import NullType

from adapters import values as v
from adapters.database import Source
from adapters.keys import unpack
from adapters.mapped.mapping import MappingFile, Statement
from adapters.mapped.rows import Values, plan, read
from adapters.mapped.rules import Rule
from services.contract import Scalar
from services.faults import SourceError

#: keys tried by a statement that counts up; so many others would have to come first at once
_TRIES = 50


#: databases that compare a number with any text
_LENIENT = ("sqlite", "mysql", "mariadb")


class Unpackable(Exception):
    """An id that this hospital never gave."""


class Runner:
    """The statements of one mapping over one source."""

    def __init__(self, source: Source, mapping: MappingFile) -> None:
        self._source = source
        self.mapping = mapping

    def rows(
        self, connection: Connection, contract: str, name: str, given: Mapping[str, Any]
    ) -> list[Values]:
        """What a query answers. A row that cannot be read is a SourceError that names it; a
        procedure's first row may be the fault that it stands for."""
        statement = self.mapping.one(contract, name)
        try:
            result = self.execute(connection, statement, given)
        except Unpackable:
            return []
        columns = list(result.keys())
        rows = result.all()
        self._refused(statement, columns, rows[0] if rows else None)
        made = plan(statement, tuple(columns))
        found = []
        for row in rows:
            try:
                found.append(read(made, row))
            except v.Unreadable as unreadable:
                raise self.broken(statement, columns, row, unreadable) from None
        return found

    def value(
        self, connection: Connection, contract: str, name: str, given: Mapping[str, Any]
    ) -> Any:
        """A query's first value; None without a row."""
        statement = self.mapping.one(contract, name)
        try:
            result = self.execute(connection, statement, given)
        except Unpackable:
            return None
        columns = list(result.keys())
        row = result.first()
        self._refused(statement, columns, row)
        return None if row is None else row[0]

    def steps(
        self, connection: Connection, contract: str, name: str, given: Mapping[str, Any]
    ) -> Values | None:
        """A write: its statements in turn, each with the values that the earlier ones answered.
        None: one changed fewer rows than it must, and has no fault of its own for that."""
        known: Values = dict(given)
        statements = self.mapping.statements[contract, name]
        spelled = spellings(statements)
        for statement in statements:
            try:
                result = self._counted(connection, statement, known)
            except Unpackable:
                return None
            if result.returns_rows:
                columns = list(result.keys())
                row = result.first()
                self._refused(statement, columns, row)
                if row is not None:
                    names = (spelled.get(column.upper(), column) for column in columns)
                    known |= dict(zip(names, row, strict=True))
                continue
            if statement.rows is not None and result.rowcount != statement.rows:
                self._guard(statement, result.rowcount)
                return None
        return known

    def execute(
        self,
        connection: Connection,
        statement: Statement,
        given: Mapping[str, Any],
        *,
        explain: bool = False,
    ) -> CursorResult[Any]:
        """One statement, or what the database says of its plan."""
        values = {name: one for name, one in given.items() if one is not None}
        self._unpack(statement, values)
        bound = {
            name: self._bound(statement, name, value)
            for name, value in values.items()
            if name in statement.sql.names
        }
        sql = statement.sql.explained() if explain else statement.sql
        if not self._is_odd(connection, bound):
            return connection.execute(sql.clause(bound))
        try:
            with connection.begin_nested():
                return connection.execute(sql.clause(bound))
        except DataError:
            # The column holds numbers, and what was asked for is none: no row has it.
            raise Unpackable from None

    def broken(
        self,
        statement: Statement,
        columns: list[str],
        row: Sequence[Any],
        unreadable: v.Unreadable,
    ) -> SourceError:
        """The SourceError for a row, named by its key: the first column that is one."""
        return self._source.broken_row(
            f"（{statement.entry.contract}.{statement.entry.name}）",
            row_key(statement, columns, row),
            unreadable,
        )

    # --- inside -----------------------------------------------------------------------------------

    def _is_odd(self, connection: Connection, bound: Mapping[str, tuple[Any, Any]]) -> bool:
        """Whether a text is asked for that a column of numbers cannot hold, on a database that
        makes an error of it."""
        if connection.dialect.name in _LENIENT:
            return False
        texts = [value for value, _ in bound.values() if isinstance(value, str)]
        return any(not (text.isdecimal() and len(text) <= 9) for text in texts)

    def _unpack(self, statement: Statement, values: Values) -> None:
        """The parts of a ScheduleId, by the columns that it was made of."""
        names = statement.rules.get("ScheduleId", Rule()).pack
        if not names or "ScheduleId" not in values:
            return
        parts = unpack(str(values["ScheduleId"]))
        if parts is None or len(parts) != len(names):
            raise Unpackable
        values |= dict(zip(names, parts, strict=True))

    def _bound(self, statement: Statement, name: str, value: Any) -> tuple[Any, Any]:
        for field in statement.entry.parameters:
            if field.name == name and isinstance(field.type, Scalar):
                return statement.rules.get(name, Rule()).written(value, field.type)
        return value, NullType()

    def _counted(
        self, connection: Connection, statement: Statement, known: Values
    ) -> CursorResult[Any]:
        """The statement; one that counts up is tried again under the next key as long as another
        row has it, and leaves the key that it found."""
        if not statement.counts_up:
            return self.execute(connection, statement, known)
        name = statement.counts_up
        width = len(known[name]) if isinstance(known.get(name), str) else 0
        for tries in range(_TRIES):
            try:
                with connection.begin_nested():
                    return self.execute(connection, statement, known)
            except IntegrityError:
                if tries == _TRIES - 1:
                    raise
                following = int(known[name]) + 1
                known[name] = str(following).zfill(width) if width else following
        raise AssertionError("unreachable")

    def _refused(self, statement: Statement, columns: list[str], row: Sequence[Any] | None) -> None:
        """The fault that a procedure's first row stands for, if it is one."""
        fails = statement.fails
        if fails is None or row is None:
            return
        upper = [column.upper() for column in columns]

        def at(column: int | str) -> Any:
            index = column - 1 if isinstance(column, int) else upper.index(column.upper())
            return row[index] if index < len(row) else None

        if (v.text(at(fails.column), "") or "") in fails.values:
            why = v.text(at(fails.message), "") or "—"
            raise self._source.fault(
                fails.fault,
                f"医院 {self._source.hospital} 的系统拒绝：{why}",
                f"The system of hospital {self._source.hospital} refuses: {why}",
            )

    def _guard(self, statement: Statement, changed: int) -> None:
        """The fault of a guard that failed; none where the step's own meaning tells."""
        assert statement.rows is not None
        where = self._source.hospital
        if changed <= statement.rows and statement.otherwise is not None:
            zh, en = statement.message
            raise self._source.fault(
                statement.otherwise,
                zh or f"医院 {where} 的该记录已不是所需的状态。请查询后重试。",
                en or f"That record of hospital {where} is not in the state needed. Query anew.",
            )
        if changed > statement.rows:
            raise self.wrong_rows(statement, changed)

    def wrong_rows(self, statement: Statement, changed: int) -> SourceError:
        spot = statement.spot
        return self._source.fault(
            SourceError,
            f"{spot.zh} 改动了 {changed} 行，应为 {statement.rows} 行；已全部撤销。"
            "请更正映射或数据。",
            f"{spot.en} changed {changed} rows and should change {statement.rows}; all was "
            "undone. Correct the mapping or the rows.",
        )


def spellings(statements: Iterable[Statement]) -> dict[str, str]:
    """Parameters by their capitals: databases change the case of a column's name."""
    names = {name.upper(): name for one in statements for name in one.sql.names}
    return {"KEY": "Key", **names}


#: fields that say which row it is, and never who
_KEYS = ("ScheduleId", "TestNo", "ItemNo", "Key", "PatientId", "ItemCode")


def row_key(statement: Statement, columns: list[str], row: Sequence[Any]) -> str:
    """A row's key as ``TestNo=2611210001``; no name or number of a person."""
    upper = [column.upper() for column in columns]
    known = {field.name for field in statement.entry.fields}
    for name in _KEYS:
        if name not in known:
            continue
        rule = statement.rules.get(name, Rule())
        parts = [one for one in rule.pack or (rule.column or name,) if one.upper() in upper]
        if parts:
            return ", ".join(f"{one}={row[upper.index(one.upper())]}" for one in parts)
    return "?"
