"""After hundreds of faults of every kind a source has as many threads, connections and descriptors
as before, and no more memory; closed, it has none."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import re
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.database import Source
from services.faults import Fault, Overloaded, SourceError, SourceTimeout, SourceUnavailable
from tests.databases.proxy import Proxy
from tests.databases.servers import until
from tests.databases.targets import Target
from tests.databases.test_faults import long

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

POOL, QUEUE = 3, 4
#: rounds that are counted, after those that fill every pool and cache
WARM, ROUNDS = 3, 15
LIMITS = {
    **{"pool_size": POOL, "queue_length": QUEUE, "queue_wait_seconds": 30},
    **{"statement_timeout_seconds": 0.1, "login_timeout_seconds": 2},
    # Every call is to reach for the server.
    **{"breaker_failures": 0, "single_flight": False},
}
#: of each kind, in one round
WRONG, ENDLESS, UNREACHABLE, LEFT, TOO_MANY = 6, 2, 6, 4, 4
#: what is held for each open connection: its socket, the copy that watches its deadline, and the
#: proxy's two ends; a handful of files that libraries open when they like
DESCRIPTORS = 4 * POOL + 6
#: objects of one type: not one for each round is kept, be it a call, a connection or a deadline
OBJECTS = ROUNDS - 1
#: bytes of the whole process, the drivers' own included: far below a connection for each fault
PROCESS = 10 * 2**20


@dataclass
class Held:
    """What this process and the server hold now."""

    threads: int
    connections: int
    descriptors: int
    memory: int
    objects: Counter[str]


def held(target: Target) -> Held:
    gc.collect()
    with suppress(AttributeError):  # what glibc keeps for later is not held by anybody
        ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text("ascii")
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident
    return Held(
        threading.active_count(),
        target.server.connections(),
        len(list(Path("/proc/self/fd").iterdir())),
        int(resident[1]) * 1024,
        Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects()),
    )


class Misery:
    """Faults of every kind, one after the other. ``seen``: how many of each class there were."""

    def __init__(self, source: Source, proxy: Proxy, target: Target) -> None:
        self.source, self.proxy, self.target = source, proxy, target
        self.seen: Counter[type] = Counter()

    def _ask(self, sql: str) -> Any:
        with self.source.connect() as connection:
            return connection.execute(text(sql)).scalar()

    async def _outcome(self, sql: str = "SELECT 1") -> None:
        try:
            await self.source.run(self._ask, sql=sql)
        except Fault as fault:
            self.seen[type(fault)] += 1

    async def _at_once(self, count: int, sql: str = "SELECT 1") -> None:
        await asyncio.gather(*(self._outcome(sql) for _ in range(count)))

    async def _who_leaves(self) -> None:
        call = asyncio.create_task(self.source.run(self._ask, sql=long(self.target)))
        while not self.source.state()["running"] and not call.done():
            await asyncio.sleep(0.001)
        call.cancel()
        try:
            await call
        except asyncio.CancelledError:
            self.seen[asyncio.CancelledError] += 1

    def go_through(self, rounds: int) -> None:
        async def some() -> None:
            for _ in range(rounds):
                await self.round()

        asyncio.run(some())

    async def round(self) -> None:
        await self._at_once(WRONG, "SELECT * FROM NOWHERE")
        await self._at_once(ENDLESS, long(self.target))
        for _ in range(LEFT):
            await self._who_leaves()
        self.proxy.refuses = True
        self.proxy.drop()
        await self._at_once(UNREACHABLE)
        self.proxy.refuses = False
        await self._at_once(POOL + QUEUE + TOO_MANY, "SELECT * FROM NOWHERE")
        await self.rest()

    async def rest(self) -> None:
        """Until the source does what it is asked again."""
        end = time.monotonic() + 20
        while await self.source.run(self._quiet) != 1:
            assert time.monotonic() < end, self.source.state()
            await asyncio.sleep(0.01)

    def _quiet(self) -> Any:
        try:
            return self._ask("SELECT 1")
        except Fault:
            return None


def test_hundreds_of_faults_leave_nothing_behind(target: Target, database: str) -> None:
    proxy = Proxy(target.server.port)
    with target.source(database, **LIMITS) as warm, warm.connect() as connection:
        connection.execute(text("SELECT 1"))  # the driver and the watch of deadlines are there
    until(lambda: target.server.connections() == 0)
    nothing = held(target)
    with closing(proxy), target.source(database, proxy.port, **LIMITS) as source:
        misery = Misery(source, proxy, target)
        misery.go_through(WARM)
        before, misery.seen = held(target), Counter()
        misery.go_through(ROUNDS)
        faults = misery.seen.total()
        assert faults >= ROUNDS * (WRONG + ENDLESS + UNREACHABLE + LEFT + TOO_MANY) > 250
        for kind in (SourceError, SourceTimeout, SourceUnavailable, Overloaded):
            assert misery.seen[kind] >= ROUNDS, misery.seen
        # The proxy's threads end with its connections, a moment later.
        until(lambda: threading.active_count() <= before.threads + 3 * POOL)
        until(lambda: target.server.connections() <= POOL)
        after = held(target)
        assert after.descriptors <= before.descriptors + DESCRIPTORS, (before, after)
        assert after.memory - before.memory < PROCESS, (before, after)
        grown = {kind: n for kind, n in (after.objects - before.objects).items() if n > OBJECTS}
        assert not grown
    until(lambda: target.server.connections() == 0)
    until(lambda: threading.active_count() <= nothing.threads)
    until(lambda: held(target).descriptors <= nothing.descriptors)
