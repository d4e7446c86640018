"""``yilian call``: typed by the WSDL, told as a table, wrong only in clear words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.his_service import columns_of
from tests.cli.test_commands import refusal, yilian
from tests.conftest import PROJECT, Alliance
from tests.web_site import web_site
from yilian.demo.plan import PATIENT
from yilian.refused import Refused
from yilian.soap_client import SoapClient

ORDERING = str(PROJECT / "wsdl" / "Ordering.wsdl")
ORDER = {
    "RequestId": "r1",
    "Patient.Name": "张伟",
    "Patient.Sex": "1",
    "Patient.BirthDate": "1980-02-29",
    "Items.OrderLine.0.ItemCode": "BRT",
    "Items.OrderLine.1.ItemCode": "CRP",
    "ClinicalDiagnosis": "发热",
    "VirtualDept": "9001",
    "OrderingProvider": "李医生",
}


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


@pytest.mark.parametrize("code", ["hx", "sq"])
def test_both_demo_hospitals_take_a_print_mark(alliance: Alliance, code: str) -> None:
    wsdl = url(alliance, "LabResults", code)
    masters = yilian("call", wsdl, "QueryLabMaster", f"PatientId={PATIENT}", "--json").stdout
    number = next(master["TestNo"] for master in json.loads(masters) if master["Final"])
    words = ["RequestId=print-1", f"TestNo={number}", "--json"]
    done = yilian("call", wsdl, "MarkLabPrinted", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Printed"] is True


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


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """The address of a server that answers every GET so."""
    with web_site(lambda path: (status, [body.encode()])) as url:
        yield f"{url}/hx/X"


@pytest.mark.parametrize("status", [404, 500])
def test_a_fault_instead_of_a_wsdl_is_shown_once(status: int) -> None:
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        "<faultcode>s:Client</faultcode><faultstring>没有服务 X / no service X</faultstring>"
        "</s:Fault></s:Body></s:Envelope>"
    )
    with answering(status, fault) as address:
        said = refusal(yilian("call", address), 1)
    assert said.count("没有服务 X / no service X") == 1
    assert f"HTTP {status}" in said and "Error" not in said


def test_an_error_page_instead_of_a_wsdl_is_its_status() -> None:
    with answering(503, "<html>busy") as address:
        said = refusal(yilian("call", address), 1)
    assert "HTTP 503" in said and "html" not in said


def test_what_the_gateway_says_of_an_unknown_service(alliance: Alliance) -> None:
    said = refusal(yilian("call", url(alliance, "Nothing")), 1)
    assert "HTTP " in said and "for url" not in said


@pytest.mark.parametrize("location", ["notaurl", "ftp://x/y", "/no/such.wsdl", str(PROJECT)])
def test_what_is_neither_an_address_nor_a_file(location: str) -> None:
    said = refusal(yilian("call", location), 2)
    assert "http(s)" in said and location in said


@pytest.mark.parametrize("address", ["http:///x", "http://[::1"])
def test_an_address_that_is_none(address: str) -> None:
    assert "地址写得不对" in refusal(yilian("call", address), 1)


def test_a_file_that_is_no_wsdl(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("not xml")
    assert "不是 XML" in refusal(yilian("call", str(file)), 1)
    file.write_text("<html/>")
    refusal(yilian("call", str(file)), 1)


def test_a_file_is_listed_with_base_types_lengths_and_nested_arguments() -> None:
    said = yilian("call", ORDERING).stdout
    assert "RequestId: string ≤64" in said
    assert "Patient.Name: string ≤64" in said
    assert "At: dateTime" in said
    assert "Items.OrderLine.0.ItemCode" in said and "嵌套" in said
    assert "Patient.Name=" in yilian("call", "--help").stdout


def test_dotted_arguments_become_records_and_lists() -> None:
    client = SoapClient(ORDERING)
    made = client.typed("PlaceLabOrder", ORDER)
    assert made["Items"] == {"OrderLine": [{"ItemCode": "BRT"}, {"ItemCode": "CRP"}]}
    assert made["Patient"]["BirthDate"].isoformat() == "1980-02-29"
    sent = client._client.create_message(client._client.service, "PlaceLabOrder", **made)
    assert [one.text for one in sent.iter("{*}ItemCode")] == ["BRT", "CRP"]
    assert sent.findtext(".//{*}Patient/{*}Name") == "张伟"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Patient.Nme": "x"}, "没有参数 Patient.Nme"),
        ({"Patient.Name": None}, "缺少参数 Patient.Name"),
        ({"Patient.BirthDate": "29.02.1980"}, "Patient.BirthDate 应为 date"),
        ({"Items.OrderLine.0.ItemCode": None}, "Items.OrderLine 是列表"),
        ({"Items.OrderLine.ItemCode": "BRT"}, "Items.OrderLine 是列表"),
        ({"RequestId.x": "1"}, "RequestId.x 与另一个参数冲突"),
        ({"Patient": "张伟"}, "Patient 与另一个参数冲突"),
        ({"RequestId": None, "RequestId.x": "1"}, "RequestId 是 string，没有下级"),
    ],
)
def test_a_wrong_nested_argument_is_named(changes: dict[str, str | None], said: str) -> None:
    texts = {name: text for name, text in {**ORDER, **changes}.items() if text is not None}
    with pytest.raises(Refused) as refused:
        SoapClient(ORDERING).typed("PlaceLabOrder", texts)
    assert said in refused.value.zh


def test_a_record_written_as_one_value_says_how_it_is_written() -> None:
    texts = {name: text for name, text in ORDER.items() if not name.startswith("Patient.")}
    with pytest.raises(Refused) as refused:
        SoapClient(ORDERING).typed("PlaceLabOrder", {**texts, "Patient": "张伟"})
    assert "Patient 由几个字段组成" in refused.value.zh and "Patient.PatientId=" in refused.value.zh
