"""Buckets and fair shares: what is agreed is what gets through, whoever else is noisy."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections import Counter

import pytest

from gateway.admission import rate
from gateway.admission.rate import Bucket, Rates
from gateway.admission.share import Places
from gateway.admission.shared import SharedMemory
from gateway.head import Refused
from gateway_config.section import Rate


def bucket(per_second: float, burst: int, name: str = "b") -> Bucket:
    return Bucket(SharedMemory(None, rate.SIZE), name, Rate(per_second=per_second, burst=burst))


def test_a_burst_and_then_the_agreed_rate() -> None:
    one = bucket(2, 3)
    assert [one.take(100.0) for _ in range(3)] == [0, 0, 0]
    assert one.take(100.0) == pytest.approx(0.5)
    assert one.take(100.4) == pytest.approx(0.1)
    assert one.take(100.5) == 0
    assert one.take(100.5) > 0
    assert [one.take(200.0) for _ in range(3)] == [0, 0, 0]  # never more than the burst
    assert one.take(200.0) > 0


def test_what_is_refused_takes_nothing_and_what_is_given_back_can_be_taken() -> None:
    one = bucket(1, 1)
    assert one.take(10.0) == 0
    assert [one.take(10.5) for _ in range(9)] == [pytest.approx(0.5)] * 9
    one.give_back()
    assert one.take(10.5) == 0


def test_a_clock_that_began_anew_locks_nobody_out() -> None:
    one = bucket(1, 2)
    assert one.take(1e9) == 0
    assert one.take(5.0) == 0


def test_per_caller_and_per_hospital() -> None:
    agreed = Rate(per_second=0.1, burst=2)
    now = [50.0]
    rates = Rates(
        {"noisy": agreed, "free": None},
        {"hx": Rate(per_second=0.1, burst=3)},
        SharedMemory(None, rate.SIZE),
        clock=lambda: now[0],
    )
    rates.take("noisy", "sq")
    rates.take("noisy", "sq")
    with pytest.raises(Refused) as refused:
        rates.take("noisy", "hx")
    assert (refused.value.step, refused.value.rule) == ("rate", "callers.noisy.rate")
    assert refused.value.headers == (("Retry-After", "10"),)
    for _ in range(3):
        rates.take("free", "hx")
    now[0] += 10
    rates.take("noisy", "hx")
    with pytest.raises(Refused) as refused:
        rates.take("free", "hx")
    assert refused.value.rule == "hospitals.hx.rate"
    rates.take("free", "sq")


def test_a_hospitals_refusal_is_not_charged_to_the_caller() -> None:
    rates = Rates(
        {"c": Rate(per_second=0.1, burst=2)},
        {"hx": Rate(per_second=0.1, burst=1)},
        SharedMemory(None, rate.SIZE),
        clock=lambda: 7.0,
    )
    rates.take("c", "hx")
    for _ in range(5):
        with pytest.raises(Refused, match="hx"):
            rates.take("c", "hx")
    rates.take("c", "sq")


def _take_many(name: str, times: int, taken: multiprocessing.SimpleQueue[int]) -> None:
    memory = SharedMemory(name, rate.SIZE)
    one = Bucket(memory, "callers.c.rate", Rate(per_second=0.001, burst=500))
    taken.put(sum(one.take(1000.0) == 0 for _ in range(times)))
    memory.close()


def test_workers_together_let_through_what_is_agreed() -> None:
    name = f"yilian-test-{multiprocessing.current_process().pid}.rates"
    SharedMemory(name, rate.SIZE).remove()
    context = multiprocessing.get_context("spawn")
    taken = context.SimpleQueue()
    workers = [context.Process(target=_take_many, args=(name, 400, taken)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(taken.get() for _ in workers) == 500
    SharedMemory(name, rate.SIZE).remove()


def test_many_buckets_have_each_their_own_place() -> None:
    memory = SharedMemory(None, rate.SIZE)
    agreed = Rate(per_second=1, burst=1)
    many = [Bucket(memory, f"callers.c{n}.rate", agreed) for n in range(2000)]
    assert all(one.take(10.0) == 0 for one in many)
    assert all(one.take(10.0) > 0 for one in many)
    assert Bucket(memory, "callers.c7.rate", agreed).take(10.0) > 0


# --- fair shares ------------------------------------------------------------------------------


def test_a_place_is_free_until_it_is_not() -> None:
    async def run() -> None:
        places = Places("r", 4, 0, 1.0)
        assert [places.enter("a") for _ in range(4)] == [True] * 3 + [False]  # a quarter stays
        assert places.enter("b")
        assert not places.enter("c")
        with pytest.raises(Refused) as refused:
            await places.wait("c")
        assert (refused.value.step, refused.value.rule) == ("rate", "r")
        assert refused.value.headers == (("Retry-After", "1"),)
        for name in "aaab":
            places.leave(name)
        assert places.idle

    asyncio.run(run())


def test_one_alone_may_have_all() -> None:
    places = Places("r", 4, 0, 1.0, several=False)
    assert [places.enter("a") for _ in range(5)] == [True] * 4 + [False]


def test_who_waits_too_long_is_told_and_leaves_nothing_behind() -> None:
    async def run() -> None:
        places = Places("r", 1, 10, 0.01)
        assert places.enter("a")
        with pytest.raises(Refused):
            await places.wait("b")
        places.leave("a")
        assert places.idle
        assert places.enter("b")

    asyncio.run(run())


def test_a_caller_who_leaves_while_he_waits_gives_his_turn_away() -> None:
    async def run() -> None:
        places = Places("r", 1, 10, 60)
        places.enter("a")
        first, second = (asyncio.ensure_future(places.wait("b")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        places.leave("a")
        await second
        places.leave("b")
        assert places.idle

    asyncio.run(run())


def test_a_turn_that_comes_at_the_moment_of_leaving_is_passed_on() -> None:
    async def run() -> None:
        places = Places("r", 1, 10, 60)
        places.enter("a")
        first, second = (asyncio.ensure_future(places.wait("b")) for _ in range(2))
        await asyncio.sleep(0)
        places.leave("a")  # hands its place to first, which is cancelled before it knows
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        await second
        places.leave("b")
        assert places.idle

    asyncio.run(run())


def test_one_noisy_caller_does_not_starve_another() -> None:
    """A thousand calls at once of one caller, and one at a time of another: while the queue is
    full the quiet one waits for a handful of calls to end, not for a thousand."""

    async def run() -> None:
        places = Places("r", 8, 200, 60)
        ended: Counter[str] = Counter()
        refused: Counter[str] = Counter()

        async def call(name: str) -> None:
            try:
                await places.wait(name)
            except Refused:
                refused[name] += 1
                return
            for _ in range(3):
                await asyncio.sleep(0)
            places.leave(name)
            ended[name] += 1

        noisy = [asyncio.ensure_future(call("noisy")) for _ in range(1000)]
        await asyncio.sleep(0)
        for n in range(20):
            before = ended["noisy"]
            await call("quiet")
            assert ended["quiet"] == n + 1
            assert ended["noisy"] - before <= 12
        await asyncio.gather(*noisy)
        assert refused["quiet"] == 0
        assert refused["noisy"] == 1000 - ended["noisy"] > 0
        assert places.idle

    asyncio.run(run())


def test_a_full_queue_makes_room_for_who_has_less_in_it() -> None:
    async def run() -> None:
        places = Places("r", 1, 4, 60)
        places.enter("x")
        noisy = [asyncio.ensure_future(places.wait("noisy")) for _ in range(6)]
        await asyncio.sleep(0)
        assert sum(one.done() for one in noisy) == 2  # its own newest find no room
        quiet = asyncio.ensure_future(places.wait("quiet"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not quiet.done()
        assert sum(one.done() for one in noisy) == 3
        places.leave("x")  # of the two who wait neither has a call under way: first come
        await asyncio.sleep(0)
        places.leave("noisy")
        await quiet
        for one in noisy:
            one.cancel()
        await asyncio.gather(*noisy, return_exceptions=True)
        places.leave("quiet")
        assert places.idle

    asyncio.run(run())
