"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import Engine, PoolProxiedConnection, String
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from adapters.drivers import postgresql_errors as errors
from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import pooled, timely
from services.faults import ServerFault

#: seconds that asking a server to stop may take
_CANCEL_SECONDS = 2.0

#: the type of a literal whose type nobody told
_UNKNOWN = 705


def engine(limits: Limits) -> Engine:
    """Every statement ends by the server's own clock; text is compared in the column's type, so
    that a CHAR's index serves."""
    import psycopg

    dialect = PGDialect_psycopg(dbapi=psycopg)  # type: ignore[no-untyped-call]
    _, arguments = dialect.create_connect_args(limits.url)  # type: ignore[no-untyped-call]
    arguments = {
        # libpq knows whole seconds, and takes 1 for 2.
        "connect_timeout": max(2, math.ceil(limits.login_seconds)),
        "application_name": "yilian",
        "keepalives_idle": 30,
        **arguments,
        # A HIS is altered while we run: a prepared plan would then be refused.
        "prepare_threshold": None,
        "autocommit": True,  # until it is ready
    }

    def connect() -> tuple[Any, int]:
        connection = psycopg.connect(**arguments)
        return connection, connection.fileno()

    def prepare(connection: Any) -> None:
        for statement in session(limits):
            connection.execute(statement)
        if limits.text_encoding:
            _encode(connection, limits.text_encoding)
        connection.autocommit = False

    made = pooled(limits, connect, fault, prepare)
    # psycopg would say "$1::VARCHAR", and a CHAR column would be cast to compare with it.
    made.dialect.colspecs = {**made.dialect.colspecs, String: _Plain}
    made.dialect._type_memos.clear()
    return made


def _encode(connection: Any, codec: str) -> None:
    """Text is coded here, on both ways; so are statements and the names of columns, which the
    driver would take for ASCII."""
    import psycopg
    from psycopg.adapt import Buffer, Dumper, Loader

    class Coded(psycopg.Cursor[Any]):
        _encoding = codec  # of the names in its description

        def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
            return super().execute(_bytes(query), *arguments, **named)

        def executemany(self, query: Any, *arguments: Any, **named: Any) -> None:
            super().executemany(_bytes(query), *arguments, **named)

    def _bytes(query: Any) -> Any:
        return query.encode(codec) if isinstance(query, str) else query

    connection.cursor_factory = Coded

    class Reads(Loader):
        def load(self, data: Buffer) -> str:
            return bytes(data).decode(codec)

    class Writes(Dumper):
        def dump(self, obj: str) -> bytes:
            return obj.encode(codec)

    for kind in ("text", "varchar", "bpchar", "name", _UNKNOWN):
        connection.adapters.register_loader(kind, Reads)
    connection.adapters.register_dumper(str, Writes)


class _Plain(String):
    render_bind_cast = False


def session(limits: Limits) -> list[str]:
    """What every connection begins with."""
    milliseconds = math.ceil(limits.statement_seconds * 1000)
    # A server that does not know the encoding lets text pass only where nobody else does either.
    encoding = "SQL_ASCII" if limits.text_encoding else "UTF8"
    statements = [
        f"SET statement_timeout = {milliseconds}",
        f"SET idle_in_transaction_session_timeout = {milliseconds + 60_000}",
        f"SET client_encoding TO '{encoding}'",
    ]
    if limits.read_only:
        statements.append("SET default_transaction_read_only = on")
    return statements


def interrupt(connection: PoolProxiedConnection) -> None:
    held: Any = connection.dbapi_connection
    held.cancel_safe(timeout=_CANCEL_SECONDS)


def fault(error: BaseException) -> type[ServerFault]:
    import psycopg

    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return errors.fault(_state(error), str(error))
    return errors.fault(_state(error) or "XX000", str(error))


def detail(error: BaseException) -> str:
    state = _state(error)
    diagnosis = getattr(error, "diag", None)
    words = getattr(diagnosis, "message_primary", None) or str(error)
    return errors.detail(state, words)


def undone(error: BaseException) -> bool:
    return errors.undone(_state(error))


def full(error: BaseException) -> bool:
    return errors.full(_state(error))


def _state(error: BaseException) -> str | None:
    return getattr(error, "sqlstate", None)


DRIVER = Driver(engine, interrupt, timely(fault), detail, undone, full, takes_encoding=True)
