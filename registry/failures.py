"""What a database's failure was: busy, so that trying again helps, or anything else."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError

_SQLITE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
#: PostgreSQL: serialization failure, deadlock, lock not available, statement cancelled by its
#: timeout, too many connections
_SQLSTATES = {"40001", "40P01", "55P03", "57014", "53300"}
#: MySQL and MariaDB: too many connections, lock wait timeout, deadlock, statement timeouts
_NUMBERS = {1040, 1205, 1213, 1969, 3024}

#: No room: SQLite's disk; PostgreSQL's
_FULL_SQLSTATES = {"53100"}

_LONGEST = 200


def busy(error: SQLAlchemyError) -> bool:
    """Whether it was a lock, a timeout, or no free connection: not a mistake, and not an outage."""
    if isinstance(error, TimeoutError):
        return True
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    cause: Any = error.orig
    if isinstance(cause, sqlite3.Error):
        # an extended code has the primary one in its lowest byte
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    if getattr(cause, "sqlstate", None) in _SQLSTATES:
        return True
    return bool(cause.args) and cause.args[0] in _NUMBERS


def full(error: SQLAlchemyError) -> bool:
    """Whether there was no room on the disk: nothing is lost, and nothing can be published."""
    cause: Any = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return getattr(cause, "sqlstate", None) in _FULL_SQLSTATES


def described(error: SQLAlchemyError) -> str:
    """For the log: the driver's own error by type and first line. Never the statement or its
    parameters, which are somebody's message."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).splitlines() if cause is not error else []
    return f"{type(cause).__name__}: {lines[0][:_LONGEST]}" if lines else type(cause).__name__
