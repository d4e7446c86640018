"""PostgreSQL by psqlODBC, and the SQLAlchemy dialect that it takes."""

from __future__ import annotations

import math
import re
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from adapters.drivers import odbc, postgresql
from adapters.drivers import postgresql_errors as errors
from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import pooled, timely
from services.faults import ServerFault, SourceUnavailable

_ERROR = re.compile(r"^ERROR:\s*")


class PGDialect_pyodbc(PyODBCConnector, PGDialect):
    """PostgreSQL's SQL with pyodbc's question marks. Tables are looked up by name; reflecting
    their columns is left to psycopg."""

    supports_statement_cache = True
    default_paramstyle = "qmark"
    pyodbc_driver_name = "PostgreSQL Unicode"
    use_native_uuid = False

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        text = connection.exec_driver_sql("SHOW server_version").scalar()
        return tuple(int(part) for part in re.findall(r"\d+", text.split()[0]))


registry.register("postgresql.pyodbc", __name__, PGDialect_pyodbc.__name__)


def engine(limits: Limits) -> Engine:
    """The Unicode driver; the ANSI one for text in an encoding that the database does not know."""
    import pyodbc

    pyodbc.pooling = False  # the driver manager's pool would pass on another one's settings
    encoding = limits.text_encoding
    attributes = {
        "BoolsAsChar": "0",
        "UseServerSidePrepare": "1",
        # A text is a text, however long: never cut at 255 characters, or at 8190 bytes.
        "MaxVarcharSize": "2000",
        "UnknownSizes": "2",
        "TextAsLongVarchar": "1",
        "MaxLongVarcharSize": "-4",
        # What an error undoes is for our own savepoints to say.
        "Protocol": "7.4-0",
    }
    if encoding:
        attributes["ConnSettings"] = "set client_encoding to 'SQL_ASCII'"
    driver = "PostgreSQL ANSI" if encoding else "PostgreSQL Unicode"
    text = odbc.connection_string(limits.url, driver, attributes)
    seconds = max(1, math.ceil(limits.login_seconds))

    def connect() -> tuple[Any, int | None]:
        return odbc.logged_in(
            limits.url,
            5432,
            limits.login_seconds,
            lambda: pyodbc.connect(text, timeout=seconds, autocommit=True),
        )

    def prepare(connection: Any) -> dict[str, Any]:
        if encoding:
            connection.setencoding(encoding, ctype=pyodbc.SQL_CHAR)
            connection.setdecoding(pyodbc.SQL_CHAR, encoding)
            connection.setdecoding(pyodbc.SQL_WCHAR, encoding, ctype=pyodbc.SQL_CHAR)
        for statement in postgresql.session(limits):
            if "client_encoding" not in statement:
                connection.execute(statement).close()
        number = connection.execute("SELECT pg_backend_pid()").fetchval()
        connection.autocommit = False
        cancel = f"SELECT pg_cancel_backend({int(number)})"
        hasty = math.ceil(odbc.CANCEL_SECONDS)
        return {"stop": odbc.stopping(limits.url, 5432, text, cancel, hasty)}

    made = pooled(limits, connect, fault, prepare)
    return odbc.names_decoded(made, encoding) if encoding else made


def fault(error: BaseException) -> type[ServerFault]:
    state = odbc.state(error)
    if state in ("HYT00", "HYT01", "IM002", "01000"):
        return SourceUnavailable  # logging in took too long, or the driver is not installed
    return errors.fault(state or "XX000", odbc.words(error))


def detail(error: BaseException) -> str:
    return errors.detail(odbc.state(error), _ERROR.sub("", odbc.words(error)))


def undone(error: BaseException) -> bool:
    return errors.undone(odbc.state(error))


def full(error: BaseException) -> bool:
    return errors.full(odbc.state(error))


DRIVER = Driver(engine, odbc.interrupt, timely(fault), detail, undone, full, takes_encoding=True)
