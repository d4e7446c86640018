"""SQL Server by pyodbc, with Microsoft's driver or FreeTDS. Not proven on a live server: none can
be had where Yilian is built."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import URL, Engine
from sqlalchemy.dialects.mssql.pyodbc import MSDialect_pyodbc

from adapters.drivers import odbc
from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import pooled, timely
from services.faults import Overloaded, ServerFault, SourceError, SourceTimeout, SourceUnavailable

#: deadlock victim, lock timeout, snapshot conflict
_TIMEOUTS = {1205, 1222, 3960}
_UNDONE = {1205, 3960}
#: account, database, server shutting down or paused, killed
_UNAVAILABLE = {596, 4060, 6005, 17142, 18401, 18452, 18456, 18470, 40613}
_FULL = {17809, 10928, 10929}
#: what they say names tables and columns and never a row's value
_SPOKEN = {207, 208, 229, 230, 262, 3906, 2812}
#: a page, a filegroup, the transaction log
_DISK_FULL = {1101, 1105, 9002}


def engine(limits: Limits) -> Engine:
    """Every statement ends by the driver's query timeout, every wait for a lock by the server."""
    import pyodbc

    pyodbc.pooling = False
    text = connection_string(limits.url)
    login, statement = math.ceil(limits.login_seconds), math.ceil(limits.statement_seconds)

    def connect() -> tuple[Any, int | None]:
        return odbc.logged_in(
            limits.url,
            1433,
            limits.login_seconds,
            lambda: pyodbc.connect(text, timeout=login, autocommit=False),
        )

    def prepare(connection: Any) -> None:
        connection.timeout = statement
        connection.execute(f"SET LOCK_TIMEOUT {statement * 1000}").close()
        connection.execute("SET XACT_ABORT OFF").close()
        connection.commit()

    return odbc.cancellable(pooled(limits, connect, fault, prepare))


def connection_string(url: URL) -> str:
    """What pyodbc.connect is given for a URL."""
    dialect = MSDialect_pyodbc(dbapi=None)  # type: ignore[no-untyped-call]
    (text,), _ = dialect.create_connect_args(url)
    if "freetds" in str(url.query.get("driver", "")).lower():
        # FreeTDS reads the port by itself, and Han characters need TDS 7.
        text = text.replace(f",{url.port}", f";PORT={url.port}") if url.port else text
        if "tds_version" not in {key.lower() for key in url.query}:
            text += ";TDS_Version=7.4"
        if "clientcharset" not in {key.lower() for key in url.query}:
            text += ";ClientCharset=UTF-8"
    return text


def check(url: URL) -> None:
    if not {"driver", "odbc_connect"} & set(url.query):
        raise ValueError(
            "SQL Server 的 url 要写明 ODBC 驱动，如 "
            "mssql://user:pw@host/his?driver=ODBC+Driver+18+for+SQL+Server 或 ?driver=FreeTDS",
            "name the ODBC driver in the URL, as in "
            "mssql://user:pw@host/his?driver=ODBC+Driver+18+for+SQL+Server or ?driver=FreeTDS",
        )


def fault(error: BaseException) -> type[ServerFault]:
    state, number = odbc.state(error) or "", odbc.number(error)
    # HY008 is a cancelled statement, HYT00 one whose time is over; HYT01 is a login's.
    if number in _TIMEOUTS or state in ("HYT00", "HY008", "40001"):
        return SourceTimeout
    if number in _FULL:
        return Overloaded
    if number in _UNAVAILABLE or state.startswith(("08", "28")) or state in ("HYT01", "IM002"):
        return SourceUnavailable
    if state == "01000":
        return SourceUnavailable  # the driver's library is not there
    return SourceError


def detail(error: BaseException) -> str:
    if fault(error) is not SourceError or odbc.number(error) in _SPOKEN | _DISK_FULL:
        return f"{odbc.state(error)} {odbc.words(error)}"
    return f"SQLSTATE {odbc.state(error)}, error {odbc.number(error)}"


def undone(error: BaseException) -> bool:
    return odbc.number(error) in _UNDONE or odbc.state(error) == "40001"


def full(error: BaseException) -> bool:
    return odbc.number(error) in _DISK_FULL


DRIVER = Driver(engine, odbc.cancel, timely(fault), detail, undone, full, check)
