"""``yilian pacs``: what an operator sees of the PACS, and of patients no more than is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.adapters.orthanc.fake_pacs import Orthanc, always, fake_pacs, http, study
from tests.adapters.orthanc.pacs_node import BASE, P
from yilian.cli import app
from yilian.commands.pacs import masked
from yilian.refused import Refused

NODE = """
[hospital]
code = "hx"
name = "华夏中心医院"
name_en = "Huaxia"
[listen]
port = 8082
public_url = "http://127.0.0.1:8082"
[sources.his]
adapter = "junwei"
url = "sqlite:///hx.db"
offers = ["ExamResults"]
"""


def asked(folder: Path, url: str = "") -> Any:
    file = folder / "node.toml"
    link = f'settings = {{ link_base = "{BASE}" }}'
    source = f'[sources.pacs]\nadapter = "orthanc"\nurl = "{url}"\n{link}\n' if url else ""
    file.write_text(NODE + source, "utf-8")
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["pacs", str(file), P])


def test_a_patients_studies(tmp_path: Path) -> None:
    with fake_pacs(Orthanc(study(1), study(2, StudyDescription="[b]头颅[/b]"))) as pacs:
        done = asked(tmp_path, pacs.url)
    assert done.exit_code == 0
    assert "Orthanc 1.10.1" in done.output
    for words in ("胸部CT平扫", "[b]头颅[/b]", "2026-11-20 10:00:00", "1.2.840.2", "张＊"):
        assert words in done.output
    assert f"{BASE}/app/explorer.html#study?uuid=aaaa-1\n" in done.output
    assert "张伟" not in done.output


def test_a_pacs_that_fails(tmp_path: Path) -> None:
    with fake_pacs(always(http({}, "401 Unauthorized"))) as pacs:
        done = asked(tmp_path, pacs.url.replace("//", "//u:secret@"))
    assert done.exit_code == 1
    assert "✗ pacs: SourceError" in done.output and "401" in done.output
    assert "secret" not in done.output


def test_a_node_without_one(tmp_path: Path) -> None:
    done = asked(tmp_path)
    assert isinstance(done.exception, Refused)
    assert "orthanc" in str(done.exception)


@pytest.mark.parametrize(
    ("name", "shown"), [("张伟", "张＊"), ("欧阳娜娜", "欧＊＊＊"), ("", ""), ("Li", "L＊")]
)
def test_names_are_masked(name: str, shown: str) -> None:
    assert masked(name) == shown
