"""LabResults over junwei and over a bsoft LIS: the contract's rules, on rows with known values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from adapters.junwei import tables
from services.faults import NotFound, SourceError
from tests.adapters.conftest import Database, Opener
from yilian.demo_data.community_lis import make_tables

P = "0000000001"

# Field of the contract: its column in either database.
JUNWEI = {
    **{"TestNo": "TEST_NO", "PatientId": "PATIENT_ID", "Name": "NAME", "Sex": "SEX"},
    **{"ChargeType": "CHARGE_TYPE", "Age": "AGE", "TestCause": "TEST_CAUSE"},
    **{"RelevantClinicDiag": "RELEVANT_CLINIC_DIAG", "Specimen": "SPECIMEN"},
    **{"NotesForSpcm": "NOTES_FOR_SPCM", "OrderingDept": "ORDERING_DEPT"},
    **{"RequestedDateTime": "REQUESTED_DATE_TIME", "WorkingId": "WORKING_ID"},
    **{"ResultsRptDateTime": "RESULTS_RPT_DATE_TIME", "PerformedBy": "PERFORMED_BY"},
    **{"OrderingProvider": "ORDERING_PROVIDER", "Transcriptionist": "TRANSCRIPTIONIST"},
    **{"VerifiedBy": "VERIFIED_BY", "ResultStatus": "RESULT_STATUS"},
}
LIS = {
    **{"TestNo": "SAMPLENO", "PatientId": "PATIENTID", "Name": "PATIENTNAME", "Sex": "SEX"},
    **{"ChargeType": "PAYTYPE", "Age": "AGE", "TestCause": "TESTAIM"},
    **{"RelevantClinicDiag": "DIAGNOSE", "Specimen": "SAMPLETYPE"},
    **{"NotesForSpcm": "SAMPLENOTE", "OrderingDept": "REQDEPT", "RequestedDateTime": "REQTIME"},
    **{"WorkingId": "WORKNO", "ResultsRptDateTime": "REPORTTIME", "PerformedBy": "EXECDEPT"},
    **{"OrderingProvider": "REQDOCTOR", "Transcriptionist": "REPORTER"},
    **{"VerifiedBy": "CHECKER", "ResultStatus": "STATUS"},
}


class Hospital:
    """A laboratory's database, written in the contract's words."""

    def __init__(self, database: Database, opened: Opener, adapter: str) -> None:
        self.database = database
        self.adapter = adapter
        self._opened = opened
        self._columns = JUNWEI if adapter == "junwei" else LIS
        self.head_table = "LAB_TEST_MASTER" if adapter == "junwei" else "LIS_SAMPLE"
        if adapter == "junwei":
            database.create(tables.METADATA)
            database.insert("DEPT_DICT", DEPT_CODE="0301", DEPT_NAME="心内科")
            database.insert("DEPT_DICT", DEPT_CODE="2001    ", DEPT_NAME="检验科  ")
        else:
            make_tables(database._connection)
            database.insert("LIS_DEPT", DEPTCODE="0301", DEPTNAME="心内科")
            database.insert("LIS_DEPT", DEPTCODE="2001    ", DEPTNAME="检验科  ")

    def column(self, field: str) -> str:
        return self._columns[field]

    def test(self, number: str, **values: Any) -> None:
        row = {"TestNo": number, "PatientId": P, **values}
        self.database.insert(self.head_table, **{self._columns[k]: v for k, v in row.items()})

    def result(self, number: str, code: str, order: int, **values: Any) -> None:
        if self.adapter == "junwei":
            names = {"name": "REPORT_ITEM_NAME", "result": "RESULT", "units": "UNITS"}
            names |= {"mark": "ABNORMAL_INDICATOR", "at": "RESULT_DATE_TIME"}
            names |= {"reference": "PRINT_CONTEXT"}
            row = {"TEST_NO": number, "ITEM_NO": 1, "PRINT_ORDER": order, "REPORT_ITEM_CODE": code}
            table = "LAB_RESULT"
        else:
            names = {"name": "CHINESENAME", "result": "TESTRESULT", "units": "UNIT"}
            names |= {"mark": "HINT", "at": "CHECKTIME", "reference": "REFRANGE"}
            row = {"SAMPLENO": number, "TESTID": code, "PRINTORD": order}
            table = "LIS_RESULT"
        self.database.insert(table, **row, **{names[k]: v for k, v in values.items()})

    def open(self, **settings: Any) -> Any:
        if self.adapter == "bsoft_lis":
            settings = {"reference_column": "REFRANGE", "print_order_column": "PRINTORD"} | settings
        return self._opened(self.database.path, self.adapter, **settings)


@pytest.fixture(params=["junwei", "bsoft_lis"])
def hospital(request: pytest.FixtureRequest, database: Database, opened: Opener) -> Hospital:
    return Hospital(database, opened, request.param)


def test_all_fields(hospital: Hospital) -> None:
    hospital.test(
        "2611200001",
        **{"Name": "张伟", "ChargeType": "职工医保", "Sex": "男", "Age": 45, "TestCause": "查体"},
        **{"RelevantClinicDiag": "高血压病", "Specimen": "静脉血", "NotesForSpcm": "空腹"},
        **{"OrderingDept": "0301", "RequestedDateTime": "2026-11-20 08:30:00"},
        **{"ResultsRptDateTime": "2026-11-20 15:10:00", "OrderingProvider": "王建国"},
        **{"PerformedBy": "2001", "WorkingId": "A01", "Transcriptionist": "李敏"},
        **{"VerifiedBy": "赵静", "ResultStatus": "4"},
    )
    (one,) = hospital.open().QueryLabMaster(P)
    assert one.TestNo == "2611200001"
    assert (one.Name, one.ChargeType, one.Sex, one.Age) == ("张伟", "职工医保", "1", 45)
    assert (one.TestCause, one.RelevantClinicDiag) == ("查体", "高血压病")
    assert (one.Specimen, one.NotesForSpcm) == ("静脉血", "空腹")
    assert (one.OrderingDept, one.PerformedBy) == ("心内科", "检验科")
    assert one.RequestedDateTime == datetime(2026, 11, 20, 8, 30)
    assert one.ResultsRptDateTime == datetime(2026, 11, 20, 15, 10)
    assert (one.OrderingProvider, one.WorkingId) == ("王建国", "A01")
    assert (one.Transcriptionist, one.VerifiedBy) == ("李敏", "赵静")
    assert (one.ResultStatus, one.Final) == ("4", True)


def test_a_row_of_nulls(hospital: Hospital) -> None:
    hospital.test("1")
    (one,) = hospital.open().QueryLabMaster(P)
    values = {name: getattr(one, name) for name in type(one).__dataclass_fields__}
    expected = {"TestNo": "1", "ResultStatus": "9", "Final": False, "Printed": False}
    assert {name: value for name, value in values.items() if value is not None} == expected


@pytest.mark.parametrize(
    ("stored", "status"),
    [(code, code) for code in "0123479"] + [(None, "9"), (" ", "9"), ("5", "9"), ("4 ", "4")],
)
def test_only_a_confirmed_report_is_final(hospital: Hospital, stored: Any, status: str) -> None:
    hospital.test("1", ResultStatus=stored, VerifiedBy="赵静")
    hospital.result("1", "WBC", 1, result="6.21")
    adapter = hospital.open()
    (master,) = adapter.QueryLabMaster(P)
    report = adapter.GetLabResult("1")
    assert (master.ResultStatus, master.Final) == (status, status == "4")
    assert (report.ResultStatus, report.Final) == (status, status == "4")
    assert [item.Result for item in report.Items] == (["6.21"] if status in ("3", "4") else [])


def test_padding_goes_and_everything_else_stays(hospital: Hospital) -> None:
    hospital.test(
        "1",
        **{"Name": "𠮷田花   ", "RelevantClinicDiag": " a|b?c\r\nd\n", "NotesForSpcm": "   "},
        **{"OrderingDept": "0301    ", "PerformedBy": "2001", "Sex": "女  "},
    )
    (one,) = hospital.open().QueryLabMaster(P)
    assert (one.Name, one.RelevantClinicDiag, one.NotesForSpcm) == (
        *("𠮷田花", " a|b?c\r\nd\n", None),
    )
    assert (one.OrderingDept, one.PerformedBy, one.Sex) == ("心内科", "检验科", "2")


def test_a_department_that_nobody_named_stands_as_its_code(hospital: Hospital) -> None:
    hospital.test("1", OrderingDept="0999", PerformedBy="外送")
    (one,) = hospital.open().QueryLabMaster(P)
    assert (one.OrderingDept, one.PerformedBy) == ("0999", "外送")


@pytest.mark.parametrize(
    ("stored", "sex"),
    [
        *[("男", "1"), ("女", "2"), ("1", "1"), ("2", "2"), ("0", "0"), ("9", "9"), ("M", "1")],
        *[("未知", "0"), ("未说明", "9"), ("?", "0"), (None, None), ("  ", None)],
    ],
)
def test_sex(hospital: Hospital, stored: Any, sex: str | None) -> None:
    hospital.test("1", Sex=stored)
    (one,) = hospital.open().QueryLabMaster(P)
    assert one.Sex == sex


@pytest.mark.parametrize(
    ("stored", "age"),
    [
        *[(0, 0), (200, 200), (201, None), (-1, None), ("45", 45), ("45岁", 45), ("8月", 0)],
        *[("12天", 0), ("不详", None), (None, None)],
    ],
)
def test_age(hospital: Hospital, stored: Any, age: int | None) -> None:
    hospital.test("1", Age=stored)
    (one,) = hospital.open().QueryLabMaster(P)
    assert one.Age == age


def test_order_and_bounds(hospital: Hospital) -> None:
    for number, at in (
        *(("1", "2026-01-01 00:00:00"), ("2", "2026-01-02 00:00:00"), ("3", None)),
        *(("4", "2026-01-02 00:00:00"), ("5", None)),
    ):
        hospital.test(number, RequestedDateTime=at)
    hospital.test("6", PatientId="0000000002")
    adapter = hospital.open()

    def numbers(*bounds: datetime | None) -> str:
        return "".join(one.TestNo for one in adapter.QueryLabMaster(P, *bounds))

    assert numbers() == "42153"
    assert numbers(datetime(2026, 1, 1), None) == "421"
    assert numbers(datetime(2026, 1, 1, 0, 0, 0, 1), None) == "42"
    assert numbers(None, datetime(2026, 1, 2)) == "1"
    assert numbers(None, datetime(2026, 1, 2, 0, 0, 1)) == "421"
    assert numbers(datetime(2026, 1, 2), datetime(2026, 1, 2)) == ""
    assert adapter.QueryLabMaster("nobody") == []


def test_an_item_with_everything(hospital: Hospital) -> None:
    hospital.test("1", ResultStatus="4")
    hospital.result(
        "1", "WBC", 1, name="白细胞", result="满视野|?\n复查  ", units="10^9/L", mark="H",
        at="2026-11-20 14:55:00", reference="3.5-9.5",
    )  # fmt: skip
    report = hospital.open().GetLabResult("1")
    (item,) = report.Items
    assert (report.TestNo, report.PatientId) == ("1", P)
    assert (item.ItemNo, item.ItemCode, item.ItemName) == ("1", "WBC", "白细胞")
    assert (item.Result, item.Units, item.Abnormal) == ("满视野|?\n复查", "10^9/L", "H")
    assert (item.Reference, item.ResultDateTime) == ("3.5-9.5", datetime(2026, 11, 20, 14, 55))


def test_items_come_in_print_order(hospital: Hospital) -> None:
    hospital.test("1", ResultStatus="3")
    for order, code in ((10, "A"), (2, "B"), (1, "C")):
        hospital.result("1", code, order)
    hospital.test("2", ResultStatus="4")
    hospital.result("2", "X", 1)
    items = hospital.open().GetLabResult("1").Items
    assert [(item.ItemNo, item.ItemCode) for item in items] == [("1", "C"), ("2", "B"), ("3", "A")]


@pytest.mark.parametrize(
    ("mark", "flag"),
    [
        *[("N", "N"), ("H", "H"), ("L", "L"), ("↑", "H"), ("↓", "L"), (None, "U"), (" ", "U")],
        # A mark that the table does not know is not hidden.
        *[("!", "A")],
    ],
)
def test_abnormal_marks(hospital: Hospital, mark: Any, flag: str) -> None:
    hospital.test("1", ResultStatus="4")
    hospital.result("1", "A", 1, mark=mark)
    (item,) = hospital.open().GetLabResult("1").Items
    assert item.Abnormal == flag
    (item,) = hospital.open(abnormal_marks={"!": "L"}).GetLabResult("1").Items
    assert item.Abnormal == ("L" if mark == "!" else "U" if flag == "U" else "A")


def test_an_unknown_number(hospital: Hospital) -> None:
    hospital.test("1")
    for number in ("2", "", "1 ", "' OR 1=1 --"):
        with pytest.raises(NotFound) as caught:
            hospital.open().GetLabResult(number)
        assert (caught.value.hospital, caught.value.field) == ("hx", "TestNo")


@pytest.mark.parametrize("field", ["RequestedDateTime", "ResultsRptDateTime"])
def test_an_unreadable_time_is_named(hospital: Hospital, field: str) -> None:
    hospital.test("2611200001", **{field: "昨天", "Name": "张伟"})
    with pytest.raises(SourceError) as caught:
        hospital.open().QueryLabMaster(P)
    for word in (hospital.head_table, "2611200001", hospital.column(field), "hx", "his"):
        assert word in str(caught.value)
    assert "张伟" not in str(caught.value)
    assert caught.value.field == hospital.column(field)


def test_a_report_needs_a_patient(hospital: Hospital) -> None:
    hospital.test("1", PatientId=None, ResultStatus="4")
    with pytest.raises(SourceError, match=hospital.column("PatientId")):
        hospital.open().GetLabResult("1")


def test_an_unreadable_result_is_named(hospital: Hospital) -> None:
    hospital.test("1", ResultStatus="4")
    hospital.result("1", "WBC", 7, at="soon")
    with pytest.raises(SourceError) as caught:
        hospital.open().GetLabResult("1")
    where = "ITEM_NO=1, PRINT_ORDER=7" if hospital.adapter == "junwei" else "TESTID=WBC"
    assert where in caught.value.zh


def test_padded_keys(hospital: Hospital) -> None:
    width = 10 if hospital.adapter == "junwei" else 16
    hospital.test("77".ljust(width), PatientId="12".ljust(width), ResultStatus="4")
    hospital.result("77".ljust(width), "A", 1)
    settings: dict[str, Any] = {"char_padding": "characters"}
    if hospital.adapter == "bsoft_lis":
        settings["key_width"] = width
    assert hospital.open().QueryLabMaster("12") == []
    adapter = hospital.open(**settings)
    (master,) = adapter.QueryLabMaster("12")
    report = adapter.GetLabResult("77")
    assert (master.TestNo, report.TestNo, report.PatientId) == ("77", "77", "12")
    assert len(report.Items) == 1


def test_the_code_table_is_kept_and_read_anew(hospital: Hospital) -> None:
    hospital.test("1", OrderingDept="0301")
    keeping, asking = hospital.open(), hospital.open(dictionary_seconds=0)
    name = "DEPT_NAME" if hospital.adapter == "junwei" else "DEPTNAME"
    table = "DEPT_DICT" if hospital.adapter == "junwei" else "LIS_DEPT"

    def names() -> list[str]:
        return [adapter.QueryLabMaster(P)[0].OrderingDept for adapter in (keeping, asking)]

    assert names() == ["心内科", "心内科"]
    hospital.database.script(f"UPDATE {table} SET {name} = '新名'")
    assert names() == ["心内科", "新名"]


def test_panels_of_one_junwei_test(database: Database, opened: Opener) -> None:
    hospital = Hospital(database, opened, "junwei")
    hospital.test("1", ResultStatus="4")
    for item, order, code in ((1, 1, "A"), (1, 3, "B"), (2, 2, "C"), (2, 4, "D")):
        database.insert(
            "LAB_RESULT", TEST_NO="1", ITEM_NO=item, PRINT_ORDER=order, REPORT_ITEM_CODE=code
        )

    def codes(**settings: str) -> str:
        return "".join(item.ItemCode for item in hospital.open(**settings).GetLabResult("1").Items)

    assert codes() == "ABCD"
    assert codes(print_order="report") == "ACBD"


def test_a_junwei_without_reference_ranges(database: Database, opened: Opener) -> None:
    hospital = Hospital(database, opened, "junwei")
    hospital.test("1", ResultStatus="4")
    hospital.result("1", "A", 1, reference="第一页")
    (item,) = hospital.open(reference_column="").GetLabResult("1").Items
    assert item.Reference is None


def test_a_lis_of_its_own_names_and_states(database: Database, opened: Opener) -> None:
    database.script(
        'CREATE TABLE "标本" ("条码" TEXT, "病人" TEXT, "申请" TEXT, "状态" TEXT, "姓名" TEXT);'
        "CREATE TABLE V_LIS_TESTRESULT (SAMPLENO TEXT, TESTID TEXT, CHINESENAME TEXT,"
        " TESTRESULT TEXT, HINT TEXT, UNIT TEXT, CHECKTIME TEXT);"
    )
    named = {"TestNo": "条码", "PatientId": "病人", "RequestedDateTime": "申请"}
    named |= {"ResultStatus": "状态", "Name": "姓名"}
    absent = dict.fromkeys(LIS.keys() - named.keys(), "")
    adapter = opened(
        database.path,
        "bsoft_lis",
        sample_table="标本",
        sample_columns=named | absent,
        statuses={"已审": "4", "初审": "3"},
        department_table="",
    )
    for number, state in (("b2", "初审"), ("b1", "已审"), ("b0", "打印")):
        database.insert("标本", 条码=number, 病人=P, 状态=state, 姓名="张伟")
    for code in ("B", "A"):
        database.insert("V_LIS_TESTRESULT", SAMPLENO="b1", TESTID=code)
    adapter.check()
    found = [(m.TestNo, m.Name, m.ResultStatus, m.Sex) for m in adapter.QueryLabMaster(P)]
    assert found == [
        *[("b2", "张伟", "3", None), ("b1", "张伟", "4", None), ("b0", "张伟", "9", None)]
    ]
    assert [(i.ItemCode, i.Reference) for i in adapter.GetLabResult("b1").Items] == [
        *[("A", None), ("B", None)]
    ]
