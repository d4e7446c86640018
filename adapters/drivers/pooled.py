"""The engine of a database behind a network: its pool, its deadlines, its broken connections."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from adapters.drivers.deadline import Deadline
from adapters.drivers.limits import GRACE, Limits
from services.faults import ServerFault, SourceTimeout, SourceUnavailable

#: a connection older than this is opened anew: firewalls forget those that are quiet
_RECYCLE_SECONDS = 900


def pooled(
    limits: Limits,
    connect: Callable[[], tuple[Any, int | None]],
    fault: Callable[[BaseException], type[ServerFault]],
    prepare: Callable[[Any], Mapping[str, Any] | None],
    **options: Any,
) -> Engine:
    """An engine whose connections come from ``connect``, which also tells the descriptor of the
    socket (None: it cannot be known here), and are made ready by ``prepare``; what that gives is
    kept in the connection's ``info``."""
    sockets: dict[int, int] = {}  # by id of a connection that the pool has not taken up yet

    def creator() -> Any:
        connection, descriptor = connect()
        if descriptor is not None:
            sockets[id(connection)] = descriptor
        return connection

    made = create_engine(
        limits.url,
        creator=creator,
        poolclass=QueuePool,
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.login_seconds,
        pool_recycle=_RECYCLE_SECONDS,
        hide_parameters=True,
        **options,
    )
    seconds = limits.statement_seconds + GRACE

    def arm(connection: Connection, *_: Any) -> None:
        if connection.invalidated:
            return  # nothing goes to the server any more
        deadline = connection.info.get("deadline")
        if deadline is not None:
            deadline.set(seconds)

    @event.listens_for(made, "connect", insert=True)
    def _opened(connection: Any, record: Any) -> None:
        descriptor = sockets.pop(id(connection), None)
        if descriptor is not None:
            record.info["deadline"] = deadline = Deadline(descriptor)
            deadline.set(limits.login_seconds)
        record.info.update(prepare(connection) or {})

    @event.listens_for(made, "checkout")
    def _taken(connection: Any, record: Any, proxy: Any) -> None:
        deadline = record.info.get("deadline")
        if deadline is not None:
            deadline.clear()
            if deadline.dead:
                raise DisconnectionError("the server closed the connection")

    @event.listens_for(made, "before_cursor_execute")
    def _executes(connection: Connection, *_: Any) -> None:
        arm(connection)

    for name in ("commit", "rollback", "savepoint", "rollback_savepoint", "release_savepoint"):
        event.listen(made, name, arm)

    @event.listens_for(made, "reset")
    def _given_back(connection: Any, record: Any, state: Any) -> None:
        # The pool rolls back after this, which goes to the server as well.
        if "deadline" in record.info:
            record.info["deadline"].set(seconds)

    @event.listens_for(made, "checkin")
    def _returned(connection: Any, record: Any) -> None:
        if "deadline" in record.info:
            record.info["deadline"].clear()

    @event.listens_for(made, "close")
    def _closed(connection: Any, record: Any) -> None:
        deadline = record.info.pop("deadline", None)
        if deadline is not None:
            deadline.close()

    @event.listens_for(made, "handle_error")
    def _failed(context: ExceptionContext) -> None:
        error = context.original_exception
        connection = context.connection
        deadline = None
        if connection is not None and not connection.invalidated and not connection.closed:
            deadline = connection.info.get("deadline")
        if deadline is not None and deadline.expired:
            error.__yilian_late__ = True  # type: ignore[attr-defined]
            context.is_disconnect = True
        elif context.sqlalchemy_exception is not None and fault(error) is SourceUnavailable:
            context.is_disconnect = True

    return made


def timely(
    fault: Callable[[BaseException], type[ServerFault]],
) -> Callable[[BaseException], type[ServerFault]]:
    """``fault``, but for an error that comes of a socket shut at its deadline: SourceTimeout."""

    def judged(error: BaseException) -> type[ServerFault]:
        return SourceTimeout if hasattr(error, "__yilian_late__") else fault(error)

    return judged


def dialled(host: str, port: int, seconds: float) -> socket.socket:
    """A connected socket, without delays and kept alive."""
    made = socket.create_connection((host, port), seconds)
    made.settimeout(None)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return made
