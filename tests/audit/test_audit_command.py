"""``yilian audit verify`` and ``search`` as an operator types them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.audit.files import files_in
from gateway.audit.keeping import compress
from tests.audit.conftest import OpenTrail, call
from yilian.cli import app


@pytest.fixture
def folder(open_trail: OpenTrail, tmp_path: Path) -> Path:
    async def scene() -> None:
        for stream, numbers in (("gw.w0", range(0, 6)), ("gw.w1", range(6, 10))):
            async with open_trail(stream, clock=lambda: 1_790_000_010.0) as trail:
                for number in numbers:
                    odd = {"hospital": "sq", "outcome": "fault", "fault": "SourceTimeout"}
                    await trail.record(call(number, **(odd if number % 2 else {})))

    asyncio.run(scene())
    return tmp_path / "audit"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)], env={"COLUMNS": "200"})


def found(*arguments: object) -> list[str]:
    result = run("search", *arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


def test_a_whole_trail(folder: Path) -> None:
    result = run("verify", folder)
    assert result.exit_code == 0
    assert result.stdout.count("✓ 完整 whole") == 2


def test_a_changed_line_is_told_with_file_and_line(folder: Path) -> None:
    path = files_in(folder)[0].path
    path.write_bytes(path.read_bytes().replace(b'"request-3"', b'"request-4"'))
    result = run("verify", folder)
    assert result.exit_code == 1
    assert f"✗ {path.name}:5: 第 4 号或它的前一行被改过" in result.stdout


def test_without_a_key_the_chain_alone_is_checked_and_that_is_said(folder: Path) -> None:
    (folder / "audit.key").unlink()
    result = run("verify", folder)
    assert result.exit_code == 0
    assert "only the chain was checked" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ([], range(10)),
        (["--hospital", "sq"], [1, 3, 5, 7, 9]),
        (["--request-id", "request-7"], [7]),
        (["--patient", "0000000004"], [4]),
        (["--fault", "SourceTimeout", "--caller", "sq-his", "--limit", "2"], [1, 3]),
        (["--since", "2026-09-21T14:13:24+00:00", "--until", "2026-09-21T14:13:27Z"], [4, 5, 6]),
        (["--outcome", "ok", "--operation", "QueryLabMaster"], [0, 2, 4, 6, 8]),
        (["--patient", "0000000099"], []),
        (["--service", "LabResult"], []),
    ],
)
def test_search(folder: Path, arguments: list[str], numbers: list[int]) -> None:
    assert found(folder, *arguments) == [f"request-{number}" for number in numbers]


def test_search_as_table_and_as_csv(folder: Path) -> None:
    result = run("search", folder, "--request-id", "request-7")
    assert "SourceTimeout" in result.stdout and "request-7" in result.stdout
    result = run("search", folder, "--hospital", "sq", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["id"] for row in rows] == [f"request-{number}" for number in (1, 3, 5, 7, 9)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify", "nowhere"], "there is no nowhere"),
        (["search", "{folder}", "--since", "yesterday"], "--since should be ISO 8601"),
        (["search", "{folder}", "--patient", "1", "--key-file", "none"], "no key file none"),
        (["verify", "{empty}"], "no audit files"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    given = [a.format(folder=folder, empty=tmp_path / "empty") for a in arguments]
    result = run(*given)
    assert result.exit_code != 0
    assert said in str(result.exception)


def test_an_empty_folder_has_no_calls(tmp_path: Path) -> None:
    result = run("search", str(tmp_path))
    assert result.exit_code == 0 and "no such call" in result.output


def test_a_damaged_file_is_named(folder: Path) -> None:
    packed = compress(files_in(folder)[0])
    packed.write_bytes(packed.read_bytes()[:-30])
    result = run("search", str(folder))
    assert result.exit_code == 1
    assert f"cannot read {packed}" in str(result.exception)


def test_ids_can_be_copied_from_a_narrow_screen(folder: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "search", str(folder)], env={"COLUMNS": "100"})
    for number in range(10):
        assert f" request-{number} " in result.stdout


def test_a_spreadsheet_computes_nothing_that_a_caller_sent(
    open_trail: OpenTrail, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with open_trail(patient="plain") as trail:
            await trail.record(call(1, patient='=HYPERLINK("http://evil")'))

    asyncio.run(scene())
    result = run("search", tmp_path / "audit", "--format", "csv")
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert row["patient"] == """'=HYPERLINK("http://evil")"""


def test_an_outcome_that_there_is_not_is_refused(folder: Path) -> None:
    result = run("search", folder, "--outcome", "okay")
    assert result.exit_code == 2 and "refused" in result.output
