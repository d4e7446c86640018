"""Each asker's WSDL says the address that his side reaches; no side sees another one's."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_config.faces import Faces
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import MakeGateway, lab_results
from tests.gateway.scripted_node import ScriptedNode, answering, http
from tests.gateway.test_wsdl import DOCUMENT, locations

SIDES = {
    "region": {"networks": ["10.0.0.0/8"], "base_url": "http://10.0.0.5:8080"},
    "sq": {"networks": ["10.2.0.0/16", "fd02::/64"], "base_url": "http://10.2.0.1:80/union"},
    "named": {"base_url": "https://gw.hx.example"},
}
CALLERS = {
    "far": {"networks": ["192.0.2.0/24"], "side": "named"},
    "near": {"networks": ["10.2.0.0/16"]},
}


@pytest.mark.parametrize(
    "caller, peer, tls, base",
    [
        (None, "10.2.3.4", False, "http://10.2.0.1:80/union"),  # the smaller network
        ("near", "10.2.3.4", True, "http://10.2.0.1:80/union"),
        (None, "10.3.3.4", False, "http://10.0.0.5:8080"),
        (None, "::ffff:10.2.3.4", False, "http://10.2.0.1:80/union"),
        (None, "fd02::9", False, "http://10.2.0.1:80/union"),
        ("far", "10.2.3.4", False, "https://gw.hx.example"),  # what his entry says goes first
        (None, "192.0.2.1", False, "http://public.example"),
        (None, "192.0.2.1", True, "https://public.example"),
        (None, "", False, "http://public.example"),
        (None, "unix", False, "http://public.example"),
    ],
)
def test_the_address_of_each_asker(caller: str | None, peer: str, tls: bool, base: str) -> None:
    config = open_configuration(
        sides=SIDES,
        callers=CALLERS,
        listen={"public_url": "http://public.example"},
        tls={
            "certificate_file": "c",
            "key_file": "k",
            "public_url": "https://public.example",
        },
    )
    assert Faces(config).base_url(caller, peer, tls=tls) == base


def test_without_sides_and_public_address_the_host_header_tells() -> None:
    assert Faces(open_configuration()).base_url(None, "127.0.0.1") is None


@pytest.mark.parametrize(
    "sides, expected",
    [
        ({"here": {"networks": ["127.0.0.0/8"], "base_url": "http://172.20.0.5:8080"}},
         "http://172.20.0.5:8080/hx/LabResults"),
        ({"there": {"networks": ["10.0.0.0/8"], "base_url": "http://10.0.0.5"}},
         "http://asked.example:99/hx/LabResults"),
    ],
)  # fmt: skip
def test_the_wsdl_has_the_address_of_the_askers_side(
    make_gateway: MakeGateway, node: ScriptedNode, sides: dict[str, Any], expected: str
) -> None:
    node.script = answering(http(DOCUMENT))
    gateway = make_gateway([lab_results(node)], sections={"sides": sides})
    answer = gateway.get("/hx/LabResults?wsdl", {"Host": "asked.example:99"})
    assert locations(answer.body) == [expected]
