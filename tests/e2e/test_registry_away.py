"""The registry is away, and comes back empty, or old: calls go on, and everything heals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from tests.conftest import Alliance
from tests.e2e.test_outages import getlabmaster
from yilian.demo.processes import until

BOTH = ("hx", "sq")


@pytest.fixture
def brisk(breakable: Alliance) -> Alliance:
    """An alliance whose leases are short, so that its nodes renew every two seconds."""
    with (breakable.plan.folder / "registry.toml").open("a") as file:
        file.write("\n[lease]\nseconds = 6\n")
    breakable.processes.stop("registry")
    breakable.restart(breakable.plan.registry_program())
    for hospital in breakable.plan.hospitals:
        program = breakable.plan.node_program(hospital)
        breakable.processes.stop(program.name)
        breakable.restart(program)
    assert until(lambda: leases(breakable) == {"alive"}, 60)
    return breakable


def calls_work(alliance: Alliance) -> bool:
    return all(getlabmaster(alliance, code).status == 200 for code in BOTH)


def listed(alliance: Alliance) -> set[str]:
    """The hospitals whose services the registry lists."""
    url = f"{alliance.plan.registry}/bindings"
    return {one["hospital"] for one in requests.get(url, timeout=10).json()["bindings"]}


def leases(alliance: Alliance) -> set[str]:
    keys = [f"uddi:yilian:{code}:labresults" for code in BOTH]
    url = f"{alliance.plan.registry}/leases"
    answer = requests.get(url, params=[("key", key) for key in keys], timeout=10).json()
    return {lease["state"] for lease in answer["leases"].values()}


def forget(alliance: Alliance) -> None:
    for file in database_files(alliance.plan.folder):
        file.unlink()


def database_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("registry.db*"))


def kill(alliance: Alliance, name: str) -> None:
    """By SIGKILL, in the middle of whatever it does."""
    process = alliance.processes._running.pop(name)
    process.kill()
    process.wait()


@pytest.mark.full
def test_a_registry_killed_while_it_probes_goes_on_where_it_was(brisk: Alliance) -> None:
    keys = [f"uddi:yilian:{code}:labresults:outside" for code in BOTH]
    url = f"{brisk.plan.registry}/health/bindings"

    def states() -> set[str]:
        answer = requests.get(url, params=[("key", key) for key in keys], timeout=10).json()
        return {one["state"] for one in answer["bindings"]}

    assert until(lambda: states() == {"passing"}, 90)
    kill(brisk, "registry")
    assert calls_work(brisk)
    brisk.restart(brisk.plan.registry_program())
    assert states() == {"passing"}
    assert leases(brisk) == {"alive"}
    assert listed(brisk) == set(BOTH)


def test_the_registry_goes_a_node_restarts_and_it_comes_back_empty(brisk: Alliance) -> None:
    kill(brisk, "registry")
    assert calls_work(brisk)
    brisk.processes.stop("node-hx")
    brisk.restart(brisk.plan.node_program(brisk.hx))
    assert calls_work(brisk), "a node that starts without a registry serves all the same"
    forget(brisk)
    brisk.restart(brisk.plan.registry_program())
    # At no moment does a call fail, whichever node publishes first.
    assert until(lambda: calls_work(brisk) and listed(brisk) == set(BOTH), 90)
    assert until(lambda: leases(brisk) == {"alive"}, 60)
    assert calls_work(brisk)


@pytest.mark.full
def test_the_registry_comes_back_older_than_it_was(brisk: Alliance, tmp_path: Path) -> None:
    # A backup from when sq had not joined yet.
    brisk.processes.stop("registry")
    brisk.processes.stop("node-sq")
    forget(brisk)
    brisk.restart(brisk.plan.registry_program())
    assert until(lambda: listed(brisk) == {"hx"}, 90)
    brisk.processes.stop("registry")
    backup = tmp_path / "backup"
    backup.mkdir()
    for file in database_files(brisk.plan.folder):
        shutil.copy(file, backup)
    brisk.restart(brisk.plan.registry_program())
    brisk.restart(brisk.plan.node_program(brisk.sq))
    assert until(lambda: listed(brisk) == set(BOTH) and calls_work(brisk), 90)

    brisk.processes.stop("registry")
    forget(brisk)
    for file in backup.iterdir():
        shutil.copy(file, brisk.plan.folder)
    brisk.restart(brisk.plan.registry_program())
    assert calls_work(brisk)
    failed = []

    def healed() -> bool:
        if not calls_work(brisk):
            failed.append(1)
        return listed(brisk) == set(BOTH)

    assert until(healed, 90)
    assert not failed
    assert calls_work(brisk)
