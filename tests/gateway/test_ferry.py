"""The ferry: calls as files, carried late, twice, in pieces, or not at all."""

from __future__ import annotations

import asyncio
import hmac
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from services.ferry import ANSWER, Cargo, pack
from tests.gateway.conftest import Loop, MakeGateway, RunningGateway, until
from tests.gateway.file_gate import Gate
from tests.gateway.inside import BINDING, HEADERS, PATH, Inside, envelope, name_in
from yilian.config import Ferry
from yilian.ferrying import Ferrying
from yilian.refused import Refused

KEY = "5a" * 32


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate")
    (tmp_path / "key").write_text(KEY)
    yield made
    made.close()


@pytest.fixture
def ferried(make_gateway: MakeGateway, gate: Gate, tmp_path: Path) -> RunningGateway:
    return make_gateway([BINDING], sections=sections(gate, tmp_path))


def sections(gate: Gate, tmp_path: Path, **more: Any) -> dict[str, Any]:
    ferry = {
        "out_folder": gate.outside / "out",
        "in_folder": gate.outside / "in",
        "key_file": tmp_path / "key",
        "deadline_seconds": 20.0,
        **more,
    }
    return {"hospitals": {"hx": {"mode": "ferry", "ferry": ferry}}}


class Node:
    """The node's end on the tests' loop; ``kill`` ends it as a crash would, between two steps."""

    def __init__(self, loop: Loop, gate: Gate, tmp_path: Path) -> None:
        self.inside = loop.run(self._made())
        settings = Ferry(
            in_folder=gate.inside / "in",
            out_folder=gate.inside / "out",
            kept_folder=gate.inside / "kept",
            key_file=tmp_path / "key",
        )
        self.ferrying = Ferrying(settings, {PATH: self.inside.endpoint}, "http://node:8082")
        self._loop = loop
        self._task = asyncio.run_coroutine_threadsafe(self.ferrying.keep(), loop.loop)

    @staticmethod
    async def _made() -> Inside:
        return Inside()

    def go(self) -> None:
        self._loop.loop.call_soon_threadsafe(self.inside.go.set)

    def kill(self) -> None:
        self._task.cancel()
        for task in list(self.ferrying._tasks):
            self._loop.loop.call_soon_threadsafe(task.cancel)
        until(lambda: self._task.done() and not self.ferrying._tasks)


@pytest.fixture
def start_node(loop: Loop, gate: Gate, tmp_path: Path) -> Iterator[Callable[[], Node]]:
    nodes: list[Node] = []

    def start() -> Node:
        nodes.append(Node(loop, gate, tmp_path))
        return nodes[-1]

    yield start
    for node in nodes:
        node.kill()


def ask(gateway: RunningGateway, name: str) -> str:
    return name_in(gateway.post(PATH, envelope(name), HEADERS, 60).body)


def everything_is_settled(gate: Gate) -> bool:
    """No file is left, but the node's marks of what it has done."""
    left = [path.name for path in gate.outside.rglob("*") if path.is_file()]
    left += [path.name for path in gate.inside.rglob("*") if path.is_file()]
    return all(name.endswith(".done") for name in left)


def test_a_call_and_a_wsdl_cross_as_files(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    node = start_node()
    assert ask(ferried, "1") == "1"
    wsdl = ferried.get(f"{PATH}?wsdl")
    assert wsdl.status == 200
    assert f"http://127.0.0.1:{ferried.port}{PATH}" in wsdl.text
    assert node.inside.asked == ["1"]
    until(lambda: everything_is_settled(gate))
    state = ferried.health()["ways"]["hx"]
    assert (state["sent"], state["answered"], state["late"], state["spoilt"]) == (2, 2, 0, 0)


def test_many_calls_in_no_order(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    node = start_node()
    names = [str(number) for number in range(60)]
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(lambda name: ask(ferried, name), names)) == names
    assert sorted(node.inside.asked) == sorted(names)
    until(lambda: everything_is_settled(gate))


def test_files_that_come_again_are_run_once(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    gate.twice = True
    node = start_node()
    assert ask(ferried, "1") == "1"
    # what has been carried is carried again, after all is done
    until(lambda: any(name.endswith(".receipt.xml") for name in gate.carried))
    [request] = {name for name in gate.carried if ".request" in name}
    marks = gate.inside / "kept"
    until(lambda: [path.suffix for path in marks.iterdir()] == [".done"])
    sent_again = gate.inside / "in" / request
    sent_again.write_bytes(b"")  # whatever stands in it: the name alone is not believed
    assert ask(ferried, "2") == "2"
    assert node.inside.asked == ["1", "2"]


def test_a_file_written_in_pieces_is_waited_for(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    gate.pieces = True
    node = start_node()
    assert ask(ferried, "1") == "1"
    assert node.inside.asked == ["1"]


def test_a_node_that_dies_before_it_has_answered_runs_the_call_when_it_is_back(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    first = start_node()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, ferried, "w")
        until(lambda: first.inside.asked == ["w"])
        first.kill()
        second = start_node()
        until(lambda: second.inside.asked == ["w"])
        second.go()
        assert slow.result() == "w"
    until(lambda: everything_is_settled(gate))


def test_an_answer_that_was_lost_is_sent_again_and_not_run_again(
    make_gateway: MakeGateway, gate: Gate, tmp_path: Path, start_node: Callable[[], Node]
) -> None:
    ferried = make_gateway([BINDING], sections=sections(gate, tmp_path, deadline_seconds=8.0))
    lost: list[str] = []

    def lose_first_answer(name: str) -> bool:
        if ".answer" in name and not lost:
            lost.append(name)
            return True
        return False

    gate.lose = lose_first_answer
    node = start_node()
    assert ask(ferried, "1") == "1"
    assert lost and node.inside.asked == ["1"]


def test_no_answer_in_time(
    make_gateway: MakeGateway, gate: Gate, tmp_path: Path, start_node: Callable[[], Node]
) -> None:
    gateway = make_gateway([BINDING], sections=sections(gate, tmp_path, deadline_seconds=0.3))
    gate.closed = True
    answer = gateway.post(PATH, envelope("1"), HEADERS)
    assert "<Code>SourceTimeout</Code>" in answer.text
    assert "it may have been carried out" in answer.text
    assert list((gate.outside / "out").iterdir()) == []  # it need not go any more


def test_an_answer_that_comes_too_late_is_receipted_and_dropped(
    make_gateway: MakeGateway, gate: Gate, tmp_path: Path, start_node: Callable[[], Node]
) -> None:
    gateway = make_gateway([BINDING], sections=sections(gate, tmp_path, deadline_seconds=1.0))
    node = start_node()
    assert "<Code>SourceTimeout</Code>" in gateway.post(PATH, envelope("w"), HEADERS).text
    node.go()
    until(lambda: gateway.health()["ways"]["hx"]["late"] == 1)
    until(lambda: everything_is_settled(gate))


def test_files_that_are_none_are_set_aside(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    node = start_node()
    for folder, kind in ((gate.inside, "request"), (gate.outside, "answer")):
        path = folder / "in" / f"{'0' * 32}.{kind}.xml"
        path.write_bytes(b"<x/>")
        os.utime(path, (1, 1))  # it has been lying there
        until(lambda path=path: path.with_name(path.name + ".spoilt").exists())
    assert ask(ferried, "1") == "1"
    assert node.inside.asked == ["1"]
    assert ferried.health()["ways"]["hx"]["spoilt"] == 1


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_what_never_ends(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_link_to_a_file(path: Path) -> None:
    (path.parent.parent / "secret").write_text("root:x:0:0")
    path.symlink_to(path.parent.parent / "secret")


def a_link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere")


def a_ring(path: Path) -> None:
    path.symlink_to(path.name)


def a_large_one(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("stem", ["0" * 32, "x" * 240], ids=["short", "longest"])
@pytest.mark.parametrize(
    "put",
    [
        a_folder,
        a_pipe,
        a_link_to_what_never_ends,
        a_link_to_a_file,
        a_link_to_nothing,
        a_ring,
        a_large_one,
    ],
    ids=lambda put: put.__name__,
)
def test_what_somebody_else_puts_there_holds_up_nobody(
    ferried: RunningGateway,
    gate: Gate,
    start_node: Callable[[], Node],
    put: Callable[[Path], None],
    stem: str,
) -> None:
    start_node().go()
    for folder, kind in ((gate.inside, "request"), (gate.outside, "answer")):
        path = folder / "in" / f"{stem}.{kind}.xml"[-255:]
        put(path)
        if not path.is_symlink():
            os.utime(path, (1, 1))
        else:
            os.utime(path, (1, 1), follow_symlinks=False)
        until(lambda path=path: list(path.parent.glob("*.spoilt")))
    assert ask(ferried, "1") == "1"


@pytest.mark.parametrize(
    "head",
    [
        {"status": 200, "headers": {"content-type": "text/xml; a\r\nSet-Cookie: b"}},
        {"status": 200, "headers": {"content-type": "text/xml", "retry-after": "1\r\n\r\n"}},
        {"status": 200, "headers": {"content-type": ["text/xml"]}},
        {"status": 200, "headers": 1},
        {"status": "200 OK\r\nX: y", "headers": {"content-type": "text/xml"}},
        {"status": 100, "headers": {"content-type": "text/xml"}},
        {"status": -1, "headers": {"content-type": "text/xml"}},
        {"headers": {"content-type": "text/xml"}},
        {},
    ],
)
def test_a_node_cannot_say_by_file_what_it_could_not_say_by_http(
    ferried: RunningGateway, gate: Gate, head: dict[str, Any]
) -> None:
    """It has the key; that does not make its answers HTTP."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ferried.post, PATH, envelope("1"), HEADERS)
        [request] = until(lambda: list((gate.inside / "in").glob("[!.]*.request.xml")))
        cargo = Cargo(request.name[:32], time.time(), head, envelope("1"))
        (gate.inside / "out" / f"{cargo.id}.answer.xml").write_bytes(
            pack(ANSWER, cargo, bytes.fromhex(KEY))
        )
        answer = asked.result(60)
    assert answer.status == 500 and b"SourceError" in answer.body
    assert {name.lower() for name, _ in answer.headers} <= {
        *("date", "x-request-id", "content-type", "content-length"),
    }


def test_a_sealed_file_without_a_head_does_not_end_the_ferry(
    ferried: RunningGateway, gate: Gate, start_node: Callable[[], Node]
) -> None:
    start_node().go()
    key = bytes.fromhex(KEY)
    for number, line in enumerate((b"[]", b"{}", b"1", b'{"id": 1, "created": "x"}', b"[" * 9999)):
        first = b"yilian-ferry 1 answer\n" + line + b"\n"
        path = gate.outside / "in" / f"{number}.answer.xml"
        path.write_bytes(first + hmac.digest(key, first, "sha256").hex().encode() + b"\n")
        os.utime(path, (1, 1))
        until(lambda path=path: not path.exists())
    assert ask(ferried, "1") == "1"


def test_a_call_too_large_for_the_gate_is_refused(
    make_gateway: MakeGateway, gate: Gate, tmp_path: Path
) -> None:
    gateway = make_gateway([BINDING], sections=sections(gate, tmp_path, max_bytes=2048))
    body = envelope("1").replace(b"<s:Body>", b"<!--" + b"x" * 3000 + b"--><s:Body>")
    assert "was not delivered" in gateway.post(PATH, body, HEADERS).text


def test_a_folder_that_is_not_there_is_refused_at_start(
    loop: Loop, gate: Gate, tmp_path: Path
) -> None:
    shutil.rmtree(gate.inside / "out")
    with pytest.raises(Refused, match="there is no folder"):
        Node(loop, gate, tmp_path)
    (tmp_path / "key").write_text("short")
    with pytest.raises(Refused, match="64 hex digits"):
        Node(loop, gate, tmp_path)
