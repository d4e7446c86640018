"""The gateway's own pages tell of hospitals, callers and counters: whom they are for."""

from __future__ import annotations

import http.client

import pytest

from tests.gateway.conftest import MakeGateway, RunningGateway, lab_results
from tests.gateway.scripted_node import ScriptedNode


def status(gateway: RunningGateway, path: str, source: str) -> int:
    connection = http.client.HTTPConnection(
        "127.0.0.1", gateway.port, timeout=30, source_address=(source, 0)
    )
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", "/health"])
def test_only_watchers_see_them(make_gateway: MakeGateway, node: ScriptedNode, path: str) -> None:
    listen = {"watchers": ["127.0.0.8/29", "::1/128"]}
    gateway = make_gateway([lab_results(node)], listen=listen)
    assert status(gateway, path, "127.0.0.9") == 200
    assert status(gateway, path, "127.0.0.1") in (400, 404)  # as of any other such path
    assert gateway.post("/hx/LabResults").status == 200  # calls are another matter


def test_without_watchers_whoever_asks_sees_them(gateway_without: RunningGateway) -> None:
    assert status(gateway_without, "/health", "127.0.0.1") == 200


@pytest.fixture
def gateway_without(make_gateway: MakeGateway, node: ScriptedNode) -> RunningGateway:
    return make_gateway([lab_results(node)])
