"""A connection's last resort: its socket is shut when a statement is not back in time.

A server that hangs, or a network that swallows packets, answers neither a statement nor the
request to cancel it, and a driver waits for ever. Shutting the socket wakes the thread at once.
One thread of the process watches over all of them.
"""

from __future__ import annotations

import math
import os
import select
import socket
import threading
import time
import weakref

#: how far apart the watch looks at its deadlines, in seconds
_TICK = 0.1


class Deadline:
    """The deadline of one connection. ``descriptor`` is its socket's; a copy is kept, so that a
    number that the system gives to something else is never touched."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        # A copy shares its blocking mode with the original, so it is used without changing it.
        self._at = math.inf
        self._lock = threading.Lock()
        self.expired = False
        _WATCH.add(self)

    def set(self, seconds: float) -> None:
        """From now on, so many seconds."""
        with self._lock:
            self._at = time.monotonic() + seconds

    def clear(self) -> None:
        with self._lock:
            self._at = math.inf

    @property
    def dead(self) -> bool:
        """Whether something came in while nothing was asked: the server's farewell, or the end
        of the stream. Only for a connection that is idle."""
        poll = select.poll()
        try:
            poll.register(self._socket.fileno(), select.POLLIN)
        except ValueError:
            return True
        return bool(poll.poll(0))

    def check(self, now: float) -> None:
        with self._lock:
            if now < self._at:
                return
            self._at = math.inf
            self.expired = True
            self._shut()

    def close(self) -> None:
        """Give the copy back; the connection is closed by its driver."""
        with self._lock:
            self._at = math.inf
            self._socket.close()

    def _shut(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is down already


class _Watch:
    """The one thread, begun when first needed."""

    def __init__(self) -> None:
        self._deadlines: weakref.WeakSet[Deadline] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._process = 0

    def add(self, deadline: Deadline) -> None:
        with self._lock:
            self._deadlines.add(deadline)
            if self._process != os.getpid():  # a fork has no threads but its own
                self._process = os.getpid()
                threading.Thread(target=self._look, name="yilian-deadlines", daemon=True).start()

    def _look(self) -> None:
        while True:
            time.sleep(_TICK)
            self._look_once()

    def _look_once(self) -> None:
        # A frame of its own: what this holds on to while it looks is let go before the next time.
        now = time.monotonic()
        with self._lock:
            deadlines = list(self._deadlines)
        for deadline in deadlines:
            deadline.check(now)


_WATCH = _Watch()
