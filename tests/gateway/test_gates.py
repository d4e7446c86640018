"""The gates: inner to outer by the table, never past it, and what the gate lets through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from gateway.binding import Binding
from gateway.forward import NodeAnswer, NodeRequest
from gateway.gates import Gates, ThroughGates, open_now
from gateway_config.hospitals import Hospital, MapRow
from tests.gateway.conftest import BODY, FakeRegistry, Loop, MakeGateway, until
from tests.gateway.scripted_node import ScriptedNode, answering, http
from tests.gateway.test_trouble import fault_in
from tests.gateway.test_wsdl import DOCUMENT, locations

INNER = "192.168.1.8:8088"
PUBLISHED = Binding("hx", "LabResults", f"http://{INNER}/hx/LabResults")


def hospital(*rows: dict[str, Any]) -> Hospital:
    lines = [{"inner": INNER, "outer": "172.20.1.1:2019", **row} for row in rows]
    return Hospital.model_validate({"mode": "map", "map": lines})


def outer(gates: Gates, binding: Binding = PUBLISHED) -> list[str]:
    return [one.access_point for one in gates.reached(binding)]


@pytest.mark.parametrize(
    "published, row, dialled",
    [
        (f"http://{INNER}/hx/S", {}, "http://172.20.1.1:2019/hx/S"),
        (f"https://{INNER}/hx/S", {}, "https://172.20.1.1:2019/hx/S"),
        (f"https://{INNER}/hx/S", {"tls_ends": "node"}, "https://172.20.1.1:2019/hx/S"),
        (f"http://{INNER}/hx/S", {"tls_ends": "gate"}, "https://172.20.1.1:2019/hx/S"),
        ("http://192.168.1.8/hx/S", {"inner": "192.168.1.8:80"}, "http://172.20.1.1:2019/hx/S"),
        ("https://192.168.1.8/hx/S", {"inner": "192.168.1.8:443"}, "https://172.20.1.1:2019/hx/S"),
        ("http://HIS.hx.local:1/hx/S", {"inner": "his.hx.local:1"}, "http://172.20.1.1:2019/hx/S"),
        ("http://[fd00::8]:1/hx/S", {"inner": "[fd00:0::8]:1"}, "http://172.20.1.1:2019/hx/S"),
        (f"http://{INNER}/hx/S", {"outer": "[fd01::1]:1"}, "http://[fd01::1]:1/hx/S"),
    ],
)
def test_the_outer_address_is_the_tables(published: str, row: dict[str, Any], dialled: str) -> None:
    gates = Gates({"hx": hospital(row)})
    assert outer(gates, Binding("hx", "S", published)) == [dialled]


def test_one_service_may_have_several_outer_addresses() -> None:
    gates = Gates({"hx": hospital({}, {"outer": "172.20.1.2:2019"})})
    assert outer(gates) == [f"http://172.20.1.{last}:2019/hx/LabResults" for last in (1, 2)]


@pytest.mark.parametrize(
    "published",
    [
        "http://192.168.1.9:8088/hx/S",
        "http://192.168.1.8:8089/hx/S",
        "http://172.20.1.1:2019/hx/S",  # the outer one is no inner one
        "http://his:8088/hx/S",
    ],
)
def test_what_no_line_fits_is_refused_in_both_languages_without_an_address(published: str) -> None:
    gates = Gates({"hx": hospital({})})
    with pytest.raises(ValueError) as refused:
        gates.reached(Binding("hx", "S", published))
    zh, en = str(refused.value).split(" / ")
    assert "网闸" in zh and "never dialled" in en
    assert "192.168" not in str(refused.value) and "hospitals.hx.map" in en


def test_tls_to_the_node_needs_a_node_with_tls() -> None:
    with pytest.raises(ValueError, match="tls_ends"):
        Gates({"hx": hospital({"tls_ends": "node"})}).reached(PUBLISHED)


def test_anothers_map_and_other_modes_change_nothing() -> None:
    gates = Gates({"sq": hospital({}), "other": Hospital()})
    for code in ("hx", "other"):
        binding = Binding(code, "S", f"http://{INNER}/{code}/S")
        assert gates.reached(binding) == (binding,)
        assert gates.row(binding) is None


def test_how_long_a_connection_may_stand_idle() -> None:
    rows = ({}, {"outer": "172.20.1.2:1", "idle_seconds": 30},
            {"outer": "172.20.1.3:1", "idle_seconds": 300},
            {"outer": "172.20.1.4:1", "keep_alive": False})  # fmt: skip
    gates = Gates({"hx": hospital(*rows)})
    assert [gates.idle_seconds(one, 50.0) for one in gates.reached(PUBLISHED)] == [50, 24, 50, 0]
    assert gates.idle_seconds(Binding("sq", "S", "http://10.0.0.1/sq/S"), 50.0) == 50


@pytest.mark.parametrize(
    "window, at, is_open",
    [
        (None, "03:00", True),
        ("06:00-23:30", "06:00", True),
        ("06:00-23:30", "23:29", True),
        ("06:00-23:30", "23:30", False),
        ("06:00-23:30", "05:59", False),
        ("22:00-06:00", "23:00", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "12:00", False),
        ("00:00-00:00", "12:00", True),
    ],
)
def test_the_daily_window(window: str | None, at: str, is_open: bool) -> None:
    row = MapRow.model_validate({"inner": INNER, "outer": "1.1.1.1:1", "window": window})
    assert open_now(row, datetime.fromisoformat(f"2026-11-21T{at}")) is is_open


class Recorder:
    """A Forwarder that notes where it was sent to."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        self.sent.append(binding.access_point)
        return NodeAnswer(200, {}, b"")

    async def close(self) -> None: ...


def test_a_changed_map_counts_from_the_next_call_on(loop: Loop) -> None:
    recorder = Recorder()
    through = ThroughGates(recorder, Gates({"hx": hospital({})}))
    request = NodeRequest("POST", ())
    loop.run(through.send(PUBLISHED, request))
    through.gates = Gates({"hx": hospital({"outer": "172.20.1.7:2019"})})
    loop.run(through.send(PUBLISHED, request))
    assert recorder.sent == [f"http://172.20.1.{last}:2019/hx/LabResults" for last in (1, 7)]


# --- a running gateway ---------------------------------------------------------------------


def mapped(node: ScriptedNode, **row: Any) -> dict[str, Any]:
    line = {"outer": node.url.removeprefix("http://"), "inner": INNER, **row}
    return {"hospitals": {"hx": {"mode": "map", "map": [line]}}}


def test_calls_go_to_the_outer_address_and_the_inner_one_is_in_no_answer(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([PUBLISHED], sections=mapped(node))
    answer = gateway.post("/hx/LabResults")
    assert answer.status == 200
    assert node.requests[-1].body == BODY
    assert node.requests[-1].line == "POST /hx/LabResults HTTP/1.1"
    inner_wsdl = DOCUMENT.replace(b"192.168.7.7:8088", INNER.encode())
    node.script = answering(http(inner_wsdl))
    description = gateway.get("/hx/LabResults?wsdl")
    assert locations(description.body) == [f"http://127.0.0.1:{gateway.port}/hx/LabResults"]
    for path in ("/hx/LabResults?wsdl", "/health", "/", "/hx/Unknown", "/hx/LabResults"):
        assert "192.168." not in gateway.get(path).text, path


def test_a_binding_without_a_line_is_refused_loudly_and_never_dialled(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    direct = Binding("hx", "Ordering", f"{node.url}/hx/Ordering")  # would answer if it were tried
    gateway = make_gateway([PUBLISHED, direct], sections=mapped(node))
    (line,) = gateway.log("binding_refused")
    assert line["service"] == "Ordering" and line["access_point"] == direct.access_point
    assert "hospitals.hx.map" in line["reason"]
    health = gateway.health()
    assert health["status"] == "degraded"
    (refused,) = health["table"]["refused"]
    assert refused["service"] == "Ordering" and "127.0.0.1" not in str(refused)
    assert "<Code>UnknownService</Code>" in gateway.post("/hx/Ordering").text
    assert node.requests == []
    assert gateway.post("/hx/LabResults").status == 200


def test_calls_go_to_every_outer_address_and_past_one_that_is_away(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode], loop: Loop
) -> None:
    nodes = [make_node(), make_node()]
    lines = [{"outer": one.url.removeprefix("http://"), "inner": INNER} for one in nodes]
    hospitals = {"hx": {"mode": "map", "map": lines}}
    gateway = make_gateway([PUBLISHED], sections={"hospitals": hospitals})
    assert {gateway.post("/hx/LabResults").status for _ in range(6)} == {200}
    assert all(any("LabResults" in r.line for r in one.requests) for one in nodes)
    loop.run(nodes[0].stop())
    assert {gateway.post("/hx/LabResults").status for _ in range(6)} == {200}


def test_a_closed_gate_is_told_at_once_and_nothing_is_sent(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    now = datetime.now()
    shut = f"{(now.hour + 12) % 24:02}:00-{(now.hour + 13) % 24:02}:00"
    gateway = make_gateway([PUBLISHED], sections=mapped(node, window=shut))
    answer = gateway.post("/hx/LabResults")
    assert "<Code>SourceUnavailable</Code>" in answer.text
    assert shut in answer.text and "not delivered" in answer.text
    assert node.requests == []


def test_more_than_the_gate_lets_through_is_not_sent(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([PUBLISHED], sections=mapped(node, max_body_bytes=1024))
    assert gateway.post("/hx/LabResults").status == 200
    answer = gateway.post("/hx/LabResults", BODY + b" " * 1024)
    assert "1024" in answer.text and fault_in(answer)["faultcode"] == "soap:Client"
    assert len(node.requests) == 1


def test_a_gate_without_keep_alive_gets_a_connection_a_call(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([PUBLISHED], sections=mapped(node, keep_alive=False))
    for _ in range(3):
        assert gateway.post("/hx/LabResults").status == 200
    assert [one.connection for one in node.requests] == [1, 2, 3]


def test_a_hospitals_outer_address_that_is_this_gateway_is_refused(
    make_gateway: MakeGateway,
) -> None:
    line = {"outer": "10.9.9.9:8080", "inner": INNER}
    gateway = make_gateway(
        FakeRegistry([PUBLISHED]),
        listen={"public_url": "http://10.9.9.9:8080"},
        sections={"hospitals": {"hx": {"mode": "map", "map": [line]}}},
    )
    (refused,) = until(lambda: gateway.health()["table"]["refused"])
    assert "leads back" in refused["reason"]
