"""What every driver behind pyodbc needs: connection strings, cancelling, reading its errors."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, PoolProxiedConnection, event
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

from adapters.drivers.deadline import Deadline

#: seconds that asking a server to stop may take
CANCEL_SECONDS = 2.0

# A login finds its socket among those of the process, so two at once to one server may not be.
_LOGINS: dict[tuple[str, int], threading.Lock] = {}
_LOGINS_LOCK = threading.Lock()
_DESCRIPTORS = Path("/proc/self/fd")
_MARKS = frozenset("[]{}(),;?*=!@")
_NUMBER = re.compile(r"\((-?\d+)\) \(SQL\w+\)")
_PREFIX = re.compile(r"^(\[[^\]]*\]\s*)+")


def connection_string(url: URL, driver: str, attributes: Mapping[str, str]) -> str:
    """Of a plain URL. What its query says comes last and stands: ``driver`` names another ODBC
    driver, everything else is an attribute of the driver's."""
    given = {key: value for key, value in url.query.items() if isinstance(value, str)}
    parts = {
        "DRIVER": given.pop("driver", driver),
        "SERVER": url.host or "127.0.0.1",
        "DATABASE": url.database or "",
        "UID": url.username or "",
        "PWD": str(url.password or ""),
    }
    if url.port:
        parts["PORT"] = str(url.port)
    known = {key.lower() for key in given}
    parts |= {key: value for key, value in attributes.items() if key.lower() not in known}
    return ";".join(f"{key}={_quoted(value)}" for key, value in (parts | given).items()) + ";"


def _quoted(value: str) -> str:
    # Not all drivers take braces around a number.
    if value.isascii() and not set(value) & _MARKS and value == value.strip():
        return value
    return "{" + value.replace("}", "}}") + "}"


def logged_in(
    url: URL, port: int, seconds: float, login: Callable[[], Any]
) -> tuple[Any, int | None]:
    """What ``login`` gives, and the descriptor of its socket where the system tells it (Linux,
    TCP). Logins to one server come one after another; none waits longer than ``seconds``."""
    if not _DESCRIPTORS.is_dir():
        return login(), None
    address = url.host or "127.0.0.1", url.port or port
    with _LOGINS_LOCK:
        lock = _LOGINS.setdefault(address, threading.Lock())
    if not lock.acquire(timeout=seconds):
        import pyodbc

        raise pyodbc.OperationalError("08001", f"{address[0]}:{address[1]}: login does not end")
    try:
        before = _sockets(address[1])
        connection = login()
        found = [fd for fd, one in _sockets(address[1]).items() if before.get(fd) != one]
        return connection, found[0] if len(found) == 1 else None
    finally:
        lock.release()


def _sockets(port: int) -> dict[int, str]:
    """Descriptors of this process that are connected to such a port, with their identities."""
    found = {}
    for entry in _DESCRIPTORS.iterdir():
        with suppress(OSError):  # gone meanwhile
            identity = str(entry.readlink())
            if not identity.startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as copy:
                peer = copy.getpeername()
            if isinstance(peer, tuple) and peer[1] == port:
                found[int(entry.name)] = identity
    return found


def stopping(
    url: URL, port: int, connection_text: str, statement: str, timeout: int = 0
) -> Callable[[], None]:
    """What stops the statement that a connection is busy with: ``statement``, said to the server
    by a connection of its own. Not by the driver's SQLCancel: MariaDB's brings the process down
    where the statement ends at the same moment."""

    def stop() -> None:
        import pyodbc

        teller, descriptor = logged_in(
            *(url, port, CANCEL_SECONDS),
            lambda: pyodbc.connect(connection_text, timeout=timeout, autocommit=True),
        )
        deadline = Deadline(descriptor) if descriptor is not None else None
        try:
            if deadline is not None:
                deadline.set(CANCEL_SECONDS)
            teller.execute(statement).close()
        finally:
            if deadline is not None:
                deadline.close()
            teller.close()

    return stop


def names_decoded(engine: Engine, codec: str) -> Engine:
    """The engine, with the names of columns as ``codec`` has them: an ANSI driver hands each byte
    on as a character, and may put NULs behind them."""

    @event.listens_for(engine, "after_cursor_execute")
    def _executed(
        connection: Connection, cursor: Any, statement: str, values: Any, context: Any, many: bool
    ) -> None:
        columns = cursor.description or ()
        if not all(column[0].isascii() for column in columns):
            named = [
                (column[0].rstrip("\0").encode("latin-1").decode(codec), *column[1:])
                for column in columns
            ]
            context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                cursor, named, cursor.fetchall()
            )

    return engine


def interrupt(connection: PoolProxiedConnection) -> None:
    """By what ``stopping`` made for it."""
    stop: Callable[[], None] = connection.info["stop"]
    stop()


def cancellable(engine: Engine) -> Engine:
    """The engine, its running cursors known to ``cancel``: for a server whose accounts may not
    stop each other. A cursor is cancelled only while its statement executes, never while it is
    being closed."""

    @event.listens_for(engine, "before_cursor_execute")
    def _executes(connection: Connection, cursor: Any, *_: Any) -> None:
        connection.info.setdefault("cancelling", threading.Lock())
        connection.info["cursor"] = cursor

    @event.listens_for(engine, "after_cursor_execute")
    def _executed(connection: Connection, *_: Any) -> None:
        _ended(connection)

    @event.listens_for(engine, "handle_error")
    def _failed(context: ExceptionContext) -> None:
        if context.connection is not None and not context.connection.closed:
            _ended(context.connection)

    return engine


def _ended(connection: Connection) -> None:
    if not connection.invalidated:
        lock = connection.info.get("cancelling")
        if lock is not None:
            with lock:
                connection.info.pop("cursor", None)


def cancel(connection: PoolProxiedConnection) -> None:
    """By the driver's SQLCancel; of an engine that is ``cancellable``."""
    lock = connection.info.get("cancelling")
    if lock is not None:
        with lock:
            cursor = connection.info.get("cursor")
            if cursor is not None:
                cursor.cancel()


def state(error: BaseException) -> str | None:
    """The SQLSTATE; None where there is none."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, str) and len(first) == 5 else None


def number(error: BaseException) -> int | None:
    """The server's own number, which drivers put behind their text."""
    found = _NUMBER.search(words(error))
    return int(found[1]) if found else None


def words(error: BaseException) -> str:
    """What the driver said, without the names of those who passed it on."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    return _PREFIX.sub("", text)
