"""Single flight and the short cache: what is shared, and what never is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.config import SourceConfig
from adapters.database import Source
from adapters.sharing import Sharing
from services.faults import SourceError


class Counted:
    """A query that waits until it is let go; each answer is another number."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.calls = 0

    def __call__(self, **arguments: Any) -> int:
        self.calls += 1
        number = self.calls
        self.began.release()
        assert self.go.wait(30)
        return number


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    sources: list[Source] = []

    def make(**config: Any) -> Sharing:
        file = tmp_path / "his.db"
        file.touch()
        given = {"adapter": "junwei", "url": f"sqlite:///{file}", "offers": ["NumberSource"]}
        sources.append(Source("his", "hx", SourceConfig.model_validate({**given, **config})))
        return Sharing(sources[-1])

    yield make
    for source in sources:
        source.close()


def test_the_same_query_goes_once_and_others_go_too(made: Any) -> None:
    sharing, query = made(), Counted()

    async def crowd() -> list[int]:
        same = [asyncio.create_task(sharing.read("Get", query, Id="1")) for _ in range(50)]
        other = asyncio.create_task(sharing.read("Get", query, Id="2"))
        await asyncio.to_thread(query.began.acquire)
        await asyncio.to_thread(query.began.acquire)
        query.go.set()
        await other
        return await asyncio.gather(*same)

    assert len(set(asyncio.run(crowd()))) == 1
    assert query.calls == 2
    assert sharing._source.state()["shared"] == 49


def test_without_single_flight_everybody_asks(made: Any) -> None:
    sharing, query = made(single_flight=False), Counted()
    query.go.set()

    async def crowd() -> list[int]:
        return await asyncio.gather(*(sharing.read("Get", query, Id="1") for _ in range(9)))

    assert sorted(asyncio.run(crowd())) == list(range(1, 10))


def test_a_fault_is_shared_and_not_kept(made: Any) -> None:
    sharing = made(cache_seconds={"QueryNumberSource": 60})
    calls = []

    def fail(**_: Any) -> None:
        calls.append(1)
        raise SourceError("坏", "bad")

    async def crowd() -> list[Any]:
        reads = (sharing.read("QueryNumberSource", fail, Day=1) for _ in range(9))
        return await asyncio.gather(*reads, return_exceptions=True)

    assert {type(one) for one in asyncio.run(crowd())} == {SourceError}
    asyncio.run(crowd())
    assert len(calls) == 2


def test_an_answer_is_kept_as_long_as_is_said_and_ended_by_a_write(made: Any) -> None:
    sharing, query = made(cache_seconds={"QueryNumberSource": 60}), Counted()
    query.go.set()

    async def calls() -> list[int]:
        read = [await sharing.read("QueryNumberSource", query, Day=1) for _ in range(3)]
        read.append(await sharing.read("QueryNumberSource", query, Day=2))
        read += [await sharing.read("GetNumberSource", query, Day=1) for _ in range(2)]
        await sharing.write(lambda: None)
        read.append(await sharing.read("QueryNumberSource", query, Day=1))
        return read

    assert asyncio.run(calls()) == [1, 1, 1, 2, 3, 4, 5]


def test_who_asks_after_a_write_does_not_join_who_asked_before(made: Any) -> None:
    sharing, before, after = made(cache_seconds={"QueryNumberSource": 60}), Counted(), Counted()
    after.go.set()

    async def calls() -> tuple[int, int]:
        first = asyncio.create_task(sharing.read("QueryNumberSource", before, Day=1))
        await asyncio.to_thread(before.began.acquire)
        await sharing.write(lambda: None)
        second = await sharing.read("QueryNumberSource", after, Day=1)
        before.go.set()
        await first
        # What began before the write is not kept for those who come later.
        again = await sharing.read("QueryNumberSource", before, Day=1)
        return second, again

    assert asyncio.run(calls()) == (1, 1)
    assert (before.calls, after.calls) == (1, 1)


def test_one_who_leaves_takes_nobody_along(made: Any) -> None:
    sharing, query = made(pool_size=1), Counted()

    async def calls() -> int:
        first, second = (asyncio.create_task(sharing.read("Get", query, Id="1")) for _ in range(2))
        await asyncio.to_thread(query.began.acquire)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        query.go.set()
        return await second

    assert asyncio.run(calls()) == 1


def test_the_last_who_leaves_drops_the_call(made: Any) -> None:
    sharing, blocked, late = made(pool_size=1), Counted(), Counted()

    async def calls() -> None:
        holding = asyncio.create_task(sharing.read("Get", blocked, Id="1"))
        await asyncio.to_thread(blocked.began.acquire)
        waiting = [asyncio.create_task(sharing.read("Get", late, Id="2")) for _ in range(2)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.sleep(0)
        assert sharing._source.state()["queued"] == 0
        blocked.go.set()
        await holding

    asyncio.run(calls())
    assert late.calls == 0


@pytest.mark.parametrize("name", ["LockNumber", "Nothing"])
def test_only_queries_can_be_kept(made: Any, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        made(cache_seconds={name: 1})
