"""Leases on the wire: who may renew what, with what token, in what words; and a node's own entry
in a registry that forgets, refuses, or is older than the node."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from registry_server import PASSWORDS, Running, config, running, service_wsdl
from sqlalchemy import create_engine, text

from registry.errors import UddiError
from registry.living_client import LivingClient, NotOffered
from registry.publisher import HospitalEntry, ServiceEntry
from services.catalogue import CONTRACTS
from services.soap.probe import probe_of
from yilian.publishing import NO_LEASE_SECONDS, RENEW_AT, Entry

LAB = "uddi:yilian:hx:labresults"
HX = HospitalEntry("hx", "华夏")
PROBE = probe_of(CONTRACTS["LabResults"])


def service(name: str = "LabResults", wsdl: bytes = b"") -> ServiceEntry:
    return ServiceEntry(
        name,
        wsdl or service_wsdl(name),
        f"http://gateway/hx/{name}",
        f"http://node/hx/{name}",
        probe=PROBE.to_json() if PROBE else "",
    )


def entry(registry: Running, *services: ServiceEntry, user: str = "hx") -> Entry:
    client = LivingClient(registry.url, timeout=20)
    return Entry(client, user, PASSWORDS[user], HX, list(services or (service(),)))


def lease(registry: Running, key: str = LAB) -> str:
    return json.loads(registry.send("GET", f"/leases?key={key}").body)["leases"][key]["state"]


def post(registry: Running, body: bytes, token: str = "") -> tuple[int, str]:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    reply = registry.send("POST", "/lease", body, headers)
    return reply.status, json.loads(reply.body).get("error", {}).get("code", "")


def test_a_node_publishes_and_holds_a_lease(registry: Running) -> None:
    node = entry(registry)
    seconds = node.renew()
    assert seconds == 120
    assert lease(registry) == "alive"
    assert {one.hospital for one in registry.client().bindings()} == {"hx"}
    before = LivingClient(registry.url).position()
    node.renew()
    assert LivingClient(registry.url).position() == before, "a renewal changes nothing"


def test_anothers_key_no_token_and_nonsense(registry: Running) -> None:
    entry(registry).renew()
    renewal = json.dumps({"renew": [LAB]}).encode()
    assert post(registry, renewal) == (401, "authTokenRequired")
    assert post(registry, renewal, "authtoken:made-up") == (401, "authTokenRequired")
    assert post(registry, renewal, registry.token("sq")) == (403, "userMismatch")
    release = json.dumps({"release": [LAB]}).encode()
    assert post(registry, release, registry.token("sq")) == (403, "userMismatch")
    token = registry.token("hx")
    for body in (b"", b"[]", b"{", b'{"renew": "x"}', b'{"renew": [1]}', b"[" * 5000):
        assert post(registry, body, token) == (400, "fatalError")
    many = json.dumps({"renew": [f"uddi:yilian:hx:{n}" for n in range(1001)]}).encode()
    assert post(registry, many, token) == (413, "messageTooLarge")
    assert post(registry, b" " * 600_000, token) == (413, "messageTooLarge")
    assert lease(registry) == "alive"


def test_a_token_that_expired_is_replaced(tmp_path: Path) -> None:
    with running(config(tmp_path, security={"token_lifetime_minutes": 0.02})) as registry:
        node = entry(registry)
        node.renew()
        token, deadline = node._token, time.monotonic() + 60
        while True:
            try:
                node.client.renew(token, [LAB])
            except UddiError as error:
                assert error.code == "authTokenExpired"
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)
        node.renew()
        assert node._token != token


def test_what_the_registry_lost_is_published_again_at_once(registry: Running) -> None:
    node = entry(registry)
    node.renew()
    client = registry.client()
    client.delete_businesses(registry.token("hx"), ["uddi:yilian:hospital:hx"])
    assert client.bindings() == []
    node.renew()
    assert len(client.bindings()) == 2
    assert lease(registry) == "alive"


def test_a_restart_makes_a_node_look_at_its_whole_entry(tmp_path: Path) -> None:
    with running(config(tmp_path)) as registry:
        node = entry(registry)
        node.renew()
        token = registry.token("hx")
        (one,) = registry.client().get_service_detail([LAB])
        registry.client().delete_bindings(token, [one.bindings[0].key])
        node.renew()
        assert len(registry.client().bindings()) == 1, "nobody looked yet"
    settings = config(tmp_path, listen={"port": registry.port})
    with running(settings) as again:
        node.client = LivingClient(again.url, timeout=20)
        node.renew()
        assert len(again.client().bindings()) == 2


def test_a_refused_contract_keeps_its_entry_and_holds_up_no_other(registry: Running) -> None:
    document = (Path(__file__).parents[2] / "wsdl" / "LabResults.wsdl").read_bytes()
    entry(registry, service(wsdl=document)).renew()
    (before,) = registry.client().get_service_detail([LAB])
    broken = service(wsdl=document.replace(b'name="Until"', b'name="To"'))
    node = entry(registry, broken, service("NumberSource"))
    node.renew()
    assert len(node.refused) == 1
    assert "LabResults/QueryLabMaster/input/Until" in node.refused[0]
    (after,) = registry.client().get_service_detail([LAB])
    assert after == before
    assert {one.service for one in registry.client().bindings()} == {"LabResults", "NumberSource"}
    assert lease(registry) == "alive"
    before_renewal = LivingClient(registry.url).position()
    node.renew()
    assert LivingClient(registry.url).position() == before_renewal


def test_a_contract_that_never_was_there_and_is_refused_is_not_published_for_ever(
    registry: Running,
) -> None:
    document = (Path(__file__).parents[2] / "wsdl" / "LabResults.wsdl").read_bytes()
    LivingClient(registry.url).put_contract(registry.token("sq"), "sq", "LabResults", document)
    broken = document.replace(b'name="Until"', b'name="To"')
    node = entry(registry, service(wsdl=broken), service("NumberSource"))
    node.renew()
    assert {one.service for one in registry.client().bindings()} == {"NumberSource"}
    published = node.published_at
    node.renew()
    assert node.published_at == published


def test_a_registry_that_knows_no_leases_is_published_in_all_the_same(
    registry: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(*args: object, **kwargs: object) -> None:
        raise NotOffered("404")

    monkeypatch.setattr(LivingClient, "_json", older)
    node = entry(registry)
    assert node.renew() * RENEW_AT == NO_LEASE_SECONDS
    monkeypatch.undo()
    assert len(registry.client().bindings()) == 2


def test_a_registry_from_before_probes_is_taught_their_tmodel(tmp_path: Path) -> None:
    settings = config(tmp_path)
    with running(settings) as registry:
        engine = create_engine(settings.store.url)
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM entity WHERE key = 'uddi:yilian:probe'"))
        engine.dispose()
        entry(registry).renew()
        (tmodel,) = registry.client().get_tmodel_detail(["uddi:yilian:probe"])
        assert tmodel.name.value == "yilian:probe"


def test_hidden_entries_are_found_by_nobody_until_the_node_is_back(tmp_path: Path) -> None:
    short = {"seconds": 5, "hide_after_seconds": 5}
    with running(config(tmp_path, lease=short)) as registry:
        node = entry(registry)
        node.renew()
        client = registry.client()
        deadline = time.monotonic() + 90
        while client.find_services_by_name("LabResults"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert lease(registry) == "hidden"
        assert LivingClient(registry.url).snapshot().bindings == ()
        assert client.get_service_detail([LAB])[0].key == LAB
        assert json.loads(registry.send("GET", "/leases").body) == {"hidden": [LAB]}
        node.renew()
        assert [one.key for one in client.find_services_by_name("LabResults")] == [LAB]
        assert len(LivingClient(registry.url).snapshot().bindings) == 2
        history = [change.action for change in LivingClient(registry.url).history(LAB)]
        assert history[0] == "revive"
        assert history[1:3] == ["lapse", "expire"]
