"""getlabmaster as legacy clients send it: bytes through the gateway to both hospitals."""

from __future__ import annotations

import pytest

from tests.conftest import Alliance
from tests.e2e import raw
from tests.e2e.databases import lab_tests
from yilian.demo.plan import PATIENT

HOSPITALS = pytest.mark.parametrize("code", ["hx", "sq"])
ACTION = raw.TEMPURI + "getlabmaster"


def his_service(alliance: Alliance, code: str) -> str:
    return f"{alliance.plan.gateway}/{code}/HisService.asmx"


def check(answer: raw.Answer, alliance: Alliance, code: str) -> None:
    """Every living test of the patient, each in 17 fields, its text as the database has it."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].lower() == "text/xml; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(answer.body)
    result, rows = answer.delimited("getlabmaster")
    expected = {test.number: test for test in lab_tests(alliance, code, PATIENT)}
    assert result == len(rows) == len(expected) >= 5
    assert {len(row) for row in rows} == {17}
    for row in rows:
        test = expected[row[0]]
        assert (row[1], row[6], row[8]) == (test.name, test.diagnosis, test.notes)


@HOSPITALS
@pytest.mark.parametrize("ref", ["<str></str>", "<str/>", ""])
def test_powerbuilder(alliance: Alliance, code: str, ref: str) -> None:
    body = raw.powerbuilder(PATIENT, ref)
    answer = raw.post(his_service(alliance, code), body, *raw.soap_headers(ACTION))
    check(answer, alliance, code)


@HOSPITALS
def test_wsdl_exe(alliance: Alliance, code: str) -> None:
    body = raw.dotnet("getlabmaster", raw.TEMPURI, f"<PatientId>{PATIENT}</PatientId><str></str>")
    answer = raw.post(
        his_service(alliance, code), body, *raw.soap_headers(ACTION), expect_continue=True
    )
    check(answer, alliance, code)


@HOSPITALS
@pytest.mark.parametrize("charset", ["gbk", "gb2312", "GB18030"])
def test_a_chinese_charset(alliance: Alliance, code: str, charset: str) -> None:
    text = raw.powerbuilder(PATIENT, "<str>朱镕喆的检验</str>").decode()
    body = text.replace('encoding="UTF-8"', f'encoding="{charset}"').encode("gb18030")
    answer = raw.post(his_service(alliance, code), body, *raw.soap_headers(ACTION, charset))
    check(answer, alliance, code)


@HOSPITALS
def test_an_awkward_row_has_17_fields_and_its_delimiters_in_full_width(
    alliance: Alliance, code: str
) -> None:
    answer = raw.post(
        his_service(alliance, code), raw.powerbuilder(PATIENT), *raw.soap_headers(ACTION)
    )
    _, rows = answer.delimited("getlabmaster")
    awkward = [
        test
        for test in lab_tests(alliance, code, PATIENT)
        if all(mark in (test.raw_diagnosis or "") for mark in "|?\n")
    ]
    assert awkward, "the demo data promise such a test at each hospital"
    for test in awkward:
        (row,) = (row for row in rows if row[0] == test.number)
        assert len(row) == 17
        assert "｜" in row[6] and "？" in row[6]
        assert not set(row[6]) & set("|?\r\n")


def test_a_business_error_is_an_answer(alliance: Alliance) -> None:
    answer = raw.post(his_service(alliance, "hx"), raw.powerbuilder(""), *raw.soap_headers(ACTION))
    assert answer.status == 200
    assert int(answer.text("getlabmasterResult")) < 0
    assert "PatientId" in answer.text("str")


def test_a_typed_call_of_a_dotnet_proxy(alliance: Alliance) -> None:
    namespace = "urn:yilian:LabResults:1"
    body = raw.dotnet("QueryLabMaster", namespace, f"<PatientId>{PATIENT}</PatientId>")
    for code in ("hx", "sq"):
        answer = raw.post(
            f"{alliance.plan.gateway}/{code}/LabResults",
            body,
            *raw.soap_headers(f"{namespace}/QueryLabMaster"),
            expect_continue=True,
        )
        assert answer.status == 200, answer.body
        numbers = answer.envelope.xpath("//*[local-name() = 'TestNo']/text()")
        kept = {test.number for test in lab_tests(alliance, code, PATIENT, void=True)}
        assert set(map(str, numbers)) == kept
