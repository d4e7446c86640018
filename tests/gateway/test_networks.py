"""Where a node may be: outside of the configured networks nothing is dialled."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from gateway_config.section import within
from tests.gateway.conftest import MakeGateway, lab_results
from tests.gateway.scripted_node import ScriptedNode

HERE, ELSEWHERE = ["127.0.0.0/8"], ["10.9.0.0/16"]


@pytest.mark.parametrize(
    "forward, hospital, status",
    [
        ([], {}, 200),
        (HERE, {}, 200),
        (ELSEWHERE, {}, 500),
        (ELSEWHERE, {"networks": HERE}, 200),
        (HERE, {"networks": ELSEWHERE}, 500),
        ([], {"networks": ELSEWHERE}, 500),
        (ELSEWHERE, None, 500),  # a hospital that is not listed
    ],
)
def test_a_node_is_dialled_within_its_hospitals_networks_only(
    make_gateway: MakeGateway,
    node: ScriptedNode,
    forward: list[str],
    hospital: dict[str, Any] | None,
    status: int,
) -> None:
    sections = {} if hospital is None else {"hospitals": {"hx": hospital}}
    gateway = make_gateway([lab_results(node)], forward={"networks": forward}, sections=sections)
    answer = gateway.post("/hx/LabResults")
    assert answer.status == status
    assert len(node.requests) == (status == 200)
    if status != 200:
        assert "SourceUnavailable" in answer.text
        assert "outside of the configured networks" in gateway.call_line(answer)["reason"]
        assert "127.0.0.1" not in answer.text
    assert node.connections == (status == 200)


def test_a_name_is_dialled_where_it_leads_within_the_networks(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    node = make_node()
    binding = lab_results(node)
    named = type(binding)(
        "hx", "LabResults", binding.access_point.replace("127.0.0.1", "localhost")
    )
    gateway = make_gateway([named], forward={"networks": HERE})
    assert gateway.post("/hx/LabResults").status == 200
    [request] = node.requests
    assert request.all("Host") == [f"localhost:{node.port}"]
    other = make_gateway([named], forward={"networks": ELSEWHERE})
    assert "SourceUnavailable" in other.post("/hx/LabResults").text
    assert len(node.requests) == 1


def test_a_mapped_hospitals_outer_address_is_the_configurations_own(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    row = {"inner": "192.168.1.8:8088", "outer": f"127.0.0.1:{node.port}"}
    published = type(lab_results(node))("hx", "LabResults", "http://192.168.1.8:8088/hx/LabResults")
    gateway = make_gateway(
        [published],
        forward={"networks": ELSEWHERE},
        sections={"hospitals": {"hx": {"mode": "map", "map": [row]}}},
    )
    assert gateway.post("/hx/LabResults").status == 200


@pytest.mark.parametrize(
    "address, inside",
    [
        ("10.9.1.1", True),
        ("::ffff:10.9.1.1", True),
        ("10.10.1.1", False),
        ("fe80::1%eth0", False),
        ("::1", False),
        ("his.local", False),
        ("", False),
    ],
)
def test_addresses_and_networks(address: str, *, inside: bool) -> None:
    assert within(address, [ip_network("10.9.0.0/16")]) is inside
