"""What is left when a part of the alliance is away."""

from __future__ import annotations

import pytest
import requests

from tests.conftest import Alliance
from tests.e2e import raw
from yilian.demo.plan import PATIENT
from yilian.demo.processes import until

HEADERS = raw.soap_headers(raw.TEMPURI + "getlabmaster")


def getlabmaster(alliance: Alliance, code: str, timeout: float = 20.0) -> raw.Answer:
    url = f"{alliance.plan.gateway}/{code}/HisService.asmx"
    return raw.post(url, raw.powerbuilder(PATIENT), *HEADERS, timeout=timeout)


def test_a_stopped_node_is_a_fault_within_two_seconds(breakable: Alliance) -> None:
    assert getlabmaster(breakable, "hx").status == 200
    breakable.processes.stop("node-hx")
    # The bound is the client's: no answer within two seconds raises TimeoutError here.
    answer = getlabmaster(breakable, "hx", timeout=2.0)
    assert answer.status == 500
    assert answer.fault == "Server"
    assert getlabmaster(breakable, "sq").status == 200

    breakable.restart(breakable.plan.node_program(breakable.hx))
    assert getlabmaster(breakable, "hx").status == 200


def test_without_the_registry_known_services_work_also_after_a_restart_of_the_gateway(
    breakable: Alliance,
) -> None:
    breakable.processes.stop("registry")
    for code in ("hx", "sq"):
        assert getlabmaster(breakable, code).status == 200
    breakable.processes.stop("gateway")
    breakable.restart(breakable.plan.gateway_program())
    for code in ("hx", "sq"):
        result, rows = getlabmaster(breakable, code).delimited("getlabmaster")
        assert result == len(rows) >= 5
    assert requests.get(f"{breakable.plan.gateway}/health", timeout=5).json()["status"] != "ok"


def test_a_node_that_starts_before_the_registry_publishes_later(breakable: Alliance) -> None:
    breakable.processes.stop()
    (breakable.plan.folder / "registry.db").unlink()
    (breakable.plan.folder / "routes.json").unlink(missing_ok=True)
    breakable.restart(breakable.plan.node_program(breakable.hx))
    breakable.restart(breakable.plan.registry_program())
    breakable.restart(breakable.plan.gateway_program())
    assert until(lambda: getlabmaster(breakable, "hx").status == 200, 30)


@pytest.mark.parametrize("path", ["/hx/Nothing", "/nobody/HisService.asmx"])
def test_an_unknown_service_is_a_fault(alliance: Alliance, path: str) -> None:
    url = alliance.plan.gateway + path
    answer = raw.post(url, raw.powerbuilder(PATIENT), *HEADERS)
    assert answer.fault == "Client"


def test_every_gate_shows_the_address_that_the_asker_can_reach(alliance: Alliance) -> None:
    outside = f"{alliance.plan.gateway}/hx/HisService.asmx"
    inside = f"{alliance.plan.node(alliance.hx)}/hx/HisService.asmx"
    for address in (outside, inside):
        text = requests.get(f"{address}?wsdl", timeout=10).text
        assert f'location="{address}"' in text
    assert inside not in requests.get(f"{outside}?wsdl", timeout=10).text
