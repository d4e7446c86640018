"""Another configuration without a stop: taken from the next call on, or refused as a whole."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway
from gateway.binding import Binding
from gateway.reload import needs_restart
from gateway_config.model import GatewayConfig
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import (
    BODY,
    SOAP_1_1,
    Loop,
    MakeGateway,
    RunningGateway,
    lab_results,
    until,
)
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
from tests.gateway.scripted_node import Received, ScriptedNode, answering, http
from tests.gateway.test_config_checks import HASH
from tests.gateway.test_gates import INNER, PUBLISHED, mapped
from tests.gateway.test_wsdl import DOCUMENT, locations


def reload(gateway: RunningGateway, loop: Loop, config: GatewayConfig) -> tuple[str, ...]:
    running: Gateway = gateway.gateway

    async def on_the_loop() -> tuple[str, ...]:
        return running.reload(config, gateway.registry)

    return loop.run(on_the_loop())


def test_a_map_that_changes_leads_elsewhere_from_the_next_call_on(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode], loop: Loop
) -> None:
    first, second = make_node(), make_node()
    gateway = make_gateway([PUBLISHED], sections=mapped(first))
    assert gateway.post("/hx/LabResults").status == 200
    assert reload(gateway, loop, open_configuration(**mapped(second))) == ()
    assert gateway.post("/hx/LabResults").status == 200
    assert [len(first.requests), len(second.requests)] == [1, 1]


def test_a_call_under_way_ends_as_it_began(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode], loop: Loop
) -> None:
    first, second = make_node(), make_node()
    go_on = asyncio.Event()

    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(http(BODY))

    first.script = slow
    gateway = make_gateway([PUBLISHED], sections=mapped(first))
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(gateway.post("/hx/LabResults").status))
    caller.start()
    until(lambda: first.requests)
    reload(gateway, loop, open_configuration(**mapped(second)))
    assert gateway.post("/hx/LabResults").status == 200
    assert not answers and first.open  # the old one's connections stay while they are needed
    loop.loop.call_soon_threadsafe(go_on.set)
    caller.join(30)
    assert answers == [200]
    until(lambda: not first.open)  # and are closed when they are not


def test_what_was_refused_before_may_be_routed_after_and_the_other_way_round(
    make_gateway: MakeGateway, node: ScriptedNode, loop: Loop
) -> None:
    direct = lab_results(node)
    other = {"hospitals": {"hx": {"mode": "map", "map": [{"inner": INNER, "outer": "9.9.9.9:1"}]}}}
    gateway = make_gateway([direct], refresh_seconds=3600, sections=other)
    assert gateway.post("/hx/LabResults").status == 500
    reload(gateway, loop, open_configuration())
    assert gateway.post("/hx/LabResults").status == 200
    assert gateway.health()["table"]["refused"] == []
    reload(gateway, loop, open_configuration(**other))
    assert "<Code>UnknownService</Code>" in gateway.post("/hx/LabResults").text
    assert len(node.requests) == 1


def test_sides_and_limits_count_from_the_next_call_on(
    make_gateway: MakeGateway, node: ScriptedNode, loop: Loop
) -> None:
    gateway = make_gateway([lab_results(node)])
    side = {"networks": ["127.0.0.0/8"], "base_url": "http://172.20.0.5:8080"}
    reload(
        gateway,
        loop,
        open_configuration(sides={"here": side}, limits={"max_body_bytes": 1024}),
    )
    assert gateway.post("/hx/LabResults", BODY + b" " * 2000).status == 413
    node.script = answering(http(DOCUMENT))
    found = locations(gateway.get("/hx/LabResults?wsdl").body)
    assert found == ["http://172.20.0.5:8080/hx/LabResults"]


BASE: dict[str, Any] = {"registry": {"url": "http://r.example"}}
REVERSE = {"mode": "reverse", "reverse": {"token_hash": HASH}}
TLS = {"certificate_file": "c", "key_file": "k"}


@pytest.mark.parametrize(
    "sections, keys",
    [
        ({}, ()),
        ({"limits": {"depth": 10}, "hospitals": {"hx": {}}}, ()),
        ({"listen": {"port": 9}}, ("listen.port",)),
        ({"listen": {"host": "0.0.0.0", "workers": 2}}, ("listen.host", "listen.workers")),
        ({"tls": TLS}, ("tls.host", "tls.port", "tls.at")),
        ({"audit": {"folder": "a"}}, ("audit",)),
        ({"dialled": {}, "hospitals": {"hx": REVERSE}}, ("dialled", "hospitals.hx")),
    ],
)
def test_what_counts_after_a_restart_only(sections: dict[str, Any], keys: tuple[str, ...]) -> None:
    running = GatewayConfig.model_validate(BASE)
    assert needs_restart(running, GatewayConfig.model_validate({**BASE, **sections})) == keys


def test_a_hospital_that_needs_a_restart_is_not_dialled_past_its_gate(
    make_gateway: MakeGateway, node: ScriptedNode, loop: Loop
) -> None:
    gateway = make_gateway([lab_results(node)])
    config = open_configuration(dialled={"port": free_port()}, hospitals={"hx": REVERSE})
    assert reload(gateway, loop, config) == ("dialled", "hospitals.hx")
    answer = gateway.post("/hx/LabResults")
    assert "<Code>SourceUnavailable</Code>" in answer.text
    assert "after a restart" in gateway.call_line(answer)["reason"]
    assert node.requests == []


# --- a process, by SIGHUP --------------------------------------------------------------------


@pytest.fixture
def process(tmp_path: Path, node: ScriptedNode) -> Iterator[GatewayProcess]:
    port = free_port()
    write_table(tmp_path / "routes.json", [lab_results(node)])
    file = tmp_path / "gateway.toml"
    file.write_text(configuration(port), "utf-8")
    with gateway_process(file, port) as running:
        yield running


def configuration(port: int, more: str = "") -> str:
    return (
        f"[listen]\nport = {port}\n"
        '[registry]\nurl = "http://127.0.0.1:1"\ntable_file = "routes.json"\n'
        f"{LOCAL}{OPEN_POLICY}{more}"
    )


def test_a_wrong_file_is_refused_loudly_and_the_former_stays_in_force(
    process: GatewayProcess, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(configuration(process.port, "[limits]\nmax_body_bytes = 2\n"), "utf-8")
    process.reload()
    (line,) = until(lambda: process.log("configuration_refused"))
    assert f"line {file.read_text().splitlines().index('max_body_bytes = 2') + 1}" in line["reason"]
    health = process.health()
    assert health["status"] == "degraded"
    assert health["configuration"]["last_reload_refused"] is True
    assert fetch(process.port, "POST", "/hx/LabResults", BODY, **SOAP_1_1)[0] == 200

    more = "[limits]\nmax_body_bytes = 1024\n"
    file.write_text(configuration(process.port + 1, more), "utf-8")
    process.reload()
    (line,) = until(lambda: process.log("configuration_needs_restart"))
    assert line["keys"] == ["listen.port"]
    told = process.health()["configuration"]
    assert told["last_reload_refused"] is False and told["needs_restart"] == ["listen.port"]
    assert fetch(process.port, "POST", "/hx/LabResults", BODY + b" " * 2000, **SOAP_1_1)[0] == 413


def test_reloads_under_load_lose_no_call(
    process: GatewayProcess, tmp_path: Path, node: ScriptedNode
) -> None:
    """Counted on both ends: every call is answered, and reached the node once."""
    file = tmp_path / "gateway.toml"
    told = ("configuration_taken", "configuration_refused")

    def call() -> int:
        return fetch(process.port, "POST", "/hx/LabResults", BODY, **SOAP_1_1)[0]

    with under_load(call) as load:
        for number in range(1, 7):
            more = f"[forward]\ntimeout_seconds = {10 + number}\n"
            if number % 3 == 0:  # a bad one in between
                more = "[limits]\ndepth = 1\n"
            file.write_text(configuration(process.port, more), "utf-8")
            process.reload()
            until(lambda n=number: sum(len(process.log(one)) for one in told) == n)  # type: ignore[misc]
            load.until_more(20)
    assert load.errors == []
    assert set(load.statuses) == {200}
    assert len(node.requests) == len(load.statuses) >= 120


def test_sighup_while_it_ends_does_not_cut_a_call(
    process: GatewayProcess, node: ScriptedNode, loop: Loop
) -> None:
    go_on = asyncio.Event()

    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(http(BODY))

    node.script = slow
    answers: list[int] = []
    caller = threading.Thread(
        target=lambda: answers.append(
            fetch(process.port, "POST", "/hx/LabResults", BODY, **SOAP_1_1)[0]
        )
    )
    caller.start()
    until(lambda: node.requests)
    process.process.terminate()
    process.reload()
    loop.loop.call_soon_threadsafe(go_on.set)
    caller.join(30)
    assert answers == [200]


def test_another_registry_is_asked_at_once(
    make_gateway: MakeGateway, node: ScriptedNode, loop: Loop
) -> None:
    gateway = make_gateway([lab_results(node)], refresh_seconds=3600)

    async def on_the_loop() -> None:
        gateway.gateway.reload(
            open_configuration(registry={"url": "http://another.example:8081"}),
            lambda: [Binding("sq", "LabResults", f"{node.url}/sq/LabResults")],
        )

    loop.run(on_the_loop())
    until(lambda: [one["path"] for one in gateway.health()["routes"]] == ["/sq/LabResults"])
    assert gateway.post("/sq/LabResults").status == 200
    assert gateway.post("/hx/LabResults").status == 500
