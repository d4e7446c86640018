"""A Source: its bulkhead, its timeouts, and every failure of its database as a Fault."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters import junwei
from adapters.config import SourceConfig
from adapters.database import Source
from services.faults import (
    Fault,
    NotFound,
    Overloaded,
    ServerFault,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from tests.adapters.conftest import Database, Opener

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    sources: list[Source] = []

    def make(path: Path | None = None, **config: Any) -> Source:
        file = path or tmp_path / "source.db"
        if path is None:
            with sqlite3.connect(file) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS T (N INTEGER)")
            connection.close()
        checked = SourceConfig(
            adapter="junwei", url=f"sqlite:///{file}", offers=["NumberSource"], **config
        )
        sources.append(Source("his", "hx", checked))
        return sources[-1]

    yield make
    for source in sources:
        source.close()


def ask(source: Source, sql: str = "SELECT count(*) FROM T") -> Any:
    with source.connect() as connection:
        return connection.execute(text(sql)).scalar()


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


async def run(by: Source, function: Any, **arguments: Any) -> Any:
    return await by.run(function, **arguments)


def where_from(fault: Fault) -> tuple[str, str]:
    return fault.hospital, fault.source


# --- what the database does wrong ----------------------------------------


def test_a_missing_file_is_not_created(made: Any, tmp_path: Path) -> None:
    source = made(tmp_path / "none.db")
    with pytest.raises(SourceUnavailable) as caught:
        ask(source)
    assert where_from(caught.value) == ("hx", "his")
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_went_away_and_came_back(made: Any, tmp_path: Path) -> None:
    source = made()
    assert ask(source) == 0
    file = tmp_path / "source.db"
    file.rename(tmp_path / "away.db")
    with pytest.raises(SourceUnavailable):
        ask(source)
    (tmp_path / "away.db").rename(file)
    assert ask(source) == 0


def test_a_replaced_file_is_opened_anew(made: Any, tmp_path: Path) -> None:
    source = made()
    assert ask(source) == 0
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("CREATE TABLE T AS SELECT 1 AS N UNION SELECT 2")
    connection.close()
    (tmp_path / "new.db").replace(tmp_path / "source.db")
    assert ask(source) == 2


def test_a_file_that_is_no_database(made: Any, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all" * 100)
    with pytest.raises(SourceUnavailable):
        ask(made(tmp_path / "text.db"))


def test_a_locked_database(made: Any, tmp_path: Path) -> None:
    source = made(statement_timeout_seconds=0.2)
    locker = sqlite3.connect(tmp_path / "source.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceTimeout, match="locked"):
        ask(source)
    locker.execute("ROLLBACK")
    locker.close()
    assert ask(source) == 0


def test_a_query_that_never_ends_is_interrupted(made: Any) -> None:
    source = made(statement_timeout_seconds=0.2, pool_size=1)
    with pytest.raises(SourceTimeout) as caught:
        asyncio.run(run(source, ask, source=source, sql=ENDLESS))
    assert where_from(caught.value) == ("hx", "his")
    assert "0.2" in caught.value.zh
    assert source.state()["failing"]
    # The same connection, the same thread, and its time starts anew.
    assert asyncio.run(run(source, ask, source=source)) == 0
    assert not source.state()["failing"]


def test_rows_that_never_end_are_interrupted(made: Any) -> None:
    source = made(statement_timeout_seconds=0.2)
    endless_rows = ENDLESS.replace("SELECT max(i)", "SELECT i") + " WHERE i % 100000 = 0"

    def read() -> None:
        with source.connect() as connection:
            for _ in connection.execute(text(endless_rows)):
                pass

    with pytest.raises(SourceTimeout):
        read()


def test_a_missing_table_is_named_and_no_parameter_is(database: Database, opened: Opener) -> None:
    database.script("CREATE TABLE T (N INTEGER)")
    adapter = opened(database.path, "junwei", dictionary_seconds=0)
    with pytest.raises(SourceError, match="DEPT_DICT"):
        adapter.QueryLabMaster("0000000042")
    database.script("CREATE TABLE DEPT_DICT (DEPT_CODE TEXT, DEPT_NAME TEXT)")
    with pytest.raises(SourceError, match="LAB_TEST_MASTER") as caught:
        adapter.QueryLabMaster("0000000042")
    assert "0000000042" not in str(caught.value)
    assert "0000000042" not in str(caught.value.__cause__)


def test_check_names_what_a_setting_wrongly_promises(
    junwei_database: Database, opened: Opener
) -> None:
    opened(junwei_database.path, "junwei").check()
    for settings in (
        {"stopped": "CLINIC_INDEX.STATUS"},
        {"stopped": "OUTP_DOCTOR_REGIST.STOP_INDICATOR"},
        {"remote_flag": "CLINIC_FOR_REGIST.REMOTE"},
        {"speciality": "EXPERTS.SPECIALITY"},
        {"reference_column": "RANGE"},
    ):
        with pytest.raises(SourceError) as caught:
            opened(junwei_database.path, "junwei", **settings).check()
        ((_, promised),) = settings.items()
        assert promised.split(".")[-1] in str(caught.value) or "EXPERTS" in str(caught.value)


def test_check_looks_only_at_what_is_offered(database: Database, opened: Opener) -> None:
    wanted = ("DEPT_DICT", "CLINIC_TYPE_DICT", "CLINIC_INDEX", "CLINIC_FOR_REGIST")
    for name in wanted:
        columns = ", ".join(f'"{c.name}" TEXT' for c in junwei.tables.METADATA.tables[name].c)
        database.script(f"CREATE TABLE {name} ({columns})")
    opened(database.path, "junwei", {"offers": ["NumberSource"]}).check()
    with pytest.raises(SourceError, match="LAB_TEST_MASTER"):
        opened(database.path, "junwei").check()


def test_a_source_that_only_reads_cannot_write(made: Any) -> None:
    source = made()
    with pytest.raises(SourceError, match="readonly"):
        ask(source, "INSERT INTO T VALUES (1)")
    writer = made(read_only=False)
    with writer.connect() as connection:
        connection.execute(text("INSERT INTO T VALUES (1)"))
        connection.commit()
    assert ask(source) == 1


# --- the bulkhead ----------------------------------------


class Blocked:
    """A call that stays where it is until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        self.began.release()
        assert self.go.wait(60)
        return "done"


def test_results_and_faults_come_through(made: Any) -> None:
    source = made()

    def unknown() -> None:
        raise NotFound("无", "none")

    def defect() -> None:
        raise KeyError("x")

    assert asyncio.run(run(source, lambda a, b: a + b, a=1, b=2)) == 3
    with pytest.raises(NotFound) as caught:
        asyncio.run(run(source, unknown))
    assert where_from(caught.value) == ("hx", "his")
    with pytest.raises(KeyError):
        asyncio.run(run(source, defect))
    assert not source.state()["failing"]


def test_calls_run_in_the_sources_own_threads(made: Any) -> None:
    source = made(pool_size=3)

    async def names() -> set[str]:
        calls = (source.run(lambda: threading.current_thread().name) for _ in range(60))
        return set(await asyncio.gather(*calls))

    found = asyncio.run(names())
    assert 1 <= len(found) <= 3
    assert all(name.startswith("hx-his") for name in found)


def test_a_full_queue_refuses_at_once(made: Any) -> None:
    source = made(pool_size=1, queue_length=2, queue_wait_seconds=60)
    blocked = Blocked()

    async def crowd() -> tuple[list[str], dict[str, Any]]:
        first = [asyncio.create_task(source.run(blocked)) for _ in range(3)]
        await asyncio.to_thread(blocked.began.acquire)
        with pytest.raises(Overloaded) as caught:
            await source.run(blocked)
        assert where_from(caught.value) == ("hx", "his")
        state = source.state()
        blocked.go.set()
        return await asyncio.gather(*first), state

    results, state = asyncio.run(crowd())
    assert results == ["done"] * 3
    assert (state["running"], state["queued"], state["refused"]) == (1, 2, 1)
    wait_until(lambda: source.state()["running"] == 0)
    assert asyncio.run(run(source, lambda: 5)) == 5


def test_a_call_that_waited_too_long_is_refused_and_never_runs(made: Any) -> None:
    source = made(pool_size=1, queue_wait_seconds=0.05)
    blocked, late = Blocked(), Blocked()

    async def crowd() -> None:
        first = asyncio.create_task(source.run(blocked))
        await asyncio.to_thread(blocked.began.acquire)
        with pytest.raises(Overloaded):
            await source.run(late)
        assert source.state()["queued"] == 0
        blocked.go.set()
        # Whoever runs already is not subject to the limit on waiting.
        assert await first == "done"

    asyncio.run(crowd())
    assert asyncio.run(run(source, lambda: 5)) == 5
    assert late.calls == 0


def test_a_cancelled_call_leaves_no_thread_behind(made: Any) -> None:
    source = made(pool_size=1, statement_timeout_seconds=3600)

    async def impatient() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await source.run(ask, source=source, sql=ENDLESS)

    asyncio.run(impatient())
    wait_until(lambda: source.state()["running"] == 0)
    # An interrupt that we asked for says nothing about the database.
    assert not source.state()["failing"]
    assert asyncio.run(run(source, ask, source=source)) == 0


def test_a_cancelled_call_asks_nothing_more(made: Any) -> None:
    source = made(pool_size=1, statement_timeout_seconds=3600)
    blocked, asked = Blocked(), []

    def two_steps() -> None:
        blocked()
        ask(source, ENDLESS)
        asked.append(True)

    async def impatient() -> None:
        task = asyncio.create_task(source.run(two_steps))
        await asyncio.to_thread(blocked.began.acquire)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        blocked.go.set()

    asyncio.run(impatient())
    wait_until(lambda: source.state()["running"] == 0)
    assert asked == []


def test_a_cancelled_call_in_the_queue_is_dropped(made: Any) -> None:
    source = made(pool_size=1)
    blocked, late = Blocked(), Blocked()

    async def crowd() -> None:
        first = asyncio.create_task(source.run(blocked))
        await asyncio.to_thread(blocked.began.acquire)
        second = asyncio.create_task(source.run(late))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert source.state()["queued"] == 0
        blocked.go.set()
        await first

    asyncio.run(crowd())
    assert late.calls == 0


def test_close_ends_what_runs_and_what_waits(made: Any) -> None:
    source = made(pool_size=1, statement_timeout_seconds=3600, queue_wait_seconds=60)

    async def crowd() -> list[Any]:
        calls = [asyncio.create_task(source.run(ask, source=source, sql=ENDLESS)) for _ in range(2)]
        while source.state()["running"] == 0:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(source.close)
        return await asyncio.gather(*calls, return_exceptions=True)

    outcomes = asyncio.run(crowd())
    assert all(isinstance(outcome, ServerFault) for outcome in outcomes)
    assert isinstance(outcomes[1], SourceUnavailable)
    with pytest.raises(SourceUnavailable):
        asyncio.run(run(source, lambda: 1))
    source.close()


def test_many_at_once_get_their_own_answers(made: Any) -> None:
    source = made(pool_size=4, queue_length=500, queue_wait_seconds=60)

    async def crowd() -> list[int]:
        calls = (source.run(ask, source=source, sql=f"SELECT {n}") for n in range(300))
        return await asyncio.gather(*calls)

    assert asyncio.run(crowd()) == list(range(300))


def test_state_is_json(made: Any) -> None:
    import json

    source = made()
    state = json.loads(json.dumps(source.state()))
    assert state["source"] == "his"
    assert (state["adapter"], state["database"]) == ("junwei", "sqlite")
    assert (state["pool_size"], state["queue_length"], state["last_fault"]) == (4, 64, None)
