"""What the calls' own path does beyond the app's: order, cancelling, limits, time, the end."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from starlette.applications import Starlette

from services.soap.bounds import Limits
from services.soap.exchange import Endpoint
from services.soap.interface import typed_interface
from tests.host.running import Running, answers, post, running, until, until_closed
from tests.services.sample import Person, Sample
from yilian import http_protocol

PATH = "/hx/Sample"
LIMIT = 1_000_000


class Hospital:
    """Answers ``wait...`` when ``go`` is set, ``big`` with much, anything else at once."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked: list[str] = []
        self.cancelled: list[str] = []

    async def ask(self, **arguments: Any) -> list[Person]:
        name = arguments["Id"]
        self.asked.append(name)
        if name.startswith("w"):
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.append(name)
                raise
        return [Person(name if name != "big" else "b" * 3_000_000, None, [])]


@pytest.fixture
def hospital() -> Hospital:
    return Hospital()


@pytest.fixture
def node(hospital: Hospital) -> Iterator[Running]:
    invoke = {"Ask": hospital.ask, "Put": hospital.ask}
    endpoint = Endpoint(typed_interface(Sample), "hx", invoke, Limits(size=LIMIT))
    with running(Starlette(), {PATH: endpoint}, grace=20) as server:
        yield server


def ask(name: str, *headers: str) -> bytes:
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<Ask xmlns="urn:yilian:Sample:3"><Id>{name}</Id></Ask></s:Body></s:Envelope>'
    )
    return post(PATH, body, *headers)


def names(raw: bytes) -> list[str]:
    bodies = [body.decode() for _, _, body in answers(raw)]
    return [body.partition("<Name>")[2].partition("</Name>")[0] or "-" for body in bodies]


def let_go(node: Running, hospital: Hospital) -> None:
    node.loop.call_soon_threadsafe(hospital.go.set)


def receive(client: socket.socket, mark: bytes) -> bytes:
    raw = b""
    while mark not in raw:
        part = client.recv(65536)
        assert part, raw
        raw += part
    return raw


def test_answers_leave_in_the_order_of_their_requests(node: Running, hospital: Hospital) -> None:
    with node.connect() as client:
        client.sendall(ask("w1") + ask("2") + post("/none", "x") + ask("w3") + ask("4"))
        until(lambda: hospital.asked == ["w1"])
        client.sendall(ask("5", "Connection: close"))
        let_go(node, hospital)
        assert names(until_closed(client)) == ["w1", "2", "-", "w3", "4", "5"]


def test_a_long_pipeline_behind_a_slow_call(node: Running, hospital: Hospital) -> None:
    with node.connect() as client:
        client.sendall(ask("w") + post(PATH, "no XML") * 3000 + ask("z", "Connection: close"))
        until(lambda: hospital.asked == ["w"])
        let_go(node, hospital)
        assert names(until_closed(client)) == ["w", *["-"] * 3000, "z"]


def test_a_request_that_waits_may_arrive_in_pieces(node: Running, hospital: Hospital) -> None:
    large = post(PATH, "x" * 900_000, "Expect: 100-continue", "Connection: close")
    with node.connect() as client:
        client.sendall(ask("w") + large[:5000])
        until(lambda: hospital.asked == ["w"])
        let_go(node, hospital)
        client.sendall(large[5000:])
        assert [status for status, _, _ in answers(until_closed(client))] == [200, 100, 500]


def test_a_client_that_leaves_has_its_call_cancelled(node: Running, hospital: Hospital) -> None:
    with node.connect() as client:
        client.sendall(ask("w1"))
        until(lambda: hospital.asked == ["w1"])
    until(lambda: hospital.cancelled == ["w1"])
    until(lambda: not node.server.server_state.tasks)
    client = node.connect()
    client.sendall(ask("w2"))
    until(lambda: hospital.asked == ["w1", "w2"])
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # with a reset
    until(lambda: hospital.cancelled == ["w1", "w2"])


def test_what_waits_behind_a_client_that_left_is_not_run(node: Running, hospital: Hospital) -> None:
    with node.connect() as client:
        client.sendall(ask("w1") + ask("2")[:-10])
        until(lambda: hospital.asked == ["w1"])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    let_go(node, hospital)
    until(lambda: not node.server.server_state.connections)
    assert hospital.asked == ["w1"]


def test_nothing_is_run_behind_a_request_to_close(node: Running, hospital: Hospital) -> None:
    raw = node.exchange(ask("1", "Connection: close") + ask("2"))
    assert names(raw) == ["1"] and hospital.asked == ["1"]


def test_an_invalid_request_is_answered_behind_those_before_it(
    node: Running, hospital: Hospital
) -> None:
    with node.connect() as client:
        client.sendall(ask("w1") + ask("2") + b"nonsense\r\n\r\n" + ask("3"))
        until(lambda: hospital.asked == ["w1"])
        let_go(node, hospital)
        raw = until_closed(client)
    assert [status for status, _, _ in answers(raw)] == [200, 200, 400]
    assert hospital.asked == ["w1", "2"]


def test_an_invalid_body_is_answered_behind_those_before_it(
    node: Running, hospital: Hospital
) -> None:
    broken = f"POST {PATH} HTTP/1.1\r\nHost: n\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode()
    with node.connect() as client:
        client.sendall(ask("w1") + broken)
        until(lambda: hospital.asked == ["w1"])
        let_go(node, hospital)
        raw = until_closed(client)
    assert [status for status, _, _ in answers(raw)] == [200, 400]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /hx/Sample HTTP/1.1\r\n" + b"X: y\r\n" * (http_protocol.HEADERS + 1) + b"\r\n",
        b"POST /hx/Sample HTTP/1.1\r\nX: " + b"y" * 2_000_000,
        b"POST /" + b"y" * 2_000_000,
    ],
    ids=["too many headers", "a header without an end", "a path without an end"],
)
@pytest.mark.parametrize("short_way", [True, False], ids=["node", "gateway or registry"])
def test_a_head_has_its_limits(node: Running, head: bytes, short_way: bool) -> None:
    """Also where every request goes to the app, as in processes that serve no endpoint."""
    with running(_app, {}) if not short_way else nullcontext(node) as server:
        with server.connect() as client:
            with suppress(OSError):  # refused while we were still sending
                client.sendall(head)
            raw = until_closed(client)
        assert raw.startswith(b"HTTP/1.1 400") or raw == b"<reset>"
        until(lambda: not server.server.server_state.connections)


async def _app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        raise AssertionError("such a head must never come to the app")


def test_who_goes_on_sending_too_much_loses_the_connection(node: Running) -> None:
    head = post(PATH, "", "Transfer-Encoding: chunked", length=False)
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with node.connect() as client:
        client.sendall(head + chunk * (LIMIT // 0x10000 + 1))
        assert b" 413 " in receive(client, b"</soap:Envelope>")
        with pytest.raises(OSError):
            for _ in range(1000):
                client.sendall(chunk)


def test_a_client_that_reads_slowly_holds_up_only_itself(node: Running, hospital: Hospital) -> None:
    with node.connect(receive_buffer=4096) as slow, node.connect() as quick:
        slow.sendall(ask("big") + ask("2") + ask("3", "Connection: close"))
        until(lambda: "big" in hospital.asked)
        quick.sendall(ask("4", "Connection: close"))
        assert names(until_closed(quick)) == ["4"]
        assert "2" not in hospital.asked  # nothing more is begun for it
        assert [len(name) for name in names(until_closed(slow))] == [3_000_000, 1, 1]


def test_the_end_lets_a_running_call_finish(node: Running, hospital: Hospital) -> None:
    with node.connect() as client, node.connect() as idle:
        idle.sendall(ask("1"))
        receive(idle, b"</soap:Envelope>")
        client.sendall(ask("w1"))
        until(lambda: "w1" in hospital.asked)
        node.server.should_exit = True
        assert idle.recv(100) == b""  # an idle connection ends at once
        let_go(node, hospital)
        raw = until_closed(client)
    assert names(raw) == ["w1"]
    assert answers(raw)[0][1]["connection"] == "close"
    node.thread.join(20)
    assert not node.thread.is_alive() and not hospital.cancelled


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /hx/Sam", ask("1")[:-10], ask("big") + ask("big")],
    ids=["nothing", "half a head", "half a body", "two requests and reads no answer"],
)
def test_who_takes_too_long_loses_the_connection(
    node: Running, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_protocol, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(http_protocol, "_SWEEP_SECONDS", 0.02)
    node.server.config.timeout_keep_alive = 0
    with node.connect(receive_buffer=4096) as client:
        client.sendall(sent)
        until(lambda: len(node.server.server_state.connections) == 0)
        until_closed(client)


def test_a_call_that_takes_long_keeps_its_connection(
    node: Running, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(http_protocol, "_SWEEP_SECONDS", 0.01)
    node.server.config.timeout_keep_alive = 0
    looks: list[float] = []
    protocol = node.protocol
    assert protocol is not None
    original = protocol._look_at_the_clock
    monkeypatch.setattr(
        protocol,
        "_look_at_the_clock",
        lambda self, now: (looks.append(now), original(self, now)),
    )
    with node.connect() as client:
        client.sendall(ask("w1", "Connection: close"))
        until(lambda: looks and looks[-1] - looks[0] > 0.1)
        let_go(node, hospital)
        assert names(until_closed(client)) == ["w1"]
