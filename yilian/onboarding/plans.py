"""Which index would help: tables that a statement reads whole although it filters them.

By EXPLAIN, on SQLite, PostgreSQL and MariaDB; other databases are not asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, table

from adapters.database import Source
from services.faults import ServerFault
from yilian.onboarding.statements import Sent

#: a table of fewer rows is read whole in no time
WORTH_AN_INDEX = 1000

_NAME = r'(?:"[^"]+"|`[^`]+`|\[[^\]]+\]|\w+)'
_TABLE = re.compile(
    rf"\b(?:FROM|JOIN|UPDATE|INTO)\s+({_NAME}(?:\.{_NAME})?)(?:\s+(?:AS\s+)?({_NAME}))?", re.I
)
_FILTER = re.compile(
    rf"(?:({_NAME})\.)?({_NAME})\s*(?:=|>=|<=|<|>|\bIN\b|\bLIKE\b)\s*\(?\s*(?:\?|%s|%\(|:|\$)", re.I
)
_WORDS = frozenset(
    {"WHERE", "ON", "SET", "LEFT", "RIGHT", "INNER", "OUTER", "CROSS", "JOIN", "ORDER", "GROUP"}
    | {"USING", "VALUES", "LIMIT", "UNION"}
)


@dataclass(frozen=True, slots=True)
class Advice:
    """``table`` has so many ``rows`` and is read whole for ``columns``."""

    table: str
    columns: tuple[str, ...]
    rows: int

    @property
    def ddl(self) -> str:
        return f"CREATE INDEX … ON {self.table} ({', '.join(self.columns)})"


def advise(source: Source, sent: Iterable[Sent]) -> list[Advice]:
    """What would help these statements, each table and columns once."""
    wanted: dict[tuple[str, tuple[str, ...]], None] = {}
    statements = {one.sql: one for one in sent if _reads(one.sql)}
    with source.connect() as connection:
        scanned = _SCANNED.get(connection.dialect.name)
        if scanned is None:
            return []
        for one in statements.values():
            tables, filters = tables_of(one.sql), filters_of(one.sql)
            for name in scanned(connection, one):
                real = tables.get(name.upper(), name)
                columns = [c for t, c in filters if t is None or tables.get(t.upper(), t) == real]
                if len(tables) > 1:  # which table has an unqualified column, nobody tells
                    columns = [c for t, c in filters if t and tables.get(t.upper(), t) == real]
                if columns:
                    wanted[real, tuple(dict.fromkeys(columns))] = None
    advice = []
    for real, columns_ in wanted:
        rows = _count(source, real)
        if rows >= WORTH_AN_INDEX:
            advice.append(Advice(real, columns_, rows))
    return sorted(advice, key=lambda each: -each.rows)


def tables_of(sql: str) -> dict[str, str]:
    """Tables by their alias and by their own name, in capitals."""
    found: dict[str, str] = {}
    for match in _TABLE.finditer(sql):
        name, alias = match[1], match[2]
        found[bare(name).upper()] = name
        if alias and alias.upper() not in _WORDS:
            found[bare(alias).upper()] = name
    return found


def filters_of(sql: str) -> list[tuple[str | None, str]]:
    """Columns compared with a value, each with its table's alias where that is written."""
    at = re.search(r"\bWHERE\b", sql, re.I)
    rest = sql[at.end() :] if at else ""
    return [(bare(m[1]) if m[1] else None, bare(m[2])) for m in _FILTER.finditer(rest)]


def bare(name: str) -> str:
    """A name without its quotes."""
    return name.strip('"`[]')


def _reads(sql: str) -> bool:
    # Tables of ours come with the indexes that they need.
    return sql.lstrip()[:6].upper() in ("SELECT", "WITH") and "YILIAN_" not in sql.upper()


def _count(source: Source, name: str) -> int:
    parts = [bare(part) for part in name.split(".")]
    counted = table(parts[-1], schema=".".join(parts[:-1]) or None)
    try:
        with source.connect() as connection:
            return int(connection.scalar(select(func.count()).select_from(counted)) or 0)
    except ServerFault:
        return 0  # a subquery's alias, or a view too slow to be counted: no advice about it


def _sqlite(connection: Connection, one: Sent) -> list[str]:
    result = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.sql}", one.parameters)
    lines = [str(row[-1]) for row in result]
    return [
        match[1]
        for line in lines
        if (match := re.match(r"SCAN (?:TABLE )?(\S+)", line)) and "USING" not in line
    ]


def _postgresql(connection: Connection, one: Sent) -> list[str]:
    answer = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {one.sql}", one.parameters).scalar()
    plans = json.loads(answer) if isinstance(answer, str) else answer
    found: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        if node.get("Node Type") == "Seq Scan" and "Filter" in node:
            found.append(str(node.get("Alias") or node["Relation Name"]))
        for inner in node.get("Plans", []):
            walk(inner)

    for plan in plans or []:
        walk(plan["Plan"])
    return found


def _mariadb(connection: Connection, one: Sent) -> list[str]:
    rows = connection.exec_driver_sql(f"EXPLAIN {one.sql}", one.parameters).mappings()
    return [str(row["table"]) for row in rows if row["type"] == "ALL" and row["table"]]


_SCANNED: dict[str, Callable[[Connection, Sent], list[str]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mariadb": _mariadb,
    "mysql": _mariadb,
}
