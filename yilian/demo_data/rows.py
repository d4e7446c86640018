"""Rows into a SQLite file: tables made, columns filled by name, CHARs padded, indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from adapters.columns import gbk_length


def create_tables(connection: sqlite3.Connection, metadata: MetaData) -> None:
    """Every table of an adapter's definitions, so that the two cannot drift apart."""
    dialect = sqlite.dialect()
    for table in metadata.tables.values():
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))


def insert(
    connection: sqlite3.Connection, table: str, columns: str, rows: Iterable[Sequence[Any]]
) -> None:
    """Rows whose values stand in the order of ``columns``, names parted by commas."""
    marks = ", ".join("?" * (columns.count(",") + 1))
    connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)


def padded(value: str | None, width: int) -> str | None:
    """As a CHAR(width) column of a GBK database gives it back."""
    return None if value is None else value + " " * (width - gbk_length(value))


def stored(moment: datetime | date | None) -> str | None:
    """A DATE column's value, which always has a time."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return moment.isoformat(" ")
