"""A hospital's code table, read whole and kept for a while: departments, staff, clinic types.

Kept in memory because codes and their tables are padded differently at some sites, so that a
join would miss them, and because they change once a month and are needed in every row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, String, column, select, table

from adapters.columns import Statement
from adapters.values import Unreadable, text

T = TypeVar("T")


class Dictionary(Generic[T]):
    """``statement`` selects the code first; ``convert`` makes an entry of a row, or None for
    none. ``seconds`` 0 reads it anew each time."""

    def __init__(
        self,
        statement: Statement,
        convert: Callable[[Sequence[Any]], T | None],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.statement = statement
        self._convert = convert
        self._seconds = seconds
        self._clock = clock
        self._kept: tuple[float, Mapping[str, T]] | None = None

    def read(self, connection: Connection) -> Mapping[str, T]:
        kept = self._kept
        now = self._clock()
        if kept is not None and now < kept[0]:
            return kept[1]
        entries: dict[str, T] = {}
        key_column = self.statement.selected_columns.keys()[0]
        for row in connection.execute(self.statement):
            try:
                code = text(row[0], key_column)
                entry = self._convert(row)
            except Unreadable as unreadable:
                unreadable.table = str(self.statement.get_final_froms()[0])
                unreadable.key = f"{key_column}={row[0]}"
                raise
            if code is not None and entry is not None:
                entries[code] = entry
        self._kept = (now + self._seconds, entries)
        return entries


def names(statement: Statement, seconds: float) -> Dictionary[str]:
    """A dictionary of code and name, the statement's two columns."""
    name_column = statement.selected_columns.keys()[1]
    return Dictionary(statement, lambda row: text(row[1], name_column), seconds)


def of_the_site(column_name: str, key: str, seconds: float) -> Dictionary[str] | None:
    """What a site keeps in a table of its own: ``column_name`` is TABLE.COLUMN, "" for none, and
    ``key`` the column of the codes."""
    if not column_name:
        return None
    name, text_column = column_name.split(".")
    code, said = column(key, String), column(text_column, String)
    return names(select(code, said).select_from(table(name, code, said)), seconds)


def named(code: Any, entries: Mapping[str, str], column: str) -> str | None:
    """The name of a code; the code itself where nobody named it."""
    found = text(code, column)
    return None if found is None else entries.get(found, found)
