"""A SQLite database copied to any other, table by table, through SQLAlchemy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    BigInteger,
    Engine,
    Integer,
    MetaData,
    create_engine,
    insert,
    inspect,
    make_url,
    select,
)
from sqlalchemy.types import NullType, TypeEngine

from adapters.drivers import DRIVERS, with_driver
from adapters.drivers.limits import Limits
from adapters.spelling import write_in_lower_case


def engine_of(url: str | URL, encoding: str = "") -> Engine:
    """An engine that may do everything, made as an adapter's is; ``encoding``: its
    text_encoding."""
    full = with_driver(make_url(url))
    return DRIVERS[full.drivername].engine(Limits(full, 2, 60, 10, False, encoding))


def _kind(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """SQLite's INTEGER is of any size."""
    assert not isinstance(kind, NullType)
    return BigInteger() if isinstance(kind, Integer) else kind.as_generic()


def _view(sql: str, names: list[str], target: Engine) -> str:
    """A view's statement with its names in the target's own quotes."""
    quote = target.dialect.identifier_preparer.quote_identifier
    return re.sub(r"\w+", lambda m: quote(m[0]) if m[0] in names else m[0], sql)


def copied(file: Path, url: str | URL, *, lower: bool = False, encoding: str = "") -> None:
    """``lower``: with every name in lower case; ``encoding``: as a source's text_encoding."""
    source, target = create_engine(f"sqlite:///{file}"), engine_of(url, encoding)
    if lower:
        target.connect().close()
        write_in_lower_case(target)
    metadata = MetaData()
    metadata.reflect(source)
    for table in metadata.tables.values():
        for column in table.c:
            column.type = _kind(column.type)
            column.server_default = None
            column.autoincrement = False
    tables = [one for one in metadata.sorted_tables if not one.name.startswith("YILIAN_DEMO")]
    with source.connect() as reader, target.begin() as writer:
        # Not asking first: the database is new, and MariaDB's ODBC driver now and then answers
        # a DESCRIBE of what is not there with no error text at all.
        metadata.create_all(writer, tables, checkfirst=False)
        for table in tables:
            rows = [dict(row) for row in reader.execute(select(table)).mappings()]
            for start in range(0, len(rows), 500):
                writer.execute(insert(table), rows[start : start + 500])
        names = {column.name for table in metadata.tables.values() for column in table.c}
        for name in inspect(reader).get_view_names():
            sql = inspect(reader).get_view_definition(name)
            words = [*names, *metadata.tables, name, "VISITID"]
            writer.exec_driver_sql(_view(sql, words, target))
    source.dispose()
    target.dispose()
