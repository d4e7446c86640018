"""Tables written the way hospitals document them: "CLINIC_LABEL C16" is a column.

``C16`` is text of 16 bytes in GBK (8 Han characters), ``N5`` a whole number, ``N5,2`` a decimal
one, ``D`` a date with its time; a ``*`` before the name marks the primary key.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    Numeric,
    Select,
    String,
    Table,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

#: a select of any columns
Statement = Select[*tuple[Any, ...]]

_COLUMN = re.compile(r"(\*?)(\S+) (?:C(\d+)|N(\d+)(?:,(\d+))?|(D))")


class Moment(TypeDecorator[Any]):
    """A DATE column. SQLite holds it as text ``2026-11-21 08:30:00``: it is compared in that
    form (SQLAlchemy's own would append microseconds, and equal times would differ) and given to
    the adapter as it is stored; ``adapters.values.moment`` reads it."""

    impl = DateTime
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _written if dialect.name == "sqlite" else None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


class Amount(TypeDecorator[Any]):
    """A NUMBER(p,s) column, given to the adapter as the driver has it, so that one unreadable
    amount can be named; ``adapters.values.money`` reads it."""

    impl = Numeric
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


def table(metadata: MetaData, name: str, columns: str) -> Table:
    """A table of that name; ``columns`` are parted by commas or line breaks."""
    parts = [part.strip() for part in re.split(r",(?!\d+\b)|\n", columns)]
    return Table(name, metadata, *(_column(name, part) for part in parts if part))


def with_columns(base: Table, *names: str) -> Table:
    """The table together with what a site added to it: text columns of these names."""
    copy = base.to_metadata(MetaData())
    for name in names:
        if name and name not in copy.c:
            copy.append_column(Column(name, String))
    return copy


def gbk_length(text: str) -> int:
    """The bytes that a text takes in a GBK database (four for a character beyond GBK)."""
    return len(text.encode("gb18030"))


def _column(table_name: str, text: str) -> Column[Any]:
    match = _COLUMN.fullmatch(text)
    if match is None:
        raise ValueError(f"{table_name}: not a column: {text!r}")
    key, name, width, digits, scale, _ = match.groups()
    kind: TypeEngine[Any]
    if width:
        kind = String(int(width))
    elif scale:
        kind = Amount(int(digits), int(scale))
    elif digits:
        kind = Integer() if int(digits) <= 9 else BigInteger()
    else:
        kind = Moment()
    return Column(name, kind, primary_key=bool(key), autoincrement=False)


def _written(value: datetime | date | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return value.isoformat(" ")
