"""SIGKILL under load, through a whole gateway: nothing that was answered is missing in the audit.

Callers on sockets go on asking while the gateway, one of its workers or its supervisor is killed
in moments that a seed decides, and started again on the same folder. Whatever they were answered,
also a refusal, is on record exactly once; and no write without a RequestId was sent to the node a
second time.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.audit.files import files_in
from gateway.audit.search import Wanted, search
from gateway.binding import Binding
from tests.gateway.conftest import SOAP_1_1, Loop, lab_call
from tests.gateway.front import LOCAL, free_port, write_table
from tests.gateway.mortal import Ask, Callers, MortalGateway, callers
from tests.gateway.scripted_node import Received, ScriptedNode, envelope, http, reset
from tests.gateway.test_wsdl import DOCUMENT
from yilian.cli import app

CONFIGURATION = (
    """
[listen]
port = {port}
workers = {workers}
[registry]
url = "http://127.0.0.1:1"
table_file = "routes.json"
[audit]
folder = "audit"
rotate_bytes = 65536
min_free_bytes = 0
anchor_seconds = 1
sync = "{sync}"
[forward]
break_after = 1000
[hospitals.hx]
[hospitals.sq]
"""
    + LOCAL
    + """
[[policies]]
name = "results of hx"
callers = ["local"]
hospitals = ["hx"]
services = ["*"]
operations = ["*"]
"""
)
FAULT = http(envelope(b"<x><Code>NotFound</Code></x>"), "500 Internal Server Error")
_marks = itertools.count(1)


class Scene:
    """A folder, a node that now and then drops a call which it has carried out, and a gateway."""

    def __init__(
        self, folder: Path, node: ScriptedNode, workers: int, seed: int, sync: str
    ) -> None:
        self.folder, self.node = folder, node
        self.chance = random.Random(seed)
        self._of_node = random.Random(seed + 1)
        write_table(
            folder / "routes.json",
            [Binding(code, "LabResults", f"{node.url}/{code}/LabResults") for code in ("hx", "sq")],
        )
        self.file = folder / "gateway.toml"
        port = free_port()
        self.file.write_text(CONFIGURATION.format(port=port, workers=workers, sync=sync))
        self.gateway = MortalGateway(self.file, port, workers)
        node.script = self._carried_out

    async def _carried_out(self, request: Received, writer: asyncio.StreamWriter) -> None:
        if request.line.startswith("GET"):
            writer.write(http(DOCUMENT))
            return
        chance = self._of_node.random()
        if chance < 0.03:
            await reset(writer)
        else:
            writer.write(FAULT if chance < 0.06 else http(envelope()))

    def verified(self) -> str:
        """What ``yilian audit verify`` says, which must be that the trail is whole."""
        words = ["audit", "verify", str(self.file), "--anchors", str(self.gateway.log_file)]
        result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        return result.output

    def tear(self) -> None:
        """As a crash leaves it in the middle of writing a line."""
        last = {file.stream: file.path for file in files_in(self.folder / "audit")}
        for path in last.values():
            with path.open("ab") as file:
                file.write(b'{"n":999999,"k":"call","t":"2026-11-')


@contextmanager
def scene(
    folder: Path, node: ScriptedNode, *, workers: int, seed: int, sync: str = "write"
) -> Iterator[Scene]:
    made = Scene(folder, node, workers, seed, sync)
    made.gateway.start()
    try:
        yield made
    finally:
        made.gateway.end()
        made.gateway.forget()


def next_ask(chance: random.Random) -> Ask:
    """Every kind of call, with every kind of end."""
    mark = f"M{next(_marks)}"
    kind = chance.choice(("read", "write", "write", "bare write", "bare write", "refused"))
    if kind == "read":
        return Ask(
            kind, "POST", "/hx/LabResults", mark, lab_call(f"<TestNo>{mark}</TestNo>"), SOAP_1_1
        )
    if kind == "refused":
        return chance.choice(_REFUSED)
    headers = {**SOAP_1_1, "SOAPAction": '"urn:yilian:LabResults:1/MarkLabPrinted"'}
    request_id = f"<RequestId>{mark}</RequestId>" if kind == "write" else ""
    body = lab_call(f"{request_id}<TestNo>{mark}</TestNo>").replace(
        b"GetLabResult", b"MarkLabPrinted"
    )
    return Ask(kind, "POST", "/hx/LabResults", mark, body, headers)


_REFUSED = (
    Ask("refused", "POST", "/sq/LabResults", body=lab_call(), headers=SOAP_1_1),  # by policy
    Ask("refused", "POST", "/hx/LabResults", body=b"<no xml", headers=SOAP_1_1),
    Ask(
        "refused", "POST", "/hx/LabResults", body=lab_call(), headers=SOAP_1_1 | {"SOAPAction": "x"}
    ),
    Ask(
        "refused",
        "POST",
        "/hx/LabResults",
        body=b"x",
        headers=SOAP_1_1 | {"Content-Encoding": "gzip"},
    ),
    Ask("refused", "POST", "/hx//LabResults", body=lab_call(), headers=SOAP_1_1),
    Ask("refused", "GET", "/hx/LabResults"),
    Ask("refused", "GET", "/sq/LabResults?wsdl"),
    Ask("no service", "POST", "/hx/Nothing", body=lab_call(), headers=SOAP_1_1),
    Ask("wsdl", "GET", "/hx/LabResults?wsdl"),
)


def expected(kind: str, status: int) -> str:
    """The outcome that the audit must have for what a caller was answered."""
    if kind == "refused":
        return "refused"
    return "ok" if status == 200 else "fault"


def check(scene: Scene, told: Callers) -> None:
    """What the issue promises, by what callers saw and what the node was sent."""
    scene.verified()
    found = list(search(scene.folder / "audit", Wanted()))
    times = Counter(str(line["id"]) for line in found)
    assert max(times.values()) == 1  # nothing is there twice, whoever was answered
    outcomes = {str(line["id"]): line["outcome"] for line in found}
    assert all(one.request_id for one in told.seen)
    missing = [one for one in told.seen if one.request_id not in outcomes]
    assert missing == []
    wrong = [
        (one, outcomes[one.request_id])
        for one in told.seen
        if outcomes[one.request_id] != expected(one.ask.kind, one.status)
    ]
    assert wrong == []
    assert {one.ask.kind for one in told.seen if one.status == 200} >= {"read", "write", "wsdl"}
    assert {one.status for one in told.seen if one.ask.kind == "refused"} >= {400, 405, 415, 500}

    sent = [request for request in scene.node.requests if request.line.startswith("POST")]
    reached: Counter[tuple[str, bool]] = Counter()
    for request in sent:
        mark = re.search(rb"<TestNo>(\w+)</TestNo>", request.body)
        assert mark is not None
        reached[mark[1].decode(), b"MarkLabPrinted" in request.body] += 1
        assert not request.line.startswith("POST /sq")
    bare = {
        request.body.partition(b"<TestNo>")[2].partition(b"<")[0].decode()
        for request in sent
        if b"MarkLabPrinted" in request.body and b"<RequestId>" not in request.body
    }
    assert len(bare) > 50
    assert [mark for mark in bare if reached[mark, True] != 1] == []
    assert max(reached.values()) == 2  # the node dropped some, and what may be was repeated


@pytest.fixture
def node(loop: Loop) -> Iterator[ScriptedNode]:
    made = ScriptedNode()
    loop.run(made.start())
    yield made
    loop.run(made.stop())


def test_a_gateway_that_is_killed_has_every_answered_call_on_record(
    tmp_path: Path, node: ScriptedNode
) -> None:
    with scene(tmp_path, node, workers=1, seed=11) as set_up:
        gateway = set_up.gateway
        with callers(gateway.port, next_ask, seed=11, threads=8) as told:
            told.until_more(set_up.chance.randrange(100, 600))
            gateway.kill()
            set_up.tear()
            gateway.start()
            told.until_more(set_up.chance.randrange(100, 600))
            gateway.kill()
            gateway.start()
            told.until_more(100)
        check(set_up, told)
        assert told.broken
        assert "was not finished" in set_up.verified()


def test_workers_that_are_killed_have_every_answered_call_on_record(
    tmp_path: Path, node: ScriptedNode
) -> None:
    with scene(tmp_path, node, workers=2, seed=12) as set_up:
        gateway = set_up.gateway
        with callers(gateway.port, next_ask, seed=12, threads=8) as told:
            told.until_more(set_up.chance.randrange(100, 600))
            gateway.kill_worker(set_up.chance.choice(gateway.workers()))
            told.until_more(set_up.chance.randrange(100, 600))
            gateway.kill()
            gateway.start()
            told.until_more(100)
        check(set_up, told)
        assert told.broken
        assert len({file.stream for file in files_in(tmp_path / "audit")}) == 2


@pytest.mark.full
@pytest.mark.parametrize("sync", ["write", "fsync"])
def test_many_kills(tmp_path: Path, node: ScriptedNode, sync: str) -> None:
    """The same at length; the supervisor alone is killed too."""
    with scene(tmp_path, node, workers=2, seed=13, sync=sync) as set_up:
        gateway, chance = set_up.gateway, set_up.chance
        with callers(gateway.port, next_ask, seed=13, threads=24) as told:
            for ways in (("all", "worker", "supervisor"), ("all", "worker", "all")):
                for way in chance.sample(ways, len(ways)):
                    told.until_more(chance.randrange(1, 1200))
                    if way == "worker":
                        gateway.kill_worker(chance.choice(gateway.workers()))
                        continue
                    if way == "supervisor":
                        gateway.kill_supervisor()
                    else:
                        gateway.kill()
                    gateway.start()
            told.until_more(100)
        check(set_up, told)
