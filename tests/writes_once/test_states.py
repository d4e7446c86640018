"""Every state against every operation: what is not in the table is a Conflict, and no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.faults import Conflict
from services.registration_states import REGISTRATION_STATE, TRANSITIONS
from tests.writes_once.hospital import DAY, FEES, NOON, Hospital, patient_id

Node = Any
ON_THE_DAY = datetime.combine(DAY, datetime.min.time()).replace(hour=8)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def locked(his: Hospital, node: Node, clock: Clock) -> str:
    return str(node.LockNumber("lock", his.session, patient_id(1)).LockId)


def registered(his: Hospital, node: Node, clock: Clock) -> str:
    return str(node.Register("made", his.session, patient_id(1)).RegistrationId)


def released(his: Hospital, node: Node, clock: Clock) -> str:
    return str(node.ReleaseLock("x", locked(his, node, clock)).RegistrationId)


def expired(his: Hospital, node: Node, clock: Clock) -> str:
    made = locked(his, node, clock)
    clock.now += timedelta(minutes=15)
    return made


def returned(his: Hospital, node: Node, clock: Clock) -> str:
    made = registered(his, node, clock)
    return str(node.CancelRegistration("c", made, "不去了").RegistrationId)


def stopped(his: Hospital, node: Node, clock: Clock) -> str:
    made = registered(his, node, clock)
    his.stop()
    return made


def arrived(his: Hospital, node: Node, clock: Clock) -> str:
    made = registered(his, node, clock)
    clock.now = ON_THE_DAY
    return str(node.CheckIn("a", made).RegistrationId)


def visited(his: Hospital, node: Node, clock: Clock) -> str:
    made = registered(his, node, clock)
    his.seen(made)
    return made


WAYS: dict[str, Callable[[Hospital, Node, Clock], str]] = {
    **{"L": locked, "R": registered, "X": released, "E": expired, "C": returned},
    **{"S": stopped, "A": arrived, "V": visited},
}
OPERATIONS: dict[str, Callable[[Node, str], Any]] = {
    "ConfirmRegistration": lambda node, one: node.ConfirmRegistration(
        "again", one, "WX", Decimal(FEES)
    ),
    "ReleaseLock": lambda node, one: node.ReleaseLock("again", one),
    "CancelRegistration": lambda node, one: node.CancelRegistration("again", one, "不去了"),
    "CheckIn": lambda node, one: node.CheckIn("again", one),
}


def test_every_state_and_operation_is_tried() -> None:
    assert WAYS.keys() == REGISTRATION_STATE.table.keys()
    named = {event for state, event in TRANSITIONS if state and event[0].isupper()}
    assert named == OPERATIONS.keys()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", WAYS)
def test_state_and_operation(his: Hospital, state: str, operation: str) -> None:
    clock = Clock()
    node = his.open(clock, lock_minutes=15)
    one = WAYS[state](his, node, clock)
    before = node.GetRegistration(one)
    assert before.State == state
    if operation == "CheckIn":
        clock.now = max(clock.now, ON_THE_DAY) if state != "L" else clock.now
    counted = his.counters(), his.visits(), his.returns()
    after = TRANSITIONS.get((state, operation))
    if after is not None:
        answer = OPERATIONS[operation](node, one)
        assert answer.State == after == node.GetRegistration(one).State
        return
    with pytest.raises(Conflict) as caught:
        OPERATIONS[operation](node, one)
    assert operation in caught.value.zh
    assert node.GetRegistration(one) == before
    assert (his.counters(), his.visits(), his.returns()) == counted


def test_what_happens_by_itself(his: Hospital) -> None:
    """The lower-case events of the table, each seen in the state that is answered."""
    clock = Clock()
    node = his.open(clock)
    one = registered(his, node, clock)
    his.stop()
    assert node.GetRegistration(one).State == TRANSITIONS["R", "stop"]
    his.stop(False)
    assert node.GetRegistration(one).State == TRANSITIONS["S", "resume"] == "R"
    his.stop()
    his.returned_at_the_window(one)
    assert node.GetRegistration(one).State == TRANSITIONS["S", "return"]
    his.stop(False)
    assert node.GetRegistration(one).State == TRANSITIONS["R", "return"]

    two = str(node.Register("two", his.session, patient_id(2)).RegistrationId)
    clock.now = ON_THE_DAY
    node.CheckIn("a", two)
    his.seen(two)
    assert node.GetRegistration(two).State == TRANSITIONS["A", "visit"]
    events = {event for _, event in TRANSITIONS if event[0].islower()}
    assert events == {"expire", "stop", "resume", "return", "visit"}
