"""Rows whose number is one more than the highest: the primary key decides who gets which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

#: numbers tried; so many others would have to come first in one moment
_TRIES = 50


def insert_next(
    connection: Connection,
    column: Column[Any],
    values: Mapping[str, Any],
    *within: ColumnElement[bool],
) -> int:
    """Insert a row under the next free number of ``column`` among the rows ``within``, and tell
    it. The highest number is only where the search begins: a number that somebody else takes at
    the same moment is refused by the primary key, and the next one tried."""
    highest = connection.scalar(select(func.max(column)).where(*within))
    first = int(highest or 0) + 1
    for number in range(first, first + _TRIES):
        try:
            with connection.begin_nested():
                connection.execute(insert(column.table).values({**values, column.name: number}))
            return number
        except IntegrityError:
            if number == first + _TRIES - 1:
                raise
    raise AssertionError("unreachable")
