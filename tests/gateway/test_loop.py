"""A node that publishes the gateway's own address under a name that nobody knew as one."""

from __future__ import annotations

import socket

import pytest

from gateway.binding import Binding
from gateway.loop import via
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import SOAP_1_1, FakeRegistry, MakeGateway
from tests.gateway.scripted_node import ScriptedNode

REGISTRY = "http://registry.example:8081"


@pytest.mark.parametrize("query", ["", "?wsdl"])
def test_a_call_that_comes_back_is_refused_the_first_time(
    make_gateway: MakeGateway, query: str
) -> None:
    registry = FakeRegistry()
    gateway = make_gateway(registry)
    # Neither the address it listens on nor its public one, and yet it leads there.
    registry.bindings = [
        Binding(
            "hx",
            "LabResults",
            f"http://{socket.gethostbyname('localhost')}:{gateway.port}/hx/LabResults",
        )
    ]
    path = f"/hx/LabResults{query}"
    answer = gateway.get(path) if query else gateway.post(path)
    assert answer.status in (500, 502)
    inner, outer = gateway.log("call")
    assert (inner["rule"], inner["fault"]) == ("loop", "SourceUnavailable")
    assert outer["rule"] is None
    if not query:
        assert "leads back to the gateway" in answer.text


def test_somebody_elses_via_is_no_loop(make_gateway: MakeGateway, node: ScriptedNode) -> None:
    gateway = make_gateway([Binding("hx", "LabResults", f"{node.url}/hx/LabResults")], url=REGISTRY)
    answer = gateway.post("/hx/LabResults", headers={**SOAP_1_1, "Via": "1.1 squid"})
    assert answer.status == 200
    [request] = node.requests
    assert request.all("Via") == [via(open_configuration(registry={"url": REGISTRY}))]
