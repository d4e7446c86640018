"""What the registry does by itself every few seconds, in a thread of its own: its time moves on,
leases are swept, old probes are summed up, what is old in the change log is dropped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from registry.failures import described
from registry.health import roll_up
from registry.lease_sweep import LeaseSweep, counted
from registry.lived_time import TICK_SECONDS, LivedTime
from registry.pruning import prune
from registry.store import Store

log = structlog.get_logger("registry")

#: seconds between two looks for probes to be summed up, and for old changes
_ROLL_UP_SECONDS = 60.0
_DAY_MS = 24 * 3600 * 1000


class Housekeeping:
    """``keep_days``: how long lines of the change log are kept."""

    def __init__(
        self,
        store: Store,
        lived: LivedTime,
        sweep: LeaseSweep,
        *,
        keep_days: float = 366,
        tick_seconds: float = TICK_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._lived = lived
        self._sweep = sweep
        self._keep = int(keep_days * _DAY_MS)
        self._tick_seconds = tick_seconds
        self._clock = clock
        self._rolled_up = float("-inf")
        self._problem = ""
        #: how many leases are in each state, as of a minute ago at most
        self.leases: dict[str, int] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="registry-housekeeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way; the time lived until now is written down."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self.once()

    def once(self) -> None:
        """One round. A database that is away is said once, and tried again in the next one."""
        try:
            self._lived.tick()
            self._sweep()
            if time.monotonic() >= self._rolled_up + _ROLL_UP_SECONDS:
                self._rolled_up = time.monotonic()
                self._store.write(lambda connection: roll_up(connection, self._milliseconds()))
                self._prune()
                self.leases = counted(self._store)
        except SQLAlchemyError as error:
            if self._problem != described(error):
                self._problem = described(error)
                log.error("registry housekeeping failed", error=self._problem)
        except Exception:
            log.exception("registry housekeeping failed")
        else:
            self._problem = ""

    def _prune(self) -> None:
        now = self._milliseconds()
        first = self._store.first_change()
        # Most rounds have nothing to do, and write nothing.
        if first is not None and first.moment < now - self._keep:
            pruned = self._store.write(lambda connection: prune(connection, now - self._keep, now))
            if pruned:
                log.info("change log pruned", lines=pruned)

    def _milliseconds(self) -> int:
        return int(self._clock() * 1000)

    def _run(self) -> None:
        while not self._ended.wait(self._tick_seconds):
            self.once()
