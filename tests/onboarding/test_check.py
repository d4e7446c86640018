"""``yilian adapter check``: what works, what breaks which rule, what would be faster."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.config import SourceConfig
from tests.onboarding.conftest import Run
from tests.onboarding.third_hospital import OFFERS, TODAY, files, mapping
from yilian.demo_data import build as build_demo
from yilian.onboarding.checking import Report, check_source

Execute = Callable[[str], None]


@pytest.fixture
def execute(tmp_path: Path) -> Execute:
    files(tmp_path)

    def run(sql: str) -> None:
        connection = sqlite3.connect(tmp_path / "his.db")
        connection.executescript(sql)
        connection.close()

    return run


def check(folder: Path, *, write_test: bool = False, text: str | None = None) -> Report:
    if text is not None:
        (folder / "his.toml").write_text(text, "utf-8")
    config = SourceConfig.model_validate(
        {
            **{"adapter": "mapped", "url": f"sqlite:///{folder / 'his.db'}", "read_only": False},
            **{"offers": OFFERS, "settings": {"mapping_file": str(folder / "his.toml")}},
        }
    )
    return checked("his", config, write_test=write_test)


def checked(name: str, config: SourceConfig, *, write_test: bool, today: date = TODAY) -> Report:
    given: dict[str, Any] = {"patients": [], "today": today, "write_here": False}
    return check_source(name, "third", config, write_test=write_test, **given)


def broken(report: Report) -> dict[str, list[str]]:
    return {
        name: list(outcome.broken)
        for findings in report.findings.values()
        for name, outcome in findings.outcomes.items()
        if outcome.broken
    }


def test_a_hospital_in_order(tmp_path: Path, execute: Execute) -> None:
    before = (tmp_path / "his.db").read_bytes()
    report = check(tmp_path)
    assert not report.broken, broken(report)
    assert (tmp_path / "his.db").read_bytes() == before
    queried = report.findings["NumberSource"].outcomes["QueryNumberSource"]
    assert (queried.calls, queried.rows) == (16, 48)  # each day, and each day's first department
    assert queried.slowest > 0
    locked = report.findings["Registration"].outcomes["LockNumber"]
    assert (locked.mark, locked.calls) == ("–", 0)


@pytest.mark.parametrize(
    ("sql", "key", "column"),
    [
        ("UPDATE 出诊安排 SET 停诊 = '?' WHERE 安排号 = 105", "ScheduleId=105", "Stopped"),
        ("UPDATE 出诊安排 SET 出诊日 = '2026-1-1' WHERE 安排号 = 105", "ScheduleId=105", "出诊日"),
        ("UPDATE 出诊安排 SET 限号 = -1 WHERE 安排号 = 105", "ScheduleId=105", "Limit"),
        (
            "UPDATE 病人档案 SET 出生 = '19510230' WHERE 病人号 = '0000000001'",
            *("病人号=0000000001", "BirthDate"),
        ),
        ("UPDATE 化验单 SET 单号 = NULL WHERE 单号 = 'T000010'", "TestNo=None", "TestNo"),
    ],
)
def test_a_broken_row_is_listed_by_its_key(
    tmp_path: Path, execute: Execute, sql: str, key: str, column: str
) -> None:
    execute(sql)
    report = check(tmp_path)
    assert report.broken
    assert [(row.key, row.column) for row in report.broken_rows] == [(key, column)]
    assert report.broken_rows[0].spot.line > 1


def test_every_broken_row_is_listed(tmp_path: Path, execute: Execute) -> None:
    execute("UPDATE 出诊安排 SET 停诊 = '?' WHERE 安排号 IN (105, 109, 113)")
    assert len(check(tmp_path).broken_rows) == 3


def test_a_key_that_stands_twice(tmp_path: Path, execute: Execute) -> None:
    execute("INSERT INTO 科室 SELECT 科室号 || ' ', 科室名, 位置 FROM 科室 WHERE 科室号 = '0502'")
    text = mapping().replace("k.科室号 = a.科室号 LEFT", "RTRIM(k.科室号) = a.科室号 LEFT", 1)
    report = check(tmp_path, text=text)
    assert "ScheduleId=107" in [row.key for row in report.broken_rows]
    assert any("107" in one for one in broken(report)["QueryNumberSource"])


def test_rules_between_rows(tmp_path: Path, execute: Execute) -> None:
    text = mapping()
    wrong = text.replace("[? AND a.科室号 = :DeptCode ?]", "[? AND a.科室号 <> :DeptCode ?]")
    assert wrong != text
    assert any("按科室" in one for one in broken(check(tmp_path, text=wrong))["QueryNumberSource"])


def test_no_session_at_all_is_suspicious(tmp_path: Path, execute: Execute) -> None:
    text = mapping().replace('ScheduleDate = { column = "出诊日", format = "yyyymmdd"', "Place = {")
    text = text.replace("Place = { }", 'ScheduleDate = { column = "出诊日" }')
    assert any(
        "没有任何号源" in one for one in broken(check(tmp_path, text=text))["QueryNumberSource"]
    )


def test_a_confirmed_test_without_items(tmp_path: Path, execute: Execute) -> None:
    execute("DELETE FROM 化验结果 WHERE 单号 = 'T000010'")
    assert "TestNo=T000010" in broken(check(tmp_path))["GetLabResult"][0]


def test_an_index_is_advised(tmp_path: Path) -> None:
    files(tmp_path, patients=1200)
    advice = {one.table: one for one in check(tmp_path).advice}
    assert set(advice) == {"病人档案"}  # by primary key and by index everything else is found
    found = [one for one in check(tmp_path).advice if "医保卡号" in one.columns]
    assert found[0].rows == 1200
    connection = sqlite3.connect(tmp_path / "his.db")
    for column in ("医保卡号", "身份证号", "就诊卡"):
        connection.execute(f"CREATE INDEX 索引_{column} ON 病人档案 ({column})")
    connection.close()
    assert check(tmp_path).advice == []


def test_the_writes_are_proved_on_a_copy(tmp_path: Path, execute: Execute) -> None:
    files_now(tmp_path)
    before = (tmp_path / "his.db").read_bytes()
    report = check(tmp_path, write_test=True)
    assert not report.broken, broken(report)
    assert (tmp_path / "his.db").read_bytes() == before
    proved = report.findings["write-test"].outcomes
    assert {name for name, outcome in proved.items() if outcome.mark == "✓"} >= {
        *("LockNumber", "ConfirmRegistration", "CancelRegistration", "ReleaseLock", "Register"),
        "MarkLabPrinted",
    }


@pytest.mark.parametrize("holders", [3, 40])
def test_the_writes_are_tried_with_patients_who_hold_no_number(
    tmp_path: Path, execute: Execute, holders: int
) -> None:
    files_now(tmp_path)
    for number in range(1, holders + 1):
        execute(
            "INSERT INTO 挂号流水 (流水号, 病人号, 姓名, 安排号, 序号, 记录状态, 就诊)"
            f" SELECT {number} * 100 + 安排号, '{number:010}', '某', 安排号, {number}, '0', 'N'"
            " FROM 出诊安排"
        )
    report = check(tmp_path, write_test=True)
    told = broken(report).get("LockNumber", [])
    assert bool(told) == (holders == 40)
    assert all("--patient" in words for words in told)


def files_now(folder: Path) -> None:
    """The writes are tried on sessions of these days."""
    (folder / "his.db").unlink()
    files(folder, date.today())


@pytest.mark.parametrize(
    ("change", "operation", "words"),
    [
        (("SET 已挂 = 已挂 - 1 WHERE", "SET 已挂 = 已挂 - 0 WHERE"), "CancelRegistration", "余号"),
        (("SET 已挂 = 已挂 - 1 WHERE", "SET 已挂 = 已挂 - 2 WHERE"), "CancelRegistration", "Taken"),
        (("SET 已挂 = 已挂 + 1, ", "SET "), "LockNumber", "余号"),
        (('AND 就诊 = \'N\'"""', 'AND 就诊 = \'Z\'"""'), "CancelRegistration", "Overloaded"),
        (("VALUES (:Key, :P", "VALUES (:Key, 'X' || :P"), "ListRegistrations", "应列出一次"),
    ],
)
def test_writes_that_do_not_add_up(
    tmp_path: Path, execute: Execute, change: tuple[str, str], operation: str, words: str
) -> None:
    files_now(tmp_path)
    text = mapping()
    assert change[0] in text
    report = check(tmp_path, write_test=True, text=text.replace(*change))
    assert any(words in one for one in broken(report)[operation])


def test_the_command_tells_it_and_its_status(tmp_path: Path, execute: Execute, yilian: Run) -> None:
    execute("UPDATE 出诊安排 SET 停诊 = '?' WHERE 安排号 = 105")
    done = yilian("adapter", "check", "third.toml", "--today", str(TODAY), status=1)
    assert "ScheduleId=105" in done.stdout
    assert "Stopped" in done.stdout
    assert "✗" in done.stderr
    names = {
        row[0] for row in sqlite3.connect(tmp_path / "his.db").execute("SELECT 姓名 FROM 病人档案")
    }
    assert not [name for name in names if name in done.stdout]


def test_a_database_that_is_away(tmp_path: Path, execute: Execute, yilian: Run) -> None:
    (tmp_path / "his.db").unlink()
    done = yilian("adapter", "check", "third.toml", status=1)
    assert "SourceUnavailable" in done.stdout


@pytest.mark.parametrize(("code", "name"), [("hx", "his"), ("sq", "his"), ("sq", "lis")])
def test_other_adapters(tmp_path: Path, code: str, name: str) -> None:
    demo = build_demo(tmp_path, today=TODAY, scale=0.01)
    config = SourceConfig.model_validate(demo.sources[code][name])
    report = checked(name, config, write_test=False)
    assert report.findings
    assert not report.broken, broken(report)


def test_the_writes_of_other_adapters(tmp_path: Path) -> None:
    demo = build_demo(tmp_path, today=date.today(), scale=0.01)
    config = SourceConfig.model_validate(demo.sources["sq"]["his"])
    report = checked("his", config, write_test=True, today=date.today())
    assert not report.broken, broken(report)
    assert report.findings["write-test"].outcomes["LockNumber"].mark == "✓"
