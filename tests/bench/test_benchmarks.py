"""The benchmarks start, compare like with like, and print a table. What it says is not tested."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import codec, contenders, host, rush
from bench.measure import interleaved, ratios, save
from tests.databases.targets import TARGETS, Target


@pytest.mark.parametrize(("operation", "rows"), codec.CASES)
def test_all_answer_the_same(operation: str, rows: int) -> None:
    codec.same_answers(codec.contenders(operation, min(rows, 20)), min(rows, 20))


def test_the_codec_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(codec, "CASES", (("getlabmaster", 2), ("QueryNumberSource", 2)))
    codec.main(["--rounds", "1", "--seconds", "0.001"])
    table = capsys.readouterr().out
    assert "QueryNumberSource" in table and "spyne/codec" in table


def test_every_contender_has_its_turn() -> None:
    turns: list[str] = []
    figures = interleaved({name: lambda n=name: turns.append(n) for name in "ab"}, 4, 0.0001)
    assert [len(figures[name]) for name in "ab"] == [4, 4]
    assert set(turns) == {"a", "b"}
    assert ratios([2.0, 9.0, 4.0], [1.0, 3.0, 1.0]) == {"min": 2.0, "median": 3.0, "max": 4.0}


def test_results_are_kept_raw_and_as_a_table(tmp_path: Path) -> None:
    save("x", {"unit": "µs"}, "a table", tmp_path / "results")
    assert json.loads((tmp_path / "results" / "x.json").read_text("utf-8")) == {"unit": "µs"}
    assert (tmp_path / "results" / "x.txt").read_text("utf-8") == "a table\n"


@pytest.mark.parametrize("name", ["codec", "host"])
def test_the_committed_results_have_figures_machine_and_table(name: str) -> None:
    folder = Path(codec.__file__).parent / "results"
    raw = json.loads((folder / f"{name}.json").read_text("utf-8"))
    assert {"cpu", "cores", "python", "load_average", "load_average_after"} <= raw["machine"].keys()
    assert raw.get("cases") or raw.get("rounds")
    assert (folder / f"{name}.txt").read_text("utf-8").strip()


def test_a_contender_whose_tool_is_missing_is_skipped_loudly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(contenders.shutil, "which", lambda program: None)
    monkeypatch.setattr(contenders, "CACHE", tmp_path)
    for contender in contenders.CONTENDERS:
        if not contender.name.startswith("yilian"):
            with pytest.raises(contenders.Missing):
                contender.command(1, tmp_path)


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="taskset and /proc")
def test_the_host_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert shutil.which("wrk"), "./run setup-full installs it"
    names = ["yilian", "gSOAP, C"]
    host.main(["--rounds", "1", "--seconds", "1", "--connections", "2", "--only", *names])
    out = capsys.readouterr()
    assert "SKIPPED" not in out.out + out.err
    assert all(name in out.out for name in names)


def hurried(folder: Path, *more: str) -> dict[str, Any]:
    few = ("--seconds", "0.5", "--callers", "60", "--slots", "5", "--pool", "3", "--queue", "8")
    rush.main([*few, "--results", str(folder), *more])
    (made,) = json.loads((folder / "rush.json").read_text("utf-8")).values()
    assert made["sold_in_each_round"] == made["answered_in_each_round"] == [5]
    assert made["winners"]["calls"] == 5 * made["rounds"] == len(made["raw"]["winners_ms"])
    assert made["refused"]["calls"] == sum(made["raw"]["refused_by_ms"].values())
    assert made["winners"]["p99_ms"] and made["refused"]["p99_ms"]
    assert "refused p50" in (folder / "rush.txt").read_text("utf-8")
    return dict(made)


def test_a_rush(tmp_path: Path) -> None:
    hurried(tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("drivername", TARGETS)
def test_a_rush_is_seen_at_the_server(tmp_path: Path, drivername: str) -> None:
    target = Target(drivername)
    url = target.url(target.server.database()).render_as_string(hide_password=False)
    made = hurried(tmp_path, "--url", url)
    assert 1 <= made["connections_at_server"]["most"] <= 3
    assert made["connections_at_server"]["looks"] > 1
