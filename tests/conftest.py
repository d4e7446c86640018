"""A whole alliance for the tests that need one: real processes, real sockets, small databases."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from yilian.demo.data import build
from yilian.demo.plan import DemoHospital, Plan
from yilian.demo.processes import Processes, Program, healthy, until
from yilian.screen import Screen

PROJECT = Path(__file__).parents[1]
#: enough of everything that the tests look at, made in about a second
SCALE = 0.02


#: a folder of databases, and the hospitals that they belong to
Data = tuple[Path, tuple[DemoHospital, ...]]


@dataclass(frozen=True)
class Alliance:
    """Registry, gateway and the two nodes, running."""

    plan: Plan
    processes: Processes

    @property
    def hx(self) -> DemoHospital:
        return self.plan.hospitals[0]

    @property
    def sq(self) -> DemoHospital:
        return self.plan.hospitals[1]

    def restart(self, program: Program) -> None:
        self.processes.start(program)
        self.processes.wait(program)


def four_free_ports() -> int:
    """The first of four ports in a row that are free now, below those that the system gives to
    connections; each test run begins elsewhere, so that two runs at once do not meet."""
    ports = list(range(16000, 32000, 4))
    start = os.getpid() * 997 % len(ports)  # far from where the neighbours begin
    for first in ports[start:] + ports[:start]:
        sockets = [socket.socket() for _ in range(4)]
        try:
            for offset, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            continue  # one of them is taken
        finally:
            for one in sockets:
                one.close()
    raise AssertionError("no four free ports in a row")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """The two hospitals' databases, and what they are. Nothing else is ever written there."""
    folder = tmp_path_factory.mktemp("databases")
    return folder, build(folder, Screen(), fresh=False, seed=7, scale=SCALE)


def started(folder: Path, hospitals: tuple[DemoHospital, ...]) -> Iterator[Alliance]:
    """A running alliance over these databases, with configurations and a registry of its own."""
    plan = Plan(folder, four_free_ports(), hospitals)
    plan.write()
    with Processes(plan.logs) as processes:
        programs = [plan.registry_program(), *map(plan.node_program, hospitals)]
        for program in programs:
            processes.start(program)
        for program in programs:
            processes.wait(program)
        gateway = plan.gateway_program()
        processes.start(gateway)
        processes.wait(gateway)
        services = [
            f"{plan.address(hospital, service)}?wsdl"
            for hospital in hospitals
            for service in ("HisService.asmx", "LabResults", "NumberSource")
        ]
        assert until(lambda: all(map(healthy, services)), 30), "not every service was published"
        yield Alliance(plan, processes)


def linked(data: Data, folder: Path) -> Path:
    """A folder of its own over the same databases: a registry and configurations of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for database in data[0].glob("*.db"):
        (folder / database.name).symlink_to(database)
    return folder


@pytest.fixture(scope="session")
def alliance(data: Data, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alliance]:
    """For tests that leave everything running."""
    folder = linked(data, tmp_path_factory.mktemp("alliance") / "医联 demo")
    yield from started(folder, data[1])


@pytest.fixture
def breakable(data: Data, tmp_path: Path) -> Iterator[Alliance]:
    """For tests that stop and change what they like."""
    yield from started(linked(data, tmp_path / "breakable"), data[1])
