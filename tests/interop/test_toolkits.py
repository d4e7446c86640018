"""Real toolkits against the unmodified WSDLs through the gateway: generate, compile, call."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.interop.constant import CODE
from tests.interop.expected import EXPECTED, Comparison
from tests.interop.served import Served
from tests.interop.toolkits import CLIENTS, TOOLKITS, Toolkit, environment

INSTALL = "./run setup-full"


def shell(
    script: str, base: str, folder: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment(base),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert not check or done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def require(toolkit: Toolkit, folder: Path) -> None:
    """Skip where the toolkit is not installed; in CI, where it must be, fail."""
    probed = shell(toolkit.probe, "", folder, check=False)
    if probed.returncode == 0:
        return
    last = (probed.stderr.strip() or "it is not there").splitlines()[-1]
    reason = f"{toolkit.name} 未安装（{last}），安装：{INSTALL} / not installed; {INSTALL} does it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("toolkit", TOOLKITS, ids=lambda toolkit: toolkit.client)
def test_toolkit(toolkit: Toolkit, both: Served, tmp_path: Path) -> None:
    require(toolkit, tmp_path)
    shutil.copy(CLIENTS / toolkit.client, tmp_path)
    base = f"http://127.0.0.1:{both.gateway}/{CODE}"
    done = shell(toolkit.recipe, base, tmp_path)
    told: dict[str, dict[str, Any]] = {}
    # Not splitlines(), which would also split at the characters that a value may hold.
    for line in done.stdout.split("\n"):
        if line.startswith('{"'):
            one = json.loads(line)
            assert one["case"] not in told
            told[one.pop("case")] = one
    cases = set(EXPECTED) - toolkit.lacks
    assert set(told) - toolkit.lacks == cases
    differences = [
        line
        for case in EXPECTED
        if case in cases
        for line in toolkit.comparison.differences(EXPECTED[case], told[case], case)
    ]
    assert not differences, "\n".join(differences)
    if toolkit.client == "dotnet.cs":
        generated = (tmp_path / "HisService.cs").read_text("utf-8")
        assert "    public int getlabmaster(string PatientId, ref string str) {" in generated


def test_every_client_has_its_row() -> None:
    assert {toolkit.client for toolkit in TOOLKITS} == {file.name for file in CLIENTS.iterdir()}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DoctorName", ""),
        ("DoctorName", "?"),
        ("DeptCode", "喆?㐂"),
        ("Expert", "false"),
        ("Expert", 0),
        ("Shift", 2),
        ("Limit", 0),
        ("ScheduleDate", "2026-11-20"),
        ("ScheduleDate", "2026-11-21T08:00:00"),
        ("ConsultationFee", 9999999999),
        ("ConsultationFee", "many"),
        ("Unknown", "x"),
    ],
)
def test_a_wrong_value_is_seen(name: str, value: object) -> None:
    expected = EXPECTED["GetNumberSource"]
    told = {f.name: getattr(expected["value"], f.name) for f in fields(expected["value"])}
    told |= {"ScheduleDate": "2026-11-21", "ConsultationFee": "9999999999.99"}
    assert not list(Comparison().differences(expected, {"value": told}, ""))
    told[name] = value
    assert len(list(Comparison().differences(expected, {"value": told}, ""))) == 1


def test_a_missing_record_is_seen() -> None:
    rows = {"value": EXPECTED["sample"]["value"][:1]}
    assert list(Comparison().differences(EXPECTED["sample"], rows, ""))
    assert list(Comparison().differences(EXPECTED["sample"], {}, ""))
