"""Living entries in a whole alliance: every service is probed through the gateway, by its
contract's own harmless call, over the hospitals' real databases; and what the commands tell."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import requests

from services.catalogue import CONTRACTS
from services.contract import describe
from tests.conftest import PROJECT, Alliance
from yilian.demo.processes import until


def health(alliance: Alliance) -> dict[str, dict[str, str]]:
    answer = requests.get(f"{alliance.plan.registry}/health/bindings", timeout=10).json()
    return {one["key"]: one for one in answer["bindings"]}


def bindings(alliance: Alliance) -> set[str]:
    answer = requests.get(f"{alliance.plan.registry}/bindings", timeout=10).json()
    return {one["binding_key"] for one in answer["bindings"]}


def test_every_contract_declares_a_harmless_call() -> None:
    for contract in CONTRACTS.values():
        declared = [one for one in describe(contract).operations if one.probe]
        assert len(declared) == 1, contract
        assert not declared[0].writes


def test_every_binding_of_both_hospitals_passes(alliance: Alliance) -> None:
    expected = bindings(alliance)
    assert len(expected) >= 2 * 2 * 3

    def passing() -> set[str]:
        return {key for key, one in health(alliance).items() if one["state"] == "passing"}

    assert until(lambda: expected <= passing(), 110), health(alliance)


def yilian(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "yilian", *arguments],
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_tell_who_changed_what(alliance: Alliance) -> None:
    configuration = str(alliance.plan.folder / "registry.toml")
    key = "uddi:yilian:hx:labresults"
    (line,) = yilian("registry", "history", configuration, key, "--limit", "1").splitlines()
    assert "hx" in line.split()
    assert line.endswith(key)
    found = json.loads(yilian("registry", "history", alliance.plan.registry, key, "--json",
                              "--limit", "1"))  # fmt: skip
    assert found["publisher"] == "hx"


def test_published_wsdls_are_kept_and_compare_as_the_same(alliance: Alliance) -> None:
    url = f"{alliance.plan.registry}/contracts/LabResults"
    (version,) = requests.get(url, timeout=10).json()["versions"]
    assert version["hospitals"] == ["hx", "sq"]
    shown = yilian(
        "wsdl", "diff", f"{url}/{version['version']}?", f"{alliance.plan.gateway}/sq/LabResults"
    )
    assert "相同" in shown


@pytest.mark.parametrize(
    "name", ["yilian_registry_bindings", "yilian_registry_leases", "yilian_registry_watchers"]
)
def test_the_registry_has_metrics(alliance: Alliance, name: str) -> None:
    text = requests.get(f"{alliance.plan.registry}/metrics", timeout=10).text
    assert f"# TYPE {name} gauge" in text


def test_the_gateway_watches(alliance: Alliance) -> None:
    url = f"{alliance.plan.gateway}/health"
    assert until(lambda: requests.get(url, timeout=10).json()["registry"]["watched"], 60)
