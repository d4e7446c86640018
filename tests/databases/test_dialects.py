"""URLs, driver options, compiled SQL and errors of every driver, where no server is needed: what
Oracle and SQL Server are held by, since no such server can be had here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import oracledb
import psycopg
import pymysql
import pyodbc
import pytest
from sqlalchemy import Engine, insert, make_url, select

from adapters import junwei
from adapters.columns import table
from adapters.drivers import DRIVERS, mariadb, mssql, odbc, oracle, postgresql, with_driver
from adapters.drivers.limits import Limits
from adapters.ledger import REQUEST
from services.faults import Overloaded, SourceError, SourceTimeout, SourceUnavailable

URLS = {
    "postgresql+psycopg": "postgresql://u:p@db:5433/his",
    "postgresql+pyodbc": "postgresql+pyodbc://u:p@db:5433/his",
    "mariadb+pymysql": "mariadb://u:p@db:3307/his",
    "mysql+pymysql": "mysql://u:p@db/his",
    "mariadb+pyodbc": "mariadb+pyodbc://u:p@db/his",
    "mysql+pyodbc": "mysql+pyodbc://u:p@db/his",
    "oracle+oracledb": "oracle://u:p@db:1522/?service_name=his",
    "mssql+pyodbc": "mssql://u:p@db:1433/his?driver=FreeTDS",
    "sqlite+pysqlite": "sqlite:///his.db",
}
REMOTE = [name for name in URLS if not name.startswith("sqlite")]


def limits(url: str, **changes: Any) -> Limits:
    given = {"connections": 3, "statement_seconds": 2.5, "login_seconds": 4.0, "read_only": True}
    return Limits(with_driver(make_url(url)), **{**given, **changes})


def engine(name: str) -> Engine:
    return DRIVERS[name].engine(limits(URLS[name]))


def compiled(statement: Any, name: str) -> str:
    return " ".join(str(statement.compile(dialect=engine(name).dialect)).split())


def test_every_driver_is_told_of_here_and_in_the_docs() -> None:
    assert set(URLS) == set(DRIVERS)
    docs = (Path(__file__).parents[2] / "docs" / "databases.md").read_text("utf-8")
    for name in DRIVERS:
        assert f"`{name}`" in docs


@pytest.mark.parametrize("name", URLS)
def test_a_plain_url_finds_its_driver(name: str) -> None:
    assert with_driver(make_url(URLS[name])).drivername == name


@pytest.mark.parametrize("name", REMOTE)
def test_the_pool_is_what_was_asked_for(name: str) -> None:
    pool: Any = engine(name).pool
    assert (pool.size(), pool._max_overflow, pool._timeout) == (3, 0, 4.0)


@pytest.mark.parametrize("name", URLS)
def test_our_sql_compiles(name: str) -> None:
    c = junwei.tables.CLINIC_FOR_REGIST.c
    chosen = select(c.CLINIC_LABEL, c.REGIST_PRICE).where(datetime(2026, 11, 21) == c.CLINIC_DATE)
    text = compiled(chosen.where(c.TIME_DESC.in_(["上午"])).limit(10), name)
    assert "CLINIC_LABEL" in text and "WHERE" in text
    assert "YILIAN_REQUEST" in compiled(insert(REQUEST), name)
    odd = table(junwei.tables.METADATA.__class__(), "病人信息", "*病人编号 C16, 姓名 C20")
    text = compiled(select(odd.c.姓名).where(odd.c.病人编号 == "1"), name)
    assert "病人信息" in text and "姓名" in text


LIMITED = {
    "oracle+oracledb": "FETCH FIRST",
    "mssql+pyodbc": "TOP",
    "postgresql+psycopg": "LIMIT",
    "postgresql+pyodbc": "LIMIT ?",
    "mariadb+pymysql": "LIMIT",
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_is_said_in_the_dialects_own_words(name: str) -> None:
    c = junwei.tables.CLINIC_INDEX.c
    assert LIMITED[name] in compiled(select(c.DOCTOR).limit(5), name)


def test_a_char_is_compared_as_it_is() -> None:
    c = junwei.tables.CLINIC_INDEX.c
    text = compiled(select(c.DOCTOR).where(c.CLINIC_LABEL == "x"), "postgresql+psycopg")
    assert "VARCHAR" not in text
    text = compiled(select(c.DOCTOR).where(c.CLINIC_LABEL == "x"), "postgresql+pyodbc")
    assert text.endswith("= ?") and "VARCHAR" not in text


def test_tables_of_ours_for_oracle_and_sql_server() -> None:
    from sqlalchemy.schema import CreateTable

    assert "CLOB" in compiled(CreateTable(REQUEST), "oracle+oracledb")
    assert "[ANSWER] TEXT" in compiled(CreateTable(REQUEST), "mssql+pyodbc")
    assert "MEDIUMTEXT" in compiled(CreateTable(REQUEST), "mariadb+pymysql")


# --- what a connection begins with ----------------------------------------------------------------


def test_sessions() -> None:
    found = " ".join(postgresql.session(limits(URLS["postgresql+psycopg"])))
    assert "statement_timeout = 2500" in found and "read_only = on" in found
    found = " ".join(mariadb.session(limits(URLS["mariadb+pymysql"])))
    assert "max_statement_time = 2.500" in found and "READ ONLY" in found
    assert "READ COMMITTED" in found and "innodb_lock_wait_timeout = 3" in found
    found = " ".join(mariadb.session(limits(URLS["mysql+pymysql"], read_only=False), maria=False))
    assert "max_execution_time = 2500" in found and "READ ONLY" not in found


def test_what_oracle_is_given() -> None:
    given = oracle.connect_arguments(limits(URLS["oracle+oracledb"]))
    assert given["tcp_connect_timeout"] == 4.0
    parsed = oracledb.ConnectParams()
    parsed.parse_connect_string(given["dsn"])
    assert (parsed.host, parsed.port, parsed.service_name) == ("db", 1522, "his")
    given = oracle.connect_arguments(limits("oracle://u:p@db/ORCL"))
    parsed.parse_connect_string(given["dsn"])
    assert (parsed.sid, parsed.port) == ("ORCL", 1521)


def test_what_sql_server_is_given() -> None:
    text = mssql.connection_string(make_url(URLS["mssql+pyodbc"]))
    assert "DRIVER={FreeTDS}" in text and "Server=db;PORT=1433" in text
    assert "TDS_Version=7.4" in text and "ClientCharset=UTF-8" in text
    microsoft = "mssql+pyodbc://u:p;x@db:1444/his?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=no"
    text = mssql.connection_string(make_url(microsoft))
    assert "DRIVER={ODBC Driver 18 for SQL Server}" in text and "Server=db,1444" in text
    assert "PWD={p;x}" in text and "Encrypt=no" in text and "TDS_Version" not in text


def test_an_odbc_string_is_quoted_and_its_query_wins() -> None:
    url = make_url("postgresql+pyodbc://u@db/his?driver=My+Driver&SSLmode=require").set(
        password="a;b}c{d"
    )
    text = odbc.connection_string(url, "PostgreSQL Unicode", {"sslmode": "disable", "A": "1"})
    assert text.startswith("DRIVER=My Driver;SERVER=db;DATABASE=his;UID=u;PWD={a;b}}c{d};")
    assert "SSLmode=require" in text and "disable" not in text and "A=1;" in text


# --- errors ---------------------------------------------------------------------------------------


def odbc_error(state: str, text: str) -> pyodbc.Error:
    return pyodbc.Error(state, text)


def oracle_error(code: str) -> oracledb.Error:
    text = f"{code}: 张三 something"
    return oracledb.DatabaseError(SimpleNamespace(full_code=code, message=text))


ERRORS = [
    ("postgresql+psycopg", psycopg.errors.QueryCanceled("x"), SourceTimeout),
    ("postgresql+psycopg", psycopg.errors.DeadlockDetected("x"), SourceTimeout),
    ("postgresql+psycopg", psycopg.errors.AdminShutdown("x"), SourceUnavailable),
    ("postgresql+psycopg", psycopg.errors.TooManyConnections("x"), Overloaded),
    ("postgresql+psycopg", psycopg.OperationalError("refused"), SourceUnavailable),
    ("postgresql+psycopg", psycopg.errors.UndefinedTable("x"), SourceError),
    ("postgresql+psycopg", psycopg.ProgrammingError("no state"), SourceError),
    ("postgresql+pyodbc", odbc_error("57P01", "[57P01] FATAL: x"), SourceUnavailable),
    ("postgresql+pyodbc", odbc_error("08S01", "[08S01] x"), SourceUnavailable),
    ("postgresql+pyodbc", odbc_error("57014", "[57014] x"), SourceTimeout),
    ("postgresql+pyodbc", odbc_error("HY000", "[HY000] x"), SourceError),
    ("mariadb+pymysql", pymysql.err.OperationalError(2013, "lost"), SourceUnavailable),
    ("mariadb+pymysql", pymysql.err.InterfaceError(0, ""), SourceUnavailable),
    ("mariadb+pymysql", pymysql.err.OperationalError(1205, "lock"), SourceTimeout),
    ("mariadb+pymysql", pymysql.err.OperationalError(1040, "full"), Overloaded),
    ("mariadb+pymysql", pymysql.err.ProgrammingError(1146, "none"), SourceError),
    ("mariadb+pyodbc", odbc_error("HY000", "[x] lock (1205) (SQLExecute)"), SourceTimeout),
    ("mariadb+pyodbc", odbc_error("08S01", "[x] gone (2006) (SQLExecute)"), SourceUnavailable),
    ("mariadb+pyodbc", odbc_error("08001", "[x] no number"), SourceUnavailable),
    ("oracle+oracledb", oracle_error("ORA-01013"), SourceTimeout),
    ("oracle+oracledb", oracle_error("DPY-4024"), SourceTimeout),
    ("oracle+oracledb", oracle_error("DPY-4011"), SourceUnavailable),
    ("oracle+oracledb", oracle_error("DPY-6005"), SourceUnavailable),
    ("oracle+oracledb", oracle_error("ORA-12541"), SourceUnavailable),
    ("oracle+oracledb", oracle_error("ORA-12519"), Overloaded),
    ("oracle+oracledb", oracle_error("ORA-00942"), SourceError),
    ("mssql+pyodbc", odbc_error("HYT00", "[x] Query timeout expired (0) (SQLExecDirectW)"), None),
    ("mssql+pyodbc", odbc_error("42000", "[x] Lock request (1222) (SQLExecDirectW)"), None),
    ("mssql+pyodbc", odbc_error("08S01", "[x] link failure (0) (SQLExecDirectW)"), ...),
    ("mssql+pyodbc", odbc_error("42S02", "[x] Invalid object (208) (SQLExecDirectW)"), SourceError),
]
_SHORT: dict[Any, Any] = {None: SourceTimeout, ...: SourceUnavailable}


@pytest.mark.parametrize(("name", "error", "kind"), ERRORS, ids=lambda v: str(v)[:40])
def test_which_fault_an_error_is(name: str, error: Exception, kind: Any) -> None:
    assert DRIVERS[name].fault(error) is _SHORT.get(kind, kind)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("postgresql+psycopg", psycopg.errors.UniqueViolation("Key (NAME)=(张三) exists")),
        ("postgresql+pyodbc", odbc_error("22P02", '[22P02] ERROR: invalid: "张三"')),
        ("mariadb+pymysql", pymysql.err.IntegrityError(1062, "Duplicate entry '张三'")),
        ("mariadb+pyodbc", odbc_error("23000", "[x] Duplicate entry '张三' (1062) (SQLExecute)")),
        ("oracle+oracledb", oracle_error("ORA-00001")),
        ("mssql+pyodbc", odbc_error("23000", "[x] key (张三). (2627) (SQLExecDirectW)")),
    ],
    ids=lambda v: str(v)[:20],
)
def test_what_is_told_of_an_error_holds_no_value(name: str, error: Exception) -> None:
    told = DRIVERS[name].detail(error)
    assert told and "张三" not in told


UNDONE = [
    ("postgresql+psycopg", psycopg.errors.DeadlockDetected("x")),
    ("postgresql+pyodbc", odbc_error("40001", "[40001] x")),
    ("mariadb+pymysql", pymysql.err.OperationalError(1213, "x")),
    ("mariadb+pyodbc", odbc_error("40001", "[x] Deadlock (1213) (SQLExecute)")),
    ("oracle+oracledb", oracle_error("ORA-00060")),
    ("mssql+pyodbc", odbc_error("40001", "[x] victim (1205) (SQLExecDirectW)")),
]


@pytest.mark.parametrize(("name", "error"), UNDONE, ids=lambda v: str(v)[:20])
def test_a_deadlock_may_be_tried_again(name: str, error: Exception) -> None:
    assert DRIVERS[name].undone(error)
    assert not DRIVERS[name].undone(ValueError("x"))


FULL = [
    ("postgresql+psycopg", psycopg.errors.DiskFull("x")),
    ("postgresql+pyodbc", odbc_error("53100", "[53100] x")),
    ("mariadb+pymysql", pymysql.err.OperationalError(1114, "The table 'T' is full")),
    ("mariadb+pymysql", pymysql.err.OperationalError(1030, 'Got error 28 "No space" from x')),
    ("mariadb+pymysql", pymysql.err.OperationalError(1026, "Error writing 'x' (errno: 28 y)")),
    ("mariadb+pyodbc", odbc_error("HY000", "[x] The table 'T' is full (1114) (SQLExecDirectW)")),
    ("oracle+oracledb", oracle_error("ORA-01653")),
    ("mssql+pyodbc", odbc_error("42000", "[x] no space in FILEGROUP (1105) (SQLExecDirectW)")),
]


@pytest.mark.parametrize(("name", "error"), FULL, ids=lambda v: str(v)[:30])
def test_a_full_disk_is_told_from_other_errors(name: str, error: Exception) -> None:
    driver = DRIVERS[name]
    assert driver.full(error) and driver.fault(error) is SourceError and driver.detail(error)
    others = [one for other, one, _ in ERRORS if other == name]
    assert others and not any(driver.full(one) for one in others)


# --- a real port that nobody listens at ---------------------------------------------------------


@pytest.mark.parametrize("name", REMOTE)
def test_nobody_listens(name: str) -> None:
    from adapters.config import SourceConfig
    from adapters.database import Source
    from tests.databases.servers import free_port

    driver = URLS[name].partition("driver=")[2]
    if "pyodbc" in name:
        wanted = driver or {"p": "PostgreSQL Unicode", "m": "MariaDB Unicode"}[name[0]]
        if wanted not in pyodbc.drivers():
            pytest.skip(f"the ODBC driver {wanted} is not installed; ./run setup-full installs it")
    url = make_url(URLS[name]).set(host="127.0.0.1", port=free_port())
    source = Source("his", "hx", SourceConfig(adapter="junwei", url=url, offers=["NumberSource"]))
    try:
        with pytest.raises(SourceUnavailable) as caught, source.connect():
            pass
        assert ":p@" not in str(caught.value)
    finally:
        source.close()
