"""Who wants to be told that something has changed in the registry's database, and the telling."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from registry.failures import described

log = structlog.get_logger("registry")

#: How often the database is asked whether another process has written, in seconds: one row by
#: its key. Changes of this process are told at once.
POLL_SECONDS = 0.5


class Subscribers:
    """``last_index`` answers the number of the last change. Nothing is asked and no thread runs
    while nobody has subscribed."""

    def __init__(self, last_index: Callable[[], int], poll_seconds: float = POLL_SECONDS) -> None:
        self._last_index = last_index
        self._poll_seconds = poll_seconds
        self._lock = threading.Lock()
        # Held while callbacks run: numbers are told in their order, and whoever has looked knows
        # that everybody was told. Reentrant, since a callback may itself write.
        self._telling = threading.RLock()
        self._callbacks: dict[object, Callable[[int], None]] = {}
        self._told = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, callback: Callable[[int], None]) -> Callable[[], None]:
        token = object()
        seen = self._last_index()
        with self._lock:
            if not self._callbacks:
                self._told = max(self._told, seen)
            self._callbacks[token] = callback
            if self._thread is None and not self._ended.is_set():
                self._thread = threading.Thread(
                    target=self._poll, name="registry-changes", daemon=True
                )
                self._thread.start()

        def remove() -> None:
            with self._lock:
                self._callbacks.pop(token, None)

        return remove

    def look(self) -> None:
        """Tell everybody where there is something new. A database that cannot be asked has
        nothing new; the next look will find it."""
        with self._lock:
            if not self._callbacks:
                return
        with self._telling:
            self._tell()

    def _tell(self) -> None:
        try:
            last = self._last_index()
        except SQLAlchemyError as error:
            log.warning("registry changes not read", error=described(error))
            return
        with self._lock:
            if last <= self._told:
                return
            self._told = last
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            try:
                callback(last)
            except Exception:
                # One subscriber's mistake is neither the publisher's nor the other subscribers'.
                log.exception("registry subscriber failed")

    def close(self) -> None:
        self._ended.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(10)

    def _poll(self) -> None:
        while not self._ended.wait(self._poll_seconds):
            self.look()
