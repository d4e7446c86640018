"""What else drivers do in their own way: booleans, names of columns, sessions passed on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, Table, insert, select, text

from tests.databases.targets import TARGETS, Target

pytestmark = pytest.mark.full

T = Table(
    "T",
    MetaData(),
    Column("N", Integer, primary_key=True, autoincrement=False),
    Column("YES", Boolean),
)


def test_a_boolean_is_one_also_where_the_statement_is_plain_text(
    target: Target, database: str
) -> None:
    """psqlODBC answers '1' and '0' as text where it is not told otherwise, and '0' is true."""
    with target.source(database) as source, source.transaction() as connection:
        T.create(connection, checkfirst=False)
        connection.execute(insert(T), [{"N": 0, "YES": False}, {"N": 1, "YES": True}])
        quote = '"' if target.is_postgresql else "`"
        plain = text(f"SELECT {quote}YES{quote} FROM {quote}T{quote} ORDER BY 1")
        found: list[Any] = list(connection.execute(plain).scalars())
        assert [bool(one) for one in found] == [False, True]
        assert all(isinstance(one, bool | int) for one in found)
        assert list(connection.execute(select(T.c.YES).order_by(T.c.N)).scalars()) == [False, True]


@pytest.mark.parametrize("drivername", [name for name in TARGETS if name.startswith("postgresql")])
@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_a_column_with_a_chinese_name_where_the_database_knows_no_encoding(
    drivername: str, encoding: str
) -> None:
    """The ANSI driver hands such names on with NULs behind them."""
    target = Target(drivername)
    database = target.server.database("ENCODING 'SQL_ASCII'")
    with (
        target.source(database, text_encoding=encoding) as source,
        source.transaction() as connection,
    ):
        result = connection.execute(text("SELECT 1 AS 患者姓名, 2 AS 号"))
        assert list(result.keys()) == ["患者姓名", "号"]
        assert result.one() == (1, 2)


def test_a_session_is_not_passed_on(target: Target, database: str) -> None:
    """The driver manager's own pool would give one source the other's read-only session."""
    with target.source(database, read_only=True) as reader, reader.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    with target.source(database) as writer, writer.transaction() as connection:
        T.create(connection, checkfirst=False)
    if "pyodbc" in target.drivername:
        import pyodbc

        assert pyodbc.pooling is False
