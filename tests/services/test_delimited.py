"""Delimited rows: no value breaks one, and a legacy client always gets an int and a string."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import delimited, his_service
from services.faults import NotFound, SourceTimeout
from services.lab_results import LabReport, LabResultItem
from tests.rows import MASTER, SLOT

OPERATIONS = {operation.name: operation for operation in his_service.OPERATIONS}


def call(name: str, answer: Any, **strings: str | None) -> tuple[int, str]:
    asked: dict[str, Any] = {}

    async def invoke(**arguments: Any) -> Any:
        asked.update(arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = asyncio.run(delimited.bind(OPERATIONS[name], invoke)(**strings))
    call.asked = asked  # type: ignore[attr-defined]
    return result


def test_getlabmaster_has_the_papers_17_fields_in_its_order() -> None:
    columns = (
        "TestNo Name ChargeType Sex Age TestCause RelevantClinicDiag Specimen NotesForSpcm "
        "OrderingDept RequestedDateTime ResultsRptDateTime OrderingProvider PerformedBy WorkingId "
        "Transcriptionist VerifiedBy"
    )
    assert " ".join(his_service.columns_of("getlabmaster")) == columns
    assert call("getlabmaster", [MASTER], PatientId="0000000001", str=None) == (
        1,
        "2611210001|张伟|自费|男|45||高血压|血||心内科|2026-11-20 08:30:00|2026-11-20 15:10:05"
        "|王建国|检验科|A01|李敏|赵静?",
    )


def test_only_a_confirmed_report_looks_like_one_and_void_tests_are_left_out() -> None:
    waiting = replace(MASTER, ResultStatus="3", Final=False)
    void = replace(MASTER, ResultStatus="7", Final=False)
    count, text = call("getlabmaster", [waiting, void], PatientId="1")
    ((row,)) = delimited.split(text)
    assert count == 1
    assert row[11] == "" and row[16] == ""


def test_results_are_told_once_confirmed() -> None:
    item = LabResultItem("1", "WBC", "白细胞", "6.2", "10^9/L", "H", "3.5-9.5", None)
    report = LabReport("1", "1", "3", False, [item])
    assert call("getlabresult", report, TestNo="1") == (0, "")
    assert call("getlabresult", replace(report, Final=True), TestNo=" 1 ") == (
        1,
        "1|WBC|白细胞|6.2|10^9/L|H|3.5-9.5|?",
    )
    assert call.asked == {"TestNo": "1"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text", ["2026-11-21", "20261121", "2026/11/21", "2026.11.21", "2026-11-21 08:00:00"]
)
def test_a_date_is_read_however_a_client_writes_it(text: str) -> None:
    count, rows = call("getclinicforregist", [SLOT], ClinicDate=text)
    assert call.asked == {"ScheduleDate": date(2026, 11, 21)}  # type: ignore[attr-defined]
    assert rows == "20261121-0301A-1|0301A|心内专家|0301|心内科|||1||1|||1|0|1|1.00|10|三层?"
    assert count == 1


@pytest.mark.parametrize(
    ("name", "strings", "code", "words"),
    [
        ("getlabmaster", {}, -1, "PatientId"),
        ("getlabmaster", {"PatientId": "  "}, -1, "PatientId"),
        ("getlabmaster", {"PatientId": "x" * 33}, -1, "32"),
        ("getclinicforregist", {"ClinicDate": "2026-02-30"}, -1, "ClinicDate"),
        ("getclinicforregist", {"ClinicDate": "tomorrow"}, -1, "2026-11-21"),
    ],
)
def test_a_bad_argument_is_minus_one_and_says_which(
    name: str, strings: dict[str, str], code: int, words: str
) -> None:
    result, message = call(name, [], **strings)
    assert result == code and words in message
    assert not set(message) & set("|?\n")


@pytest.mark.parametrize(
    ("fault", "code"), [(NotFound("没有", "none|?"), -2), (SourceTimeout("超时", "late"), -4)]
)
def test_a_fault_is_its_number_and_its_message(fault: Exception, code: int) -> None:
    result, message = call("getlabresult", fault, TestNo="9")
    assert result == code and message == str(fault).replace("|", "｜").replace("?", "？")


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_whatever_the_values_every_row_splits_into_17_fields(
    texts: list[tuple[str, str, str]],
) -> None:
    masters = [replace(MASTER, Name=a, RelevantClinicDiag=b, VerifiedBy=c) for a, b, c in texts]
    count, text = call("getlabmaster", masters, PatientId="1")
    rows = delimited.split(text)
    assert count == len(rows) == len(masters)
    for (a, b, c), row in zip(texts, rows, strict=True):
        assert len(row) == 17
        assert [row[1], row[6], row[16]] == [delimited.clean(value) for value in (a, b, c)]


@given(st.text())
def test_clean_loses_nothing_but_line_breaks_and_what_xml_cannot_carry(text: str) -> None:
    cleaned = delimited.clean(text)
    assert not set(cleaned) & set("|?\r\n")
    if not any(c in "|?\r\n\x85\u2028\u2029\x7f" or ord(c) < 32 for c in text):
        kept = "".join(" " if 0xD800 <= ord(c) < 0xE000 or c in "\ufffe\uffff" else c for c in text)
        assert cleaned == kept
