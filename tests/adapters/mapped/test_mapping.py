"""What is wrong with a mapping is said by file, line and key, before anything runs."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from adapters.mapped.problems import Problem, WrongMapping
from tests.adapters.mapped.conftest import Open
from tests.onboarding.third_hospital import block, mapping, open_mapped

QUERY = "[LabResults.QueryLabMaster]\n"
SQL = "LabResults.QueryLabMaster.sql"


def problems(opened: Open, text: str, offers: list[str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ValueError) as caught:
        opened(text, offers or ["LabResults"])
    cause = caught.value
    if not isinstance(cause, WrongMapping):  # wrapped by the settings' check
        cause = cause.errors()[0]["ctx"]["error"]  # type: ignore[attr-defined]
    assert isinstance(cause, WrongMapping)
    for one in cause.problems:
        assert one.spot.zh in cause.zh
        assert one.spot.en in cause.en
    return cause.problems


SELECT = "SELECT 单号 AS TestNo, 状态 AS ResultStatus FROM 化验单"


@pytest.mark.parametrize(
    ("text", "line", "key", "words"),
    [
        ("[LabResult]\n", 1, "LabResult", ["LabResults"]),
        (
            "\n[LabResults.QueryLabMastr]\nsql = ''",
            2,
            "LabResults.QueryLabMastr",
            ["QueryLabMaster"],
        ),
        (QUERY + "sqll = ''", 1, SQL, ["sql"]),
        (QUERY + "sql = ':PatientId'\nx = 1", 3, "LabResults.QueryLabMaster.x", ["expect_rows"]),
        (
            f"{QUERY}sql = '{SELECT} WHERE 病人号 = :PatientID'",
            2,
            "LabResults.QueryLabMaster.sql",
            ["PatientID", "PatientId"],
        ),
        (f"{QUERY}sql = '{SELECT}'", 2, SQL, [":PatientId"]),
        (
            f"{QUERY}sql = '{SELECT} WHERE a = :PatientId [? '",
            2,
            "LabResults.QueryLabMaster.sql",
            ["?]"],
        ),
        (
            f"{QUERY}sql = 'DELETE FROM 化验单 WHERE a = :PatientId'",
            2,
            "LabResults.QueryLabMaster.sql",
            ["DELETE"],
        ),
        (
            f"{QUERY}sql = '{SELECT} WHERE a = :PatientId AND b = :Since'",
            2,
            "LabResults.QueryLabMaster.sql",
            ["[? ?]", ":Since"],
        ),
        (
            f"{QUERY}sql = '{SELECT} WHERE a = :PatientId'\nfields = {{ TestNr = 'x' }}",
            3,
            "LabResults.QueryLabMaster.fields.TestNr",
            ["TestNo"],
        ),
        ("[fields]\nSex = { values = { M = '3' } }", 2, "fields.Sex.values.M", ["3", "男"]),
        ("[fields]\nSex = { valuess = {} }", 2, "fields.Sex.valuess", ["values"]),
        ("[fields]\nSex = { column = 'a', constant = '1' }", 2, "fields.Sex", ["column"]),
        ("[fields]\nAge = { format = 'yyyymmdd' }", 2, "fields.Age.format", []),
        ("[fields]\nBirthDate = { format = 'hh:mm' }", 2, "fields.BirthDate.format", ["yyyymmdd"]),
        ("[fields]\nStopped = { values = { T = '1' } }", 2, "fields.Stopped.values.T", ["true"]),
        ("[fields]\nPatientId = { zeros = 0 }", 2, "fields.PatientId.zeros", []),
        ("[fields]\nSex = 5", 2, "fields.Sex", []),
        ("[fields]\nTestNo = { pack = ['a'] }", 2, "fields.TestNo.pack", ["ScheduleId"]),
        (
            "[Registration]\ntake = { sql = 'UPDATE t SET a = 1 WHERE b = :ScheduleId', "
            "otherwise = 'Full' }",
            2,
            "Registration.take.otherwise",
            ["Conflict"],
        ),
        (
            "[Registration]\ntake = { sql = 'UPDATE t SET a = 1 WHERE b = :ScheduleId', "
            "expect_rows = 'one' }",
            2,
            "Registration.take.expect_rows",
            ["any"],
        ),
        (
            "[Registration]\ntake = { sql = 'EXEC p :ScheduleId', fails = { vals = ['F'] } }",
            2,
            "Registration.take.fails.vals",
            ["values"],
        ),
        ("[Registration]\ntake = 'UPDATE t SET a = 1'", 2, "Registration.take", [":ScheduleId"]),
        ("[Registration]\nnumber_is_place = 1", 2, "Registration.number_is_place", ["true"]),
        ("[LabResults\n", 1, "-", ["TOML"]),
        ("a = 汉字", 1, "-", ["TOML"]),
    ],
)
def test_what_is_refused(opened: Open, text: str, line: int, key: str, words: list[str]) -> None:
    found = [one for one in problems(opened, text) if one.spot.key == key]
    assert found, key
    assert found[0].spot.line == line
    assert found[0].spot.file.endswith("his.toml")
    told = "\n".join(one.zh + one.en for one in found)
    for word in words:
        assert word in told


def test_all_of_it_is_said_at_once(opened: Open) -> None:
    text = "[fields]\nSex = { values = { M = '3' } }\nAge = { zeros = 3 }\n[X]\n"
    assert [one.spot.line for one in problems(opened, text)] == [2, 3, 4]


@pytest.mark.parametrize(
    ("change", "line_of", "words"),
    [
        (("FROM 化验单", "FROM 化验表"), "sql = ", ["化验表"]),
        (("单号 AS TestNo,", ""), "sql = ", ["TestNo"]),
        (("状态 AS ResultStatus", "状态"), "sql = ", ["ResultStatus"]),
        (("申请医生 AS", "申请医师 AS"), "sql = ", ["申请医师"]),
    ],
)
def test_what_the_database_refuses(
    opened: Open, change: tuple[str, str], line_of: str, words: list[str]
) -> None:
    text = mapping()
    assert text.count(change[0]) == 1
    text = text.replace(*change)
    (found,) = problems(opened, text)
    assert found.spot.key == "LabResults.QueryLabMaster.sql"
    assert text.splitlines()[found.spot.line - 1].startswith(line_of)
    for word in words:
        assert word in found.zh
        assert word in found.en


def test_a_column_that_a_rule_names_and_the_result_has_not(opened: Open) -> None:
    text = mapping().replace('PatientId = { column = "病人号"', 'PatientId = { column = "病员号"')
    found = problems(opened, text, ["LabResults", "Patients"])
    assert {one.spot.key for one in found} == {
        *("LabResults.QueryLabMaster.sql", "Patients.FindPatients.sql"),
    }
    assert all("病员号" in one.zh and "病人号" in one.zh for one in found)


def test_a_write_is_asked_about_and_not_run(opened: Open, execute: object) -> None:
    text = mapping().replace("SET 已挂 = 已挂 - 1", "SET 已卦 = 已挂 - 1")
    (found,) = problems(opened, text, ["Registration"])
    assert found.spot.key == "Registration.give_back"
    assert "已卦" in found.zh
    opened(mapping(), ["Registration"])
    (left,) = execute("SELECT SUM(已挂) + SUM(下一号) - COUNT(*) FROM 出诊安排")  # type: ignore[operator]
    assert left == (0,)


def test_a_value_that_no_earlier_step_answers(opened: Open) -> None:
    text = mapping().replace("姓名 AS PatientName", "姓名 AS 名")
    (found,) = problems(opened, text, ["Registration"])
    assert found.spot.key.startswith("Registration.add_visit")
    assert ":PatientName" in found.zh


@pytest.mark.parametrize(
    ("left_out", "offers", "key"),
    [
        (r"\[Patients.*?(?=\[Registration\])", ["Registration"], "Patients.FindPatients"),
        (r"give_back = .*?\n", ["Registration"], "Registration.give_back"),
        (r"\[NumberSource.*?(?=\[Patients)", ["NumberSource"], "NumberSource.QueryNumberSource"),
    ],
)
def test_what_an_offer_lacks(opened: Open, left_out: str, offers: list[str], key: str) -> None:
    text, times = re.subn(left_out, "", mapping(), count=1, flags=re.DOTALL)
    assert times
    assert [one.spot.key for one in problems(opened, text, offers)] == [key]


@pytest.mark.parametrize(
    ("part", "offers", "words"),
    [
        ("[? AND a.安排号 = :ScheduleId ?]", ["NumberSource"], ["GetNumberSource", ":ScheduleId"]),
        ("[? AND a.出诊日 >= :SinceDate ?]", ["Registration"], ["ListStopNotices", ":SinceDate"]),
        ("[? AND 单号 = :TestNo ?]", ["LabResults"], ["GetLabResult", ":TestNo"]),
    ],
)
def test_what_a_shared_statement_needs(
    opened: Open, part: str, offers: list[str], words: list[str]
) -> None:
    text = mapping()
    assert part in text
    found = problems(opened, text.replace(part, "", 1), offers)
    for word in words:
        assert word in found[0].zh


def test_without_its_database_a_node_starts_and_serves_later(tmp_path: Path) -> None:
    adapter = open_mapped(tmp_path, mapping())
    try:
        assert not (tmp_path / "his.db").exists()
    finally:
        adapter.source.close()


def test_getlabmaster_in_twelve_lines(tmp_path: Path) -> None:
    """The paper's example, over the HIS's own LAB_TEST_MASTER."""
    text = block("getlabmaster", "mapped.md")
    assert len(text.strip().splitlines()) <= 12
    connection = sqlite3.connect(tmp_path / "his.db")
    columns = re.findall(r"\b[A-Z][A-Z_]{2,}\b", text.partition("FROM")[0].partition("SELECT")[2])
    connection.execute(f"CREATE TABLE LAB_TEST_MASTER (PATIENT_ID, {', '.join(columns)})")
    values = [f"v{index}" for index in range(len(columns))]
    known = {"SEX": "男", "AGE": "45岁", "RESULT_STATUS": "4", "TEST_NO": "2611210001"}
    for name in ("REQUESTED_DATE_TIME", "RESULTS_RPT_DATE_TIME"):
        known[name] = "2026-11-20 08:30:00"
    row = [known.get(name, value) for name, value in zip(columns, values, strict=True)]
    marks = ", ".join("?" * (len(row) + 1))
    connection.execute(f"INSERT INTO LAB_TEST_MASTER VALUES ({marks})", ["P1", *row])
    connection.commit()
    connection.close()
    adapter = open_mapped(tmp_path, text, ["LabResults"], read_only=True)
    try:
        (master,) = adapter.QueryLabMaster("P1")
        assert adapter.QueryLabMaster("P2") == []
    finally:
        adapter.source.close()
    assert (master.TestNo, master.Sex, master.Age, master.Final) == ("2611210001", "1", 45, True)
    given = [getattr(master, name) for name in master.__slots__]
    assert given.count(None) == 1  # RecognitionMark


def test_a_hospital_in_a_hundred_and_twenty_lines() -> None:
    """Number source, patients and registration: what comes before the laboratory."""
    text = mapping().partition("[LabResults")[0]
    assert len([line for line in text.splitlines() if line.strip()]) <= 120
    assert {"NumberSource", "Patients", "Registration"} <= set(re.findall(r"\[+(\w+)", text))
