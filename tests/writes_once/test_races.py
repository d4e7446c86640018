"""Many callers at once: never more than there are, never one number twice, each request once."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.faults import Conflict, Fault
from tests.writes_once.conftest import ADAPTERS, DATABASES
from tests.writes_once.hospital import FEES, NOON, Hospital, patient_id


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each answers or raises; all begin together."""
    gate = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except Fault as fault:
            return fault

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "junwei": [
        {},
        {"returned_number": "reused"},
        {"taken": "CURRENT_NO"},
        {"current_no": "last", "returned_number": "kept"},
        {"unpaid_lock": "returned_row"},
    ],
    "bsoft": [{}, {"returned_number": "reused"}],
}


@pytest.mark.parametrize(
    ("his", "settings"),
    [
        pytest.param((adapter, database), settings, id=f"{adapter}-{database}-{settings}")
        for adapter in ADAPTERS
        for database in DATABASES
        for settings in SETTINGS[adapter]
    ],
    indirect=["his"],
)
def test_more_callers_than_numbers(his: Hospital, settings: dict[str, Any]) -> None:
    if settings.get("current_no") == "last":
        his.change(CURRENT_NO=0)
    nodes = [his.open(**settings), his.open(**settings)]

    def call(n: int) -> Callable[[], Any]:
        node = nodes[n % 2]
        if n % 3 == 0:
            return lambda: node.Register(f"r{n}", his.session, patient_id(n))
        return lambda: node.LockNumber(f"r{n}", his.session, patient_id(n))

    answers = at_once([call(n) for n in range(1, 25)])
    given = [answer.SequenceNo for answer in answers if not isinstance(answer, Fault)]
    assert sorted(given) == list(range(1, 11))
    refused = [answer for answer in answers if isinstance(answer, Fault)]
    assert len(refused) == 14 and all(type(fault) is Conflict for fault in refused)
    assert his.counters()[0] == 10
    assert sorted(number for _, _, number in his.kept()) == sorted(given)


@pytest.mark.parametrize("returned", ["freed", "reused"])
def test_callers_who_lock_confirm_release_and_cancel(his: Hospital, returned: str) -> None:
    """Each caller does a whole life; whatever happened in between, what lives at the end is
    within the limit, has numbers of its own, and is what the counters say."""
    nodes = [his.open(returned_number=returned), his.open(returned_number=returned)]
    his.limit(4)

    def life(n: int) -> Callable[[], Any]:
        node = nodes[n % 2]

        def run() -> str:
            lock = node.LockNumber(f"l{n}", his.session, patient_id(n))
            if n % 4 == 0:
                return str(node.ReleaseLock(f"u{n}", lock.LockId).State)
            made = node.ConfirmRegistration(f"c{n}", lock.LockId, f"WX{n}", Decimal(FEES))
            if n % 4 == 1:
                return str(made.State)
            return str(node.CancelRegistration(f"x{n}", made.RegistrationId, "行程有变").State)

        return run

    answers = at_once([life(n) for n in range(1, 17)])
    assert all(isinstance(one, str) or type(one) is Conflict for one in answers)
    living = [number for state, _, number in his.kept() if state == "R"]
    assert len(living) == answers.count("R") <= 4
    assert len(set(living)) == len(living)
    assert his.counters()[0] == len(living) == his.visits()
    assert his.returns() == answers.count("C")


def test_expired_locks_are_swept_by_two_nodes_and_by_callers_at_once(his: Hospital) -> None:
    now = [NOON]
    nodes = [his.open(lambda: now[0]), his.open(lambda: now[0])]
    his.limit(6)
    for n in range(1, 7):
        nodes[n % 2].LockNumber(f"l{n}", his.session, patient_id(n))
    now[0] = NOON + timedelta(minutes=15)
    calls = [nodes[0].housekeeping, nodes[1].housekeeping] * 2
    calls += [
        lambda n=n: nodes[n % 2].LockNumber(f"n{n}", his.session, patient_id(n))  # type: ignore[misc]
        for n in range(11, 19)
    ]
    answers = at_once(calls)[4:]
    given = [answer.SequenceNo for answer in answers if not isinstance(answer, Fault)]
    assert sorted(given) == list(range(7, 13))
    assert his.counters() == (6, 13)
    assert sorted(state for state, _, _ in his.kept()) == ["E"] * 6 + ["L"] * 6


def test_one_patient_asking_from_two_places_gets_one_number(his: Hospital) -> None:
    nodes = [his.open(), his.open()]
    answers = at_once(
        [
            lambda n=n: nodes[n % 2].LockNumber(f"r{n}", his.session, patient_id(1))  # type: ignore[misc]
            for n in range(8)
        ]
    )
    assert sum(not isinstance(answer, Fault) for answer in answers) == 1
    assert {type(answer) for answer in answers if isinstance(answer, Fault)} == {Conflict}
    assert his.counters() == (1, 2)


def test_the_same_request_ten_times_at_once(his: Hospital) -> None:
    nodes = [his.open(), his.open()]
    calls = [
        lambda n=n: nodes[n % 2].Register("same", his.session, patient_id(1), "WX", Decimal(FEES))  # type: ignore[misc]
        for n in range(10)
    ]
    answers = at_once(calls)
    assert answers == [answers[0]] * 10
    assert answers[0].State == "R"
    assert his.counters() == (1, 2) and his.visits() == 1
    cancelled = at_once(
        [
            lambda n=n: nodes[n % 2].CancelRegistration("back", answers[0].RegistrationId, "不去了")  # type: ignore[misc]
            for n in range(10)
        ]
    )
    assert cancelled == [cancelled[0]] * 10
    assert cancelled[0].State == "C"
    assert his.counters() == (0, 2) and his.visits() == 0 and his.returns() == 1


def test_a_used_request_id_with_another_body(his: Hospital) -> None:
    node = his.open()
    lock = node.LockNumber("r", his.session, patient_id(1))
    for again in (
        lambda: node.LockNumber("r", his.session, patient_id(2)),
        lambda: node.Register("r", his.session, patient_id(1)),
        lambda: node.ReleaseLock("r", lock.LockId),
    ):
        with pytest.raises(Conflict) as caught:
            again()
        assert caught.value.field == "RequestId"
    assert his.counters() == (1, 2)
    assert node.LockNumber("r", his.session, patient_id(1)) == lock


def _race(config: dict[str, Any], adapter: str, session: str, first: int) -> list[int]:
    """In a process of its own: eight callers; the numbers they got."""
    opened = Hospital(adapter, config["url"], session, None)  # type: ignore[arg-type]
    node = opened.open(lambda: NOON)
    answers = at_once(
        [
            lambda n=n: node.LockNumber(f"p{n}", session, patient_id(n))  # type: ignore[misc]
            for n in range(first, first + 8)
        ]
    )
    for source in opened.sources:
        source.close()
    return [answer.SequenceNo for answer in answers if not isinstance(answer, Fault)]


def test_processes_racing(his: Hospital) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        jobs = [
            pool.submit(_race, his.config(), his.adapter, his.session, first) for first in (1, 11)
        ]
        given = [number for job in jobs for number in job.result()]
    assert sorted(given) == list(range(1, 11))
    assert his.counters() == (10, 11)
