"""The disk of a HIS runs full while registrations come in: each caller has a clear Fault in time,
nothing is half-written, reads and other sources go on, and service returns by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from adapters.ledger import REQUEST
from services.faults import Fault, SourceError
from tests.databases.small_disk import database_on, small_disk
from tests.databases.targets import TARGETS, Target
from tests.writes_once.hospital import DAY, Hospital, hospital, patient_id

#: queue, login, statement and a second's grace, as configured below; and a slow machine's seconds
QUEUE, LOGIN, STATEMENT = 1.0, 2.0, 2.0
STATED = QUEUE + LOGIN + STATEMENT + 1.0 + 3.0
#: more registrations than the pages that are there can take
MANY = 1500


class Ward:
    """A hospital that takes registrations. ``taken``: the requests that were answered."""

    def __init__(self, his: Hospital) -> None:
        self.his = his
        his.limit(0)
        self.node: Any = his.open(datetime.now)
        self.node.housekeeping()
        self.taken: set[int] = set()

    async def register(self, n: int) -> Any:
        """The registration, or the Fault; in the stated time."""
        arguments = {"RequestId": f"r{n}", "ScheduleId": self.his.session}
        begin = time.monotonic()
        try:
            made: Any = await self.node.source.run(
                self.node.Register, **arguments, PatientId=patient_id(n)
            )
            self.taken.add(n)
        except Fault as fault:
            made = fault
        assert time.monotonic() - begin < STATED
        return made

    async def until_it_fails(self, first: int) -> tuple[int, Fault]:
        """The number of the first request that fails, and how."""
        for n in range(first, MANY):
            made = await self.register(n)
            if isinstance(made, Fault):
                return n, made
        raise AssertionError("the disk was never full")

    def is_whole(self) -> None:
        """Every request that was answered is there with all its rows, and no other one is."""
        count = len(self.taken)
        his = self.his
        assert (his.counters()[0], his.visits(), len(his.kept())) == (count, count, count)
        assert sorted(number for _, _, number in his.kept()) == list(range(1, count + 1))
        with his.engine.connect() as connection:
            rows = connection.execute(select(REQUEST.c.REQUEST_ID, REQUEST.c.ANSWER)).all()
        assert {row[0].rstrip() for row in rows} == {f"r{n}" for n in self.taken}
        assert all(row[1] for row in rows)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Ward]:
    """Another source of the same node, on another disk."""
    (tmp_path / "other.db").touch()
    with hospital("bsoft", f"sqlite:///{tmp_path}/other.db") as his:
        yield Ward(his)


LIMITS = {
    "queue_wait_seconds": QUEUE,
    "login_timeout_seconds": LOGIN,
    "statement_timeout_seconds": STATEMENT,
}


@pytest.mark.full
@pytest.mark.parametrize("drivername", TARGETS)
def test_the_disk_of_the_ledger_is_full_and_has_room_again(drivername: str, other: Ward) -> None:
    target = Target(drivername)
    with small_disk(target.server, 24) as disk, database_on(disk, target.server) as name:
        url = target.url(name).render_as_string(hide_password=False)
        with hospital("junwei", url, patients=MANY) as his:
            his.limits = LIMITS
            ward = Ward(his)

            async def all_of_it() -> None:
                assert not isinstance(await ward.register(1), Fault)
                disk.fill()
                failed, fault = await ward.until_it_fails(2)
                clear(fault)
                for _ in range(3):  # nothing gets better or worse by itself
                    again = await ward.register(failed)
                    assert isinstance(again, SourceError), again
                    clear(again)
                ward.is_whole()
                # What reads goes on, and so does the node's other source.
                slots = await ward.node.source.run(ward.node.QueryNumberSource, ScheduleDate=DAY)
                assert [slot.ScheduleId for slot in slots] == [his.session]
                assert not isinstance(await other.register(1), Fault)
                assert ward.node.source.state()["breaker"]["state"] == "closed"

                disk.clear()
                # By itself, and for the very request that failed; which then happens once.
                made = await ward.register(failed)
                assert not isinstance(made, Fault), made
                assert await ward.register(failed) == made
                assert not isinstance(await ward.register(failed + 1), Fault)
                ward.is_whole()
                other.is_whole()
                assert not ward.node.source.state()["failing"]

            asyncio.run(all_of_it())


def clear(fault: Fault) -> None:
    """In words that tell what to do, and no value of any row."""
    assert isinstance(fault, SourceError), fault
    assert "磁盘已满" in fault.zh and "自动恢复" in fault.zh and "disk" in fault.en
    assert (fault.hospital, fault.source) == ("hx", "his")
    assert patient_id(1)[:8] not in str(fault)


def test_a_sqlite_file_that_may_not_grow(tmp_path: Path) -> None:
    """SQLite's own limit of pages answers as a full disk does."""
    (tmp_path / "his.db").touch()
    with hospital("junwei", f"sqlite:///{tmp_path}/his.db", patients=MANY) as his:
        ward = Ward(his)
        limit: list[int] = []

        def limited(connection: Any, record: Any, proxy: Any) -> None:
            pages = limit[0] if limit else 2**31 - 2
            connection.execute(f"PRAGMA max_page_count = {pages}").close()

        event.listen(ward.node.source._engine, "checkout", limited)

        async def all_of_it() -> None:
            assert not isinstance(await ward.register(1), Fault)
            with his.engine.connect() as connection:
                limit.append(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
            failed, fault = await ward.until_it_fails(2)
            clear(fault)
            ward.is_whole()
            limit.clear()
            made = await ward.register(failed)
            assert not isinstance(made, Fault) and await ward.register(failed) == made
            ward.is_whole()

        asyncio.run(all_of_it())
