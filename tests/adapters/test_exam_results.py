"""ExamResults over junwei, and the printed and recognition marks of either laboratory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.junwei import Junwei, tables
from adapters.junwei.settings import JunweiSettings
from services.exam_results import ExamItem, ImageStudy
from services.faults import Conflict, NotFound, SourceError
from tests.adapters.conftest import Database, Opener
from tests.adapters.order_hospital import rows
from yilian.demo_data.community_lis import make_tables

P = "0000000001"
UID = "1.2.840.1"
VIEWER = "http://pacs.example/viewer?study={StudyUid}"


def examined(
    db: Database, number: str = "26E0000001", status: str | None = "4", **more: Any
) -> None:
    row = {
        **{"EXAM_NO": number, "PATIENT_ID": P, "NAME": "张伟  ", "SEX": "男", "EXAM_CLASS": "CT"},
        **{"EXAM_SUB_CLASS": "胸部", "CLIN_DIAG": "肺部感染", "REQ_DEPT": "0302"},
        **{"REQ_PHYSICIAN": "王建国", "REQ_DATE_TIME": "2026-11-20 08:30:00"},
        **{"EXAM_DATE_TIME": "2026-11-20 10:00:00", "REPORT_DATE_TIME": "2026-11-20 15:00:00"},
        **{"PERFORMED_BY": "2002", "REPORTER": "陈光", "CONFIRM_DOCT": "赵静"},
        **{"RESULT_STATUS": status, "STUDY_UID": UID},
    }
    db.insert("EXAM_MASTER", **{**row, **more})
    code = "CT1"
    db.insert("EXAM_ITEMS", EXAM_NO=number, EXAM_ITEM_NO=1, EXAM_ITEM="平扫", EXAM_ITEM_CODE=code)


def reported(db: Database, number: str = "26E0000001", **more: Any) -> None:
    row = {"DESCRIPTION": "两肺|纹理增多?\n未见实变", "IMPRESSION": "支气管炎", "IS_ABNORMAL": "1"}
    db.insert("EXAM_REPORT", EXAM_NO=number, **{**row, **more})


def hospital(db: Database, opened: Opener, *, read_only: bool = False, **settings: Any) -> Junwei:
    config = {"offers": ["ExamResults", "LabResults"], "read_only": read_only}
    adapter = opened(db.path, "junwei", config, **settings)
    assert isinstance(adapter, Junwei)
    return adapter


def test_a_master_with_everything(junwei_database: Database, opened: Opener) -> None:
    db = junwei_database
    db.insert("DEPT_DICT", DEPT_CODE="2002", DEPT_NAME="放射科")
    examined(db, REQ_DEPT="V001", PRINT_STATUS="1")
    db.insert("EXAM_ITEMS", EXAM_NO="26E0000001", EXAM_ITEM_NO=2, EXAM_ITEM="增强")
    settings = {"virtual_departments": {"V001": "石桥社区"}, "recognised_items": ["CT1"]}
    (one,) = hospital(db, opened, **settings).QueryExamMaster(P)
    assert (one.ExamNo, one.Name, one.Sex) == ("26E0000001", "张伟", "1")
    assert (one.ExamClass, one.ExamSubClass, one.ExamItems) == ("CT", "胸部", "平扫、增强")
    assert (one.ReqDept, one.ReqPhysician, one.PerformedBy) == ("石桥社区", "王建国", "放射科")
    assert one.ReqDateTime == datetime(2026, 11, 20, 8, 30)
    assert (one.ExamDateTime, one.ReportDateTime) == (
        datetime(2026, 11, 20, 10),
        datetime(2026, 11, 20, 15),
    )
    assert (one.Reporter, one.VerifiedBy, one.ResultStatus) == ("陈光", "赵静", "4")
    assert (one.Final, one.Printed, one.StudyUid) == (True, True, UID)
    assert one.RecognitionMark is None  # 增强 is not recognised


@pytest.mark.parametrize("status", ["0", "1", "2", "3", "4", "7", "9", None, "5"])
def test_only_a_confirmed_report_is_final_and_recognised(
    junwei_database: Database, opened: Opener, status: str | None
) -> None:
    examined(junwei_database, status=status)
    reported(junwei_database)
    adapter = hospital(junwei_database, opened, recognised_items=["CT1"], image_url=VIEWER)
    (master,) = adapter.QueryExamMaster(P)
    report = adapter.GetExamReport("26E0000001")
    told = "9" if status in (None, "5") else status
    final = status == "4"
    assert (master.ResultStatus, master.Final) == (told, final)
    assert (report.ResultStatus, report.Final) == (told, final)
    assert (master.RecognitionMark, report.RecognitionMark) == (
        ("HR",) * 2 if final else (None,) * 2
    )
    shown = status in ("3", "4")
    assert report.Impression == ("支气管炎" if shown else None)
    assert report.Abnormal == (True if shown else None)
    assert bool(report.Images) == (status != "7")


def test_a_report_with_its_images(junwei_database: Database, opened: Opener) -> None:
    db = junwei_database
    examined(db, STUDY_UID="1.2&x= 3")
    reported(db, EXAM_PARA="120kV", RECOMMENDATION="随访", IS_ABNORMAL="0")
    db.insert(
        "PACSSTUDY",
        **{"SUID": "1.2&x= 3", "MODALITY": "CT", "SDATE": "2026-11-20 10:00:00"},
        **{"STUDYDESC": "CHEST", "IMGSUM": "120"},
    )
    report = hospital(db, opened, image_url=VIEWER).GetExamReport("26E0000001")
    assert (report.PatientId, report.ExamPara, report.Abnormal) == (P, "120kV", False)
    assert report.Description == "两肺|纹理增多?\n未见实变"
    assert report.Recommendation == "随访"
    assert report.Items == [ExamItem(1, "CT1", "平扫")]
    address = "http://pacs.example/viewer?study=1.2%26x%3D%203"
    taken = datetime(2026, 11, 20, 10)
    assert report.Images == [ImageStudy("1.2&x= 3", "CT", taken, "CHEST", 120, address)]


def test_a_study_that_the_pacs_table_lacks(junwei_database: Database, opened: Opener) -> None:
    examined(junwei_database)
    assert hospital(junwei_database, opened).GetExamReport("26E0000001").Images == []
    (image,) = (
        hospital(junwei_database, opened, image_url=VIEWER).GetExamReport("26E0000001").Images
    )
    assert (image.StudyUid, image.ImageCount) == (UID, None)
    assert image.Url == "http://pacs.example/viewer?study=1.2.840.1"


def test_a_confirmed_examination_without_a_report_row(
    junwei_database: Database, opened: Opener
) -> None:
    examined(junwei_database, STUDY_UID=None)
    report = hospital(junwei_database, opened).GetExamReport("26E0000001")
    assert (report.Description, report.Abnormal, report.Images) == (None, None, [])


def test_order_and_period(junwei_database: Database, opened: Opener) -> None:
    for number, at in (("a", "20 08:30:00"), ("b", "21 00:00:00"), ("c", "20 08:30:00")):
        examined(junwei_database, number, REQ_DATE_TIME=f"2026-11-{at}")
    examined(junwei_database, "d", REQ_DATE_TIME=None)
    adapter = hospital(junwei_database, opened)

    def numbers(since: datetime | None = None, until: datetime | None = None) -> list[str]:
        return [one.ExamNo for one in adapter.QueryExamMaster(P, since, until)]

    assert numbers() == ["b", "c", "a", "d"]
    assert numbers(since=datetime(2026, 11, 21)) == ["b"]
    assert numbers(until=datetime(2026, 11, 21)) == ["c", "a"]
    assert adapter.QueryExamMaster("nobody") == []


def test_marked_as_printed_once_and_again(junwei_database: Database, opened: Opener) -> None:
    examined(junwei_database)
    examined(junwei_database, "26E0000002", "3")
    adapter = hospital(junwei_database, opened)
    assert adapter.MarkExamPrinted("p1", "26E0000001").Printed
    assert adapter.MarkExamPrinted("p1", "26E0000001").Printed
    assert adapter.MarkExamPrinted("p2", "26E0000001").Printed
    with pytest.raises(Conflict) as early:
        adapter.MarkExamPrinted("p3", "26E0000002")
    assert early.value.field == "ExamNo"
    with pytest.raises(NotFound):
        adapter.MarkExamPrinted("p4", "26E0000003")
    assert rows(junwei_database.path, "EXAM_MASTER", "PRINT_STATUS") == [("1",), (None,)]


def test_an_unknown_number_and_a_broken_row(junwei_database: Database, opened: Opener) -> None:
    examined(junwei_database, EXAM_DATE_TIME="soon")
    adapter = hospital(junwei_database, opened)
    with pytest.raises(NotFound):
        adapter.GetExamReport("nothing")
    with pytest.raises(SourceError) as broken:
        adapter.QueryExamMaster(P)
    for words in ("EXAM_MASTER", "EXAM_NO=26E0000001", "EXAM_DATE_TIME"):
        assert words in broken.value.zh


@pytest.mark.parametrize("url", ["pacs.example/{StudyUid}", "http://x/", "http://x/{StudyUid}{a}"])
def test_an_address_that_opens_no_study_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        JunweiSettings(image_url=url)


@pytest.mark.parametrize(
    "departments", [{"V00100001": "x"}, {"": "x"}, {"V1": " "}, {"五号虚拟科": "x"}]
)
def test_a_virtual_department_that_does_not_fit_is_refused(departments: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        JunweiSettings(virtual_departments=departments)


# --- laboratories: printed and recognised ---------------------------------------------------------


def lab_test(db: Database, adapter: str, number: str, status: str, *codes: str) -> None:
    if adapter == "junwei":
        db.insert("LAB_TEST_MASTER", TEST_NO=number, PATIENT_ID=P, RESULT_STATUS=status)
        for place, code in enumerate(codes, 1):
            db.insert("LAB_TEST_ITEMS", TEST_NO=number, ITEM_NO=place, ITEM_CODE=code)
            row = {"TEST_NO": number, "ITEM_NO": place, "PRINT_ORDER": 1}
            db.insert("LAB_RESULT", **row, REPORT_ITEM_CODE=f"{code}1", RESULT="1")
    else:
        db.insert("LIS_SAMPLE", SAMPLENO=number, PATIENTID=P, STATUS=status)
        for code in codes:
            db.insert("LIS_RESULT", SAMPLENO=number, TESTID=code, TESTRESULT="1")


@pytest.fixture(params=["junwei", "bsoft_lis"])
def laboratory(request: pytest.FixtureRequest, database: Database) -> tuple[str, Database]:
    if request.param == "junwei":
        database.create(tables.METADATA)
    else:
        make_tables(database._connection)
    return request.param, database


def test_a_test_is_recognised_with_all_of_its_items(
    laboratory: tuple[str, Database], opened: Opener
) -> None:
    name, db = laboratory
    lab_test(db, name, "1", "4", "A", "B")
    lab_test(db, name, "2", "4", "A", "C")
    lab_test(db, name, "3", "3", "A")
    lab_test(db, name, "4", "4")
    adapter = opened(db.path, name, recognised_items=["A", "B"])
    marks = {one.TestNo: one.RecognitionMark for one in adapter.QueryLabMaster(P)}
    assert marks == {"1": "HR", "2": None, "3": None, "4": None}
    items = [item.RecognitionMark for item in adapter.GetLabResult("2").Items]
    assert items == ["HR", None]
    assert [item.RecognitionMark for item in adapter.GetLabResult("3").Items] == [None]
    plain = opened(db.path, name)
    assert {one.RecognitionMark for one in plain.QueryLabMaster(P)} == {None}


def test_a_reported_item_may_be_recognised_by_itself(
    junwei_database: Database, opened: Opener
) -> None:
    lab_test(junwei_database, "junwei", "1", "4", "A", "B")
    adapter = opened(junwei_database.path, "junwei", recognised_items=["B1"])
    assert [item.RecognitionMark for item in adapter.GetLabResult("1").Items] == [None, "HR"]


@pytest.mark.parametrize("column", [False, True])
def test_a_lab_report_is_marked_as_printed(
    laboratory: tuple[str, Database], opened: Opener, column: bool
) -> None:
    name, db = laboratory
    settings: dict[str, Any] = {}
    if column and name == "bsoft_lis":
        db.script("ALTER TABLE LIS_SAMPLE ADD COLUMN DYBZ VARCHAR(1)")
        settings["sample_columns"] = {"Printed": "DYBZ"}
    lab_test(db, name, "1", "4", "A")
    lab_test(db, name, "2", "3", "A")
    adapter = opened(db.path, name, {"read_only": False}, **settings)
    assert [one.Printed for one in adapter.QueryLabMaster(P)] == [False, False]
    assert adapter.MarkLabPrinted("p1", "1").Printed
    assert adapter.MarkLabPrinted("p1", "1").Printed
    assert adapter.MarkLabPrinted("p2", "1").Printed
    with pytest.raises(Conflict) as early:
        adapter.MarkLabPrinted("p3", "2")
    assert early.value.field == "TestNo"
    with pytest.raises(NotFound):
        adapter.MarkLabPrinted("p4", "3")
    found = {one.TestNo: one.Printed for one in adapter.QueryLabMaster(P)}
    assert found == {"1": True, "2": False}


def test_a_hospital_that_is_only_read_from_notes_nothing(
    laboratory: tuple[str, Database], opened: Opener
) -> None:
    name, db = laboratory
    lab_test(db, name, "1", "4", "A")
    adapter = opened(db.path, name)
    with pytest.raises(Conflict) as refused:
        adapter.MarkLabPrinted("p1", "1")
    assert "read_only" in refused.value.zh
    assert [one.Printed for one in adapter.QueryLabMaster(P)] == [False]
