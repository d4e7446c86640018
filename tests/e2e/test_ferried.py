"""A hospital behind a gate that passes only files, as processes: published from outside, called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_commands import yilian
from tests.conftest import Data, four_free_ports, linked
from tests.gateway.file_gate import Gate
from yilian.demo.plan import Plan, toml_table
from yilian.demo.processes import Processes, healthy, until
from yilian.demo_data import FIRST_PATIENT
from yilian.soap_client import SoapClient

KEY = "c3" * 32


@pytest.fixture
def plan(data: Data, tmp_path: Path) -> Iterator[Plan]:
    """Registry, gateway and hx's node, which no connection reaches and which reaches nothing: it
    publishes nothing by itself, and listens where nobody looks."""
    folder = linked(data, tmp_path / "alliance")
    made = Plan(folder, four_free_ports(), data[1])
    made.write()
    (folder / "ferry.key").write_text(KEY)
    hx = made.hospitals[0]
    with closing(Gate(tmp_path / "gate")) as gate, Processes(made.logs) as processes:
        gateway, node = folder / "gateway.toml", folder / "hx.toml"
        out, into = str(gate.outside / "out"), str(gate.outside / "in")
        gateway.write_text(
            gateway.read_text("utf-8")
            + toml_table("hospitals.hx", mode="ferry")
            + toml_table(
                "hospitals.hx.ferry", out_folder=out, in_folder=into, key_file="ferry.key"
            ),
            "utf-8",
        )
        (folder / "published.toml").write_text(node.read_text("utf-8"), "utf-8")
        inside = {name: str(gate.inside / name) for name in ("in", "out", "kept")}
        node.write_text(
            node.read_text("utf-8").replace(
                f'url = "{made.registry}"', 'url = "http://127.0.0.1:9"'
            )
            + toml_table(
                "ferry",
                **{f"{name}_folder": path for name, path in inside.items()},
                key_file="ferry.key",
            ),
            "utf-8",
        )
        for program in (made.registry_program(), made.node_program(hx), made.gateway_program()):
            processes.start(program)
            processes.wait(program)
        yield made


def test_published_from_outside_and_called_by_files(plan: Plan) -> None:
    hx = plan.hospitals[0]
    published = plan.folder / "published.toml"
    done = yilian("node", str(published), "--publish-only")
    assert done.returncode == 0, done.stderr
    assert "services published" in done.stdout
    wsdl = f"{plan.address(hx, 'HisService.asmx')}?wsdl"
    assert until(lambda: healthy(wsdl), 30)
    answer = SoapClient(wsdl).call("getlabmaster", PatientId=FIRST_PATIENT, str="")
    assert int(answer["getlabmasterResult"]) > 0
    assert answer["str"].endswith("?")


def test_publishing_where_there_is_no_registry_is_refused(plan: Plan) -> None:
    done = yilian("node", str(plan.folder / "hx.toml"), "--publish-only")
    assert done.returncode == 1 and "Not published in http://127.0.0.1:9" in done.stderr
