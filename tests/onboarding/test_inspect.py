"""``yilian adapter inspect``: what tables may be, shown without anybody's data, and a proposal."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapped.mapping import load_mapping
from tests.onboarding.conftest import Run
from tests.onboarding.third_hospital import TODAY, files, open_mapped
from yilian.demo_data import build as build_demo
from yilian.onboarding.content import content, mask
from yilian.onboarding.inspecting import Seen, kind_of, look
from yilian.onboarding.proposal import proposed


def seen(folder: Path) -> Seen:
    return look(f"sqlite:///{folder / 'his.db'}")


def test_chinese_names(tmp_path: Path) -> None:
    files(tmp_path)
    kinds = {one.name: one.kind for one in seen(tmp_path).tables}
    assert kinds == {
        **{"病人档案": "patients", "出诊安排": "slots", "挂号流水": "visits"},
        **{"化验单": "tests", "化验结果": "results"},
        **{"科室": None, "医生": None, "操作日志": None},
    }
    patients = seen(tmp_path).best("patients")
    assert patients is not None
    assert patients.fields["PatientId"] == "病人号"
    assert patients.fields["IdentityNo"] == "身份证号"
    assert (patients.rows, patients.key) == (40, ("病人号",))


def test_english_names_and_pinyin(tmp_path: Path) -> None:
    demo = build_demo(tmp_path, today=TODAY, scale=0.01)
    core, community, lis = (look(f"sqlite:///{one}") for one in (demo.hx, demo.sq_his, demo.sq_lis))
    for whole, kind, name in (
        *((core, "patients", "PAT_MASTER_INDEX"), (core, "slots", "CLINIC_FOR_REGIST")),
        *((core, "tests", "LAB_TEST_MASTER"), (core, "results", "LAB_RESULT")),
        *((community, "patients", "MS_BRDA"), (community, "slots", "MS_YSPB")),
        *((lis, "tests", "LIS_SAMPLE"), (lis, "results", "LIS_RESULT")),
    ):
        best = whole.best(kind)
        assert best is not None, kind
        assert best.name == name


def test_content_tells_where_a_name_does_not() -> None:
    columns = ["BRID", "XM", "SEX", "CSRQ", "F1", "DZ"]
    assert kind_of(columns)[0] is None  # two more are needed to make it a patient's
    assert content(["11010119510215001X"] * 3).shape == "identity number"
    assert content(["13800000000"]).shape == "phone"
    assert content(["20261121", "00000000"]).date_format == "yyyymmdd"
    assert content(["2026112108:30:00"]).date_format == "yyyymmddhh:mm:ss"
    assert content(["2026-11-21 08:30:00"]).shape == "date"
    assert content(["M", "F"] * 5).codes == ("F", "M")
    assert content([None, " "]).shape == "empty"


def test_nobodys_data_is_shown(tmp_path: Path, yilian: Run) -> None:
    files(tmp_path)
    shown = yilian("adapter", "inspect", "sqlite:///his.db", "--all").stdout
    connection = sqlite3.connect(tmp_path / "his.db")
    for column in ("病人号", "姓名", "出生", "身份证号", "医保卡号", "就诊卡", "手机", "住址"):
        for (value,) in connection.execute(f"SELECT DISTINCT {column} FROM 病人档案"):
            assert value not in shown, column
    for (value,) in connection.execute("SELECT DISTINCT 诊断 FROM 化验单"):
        assert value not in shown
    connection.close()
    assert "99999999999999999x" in shown
    assert re.search(r"性别.*F、M", shown)  # a mapping needs these
    assert re.search(r"状态.*初审、已审、登记", shown)


@given(st.text())
def test_a_masked_text_holds_no_letter_or_digit(text: str) -> None:
    masked = mask(text)
    assert set(re.findall(r"\w", masked)) <= set("x9某_") | set(re.findall(r"[^\w]|_", text)) | {
        "…"
    }
    assert len(masked) <= 25


def test_what_is_proposed_serves_where_nothing_is_missing(tmp_path: Path) -> None:
    files(tmp_path)
    text = proposed(seen(tmp_path))
    (tmp_path / "his.toml").write_text(text, "utf-8")
    tomllib.loads(text)
    load_mapping(tmp_path / "his.toml")
    adapter = open_mapped(tmp_path, text, ["Patients", "LabResults"], read_only=True)
    try:
        patient = adapter.GetPatient("0000000001")
        assert (patient.Sex, patient.IdentityNo) == ("2", "11010119510215001X")
        masters = adapter.QueryLabMaster("0000000001")
        assert [one.ResultStatus for one in masters] == ["4", "3", "0"]
        assert [one.Abnormal for one in adapter.GetLabResult("T000010").Items] == ["H", "U"]
    finally:
        adapter.source.close()


def test_what_is_missing_is_said_in_the_proposal(tmp_path: Path) -> None:
    files(tmp_path)
    text = proposed(seen(tmp_path))
    assert re.search(r"-- 缺 Expert", text)
    with pytest.raises(ValueError, match="Expert"):
        open_mapped(tmp_path, text, ["NumberSource"], read_only=True)
    # As the page says: a constant stands for what the hospital does not have.
    added = "[NumberSource.QueryNumberSource.fields]\nExpert = { constant = false }"
    text = text.replace("[NumberSource.QueryNumberSource.fields]", added)
    adapter = open_mapped(tmp_path, text, ["NumberSource"], read_only=True)
    try:
        slots = adapter.QueryNumberSource(TODAY)
    finally:
        adapter.source.close()
    assert [(one.Shift, one.Remaining) for one in slots if one.Limit] == [
        *(("1", 4), ("2", 20), ("1", 10)),
    ]


def test_a_database_without_anything_known(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "his.db")
    connection.execute("CREATE TABLE T (A, B)")
    connection.close()
    text = proposed(seen(tmp_path))
    assert tomllib.loads(text) == {}
    assert "没有找到像病人的表" in text


@pytest.mark.parametrize(
    ("url", "status"), [("his.db", 2), ("nosuchdb://u:secret@x/y", 2), ("sqlite:///nowhere.db", 1)]
)
def test_what_is_no_database(yilian: Run, url: str, status: int) -> None:
    told = yilian("adapter", "inspect", url, status=status).stderr
    assert "✗" in told
    assert "secret" not in told
