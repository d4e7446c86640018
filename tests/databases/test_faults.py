"""Faults injected while calls come in: each has its Fault in the stated time, the node's other
sources answer as before, and service returns by itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, text, update

from adapters.database import Source
from services.faults import Fault, Overloaded, ServerFault, SourceTimeout, SourceUnavailable
from tests.databases.proxy import Proxy
from tests.databases.servers import until
from tests.databases.targets import Target

pytestmark = pytest.mark.full

T = Table("T", MetaData(), Column("N", Integer, primary_key=True), Column("NAME", String(50)))
STATEMENT, LOGIN, QUEUE = 1.0, 2.0, 2.0
#: waiting in the queue, logging in, a statement and a second's grace; and a slow machine's second
STATED = QUEUE + LOGIN + STATEMENT + 1.0 + 2.0


class Both:
    """``ill`` is behind the proxy, ``well`` is another source of the same node."""

    def __init__(self, ill: Source, well: Source, proxy: Proxy, target: Target) -> None:
        self.ill, self.well, self.proxy, self.target = ill, well, proxy, target

    def ask(self, source: Source, sql: str = "SELECT 1") -> Any:
        with source.connect() as connection:
            return connection.execute(text(sql)).scalar()

    async def outcome(self, source: Source, sql: str = "SELECT 1") -> tuple[Any, float]:
        begin = time.monotonic()
        try:
            result: Any = await source.run(self.ask, source=source, sql=sql)
        except Fault as fault:
            result = fault
        return result, time.monotonic() - begin

    async def back(self) -> None:
        """Service returns without anybody's help."""
        end = time.monotonic() + 20
        while (await self.outcome(self.ill))[0] != 1:
            assert time.monotonic() < end, self.ill.state()
            await asyncio.sleep(0.05)
        assert self.ill.state()["breaker"]["state"] == "closed"
        assert not self.ill.state()["failing"]


@pytest.fixture
def both(target: Target, database: str) -> Iterator[Both]:
    config = {
        "statement_timeout_seconds": STATEMENT,
        "login_timeout_seconds": LOGIN,
        "queue_wait_seconds": QUEUE,
        "breaker_seconds": 1.0,
        "pool_size": 3,
    }
    threads = threading.active_count()
    with ExitStack() as stack:
        proxy = Proxy(target.server.port)
        stack.callback(proxy.close)
        ill = stack.enter_context(target.source(database, proxy.port, **config))
        well = stack.enter_context(target.source(database, **config))
        with well.transaction() as connection:
            T.create(connection, checkfirst=False)
            connection.execute(insert(T).values(N=1, NAME="四变付"))
        yield Both(ill, well, proxy, target)
    until(lambda: target.server.connections() == 0)
    until(lambda: threading.active_count() <= threads + 1)  # the one that watches deadlines


async def storm(both: Both, sql: str = "SELECT 1", callers: int = 12) -> list[Any]:
    """Many callers of the ill source, while the other one is asked all the time."""
    calls = [asyncio.create_task(both.outcome(both.ill, sql)) for _ in range(callers)]
    others = []
    while not all(call.done() for call in calls):
        others.append(await both.outcome(both.well))
        await asyncio.sleep(0.02)
    assert others and all(result == 1 for result, _ in others)
    # As fast as before: never as long as the shortest of the ill source's limits.
    assert sorted(seconds for _, seconds in others)[len(others) // 2] < STATEMENT / 2
    outcomes = [call.result() for call in calls]
    assert max(seconds for _, seconds in outcomes) < STATED
    return [result for result, _ in outcomes]


def in_turn(both: Both, during: Callable[[], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        assert (await both.outcome(both.ill))[0] == 1
        await during()
        await both.back()

    asyncio.run(all_of_it())


def test_the_network_is_cut_and_mended(both: Both) -> None:
    async def during() -> None:
        both.proxy.cut()
        faults = await storm(both)
        kinds = {type(fault) for fault in faults}
        assert kinds <= {SourceTimeout, SourceUnavailable, Overloaded}, faults
        for _ in range(5):  # the last ones are refused at once
            fault, seconds = await both.outcome(both.ill)
            assert isinstance(fault, ServerFault) and seconds < STATED
        assert both.ill.state()["breaker"]["state"] in ("open", "half-open")
        both.proxy.mend()

    in_turn(both, during)


def test_connections_are_reset(both: Both) -> None:
    async def during() -> None:
        calls = [asyncio.create_task(both.outcome(both.ill, long(both.target))) for _ in range(3)]
        while both.ill.state()["running"] < 3:
            await asyncio.sleep(0.01)
        both.proxy.drop()
        for call in calls:
            fault, seconds = await call
            assert isinstance(fault, SourceUnavailable | SourceTimeout) and seconds < STATED

    in_turn(both, during)


def test_a_slow_network_is_only_slow(both: Both) -> None:
    async def during() -> None:
        both.proxy.delay = 0.05
        results = await storm(both, callers=3)
        assert set(results) == {1}
        both.proxy.delay = 0.0

    in_turn(both, during)


def test_the_server_stops_and_starts(both: Both) -> None:
    async def during() -> None:
        both.target.server.stop()
        results = [await both.outcome(both.ill) for _ in range(8)]
        assert all(isinstance(fault, SourceUnavailable) for fault, _ in results)
        assert max(seconds for _, seconds in results) < STATED
        assert both.ill.state()["breaker"]["state"] in ("open", "half-open")
        await asyncio.to_thread(both.target.server.start)

    in_turn(both, during)


def test_backends_are_killed_in_the_middle(both: Both) -> None:
    async def during() -> None:
        call = asyncio.create_task(both.outcome(both.ill, long(both.target)))
        while both.ill.state()["running"] < 1:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(both.target.server.kill_connections)
        fault, seconds = await call
        assert isinstance(fault, SourceUnavailable | SourceTimeout) and seconds < STATED

    in_turn(both, during)


def test_a_query_that_never_ends(both: Both) -> None:
    async def during() -> None:
        faults = await storm(both, long(both.target), callers=4)
        assert {type(fault) for fault in faults} <= {SourceTimeout, Overloaded}

    in_turn(both, during)


def test_a_locked_table(both: Both, database: str) -> None:
    def write() -> None:
        with both.ill.transaction() as connection:
            connection.execute(update(T).values(NAME="x"))

    async def during() -> None:
        with both.target.source(database) as other, other.transaction() as connection:
            connection.execute(update(T).values(NAME="held"))
            begin = time.monotonic()
            with pytest.raises(SourceTimeout):
                await both.ill.run(write)
            assert time.monotonic() - begin < STATED
            assert (await both.outcome(both.well))[0] == 1
        await both.ill.run(write)

    in_turn(both, during)
    assert both.ask(both.well, named(both.target)) == "x"


def long(target: Target) -> str:
    """Work that is no sleep, for hours."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    return f"{numbers} SELECT count(*) FROM n a, n b, n c, n d"


def named(target: Target) -> str:
    return 'SELECT "NAME" FROM "T"' if target.is_postgresql else "SELECT NAME FROM T"
