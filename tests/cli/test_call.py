"""``yilian call``: typed by the WSDL, told as a table, wrong only in clear words."""

from __future__ import annotations

import json

import pytest

from services.his_service import columns_of
from tests.cli.test_commands import refusal, yilian
from tests.conftest import Alliance
from yilian.demo.plan import PATIENT


def url(alliance: Alliance, service: str, code: str = "hx") -> str:
    return f"{alliance.plan.gateway}/{code}/{service}?wsdl"


@pytest.mark.parametrize("code", ["hx", "sq"])
def test_delimited_rows_become_columns(alliance: Alliance, code: str) -> None:
    wsdl = url(alliance, "HisService.asmx", code)
    done = yilian("call", wsdl, "getlabmaster", f"PatientId={PATIENT}", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert "检验单号" in done.stdout
    for column in columns_of("getlabmaster"):
        assert column in done.stdout
    assert "还有" in done.stdout and "more" in done.stdout
    assert "|" not in done.stdout.replace("||", "")


def test_typed_records_become_a_table(alliance: Alliance) -> None:
    done = yilian("call", url(alliance, "LabResults"), "QueryLabMaster", f"PatientId={PATIENT}")
    assert done.returncode == 0, done.stderr
    assert "ResultStatus" in done.stdout and "结果状态" in done.stdout


def test_a_record_with_a_list_shows_both(alliance: Alliance) -> None:
    wsdl = url(alliance, "LabResults")
    masters = yilian("call", wsdl, "QueryLabMaster", f"PatientId={PATIENT}", "--json").stdout
    number = next(master["TestNo"] for master in json.loads(masters) if master["Final"])
    done = yilian("call", wsdl, "GetLabResult", f"TestNo={number}")
    assert done.returncode == 0, done.stderr
    assert number in done.stdout and "ItemName" in done.stdout


def test_without_an_operation_everything_is_listed(alliance: Alliance) -> None:
    done = yilian("call", url(alliance, "NumberSource"))
    assert "QueryNumberSource" in done.stdout
    assert "ScheduleDate: date" in done.stdout
    assert "DeptCode?: string" in done.stdout or "DeptCode?" in done.stdout


@pytest.mark.parametrize(
    ("service", "words", "said"),
    [
        ("LabResults", ["Nothing"], "QueryLabMaster、GetLabResult"),
        ("LabResults", ["QueryLabMaster", "patientid=1"], "PatientId"),
        ("LabResults", ["QueryLabMaster"], "缺少参数 PatientId"),
        ("LabResults", ["QueryLabMaster", "PatientId"], "名称=值"),
        ("LabResults", ["QueryLabMaster", "PatientId=1", "PatientId=2"], "写了两次"),
        ("NumberSource", ["QueryNumberSource", "ScheduleDate=21.11.2026"], "ScheduleDate=2026-"),
        ("NumberSource", ["QueryNumberSource", "ScheduleDate=2026-02-30"], "应为 date"),
    ],
)
def test_a_wrong_call_says_what_would_be_right(
    alliance: Alliance, service: str, words: list[str], said: str
) -> None:
    assert said in refusal(yilian("call", url(alliance, service), *words), 2)


def test_a_fault_is_shown_as_one(alliance: Alliance) -> None:
    done = yilian("call", url(alliance, "LabResults"), "GetLabResult", "TestNo=none")
    assert "Fault NotFound" in refusal(done, 1)


def test_a_negative_result_is_an_error(alliance: Alliance) -> None:
    done = yilian("call", url(alliance, "HisService.asmx"), "getlabresult", "TestNo=none")
    assert "getlabresult 返回 -2" in refusal(done, 1)


def test_no_service_there() -> None:
    assert "无法取得 WSDL" in refusal(yilian("call", "http://127.0.0.1:9/x", "y"), 1)
