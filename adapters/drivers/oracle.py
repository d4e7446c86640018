"""Oracle by oracledb in its thin mode, which needs no client library. Not proven on a live server:
none can be had where Yilian is built."""

from __future__ import annotations

import math
import re
from typing import Any

from sqlalchemy import URL, Connection, Engine, PoolProxiedConnection, event
from sqlalchemy.dialects.oracle.oracledb import OracleDialect_oracledb

from adapters.drivers.driver import Driver
from adapters.drivers.limits import Limits
from adapters.drivers.pooled import pooled, timely
from services.faults import Overloaded, ServerFault, SourceError, SourceTimeout, SourceUnavailable

#: cancelled, lock not free, lock waited for, deadlock, distributed lock, call timeout, serialise
_TIMEOUTS = {"ORA-01013", "ORA-00054", "ORA-30006", "ORA-00060", "ORA-02049", "DPY-4024"}
_TIMEOUTS |= {"ORA-03136", "ORA-08177"}
_UNDONE = {"ORA-00060", "ORA-08177"}
_FULL = {"ORA-00018", "ORA-00020", "ORA-02391", "ORA-12516", "ORA-12519", "ORA-12520"}
#: starting, shutting down, killed, ended; account; end of file; whatever the listener says
_UNAVAILABLE = {"ORA-00028", "ORA-00031", "ORA-01012", "ORA-01017", "ORA-01033", "ORA-01034"}
_UNAVAILABLE |= {"ORA-01089", "ORA-01090", "ORA-01092", "ORA-02396", "ORA-03113", "ORA-03114"}
_UNAVAILABLE |= {"ORA-03135", "ORA-28000", "ORA-28001", "DPY-1001", "DPY-4011"}
#: what they say names tables and columns and never a row's value
_SPOKEN = {"ORA-00904", "ORA-00942", "ORA-01031", "ORA-01456", "ORA-01950", "ORA-04098"}
#: a table, index, LOB, temporary or undo segment that cannot grow, a quota; the archive log
_DISK_FULL = {"ORA-01653", "ORA-01654", "ORA-01658", "ORA-01688", "ORA-01691", "ORA-01652"}
_DISK_FULL |= {"ORA-30036", "ORA-01536", "ORA-00257"}
_CODE = re.compile(r"(ORA|DPY|DPI)-\d+")


def engine(limits: Limits) -> Engine:
    """Every round trip ends by the driver's own clock (``call_timeout``)."""
    import oracledb

    arguments = connect_arguments(limits)

    def connect() -> tuple[Any, None]:
        return oracledb.connect(**arguments), None

    def prepare(connection: Any) -> None:
        connection.call_timeout = math.ceil(limits.statement_seconds * 1000)

    made = pooled(limits, connect, fault, prepare)
    if limits.read_only:

        @event.listens_for(made, "begin")
        def _reads_only(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return made


def connect_arguments(limits: Limits) -> dict[str, Any]:
    """What oracledb.connect is given for a URL."""
    import oracledb

    dialect = OracleDialect_oracledb(dbapi=oracledb)  # type: ignore[no-untyped-call]
    _, arguments = dialect.create_connect_args(limits.url)  # type: ignore[no-untyped-call]
    return {"tcp_connect_timeout": limits.login_seconds, "retry_count": 0, **arguments}


def check(url: URL) -> None:
    if url.database and "service_name" in url.query:
        raise ValueError(
            "Oracle 的 url 中 SID（路径）与 service_name 只能写一个，"
            "如 oracle://user:pw@host:1521/?service_name=his",
            "an Oracle URL has a SID (its path) or a service_name, as in "
            "oracle://user:pw@host:1521/?service_name=his",
        )


def interrupt(connection: PoolProxiedConnection) -> None:
    held: Any = connection.dbapi_connection
    held.cancel()


def fault(error: BaseException) -> type[ServerFault]:
    code = _code(error)
    if code in _TIMEOUTS:
        return SourceTimeout
    if code in _FULL:
        return Overloaded
    if code in _UNAVAILABLE or code.startswith(("ORA-125", "DPY-6")):
        return SourceUnavailable
    return SourceError


def detail(error: BaseException) -> str:
    code = _code(error)
    if code in _SPOKEN | _DISK_FULL or fault(error) is not SourceError:
        return str(error).partition("\n")[0]
    return code or type(error).__name__


def undone(error: BaseException) -> bool:
    return _code(error) in _UNDONE


def full(error: BaseException) -> bool:
    return _code(error) in _DISK_FULL


def _code(error: BaseException) -> str:
    first = error.args[0] if error.args else None
    code = getattr(first, "full_code", "") or ""
    if code:
        return str(code)
    found = _CODE.search(str(error))
    return found[0] if found else ""


DRIVER = Driver(engine, interrupt, timely(fault), detail, undone, full, check)
