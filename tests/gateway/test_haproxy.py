"""The real HAProxy in front of two gateways: balancing, limits, failures, reloads, its log."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.binding import Binding
from tests.gateway.conftest import BODY, SOAP_1_1, Loop, until
from tests.gateway.front import (
    LOCAL,
    OPEN_POLICY,
    GatewayProcess,
    fetch,
    free_port,
    gateway_process,
    under_load,
    write_table,
)
from tests.gateway.haproxy_process import (
    HaproxyProcess,
    haproxy_process,
    needs_haproxy,
    port_of,
    proxy_section,
)
from tests.gateway.scripted_node import ScriptedNode, echo

pytestmark = pytest.mark.full


@dataclass
class Pair:
    """Two gateways of one configuration, on a port each, behind one HAProxy."""

    port: int
    haproxy: HaproxyProcess
    gateways: list[GatewayProcess]
    node: ScriptedNode
    text: str

    def configure(self, rate: int = 100_000, more: str = "") -> None:
        """Have HAProxy take the configuration as it began, but for these."""
        text = self.text.replace("rate_per_source = 100000", f"rate_per_source = {rate}")
        self.haproxy.configuration.write_text(text + more, "utf-8")
        self.haproxy.reload()

    def call(self, path: str = "/hx/LabResults", **headers: str) -> tuple[int, bytes]:
        return fetch(self.port, "POST", path, BODY, **{**SOAP_1_1, **headers})

    def calls_of(self, gateway: GatewayProcess) -> int:
        return len([one for one in gateway.log("call") if one["status"] == 200])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Pair]:
    yield from started(tmp_path_factory.mktemp("pair"), loop)


@pytest.fixture
def pair(shared: Pair) -> Pair:
    """For tests that leave both gateways running."""
    shared.node.requests.clear()
    return shared


@pytest.fixture
def breakable(tmp_path: Path, loop: Loop) -> Iterator[Pair]:
    yield from started(tmp_path, loop)


@pytest.fixture
def draining(tmp_path: Path, loop: Loop) -> Iterator[Pair]:
    """Whose gateways end as they do by default; the others end at once, to be quick."""
    yield from started(tmp_path, loop, "")


def started(folder: Path, loop: Loop, listen: str = "drain_seconds = 0\n") -> Iterator[Pair]:
    found = needs_haproxy()
    node = ScriptedNode(script=echo)
    loop.run(node.start())
    ports = [free_port(), free_port()]
    section = proxy_section(folder, *ports)
    write_table(folder / "routes.json", [Binding("hx", "LabResults", f"{node.url}/hx/LabResults")])
    files = []
    for index, port in enumerate(ports):
        files.append(folder / f"gateway{index}.toml")
        files[-1].write_text(
            f"[listen]\nport = {port}\n{listen}"
            '[registry]\nurl = "http://127.0.0.1:1"\ntable_file = "routes.json"\n'
            f"{LOCAL}{OPEN_POLICY}{section}",
            "utf-8",
        )
    with ExitStack() as running:
        gateways = [
            running.enter_context(gateway_process(file, port))
            for file, port in zip(files, ports, strict=True)
        ]
        haproxy = running.enter_context(haproxy_process(found, files[0]))
        until(lambda: haproxy.up() == {"w0", "w1"}, 60)
        text = files[0].read_text("utf-8")
        yield Pair(port_of(section), haproxy, gateways, node, text)
    loop.run(node.stop())


def test_calls_are_spread_over_the_gateways(pair: Pair) -> None:
    assert {pair.call()[0] for _ in range(20)} == {200}
    until(lambda: sum(map(pair.calls_of, pair.gateways)) == 20)
    assert min(map(pair.calls_of, pair.gateways)) >= 5


def test_a_gateway_that_ends_or_dies_is_left_out_and_taken_back(breakable: Pair) -> None:
    pair = breakable
    first = pair.gateways[0]
    first.process.send_signal(signal.SIGSTOP)  # it hangs: found by the probes
    try:
        until(lambda: pair.haproxy.up() == {"w1"}, 60)
        assert {pair.call()[0] for _ in range(10)} == {200}
    finally:
        first.process.send_signal(signal.SIGCONT)
    until(lambda: pair.haproxy.up() == {"w0", "w1"}, 60)

    # taken out as docs/scale-out.md says, it ends without a lost call
    with under_load(lambda: pair.call()[0]) as load:
        load.until_more(10)
        pair.haproxy.ask("set server gateways/w0 state drain")
        until(lambda: pair.haproxy.under_way("w0") == 0)
        first.process.terminate()
        until(lambda: first.process.poll() is not None, 60)
        load.until_more(20)
    assert load.errors == []
    assert set(load.statuses) == {200}

    # without any gateway a caller reads a Fault, and its id is in HAProxy's log
    for gateway in pair.gateways:
        gateway.process.terminate()
        gateway.process.wait(30)
    until(lambda: not pair.haproxy.up(), 60)
    status, body = pair.call()
    assert status == 503
    assert b"<faultcode>soap:Server</faultcode>" in body
    assert b"<Code>SourceUnavailable</Code>" in body
    (asked,) = re.findall(rb"<RequestId>([^<]+)</RequestId>", body)
    until(lambda: asked.decode() in pair.haproxy.log)


def test_a_gateway_that_is_told_to_end_costs_no_call(draining: Pair) -> None:
    """SIGTERM and nothing else: what systemctl stop does, or a machine that shuts down."""
    first = draining.gateways[0]
    with under_load(lambda: draining.call()[0], callers=8) as load:
        load.until_more(50)
        first.process.terminate()
        until(lambda: first.process.poll() is not None, 60)
        load.until_more(50)
    assert load.errors == []
    assert set(load.statuses) == {200}
    assert len(draining.node.requests) == len(load.statuses)


def test_reloads_under_load_lose_no_call(pair: Pair) -> None:
    """HAProxy's own, with a changed configuration, and the gateways' meanwhile: counted."""
    with under_load(lambda: pair.call()[0]) as load:
        for number in range(1, 4):
            pair.configure(90_000 + number)
            pair.gateways[0].reload()
            load.until_more(50)
    assert load.errors == []
    assert set(load.statuses) == {200}
    assert len(pair.node.requests) == len(load.statuses) >= 150
    assert "90003" in pair.haproxy.rendered.read_text("utf-8")


def test_who_asks_too_often_is_told_so(pair: Pair) -> None:
    pair.configure(rate=5)

    def refused() -> bytes | None:
        status, body = pair.call()
        return body if status == 429 else None

    body = until(refused, 60)
    assert body is not None and b"<Code>Overloaded</Code>" in body


def test_it_speaks_no_http_2_that_it_would_have_to_translate(pair: Pair) -> None:
    with socket.create_connection(("127.0.0.1", pair.port), timeout=60) as asker:
        asker.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        assert asker.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_slow_heads_are_cut_and_hold_up_nobody(pair: Pair) -> None:
    pair.configure(more="[limits]\nhead_seconds = 1\n")
    slow = [socket.create_connection(("127.0.0.1", pair.port), timeout=60) for _ in range(50)]
    for one in slow:
        one.sendall(b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\n")
    assert pair.call()[0] == 200
    for one in slow:
        assert one.recv(65536).startswith(b"HTTP/1.1 408 ")
        one.close()


def test_its_log_has_every_call_and_nothing_of_a_patient(pair: Pair) -> None:
    pair.configure()
    before = len(lines(pair.haproxy.log))
    assert pair.call("/hx/LabResults?PatientId=Pxq47zz", **{"X-Name": "ZhangPxq47zz"})[0] == 200
    pair.call("/hx/LabResults/Pxq47zz/%E5%BC%A0")
    told = until(lambda: found if len(found := lines(pair.haproxy.log)[before:]) == 2 else None)
    assert told is not None
    assert told[0]["path"] == "/hx/LabResults"
    assert told[0]["status"] == "200" and told[0]["worker"] in ("w0", "w1")
    assert told[0]["peer"] == "127.0.0.1"
    assert told[1]["path"] in ("", "-")
    assert "Pxq47zz" not in pair.haproxy.log and "张" not in pair.haproxy.log


def lines(log: str) -> list[dict[str, str]]:
    found = [json.loads(one) for one in log.splitlines() if one.startswith('{"time"')]
    return [one for one in found if one["method"] == "POST"]
