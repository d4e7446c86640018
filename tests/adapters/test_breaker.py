"""The breaker by a clock of the test's own, and in a source over a database that goes away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.breaker import Breaker
from adapters.config import SourceConfig
from adapters.database import Source
from services.faults import NotFound, Overloaded, SourceError, SourceTimeout, SourceUnavailable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_and_closes_by_itself() -> None:
    clock = Clock()
    breaker = Breaker(3, 5.0, clock)
    for _ in range(3):
        assert breaker.admit() is None
        breaker.failed(False)
    assert breaker.admit() is False and breaker.state()["state"] == "open"
    clock.now = 5.0
    assert breaker.state()["state"] == "half-open"
    assert breaker.admit() is True
    assert breaker.admit() is False  # one alone tries
    breaker.failed(True)
    assert breaker.admit() is False and breaker.wait == 5.0
    clock.now = 10.0
    assert breaker.admit() is True
    breaker.withdrawn()
    assert breaker.admit() is True
    breaker.succeeded()
    assert breaker.admit() is None
    assert breaker.state() == {"state": "closed", "failures": 0, "opened": 2}


def test_a_success_between_failures_counts() -> None:
    breaker = Breaker(2, 5.0, Clock())
    for _ in range(9):
        breaker.failed(False)
        breaker.succeeded()
    assert breaker.admit() is None


def test_it_can_be_off() -> None:
    breaker = Breaker(0, 5.0, Clock())
    for _ in range(99):
        breaker.failed(False)
    assert breaker.admit() is None


@given(st.lists(st.sampled_from(["ask", "good", "bad", "drop", "wait"]), max_size=60))
def test_it_never_sticks(steps: list[str]) -> None:
    """Whatever happened: once the time is over, somebody may try, and alone."""
    clock = Clock()
    breaker = Breaker(2, 5.0, clock)
    running: list[bool] = []
    for step in steps:
        if step == "ask":
            admitted = breaker.admit()
            if admitted is not False:
                running.append(bool(admitted))
            assert sum(running) <= 1
        elif step == "wait":
            clock.now += 3
        elif running:
            trial = running.pop()
            if step == "good":
                breaker.succeeded()
                running = [False] * len(running)
            elif step == "bad":
                breaker.failed(trial)
            elif trial:
                breaker.withdrawn()
    for trial in running:
        breaker.failed(trial)
    clock.now += 5
    assert breaker.admit() is not False


@pytest.fixture
def source(tmp_path: Any) -> Any:
    file = tmp_path / "his.db"
    file.touch()
    config = SourceConfig(
        adapter="junwei",
        url=f"sqlite:///{file}",
        offers=["NumberSource"],
        breaker_failures=3,
        breaker_seconds=600,
    )
    made = Source("his", "hx", config)
    yield made
    made.close()


def ending_in(source: Source, kind: Any, times: int) -> None:
    def fail() -> None:
        raise source.fault(kind, "坏", "bad")

    for _ in range(times):
        with pytest.raises(kind):
            asyncio.run(run(source, fail))


async def run(source: Source, function: Any) -> Any:
    return await source.run(function)


def test_a_source_that_is_away_is_left_alone(source: Source) -> None:
    clock = Clock()
    source._breaker._clock = clock
    ending_in(source, SourceTimeout, 1)
    ending_in(source, SourceUnavailable, 2)
    asked: list[int] = []
    with pytest.raises(SourceUnavailable) as caught:
        asyncio.run(run(source, lambda: asked.append(1)))
    assert not asked and "600" in caught.value.zh
    assert (caught.value.hospital, caught.value.source) == ("hx", "his")
    assert source.state()["breaker"] == {"state": "open", "failures": 3, "opened": 1}
    clock.now = 600
    asyncio.run(run(source, lambda: asked.append(1)))
    assert asked == [1] and source.state()["breaker"]["state"] == "closed"


@pytest.mark.parametrize("kind", [SourceError, NotFound, Overloaded])
def test_an_answer_that_is_a_fault_does_not_open_it(source: Source, kind: Any) -> None:
    ending_in(source, kind, 9)
    assert source.state()["breaker"]["state"] == "closed"


def test_a_trial_that_was_overloaded_or_cancelled_leaves_room_for_another(source: Source) -> None:
    clock = Clock()
    source._breaker._clock = clock
    ending_in(source, SourceUnavailable, 3)
    clock.now = 600
    ending_in(source, Overloaded, 1)

    async def cancelled() -> None:
        task = asyncio.create_task(source.run(lambda: 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    while source.state()["running"]:
        pass
    assert asyncio.run(run(source, lambda: 5)) == 5
