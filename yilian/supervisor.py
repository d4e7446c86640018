"""Several worker processes of one program: started, started again when one dies, ended together.

The parent does nothing else. It forks before it has made a thread or an event loop, so a worker
begins with everything that is loaded already, and shares that memory.
"""

from __future__ import annotations

import logging
import os
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType

from yilian.listening import end_with

#: a worker that lived shorter than this is started again only after a pause, seconds
_SHORT_LIFE = 5.0
_LONGEST_PAUSE = 10.0
_log = logging.getLogger("yilian")


class Supervisor:
    """``work(n)`` is worker n, from 0: it returns when SIGTERM has told it to end. ``grace``: how
    long workers may take to end, seconds; after that they are killed. ``ending`` is called in the
    parent as soon as they are told. SIGHUP goes to all of them."""

    def __init__(
        self,
        work: Callable[[int], None],
        workers: int,
        *,
        grace: float,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self._work = work
        self._ending = ending
        self._workers = workers
        self._grace = grace
        self._running: dict[int, tuple[int, float]] = {}  # process: worker, since when
        self._failures = [0] * workers
        self._due: dict[int, float] = {}  # worker: when it is to be started again
        self._stopping: float | None = None  # when those that are left are killed
        self._alive = os.pipe()  # workers end when the parent's end of it closes

    def run(self, *, stop_with_stdin: bool = False) -> None:
        """Until SIGTERM or SIGINT, or, with ``stop_with_stdin``, the end of standard input."""
        woken, wake = os.pipe()
        for end in (woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, _noted)
        selector = selectors.DefaultSelector()
        selector.register(woken, selectors.EVENT_READ)
        if stop_with_stdin:
            selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        for worker in range(self._workers):
            self._start(worker)
        while self._running or self._stopping is None:
            for key, _ in selector.select(self._wait()):
                if key.fd == woken:
                    self._heed(os.read(woken, 4096))
                elif not os.read(key.fd, 4096):
                    selector.unregister(key.fd)
                    self._stop()
            self._reap()
            self._start_due()
        signal.set_wakeup_fd(-1)

    # --- what happens ---------------------------------------------------------------------------

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGHUP in numbers:
            self._tell(signal.SIGHUP)
        if signal.SIGTERM in numbers or signal.SIGINT in numbers:
            self._stop()

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = time.monotonic() + self._grace
            self._due.clear()
            self._ending()
            self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for process in self._running:
            os.kill(process, number)

    def _reap(self) -> None:
        for process in list(self._running):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self._ended(process, os.waitstatus_to_exitcode(status))
        if self._stopping is not None and time.monotonic() >= self._stopping:
            self._tell(signal.SIGKILL)

    def _ended(self, process: int, code: int) -> None:
        worker, since = self._running.pop(process)
        if self._stopping is not None:
            return
        short = time.monotonic() - since < _SHORT_LIFE
        self._failures[worker] = self._failures[worker] + 1 if short else 0
        pause = min(_LONGEST_PAUSE, 0.5 * self._failures[worker] ** 2)
        how = f"signal {-code}" if code < 0 else f"exit {code}"
        _log.error(
            "worker %d (process %d) ended: %s; started again in %.1f s",
            *(worker, process, how, pause),
        )
        self._due[worker] = time.monotonic() + pause

    def _start_due(self) -> None:
        now = time.monotonic()
        for worker in [one for one, when in self._due.items() if when <= now]:
            del self._due[worker]
            self._start(worker)

    def _wait(self) -> float | None:
        """Until the next thing that no signal tells of."""
        moments = [*self._due.values(), *([self._stopping] if self._stopping is not None else [])]
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _start(self, worker: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            self._running[process] = worker, time.monotonic()
            _log.info("worker %d is process %d", worker, process)
            return
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the worker itself heeds it
            os.close(self._alive[1])
            end_with(self._alive[0])
            self._work(worker)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # the parent's own clean-up is not ours to do


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe has the signal's number; nothing is done between two lines of code."""
