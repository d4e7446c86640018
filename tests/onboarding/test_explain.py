"""``yilian adapter explain``: the SQL of an operation, with the line that it comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.catalogue import CONTRACTS
from services.contract import describe
from tests.onboarding.conftest import Run
from tests.onboarding.third_hospital import OFFERS, TODAY, files, mapping, open_mapped
from yilian.demo_data import FIRST_PATIENT
from yilian.demo_data import build as build_demo
from yilian.onboarding.explaining import explained, find

NAMES = [one.name for offer in OFFERS for one in describe(CONTRACTS[offer]).operations]


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_has_its_statements(tmp_path: Path, name: str) -> None:
    files(tmp_path)
    adapter = open_mapped(tmp_path)
    try:
        found = find(OFFERS, name)
        assert found is not None
        parts = list(explained(adapter, *found, {}))
    finally:
        adapter.source.close()
    statements = [sql for _, sql in parts if sql]
    assert statements
    assert not any("[?" in sql for sql in statements)
    lines = mapping().splitlines()
    for title, _ in parts:
        line = re.search(r"第 (\d+) 行", title)
        assert line is None or "sql" in lines[int(line[1]) - 1] or "=" in lines[int(line[1]) - 1]
    writes = describe(CONTRACTS[found[0]]).operation(name).writes
    assert any("YILIAN_REQUEST" in title for title, _ in parts) == writes


def test_only_what_is_given_stands(tmp_path: Path, yilian: Run) -> None:
    files(tmp_path)
    told = yilian("adapter", "explain", "third.toml", "GetPatient").stdout
    assert ":PatientId" in told
    assert ":IdentityNo" not in told
    assert "his.toml" in told


def test_another_adapter_tells_what_it_sends(tmp_path: Path, yilian: Run) -> None:
    demo = build_demo(tmp_path, today=TODAY, scale=0.01)
    (tmp_path / "hx.toml").write_text(
        '[hospital]\ncode = "hx"\nname = "华夏"\nname_en = "Huaxia"\n'
        '[listen]\nport = 8082\npublic_url = "http://127.0.0.1:8082"\n'
        f'[sources.his]\nadapter = "junwei"\nurl = "sqlite:///{demo.hx}"\nread_only = false\n'
        'offers = ["LabResults", "Registration"]\n',
        "utf-8",
    )
    words = ("adapter", "explain", "hx.toml", "QueryLabMaster", f"PatientId={FIRST_PATIENT}")
    told = yilian(*words).stdout
    assert "LAB_TEST_MASTER" in told
    assert FIRST_PATIENT not in told
    assert "LockNumber" in yilian("adapter", "explain", "hx.toml", "LockNumber", status=2).stderr


def test_an_unknown_operation(tmp_path: Path, yilian: Run) -> None:
    files(tmp_path)
    told = yilian("adapter", "explain", "third.toml", "QueryLabMastr", status=2).stderr
    assert "QueryLabMaster" in told
