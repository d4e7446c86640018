"""MariaDB and MySQL by PyMySQL."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import URL, Engine, PoolProxiedConnection
from sqlalchemy.dialects.mysql.pymysql import MySQLDialect_pymysql

from adapters.drivers import mariadb_errors as errors
from adapters.drivers.deadline import Deadline
from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import dialled, pooled, timely
from services.faults import ServerFault

#: seconds that asking a server to stop may take
_CANCEL_SECONDS = 2.0


def engine(limits: Limits) -> Engine:
    """Every statement ends by the server's own clock. A transaction sees what others committed,
    as on the databases that HIS programs are written for."""
    arguments = _arguments(limits.url)

    def connect() -> tuple[Any, int]:
        connection, descriptor = _login(arguments, limits.login_seconds)
        connection.yilian_login = arguments  # an interrupt logs in beside it
        return connection, descriptor

    def prepare(connection: Any) -> None:
        maria = "MariaDB" in connection.get_server_info()
        with connection.cursor() as cursor:
            for statement in session(limits, maria):
                cursor.execute(statement)

    return pooled(limits, connect, fault, prepare)


def session(limits: Limits, maria: bool = True) -> list[str]:
    """What every connection begins with. MySQL bounds reads alone; what writes there is bounded
    by the locks that it waits for, and by the deadline of its connection."""
    seconds = limits.statement_seconds
    whole = max(1, math.ceil(seconds))
    bound = (
        f"SET SESSION max_statement_time = {seconds:.3f}"
        if maria
        else f"SET SESSION max_execution_time = {math.ceil(seconds * 1000)}"
    )
    statements = [
        bound,
        f"SET SESSION innodb_lock_wait_timeout = {whole}, lock_wait_timeout = {whole}",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        # A value that does not fit is refused and not cut.
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
    ]
    if limits.read_only:
        statements.append("SET SESSION TRANSACTION READ ONLY")
    return statements


def interrupt(connection: PoolProxiedConnection) -> None:
    """By a connection of its own, as the server wants it."""
    held: Any = connection.dbapi_connection
    stopper, _ = _login(held.yilian_login, _CANCEL_SECONDS)
    try:
        with stopper.cursor() as cursor:
            cursor.execute(f"KILL QUERY {int(held.thread_id())}")
    finally:
        stopper.close()


def _arguments(url: URL) -> dict[str, Any]:
    import pymysql

    # With FOUND_ROWS among its flags: a row that is set to what it was counts as changed.
    dialect = MySQLDialect_pymysql(dbapi=pymysql)
    _, arguments = dialect.create_connect_args(url)
    if isinstance(arguments.get("password"), str):
        arguments["password"] = arguments["password"].encode()  # PyMySQL would take Latin 1
    return {"charset": "utf8mb4", **arguments}


def _login(arguments: dict[str, Any], seconds: float) -> tuple[Any, int]:
    """Also the server's greeting and the password's check end in time, which PyMySQL bounds by
    the time that a statement may take."""
    import pymysql

    connection = pymysql.connect(**arguments, defer_connect=True)
    if arguments.get("unix_socket"):
        connection.connect_timeout = seconds
        connection.connect()
        return connection, connection._sock.fileno()
    host, port = arguments.get("host") or "127.0.0.1", int(arguments.get("port") or 3306)
    try:
        line = dialled(host, port, seconds)
    except OSError as error:
        raise pymysql.err.OperationalError(2003, f"{host}:{port}: {error}") from error
    descriptor = line.fileno()
    deadline = Deadline(descriptor)
    try:
        deadline.set(seconds)
        connection.connect(line)
    except BaseException:
        line.close()
        raise
    finally:
        deadline.close()
    return connection, descriptor


def fault(error: BaseException) -> type[ServerFault]:
    return errors.fault(_number(error))


def detail(error: BaseException) -> str:
    return errors.detail(_number(error), str(error.args[-1]) if error.args else str(error))


def undone(error: BaseException) -> bool:
    return errors.undone(_number(error))


def full(error: BaseException) -> bool:
    return errors.full(_number(error), str(error))


def _number(error: BaseException) -> int | None:
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else None


DRIVER = Driver(engine, interrupt, timely(fault), detail, undone, full)
