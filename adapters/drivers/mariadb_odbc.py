"""MariaDB and MySQL by MariaDB's ODBC driver."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Engine

from adapters.drivers import mariadb, odbc
from adapters.drivers import mariadb_errors as errors
from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import pooled, timely
from services.faults import ServerFault, SourceError, SourceUnavailable


def engine(limits: Limits) -> Engine:
    """Text goes as UTF-8: in pyodbc's own way this driver loses 四, 变 and 322 more characters,
    and every parameter of 128 characters or more."""
    import pyodbc

    pyodbc.pooling = False  # the driver manager's pool would pass on another one's settings
    attributes = {
        # The driver does not listen to pyodbc's login timeout, nor to its statement timeout.
        "CONN_TIMEOUT": str(max(1, math.ceil(limits.login_seconds))),
        "CHARSET": "utf8mb4",
        "OPTION": "2",  # FOUND_ROWS: a row that is set to what it was counts as changed
    }
    text = odbc.connection_string(limits.url, "MariaDB Unicode", attributes)
    hasty = {**attributes, "CONN_TIMEOUT": str(math.ceil(odbc.CANCEL_SECONDS))}
    teller = odbc.connection_string(limits.url, "MariaDB Unicode", hasty)

    def connect() -> tuple[Any, int | None]:
        return odbc.logged_in(
            limits.url, 3306, limits.login_seconds, lambda: pyodbc.connect(text, autocommit=False)
        )

    def prepare(connection: Any) -> dict[str, Any]:
        connection.setencoding("utf-8")
        connection.setdecoding(pyodbc.SQL_CHAR, "utf-8")
        connection.setdecoding(pyodbc.SQL_WCHAR, "utf-8")
        version, number = connection.execute("SELECT version(), connection_id()").fetchone()
        for statement in mariadb.session(limits, "MariaDB" in version):
            connection.execute(statement).close()
        connection.commit()
        kill = f"KILL QUERY {int(number)}"
        return {"stop": odbc.stopping(limits.url, 3306, teller, kill)}

    return pooled(limits, connect, fault, prepare)


def fault(error: BaseException) -> type[ServerFault]:
    number = odbc.number(error)
    if number is None or number == 0:
        state = odbc.state(error) or ""
        lost = state.startswith("08") or state in ("HYT00", "HYT01", "IM002", "01000")
        # Now and then, where a connection was just reset, the driver has no words for it or says
        # that memory ran out (HY001): nothing is known of that connection, so it is not kept.
        lost = lost or state == "HY001" or "did not supply an error" in str(error)
        return SourceUnavailable if lost else SourceError
    return errors.fault(number)


def detail(error: BaseException) -> str:
    number = odbc.number(error)
    if number is None and fault(error) is SourceError:
        return f"SQLSTATE {odbc.state(error)}"
    return errors.detail(number, odbc.words(error))


def undone(error: BaseException) -> bool:
    return errors.undone(odbc.number(error))


def full(error: BaseException) -> bool:
    return errors.full(odbc.number(error), odbc.words(error))


DRIVER = Driver(engine, odbc.interrupt, timely(fault), detail, undone, full)
