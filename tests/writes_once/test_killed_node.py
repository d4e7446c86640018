"""A node killed at every step of a write, started again and asked again: it happened once.

Each operation is repeated until it has been killed at all its steps. Every repetition is another
patient's; the node that is started anew answers the request that its forerunner died in, and then
dies in the next one.
"""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest

from tests.writes_once.conftest import ADAPTERS, DATABASES
from tests.writes_once.hospital import DAY, FEES, Hospital, patient_id
from tests.writes_once.nodes import Nodes

#: a call is killed some twenty times, and the machine may be busy
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def nodes(his: Hospital, tmp_path: Path, nursery: subprocess.Popen[str]) -> Iterator[Nodes]:
    source = his.config(lock_minutes=1440)
    source["offers"] = ["Registration", "NumberSource", "Patients"]
    made = Nodes(tmp_path, source, nursery)
    yield made
    made.end()


Arguments = Callable[[Hospital, Any, int], dict[str, str]]


def a_new_patient(his: Hospital, node: Any, n: int) -> dict[str, str]:
    return {"ScheduleId": his.session, "PatientId": patient_id(n)}


def a_lock(his: Hospital, node: Any, n: int) -> dict[str, str]:
    return {"LockId": node.LockNumber(f"lock{n}", his.session, patient_id(n)).LockId}


def a_paid_lock(his: Hospital, node: Any, n: int) -> dict[str, str]:
    return {**a_lock(his, node, n), "PaymentReference": f"WX{n}", "Amount": FEES}


def a_registration(his: Hospital, node: Any, n: int) -> dict[str, str]:
    made = node.Register(f"made{n}", his.session, patient_id(n))
    return {"RegistrationId": made.RegistrationId, "Reason": "行程有变"}


def a_registration_of_today(his: Hospital, node: Any, n: int) -> dict[str, str]:
    made = node.Register(f"made{n}", his.session, patient_id(n))
    return {"RegistrationId": made.RegistrationId}


#: operation: what it needs; the state afterwards; what each request changes in the places that
#: are taken, in the HIS's living rows and in its returned ones
OPERATIONS: dict[str, tuple[Arguments, str, tuple[int, int, int]]] = {
    "LockNumber": (a_new_patient, "L", (1, 0, 0)),
    "ConfirmRegistration": (a_paid_lock, "R", (0, 1, 0)),
    "ReleaseLock": (a_lock, "X", (-1, 0, 0)),
    "Register": (a_new_patient, "R", (1, 1, 0)),
    "CancelRegistration": (a_registration, "C", (-1, -1, 1)),
    "CheckIn": (a_registration_of_today, "A", (0, 0, 0)),
}
#: operations of the session's own day
ON_THE_DAY = ("CheckIn",)


#: on servers, where every step takes longer: what writes most, by the drivers that most will use
ON_SERVERS = ("Register", "CancelRegistration")
NATIVE = ("postgresql+psycopg", "mariadb+pymysql")
#: everything with the first adapter; of the others what they do in tables of their own
CASES = [
    pytest.param((adapter, database), operation, id=f"{adapter}-{database}-{operation}")
    for adapter in ADAPTERS
    for database in DATABASES
    for operation in OPERATIONS
    if (adapter == ADAPTERS[0] and database == "sqlite")
    or (operation in ("Register", "CancelRegistration", "CheckIn") and database == "sqlite")
    or (adapter == ADAPTERS[0] and operation in ON_SERVERS and database in NATIVE)
]


@pytest.mark.parametrize(("his", "operation"), CASES, indirect=["his"])
def test_killed_at_every_step(his: Hospital, nodes: Nodes, operation: str) -> None:
    prepare, state, change = OPERATIONS[operation]
    his.limit(0)
    other = his.open(datetime.now, lock_minutes=1440)  # a node that goes on living
    if operation in ON_THE_DAY:
        nodes.now = datetime.combine(DAY, time(8))
    step = 1
    begin(nodes, "req1.", step)
    while True:
        arguments = {"RequestId": f"req{step}.", **prepare(his, other, step)}
        before = standing(his)
        try:
            nodes.ask(operation, **arguments)
            break  # the call has fewer steps than this: it was killed at all of them
        except (ConnectionError, http.client.HTTPException):
            died_at = nodes.died()
            assert len(died_at) == step
        begin(nodes, f"req{step + 1}.", step + 1)
        first = nodes.ask(operation, **arguments)
        assert nodes.ask(operation, **arguments) == first
        assert [row[0] for row in his.kept() if row[1] == patient_id(step)] == [state]
        assert standing(his) == tuple(was + by for was, by in zip(before, change, strict=True))
        step += 1
    steps = nodes.steps()
    assert steps == died_at
    assert (steps[0], steps[-1]) == ("received", "before the answer")
    assert {"before INSERT", "after INSERT", "before commit", "after commit"} <= set(steps)
    numbers = [number for found, _, number in his.kept() if found == state]
    assert len(numbers) == len(set(numbers)) == step


def begin(nodes: Nodes, request: str, step: int) -> None:
    nodes.start(request, step)
    # Code tables are kept for a while; a call that reads them would have other steps.
    nodes.ask("QueryNumberSource", "NumberSource", ScheduleDate=f"{DAY}")
    nodes.ask("GetPatient", "Patients", PatientId=patient_id(1))


def standing(his: Hospital) -> tuple[int, int, int]:
    return his.counters()[0], his.visits(), his.returns()
