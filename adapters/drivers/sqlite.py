"""SQLite: a file that must exist, opened anew when replaced, with statements that end in time."""

from __future__ import annotations

import math
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from services.faults import ServerFault, SourceError, SourceTimeout, SourceUnavailable

# Between two looks at the clock; some milliseconds.
_INSTRUCTIONS = 10_000

_TIMEOUTS = {sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_UNAVAILABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
}


def engine(limits: Limits) -> Engine:
    """An engine over one file. A missing file is an error and is not created, and a file that
    was replaced since it was opened is opened again instead of answering out of the old one."""
    path = Path(limits.url.database or "")
    mode = "ro" if limits.read_only else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"

    def connect() -> sqlite3.Connection:
        # The time that another's lock is waited for counts as the statement's.
        return sqlite3.connect(
            address, uri=True, timeout=limits.statement_seconds, check_same_thread=False
        )

    made = create_engine(
        limits.url.set(query={}),
        creator=connect,
        poolclass=QueuePool,
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.login_seconds,
        hide_parameters=True,
    )

    @event.listens_for(made, "connect")
    def _opened(connection: Any, record: Any) -> None:
        deadline = [math.inf]
        record.info["deadline"] = deadline
        record.info["file"] = _identity(path)
        connection.set_progress_handler(lambda: time.monotonic() > deadline[0], _INSTRUCTIONS)

    @event.listens_for(made, "checkout")
    def _taken(connection: Any, record: Any, proxy: Any) -> None:
        if record.info["file"] != _identity(path):
            raise DisconnectionError(f"{path.name} was replaced")

    @event.listens_for(made, "checkin")
    def _returned(connection: Any, record: Any) -> None:
        # Nothing is there if the file went away and no connection took its place.
        if "deadline" in record.info:
            record.info["deadline"][0] = math.inf

    @event.listens_for(made, "before_cursor_execute")
    def _started(connection: Connection, *_: Any) -> None:
        # Rows are computed while they are fetched, so this bounds the fetching as well.
        connection.info["deadline"][0] = time.monotonic() + limits.statement_seconds

    return made


def interrupt(connection: PoolProxiedConnection) -> None:
    held: Any = connection.dbapi_connection
    held.interrupt()


def fault(error: BaseException) -> type[ServerFault]:
    # Extended codes carry the primary one in their low byte.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _TIMEOUTS:
        return SourceTimeout
    return SourceUnavailable if code in _UNAVAILABLE else SourceError


def detail(error: BaseException) -> str:
    """SQLite's messages name tables and columns and never values."""
    return str(error)


def full(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def check(url: URL) -> None:
    if url.database in (None, "", ":memory:"):
        raise ValueError(
            "sqlite 要写明文件，如 sqlite:///hx.db；内存数据库不能共用",
            "name a file, as in sqlite:///hx.db; a database in memory cannot be shared",
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


DRIVER = Driver(engine, interrupt, fault, detail, full=full, check=check)
