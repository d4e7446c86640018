"""A hospital's database as a Source: engine, bulkhead, timeouts; its failures become Faults.

A HIS is fragile: at most ``pool_size`` statements run in it at once, at most ``queue_length``
calls wait, none waits longer than ``queue_wait_seconds``, and every statement ends by
``statement_timeout_seconds``. What does not fit is answered Overloaded at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, PoolProxiedConnection, exc

from adapters.drivers import DRIVERS
from adapters.drivers.limits import Limits
from adapters.values import Unreadable
from services.faults import (
    Fault,
    Overloaded,
    ServerFault,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)

if TYPE_CHECKING:
    from adapters.config import SourceConfig

T = TypeVar("T")
F = TypeVar("F", bound=Fault)


class Source:
    """One database of one hospital. ``name`` is the configuration's, ``hospital`` the code."""

    def __init__(self, name: str, hospital: str, config: SourceConfig) -> None:
        self.name = name
        self.hospital = hospital
        self.config = config
        self._driver = DRIVERS[config.url.drivername]
        self._engine = self._driver.engine(
            Limits(
                url=config.url,
                connections=config.pool_size,
                statement_seconds=config.statement_timeout_seconds,
                login_seconds=config.login_timeout_seconds,
                read_only=config.read_only,
                text_encoding=config.text_encoding,
            )
        )
        self._threads = ThreadPoolExecutor(config.pool_size, f"{hospital}-{name}")
        self._here = threading.local()  # .job: the call that this thread is running
        self._lock = threading.Lock()
        self._jobs: set[_Job] = set()  # waiting and running
        self._refused = 0
        self._last_fault: tuple[str, str] | None = None
        self._failing = False
        self._closed = False

    # --- for the host -------------------------------------------------------------------------

    async def run(self, function: Callable[..., T], **arguments: Any) -> T:
        """The function's result, run in this source's own threads.

        Raises Overloaded when the queue is full or the call waited too long in it. When the
        awaiting task is cancelled, a call that waits is dropped and one that runs has its
        statement interrupted, so its thread is free again in a moment.
        """
        job = self._admit(function, arguments)
        timer = asyncio.get_running_loop().call_later(
            self.config.queue_wait_seconds, job.give_up, _WAITED
        )
        try:
            result: T = await asyncio.wrap_future(job.future)
            return result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if job.gave_up is None or (task is not None and task.cancelling()):
                job.interrupt(self._driver.interrupt)
                raise
            if job.gave_up == _CLOSED:
                raise self._closed_fault() from None
            raise self._overloaded() from None
        finally:
            timer.cancel()

    def state(self) -> dict[str, Any]:
        """For /health, as JSON can hold it. ``failing`` tells how the last call that reached
        the database ended; nothing is asked of the database here."""
        with self._lock:
            running = sum(job.future.running() for job in self._jobs)
            last = self._last_fault
            return {
                "source": self.name,
                "adapter": self.config.adapter,
                "offers": list(self.config.offers),
                "database": self.config.url.get_backend_name(),
                "failing": self._failing,
                "running": running,
                "queued": len(self._jobs) - running,
                "pool_size": self.config.pool_size,
                "queue_length": self.config.queue_length,
                "refused": self._refused,
                "last_fault": None if last is None else {"code": last[0], "at": last[1]},
            }

    def close(self) -> None:
        """Drop what waits, interrupt what runs, close the connections. Later calls are
        answered SourceUnavailable."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        for job in jobs:
            if not job.give_up(_CLOSED):
                job.interrupt(self._driver.interrupt)
        self._threads.shutdown(wait=True)
        self._engine.dispose()

    # --- for adapters ---------------------------------------------------------------------------

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for the body of the ``with``. Whatever the database does wrong in it is
        raised as SourceUnavailable, SourceTimeout or SourceError, without SQL parameters."""
        job: _Job | None = getattr(self._here, "job", None)
        try:
            with self._engine.connect() as connection:
                if job is None:
                    yield connection
                    return
                job.holds(connection.connection)
                try:
                    yield connection
                finally:
                    job.holds(None)
        except exc.SQLAlchemyError as error:
            raise self._database_fault(error) from error
        except Unreadable as unreadable:
            raise self.broken_row(unreadable.table, unreadable.key, unreadable) from None
        except _Unwanted:
            raise self._closed_fault() from None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """As ``connect``, in a transaction: committed at the end, undone by any exception."""
        with self.connect() as connection, connection.begin():
            yield connection

    def fault(self, kind: type[F], zh: str, en: str, *, field: str = "") -> F:
        """A fault that says which hospital and source it comes from."""
        return kind(zh, en, field=field, source=self.name, hospital=self.hospital)

    def broken_row(self, table: str, key: str, unreadable: Unreadable) -> SourceError:
        """The SourceError for a row that breaks the contract. ``key`` as ``TEST_NO=2611210001``."""
        column = unreadable.column
        return self.fault(
            SourceError,
            f"{self._where_zh}的表 {table} 中 {key} 一行的 {column} {unreadable.zh}。请更正该行。",
            f"{self._where_en}, table {table}, row {key}: {column} {unreadable.en}. "
            "Correct that row.",
            field=column,
        )

    # --- inside -----------------------------------------------------------------------------------

    def _admit(self, function: Callable[..., Any], arguments: dict[str, Any]) -> _Job:
        job = _Job()

        def work() -> Any:
            self._here.job = job
            try:
                return self._watched(job, function, arguments)
            finally:
                self._here.job = None

        with self._lock:
            if self._closed:
                raise self._closed_fault()
            full = len(self._jobs) >= self.config.pool_size + self.config.queue_length
            if not full:
                job.future = self._threads.submit(work)
                self._jobs.add(job)
        if full:
            raise self._overloaded()
        job.future.add_done_callback(lambda _: self._done(job))
        return job

    def _done(self, job: _Job) -> None:
        with self._lock:
            self._jobs.discard(job)

    def _watched(self, job: _Job, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """The call, with its outcome noted and every Fault told where it comes from."""
        try:
            result = function(**arguments)
        except Fault as fault:
            fault.source = fault.source or self.name
            fault.hospital = fault.hospital or self.hospital
            if job.unwanted:
                pass  # its statement was interrupted by us, which says nothing about the database
            elif isinstance(fault, ServerFault):
                self._failing = True
                self._last_fault = (fault.code, datetime.now().isoformat(" ", "seconds"))
            else:
                self._failing = False
            raise
        self._failing = False
        return result

    def _database_fault(self, error: exc.SQLAlchemyError) -> ServerFault:
        if isinstance(error, exc.TimeoutError):
            return self._overloaded()
        if not isinstance(error, exc.DBAPIError) or error.orig is None:
            kind: type[ServerFault] = SourceError
            detail = type(error).__name__
        else:
            kind = self._driver.fault(error.orig)
            detail = self._driver.detail(error.orig)
        if kind is SourceTimeout:
            seconds = self.config.statement_timeout_seconds
            return self.fault(
                kind,
                f"{self._where_zh}在 {seconds:g} 秒内没有答复。请稍后再试；若总是如此，"
                f"请检查数据库的负载、锁和索引。（{detail}）",
                f"{self._where_en} did not answer within {seconds:g} s. Try again later; if it "
                f"goes on, look at the database's load, locks and indexes. ({detail})",
            )
        if kind is SourceUnavailable:
            return self.fault(
                kind,
                f"{self._where_zh}无法连接。请检查数据库是否在运行、url 是否正确。（{detail}）",
                f"{self._where_en} cannot be reached. Check that the database is up and that "
                f"the url is right. ({detail})",
            )
        return self.fault(
            kind,
            f"{self._where_zh}答以错误：{detail}。请检查表结构与适配器设置是否相符。",
            f"{self._where_en} answered with an error: {detail}. Check that its tables are as "
            "the adapter's settings say.",
        )

    def _overloaded(self) -> Overloaded:
        with self._lock:
            self._refused += 1
        return self.fault(
            Overloaded,
            f"{self._where_zh}正忙，已有 {self.config.pool_size} 个调用在执行，其余在排队。"
            "请稍后再试。",
            f"{self._where_en} is busy: {self.config.pool_size} calls are running and others "
            "wait. Try again in a moment.",
        )

    def _closed_fault(self) -> SourceUnavailable:
        return self.fault(
            SourceUnavailable,
            f"{self._where_zh}正在关闭。请稍后再试。",
            f"{self._where_en} is shutting down. Try again in a moment.",
        )

    @property
    def _where_zh(self) -> str:
        return f"医院 {self.hospital} 的数据源 {self.name} "

    @property
    def _where_en(self) -> str:
        return f"Source {self.name} of hospital {self.hospital}"


_WAITED = "waited"
_CLOSED = "closed"


class _Unwanted(Exception):
    """Nobody waits for this call any more, so it shall not ask the database again."""


class _Job:
    """One call: waiting, then running in a thread and holding a connection now and then."""

    future: Future[Any]

    def __init__(self) -> None:
        self.gave_up: str | None = None
        self._connection: PoolProxiedConnection | None = None
        self.unwanted = False
        self._lock = threading.Lock()

    def give_up(self, reason: str) -> bool:
        """Drop the call if it has not begun. Tells whether it was dropped."""
        # Before cancel(), which wakes the one who waits.
        self.gave_up = reason
        if self.future.cancel():
            return True
        self.gave_up = None
        return False

    def holds(self, connection: PoolProxiedConnection | None) -> None:
        """Which connection an interrupt has to stop; None: none now."""
        with self._lock:
            self._connection = connection
            if self.unwanted and connection is not None:
                raise _Unwanted

    def interrupt(self, stop: Callable[[PoolProxiedConnection], None]) -> None:
        """Stop the running statement, and any that this call would still begin."""
        with self._lock:
            self.unwanted = True
            if self._connection is not None:
                stop(self._connection)
