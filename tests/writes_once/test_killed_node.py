"""A node killed at every step of a write, started again and asked again: it happened once.

Each operation is repeated until it has been killed at all its steps. Every repetition is another
patient's; the node that is started anew answers the request that its forerunner died in, and then
dies in the next one.
"""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.soap.values import escape
from tests.writes_once.conftest import ADAPTERS, DATABASES
from tests.writes_once.hospital import DAY, FEES, Hospital, patient_id

PROJECT = Path(__file__).parents[2]


class Nodes:
    """Nodes at one address, one after the other."""

    def __init__(self, folder: Path, his: Hospital, nursery: subprocess.Popen[str]) -> None:
        self._nursery = nursery
        self._steps = folder / "steps"
        self._config = folder / "node.toml"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._pid = 0
        source = his.config()
        settings = source["settings"] | {"lock_minutes": 1440}
        pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
        self._config.write_text(
            f"""
            [hospital]
            code = "hx"
            name = "华夏"
            name_en = "Huaxia"
            [listen]
            port = {self._port}
            public_url = "http://127.0.0.1:{self._port}"
            [sources.his]
            adapter = "{his.adapter}"
            url = "{his.url}"
            offers = ["Registration", "NumberSource", "Patients"]
            read_only = false
            settings = {{ {pairs} }}
            """,
            "utf-8",
        )

    def start(self, request: str = "", step: int = 0) -> None:
        """A node that dies at that step of that request."""
        self._steps.write_text("")
        self._pid = self._order(
            config=str(self._config), request=request, step=step, steps=str(self._steps)
        )
        deadline = time.monotonic() + 20
        while not self._listens():
            assert time.monotonic() < deadline, "the node did not start"
            time.sleep(0.002)
        # Code tables are kept for a while; a call that reads them would have other steps.
        self.ask("QueryNumberSource", "NumberSource", ScheduleDate=f"{DAY}")
        self.ask("GetPatient", "Patients", PatientId=patient_id(1))

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def died(self) -> list[str]:
        """Wait until the node was killed; the steps that it came to."""
        assert self._order(wait=self._pid) == signal.SIGKILL
        self._pid = 0
        return self._steps.read_text().splitlines()

    def steps(self) -> list[str]:
        return self._steps.read_text().splitlines()

    def end(self) -> None:
        if self._pid:
            subprocess.run(["kill", "-KILL", str(self._pid)], check=True)
            self._order(wait=self._pid)
            self._pid = 0

    def ask(
        self, operation: str, service: str = "Registration", **arguments: str
    ) -> dict[str, str]:
        """The answer's fields. ConnectionError: the node died."""
        inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in arguments.items())
        body = (
            '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
            f'<{operation} xmlns="urn:yilian:{service}:1">{inner}</{operation}>'
            "</Body></Envelope>"
        )
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            headers = {"Content-Type": "text/xml; charset=utf-8"}
            connection.request("POST", f"/hx/{service}", body.encode(), headers)
            answer = connection.getresponse().read().decode()
        finally:
            connection.close()
        assert "Fault" not in answer, answer
        return dict(re.findall(r"<(\w+)>([^<]*)</\1>", answer))

    def _order(self, **order: Any) -> int:
        assert self._nursery.stdin and self._nursery.stdout
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        return int(self._nursery.stdout.readline())


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.writes_once.mortal_node"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT,
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.fixture
def nodes(his: Hospital, tmp_path: Path, nursery: subprocess.Popen[str]) -> Iterator[Nodes]:
    made = Nodes(tmp_path, his, nursery)
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


#: operation: what it needs; the state afterwards; what each request changes in the places that
#: are taken, in the HIS's living rows and in its returned ones
OPERATIONS: dict[str, tuple[Arguments, str, tuple[int, int, int]]] = {
    "LockNumber": (a_new_patient, "L", (1, 0, 0)),
    "ConfirmRegistration": (a_paid_lock, "R", (0, 1, 0)),
    "ReleaseLock": (a_lock, "X", (-1, 0, 0)),
    "Register": (a_new_patient, "R", (1, 1, 0)),
    "CancelRegistration": (a_registration, "C", (-1, -1, 1)),
}


#: everything with the first adapter; of the others what they do in tables of their own
CASES = [
    pytest.param((adapter, database), operation, id=f"{adapter}-{database}-{operation}")
    for adapter in ADAPTERS
    for database in DATABASES
    for operation in OPERATIONS
    if adapter == ADAPTERS[0] or operation in ("Register", "CancelRegistration")
]


@pytest.mark.parametrize(("his", "operation"), CASES, indirect=["his"])
def test_killed_at_every_step(his: Hospital, nodes: Nodes, operation: str) -> None:
    prepare, state, change = OPERATIONS[operation]
    his.limit(0)
    other = his.open(datetime.now, lock_minutes=1440)  # a node that goes on living
    step = 1
    nodes.start("req1.", step)
    while True:
        arguments = {"RequestId": f"req{step}.", **prepare(his, other, step)}
        before = standing(his)
        try:
            nodes.ask(operation, **arguments)
            break  # the call has fewer steps than this: it was killed at all of them
        except (ConnectionError, http.client.HTTPException):
            died_at = nodes.died()
            assert len(died_at) == step
        nodes.start(f"req{step + 1}.", step + 1)
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


def standing(his: Hospital) -> tuple[int, int, int]:
    return his.counters()[0], his.visits(), his.returns()
