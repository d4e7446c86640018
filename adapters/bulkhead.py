"""The bulkhead of a source: how many calls run in a fragile system at once, wait, are refused.

At most ``pool_size`` calls run at once, at most ``queue_length`` wait, none of them longer than
``queue_wait_seconds``. What does not fit is answered Overloaded at once. What a call is connected
to, a database (adapters/database.py) or an HTTP server (adapters/http_source.py), is the
subclass's; so is ending what takes too long.
"""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from adapters.breaker import Breaker
from adapters.latencies import Latencies
from services.faults import Fault, Overloaded, ServerFault, SourceTimeout, SourceUnavailable

if TYPE_CHECKING:
    from adapters.config import SourceConfig

log = structlog.get_logger()

#: why a call is refused: the queue is full, it waited too long in it, no connection of the pool
#: was free, the breaker is open
REFUSALS = ("full", "waited", "pool", "breaker")

T = TypeVar("T")
F = TypeVar("F", bound=Fault)


class Bulkhead(ABC):
    """What every source is. ``name`` is the configuration's, ``hospital`` the code."""

    def __init__(self, name: str, hospital: str, config: SourceConfig) -> None:
        self.name = name
        self.hospital = hospital
        self.config = config
        self._threads = ThreadPoolExecutor(config.pool_size, f"{hospital}-{name}")
        # Asking a server to stop takes time too, so nobody who serves others does it.
        self._stoppers = ThreadPoolExecutor(config.pool_size, f"{hospital}-{name}-stop")
        self._here = threading.local()  # .job: the call that this thread is running
        self._lock = threading.Lock()
        self._jobs: set[_Job] = set()  # waiting and running
        self._refused: Counter[str] = Counter()  # by reason, one of REFUSALS
        self.shared = 0  # answers that another call's served (adapters/sharing.py),
        self.cached = 0  # and those among them that had been kept
        self.waits = Latencies()  # seconds in the queue, of calls that came to run
        self.queries = Latencies()  # seconds in the source, by operation
        self._breaker = Breaker(config.breaker_failures, config.breaker_seconds)
        self._last_fault: tuple[str, str] | None = None
        self._failing = False
        self._closed = False

    # --- what a subclass knows -----------------------------------------------------------------

    @abstractmethod
    def _interrupt(self, connection: Any) -> None:
        """Stop what a connection is doing, from another thread."""

    @abstractmethod
    def _release(self) -> None:
        """Close what is still open; no call is running any more."""

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
                self._stop(job)
                raise
            if job.gave_up == _CLOSED:
                raise self._closed_fault() from None
            raise self._overloaded("waited") from None
        finally:
            timer.cancel()

    def state(self) -> dict[str, Any]:
        """For /health, as JSON can hold it. ``failing`` tells how the last call that reached
        the source ended; nothing is asked of it here."""
        with self._lock:
            running = sum(job.future.running() for job in self._jobs)
            last = self._last_fault
            return {
                "source": self.name,
                "adapter": self.config.adapter,
                "offers": list(self.config.offers),
                "failing": self._failing,
                "running": running,
                "queued": len(self._jobs) - running,
                "pool_size": self.config.pool_size,
                "queue_length": self.config.queue_length,
                "refused": sum(self._refused.values()),
                "shared": self.shared,
                "breaker": self._breaker.state(),
                "last_fault": None if last is None else {"code": last[0], "at": last[1]},
            }

    def refusals(self) -> dict[str, int]:
        """How many calls were refused without asking the source, by reason."""
        with self._lock:
            return {reason: self._refused[reason] for reason in REFUSALS}

    def close(self) -> None:
        """Drop what waits, interrupt what runs, close the connections. Later calls are
        answered SourceUnavailable."""
        with self._lock:
            self._closed = True
            jobs = list(self._jobs)
        for job in jobs:
            if not job.give_up(_CLOSED):
                self._stop(job)
        self._threads.shutdown(wait=True)
        self._stoppers.shutdown(wait=True)
        self._release()

    # --- for adapters ---------------------------------------------------------------------------

    def fault(self, kind: type[F], zh: str, en: str, *, field: str = "") -> F:
        """A fault that says which hospital and source it comes from."""
        return kind(zh, en, field=field, source=self.name, hospital=self.hospital)

    # --- for the subclass -----------------------------------------------------------------------

    @contextmanager
    def _holding(self, connection: Any) -> Iterator[None]:
        """While in it, this thread's call is stopped by interrupting that connection. Raises
        Unwanted, at the beginning, where nobody waits for the call any more."""
        job: _Job | None = getattr(self._here, "job", None)
        if job is None:
            yield
            return
        job.holds(connection)
        try:
            yield
        finally:
            job.holds(None)

    # --- inside -----------------------------------------------------------------------------------

    def _admit(self, function: Callable[..., Any], arguments: dict[str, Any]) -> _Job:
        trial = self._breaker.admit()
        if trial is False:
            raise self._open_fault()
        job = _Job(trial=bool(trial))
        try:
            return self._submitted(job, function, arguments)
        except BaseException:
            if job.trial:
                self._breaker.withdrawn()
            raise

    def _submitted(
        self, job: _Job, function: Callable[..., Any], arguments: dict[str, Any]
    ) -> _Job:
        admitted = time.perf_counter()

        def work() -> Any:
            self.waits.add("", time.perf_counter() - admitted)
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
            raise self._overloaded("full")
        job.future.add_done_callback(lambda _: self._done(job))
        return job

    def _stop(self, job: _Job) -> None:
        """Interrupt the call, beside the caller's back."""
        job.unwanted = True

        def stop() -> None:
            try:
                job.interrupt(self._interrupt)
            except Exception as error:
                # A server that does not take it: the statement's own limit ends it.
                log.warning("interrupt", source=self.name, error=type(error).__name__)

        try:
            self._stoppers.submit(stop)
        except RuntimeError:
            stop()  # the source is being closed twice at once

    def _done(self, job: _Job) -> None:
        with self._lock:
            self._jobs.discard(job)
        if job.trial and not job.judged:
            self._breaker.withdrawn()

    def _watched(self, job: _Job, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """The call, with its outcome noted and every Fault told where it comes from."""
        begin = time.perf_counter()
        try:
            result = function(**arguments)
        except Fault as fault:
            fault.source = fault.source or self.name
            fault.hospital = fault.hospital or self.hospital
            if not job.unwanted:
                self._judge(job, fault)
            if job.unwanted:
                pass  # its statement was interrupted by us, which says nothing about the source
            elif isinstance(fault, ServerFault):
                self._failing = True
                self._last_fault = (fault.code, datetime.now().isoformat(" ", "seconds"))
            else:
                self._failing = False
            raise
        finally:
            name = getattr(function, "__name__", type(function).__name__)
            self.queries.add(name, time.perf_counter() - begin)
        self._failing = False
        self._judge(job, None)
        return result

    def _judge(self, job: _Job, fault: Fault | None) -> None:
        """Tell the breaker whether the source is there. An error in a table or a refusal is an
        answer too."""
        job.judged = True
        if isinstance(fault, SourceUnavailable | SourceTimeout):
            self._breaker.failed(job.trial)
        elif isinstance(fault, Overloaded):
            job.judged = False  # its pool was full: nothing is known
        else:
            self._breaker.succeeded()

    def _overloaded(self, reason: str) -> Overloaded:
        with self._lock:
            self._refused[reason] += 1
        return self.fault(
            Overloaded,
            f"{self._where_zh}正忙，已有 {self.config.pool_size} 个调用在执行，其余在排队。"
            "请稍后再试。",
            f"{self._where_en} is busy: {self.config.pool_size} calls are running and others "
            "wait. Try again in a moment.",
        )

    def _open_fault(self) -> SourceUnavailable:
        with self._lock:
            self._refused["breaker"] += 1
        seconds = self._breaker.wait
        return self.fault(
            SourceUnavailable,
            f"{self._where_zh}连续失败，已暂停访问，约 {seconds:.0f} 秒后自动重试。请稍后再试；"
            "若持续如此，请运维检查该数据源（见 /health）。",
            f"{self._where_en} failed again and again and is left alone; it will be tried in "
            f"about {seconds:.0f} s. Try again later; if it goes on, the operator looks at that "
            "source (see /health).",
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


class Unwanted(Exception):
    """Nobody waits for this call any more, so it shall ask nothing more."""


class _Job:
    """One call: waiting, then running in a thread and holding a connection now and then."""

    future: Future[Any]

    def __init__(self, trial: bool = False) -> None:
        self.trial = trial  # of a source whose breaker is open
        self.judged = False
        self.gave_up: str | None = None
        self._connection: Any = None
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

    def holds(self, dbapi_connection: Any) -> None:
        """Which connection an interrupt has to stop; None: none now."""
        with self._lock:
            self._connection = dbapi_connection
            if self.unwanted and dbapi_connection is not None:
                raise Unwanted

    def interrupt(self, stop: Callable[[Any], None]) -> None:
        """Stop the running statement, and any that this call would still begin."""
        with self._lock:
            self.unwanted = True
            if self._connection is not None:
                stop(self._connection)
