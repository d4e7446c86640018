"""Start, registry trouble, health, page and end of a running gateway."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from gateway.binding import Binding
from gateway.head import read_head
from gateway.log import json_log
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import (
    BODY,
    SOAP_1_1,
    FakeRegistry,
    Loop,
    MakeGateway,
    lab_results,
    until,
)
from tests.gateway.scripted_node import ScriptedNode


def test_calls_to_known_services_work_while_the_registry_is_down(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway(FakeRegistry([lab_results(node)]))
    gateway.registry.error = ConnectionRefusedError()
    until(lambda: not gateway.health()["registry"]["reachable"])
    assert gateway.post("/hx/LabResults").status == 200
    health = gateway.health()
    assert health["status"] == "degraded"
    assert health["table"]["routes"] == 1
    unknown = gateway.post("/hx/Unknown")
    assert "<faultcode>soap:Server</faultcode>" in unknown.text
    assert "<Code>SourceUnavailable</Code>" in unknown.text


def test_calls_to_known_services_work_while_the_registry_hangs(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    registry = FakeRegistry([lab_results(node)])
    gateway = make_gateway(registry)
    asked, registry.hang = registry.asked, True
    until(lambda: registry.asked > asked)
    assert gateway.post("/hx/LabResults").status == 200


def test_a_start_without_registry_serves_the_last_known_routes(
    make_gateway: MakeGateway, node: ScriptedNode, tmp_path: Path
) -> None:
    file = tmp_path / "routes.json"
    make_gateway([lab_results(node)], table_file=file).stop()
    gateway = make_gateway(FakeRegistry(error=OSError()), table_file=file)
    assert gateway.post("/hx/LabResults").status == 200
    assert gateway.health()["table"]["read_from_file_of"]


def test_without_registry_and_routes_it_is_down_and_recovers_by_itself(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    registry = FakeRegistry(error=OSError())
    gateway = make_gateway(registry)
    answer = gateway.get("/health")
    assert answer.status == 503
    assert '"down"' in answer.text
    registry.error, registry.bindings = None, [lab_results(node)]
    assert gateway.post("/hx/LabResults").status == 200  # the miss asks the registry
    assert gateway.health()["status"] == "ok"


def test_a_service_published_a_moment_ago_is_found(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    registry = FakeRegistry()
    gateway = make_gateway(registry, refresh_seconds=3600)
    registry.bindings = [lab_results(node)]
    assert gateway.post("/hx/LabResults").status == 200


def test_an_unknown_service_is_a_client_fault_that_says_where_to_look(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], page_url="http://registry.alliance.example/")
    answer = gateway.post("/zz/LabResults")
    assert answer.status == 500
    assert "<faultcode>soap:Client</faultcode>" in answer.text
    assert "<Code>UnknownService</Code>" in answer.text
    assert "http://registry.alliance.example/" in answer.text
    assert gateway.call_line(answer)["fault"] == "UnknownService"


def test_health_and_page_list_the_routes_and_no_inner_address(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)])
    (route,) = gateway.health()["routes"]
    assert (route["path"], route["hospital"], route["calls"]) == ("/hx/LabResults", "hx", 0)
    page = gateway.get("/")
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert "/hx/LabResults?wsdl" in page.text
    assert str(node.port) not in page.text + gateway.get("/health").text


def test_a_name_out_of_the_registry_is_no_html(make_gateway: MakeGateway) -> None:
    gateway = make_gateway([Binding("hx", "<script>", "http://10.0.0.1/hx/S")])
    assert "<script>" not in gateway.get("/").text


def test_a_defect_of_ours_is_a_fault_without_its_innards(
    make_gateway: MakeGateway, node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = make_gateway([lab_results(node)])

    def broken(*arguments: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("gateway.balance.why_not_soap", broken)
    answer = gateway.post("/hx/LabResults")
    assert "<Code>InternalError</Code>" in answer.text
    assert "secret" not in answer.text
    (route,) = gateway.health()["routes"]
    assert (route["faults"], route["under_way"]) == ({"InternalError": 1}, 0)


def test_at_sigterm_it_serves_on_while_health_says_that_it_ends(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], listen={"drain_seconds": 300})
    kept = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    kept.request("POST", "/hx/LabResults", BODY, SOAP_1_1)
    answer = kept.getresponse()
    assert (answer.read() != b"", answer.getheader("Connection")) == (True, None)
    gateway.end()
    until(lambda: gateway.get("/health").status == 503)
    assert gateway.health()["status"] == "draining"
    kept.request("POST", "/hx/LabResults", BODY, SOAP_1_1)  # one that was open answers once more
    answer = kept.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (200, "close")
    answer.read()
    assert gateway.post("/hx/LabResults").header("Connection") == "close"  # and so does a new one
    gateway.drained()
    gateway.stop()
    with pytest.raises(ConnectionRefusedError):
        gateway.get("/health")


def test_how_long_it_serves_on_depends_on_who_is_in_front(tmp_path: Path) -> None:
    def seconds(**sections: Any) -> float:
        registry = {"url": "http://registry.example:8081"}
        return open_configuration(registry=registry, **sections).drain_seconds

    (tmp_path / "secret").write_text("s" * 40)
    trusting = {"secret_file": tmp_path / "secret"}  # a proxy that we do not render
    proxy = {**trusting, "port": 80, "workers": [{"name": "a", "address": "10.0.0.1:8080"}]}
    assert seconds() == seconds(proxy=trusting) == 0
    assert seconds(proxy=proxy) == 5
    assert seconds(proxy=proxy, listen={"drain_seconds": 0}) == 0
    assert seconds(listen={"drain_seconds": 12}) == 12


@pytest.mark.parametrize("hang", [False, True])
def test_nothing_is_left_running_after_the_end(
    loop: Loop, node: ScriptedNode, make_gateway: MakeGateway, hang: bool
) -> None:
    async def tasks() -> set[str]:
        names = {task.get_name() for task in asyncio.all_tasks()}
        return {name for name in names if name.startswith("gateway")}

    gateway = make_gateway(FakeRegistry([lab_results(node)]))
    gateway.post("/hx/LabResults")
    assert loop.run(tasks())
    gateway.registry.hang = hang
    asked = gateway.registry.asked
    until(lambda: gateway.registry.asked > asked)
    gateway.stop()
    assert loop.run(tasks()) == set()
    until(lambda: not node.open)
    gateway.registry.let_go.set()
    until(lambda: not [t for t in threading.enumerate() if t.name == "gateway look-up"])


@pytest.mark.parametrize(
    "header, operation",
    [
        ('"http://tempuri.org/getlabmaster"', "getlabmaster"),
        ("urn:yilian:LabResults:1/QueryLabMaster", "QueryLabMaster"),
        ("urn:x#Do", "Do"),
        ('""', None),
        ("", None),
        (None, None),
        ('"urn:x/张伟"', None),
        ('"urn:x/110101199001011234"', None),
        ('"urn:x/a b"', None),
    ],
)
def test_the_operation_in_the_log_is_a_name_or_nothing(
    header: str | None, operation: str | None
) -> None:
    headers = [] if header is None else [(b"SOAPAction", header.encode())]
    assert read_head("POST", b"/hx/LabResults", b"", headers).operation == operation


def test_a_line_of_the_log_holds_nothing_that_a_terminal_acts_upon() -> None:
    """A registry that somebody else fills hands us names; json escapes the C0 controls alone."""
    hostile = "a\x1b[31m\x7f\x9b2J\u202egnp\u2028{}\u200b\ufeff\r\n医院"
    stream = io.StringIO()
    json_log(stream).error("binding_refused", service=hostile)
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["service"] == hostile
    assert "医院" in line and line.replace("医院", "").isascii() and line.isprintable()
