"""NumberSource over junwei: every rule and every setting, on rows with known values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.faults import NotFound, SourceError
from tests.adapters.conftest import Database, Opener

DAY = date(2026, 11, 21)


def hospital(db: Database) -> None:
    db.insert("DEPT_DICT", DEPT_CODE="0301", DEPT_NAME="心血管内科")
    db.insert("CLINIC_TYPE_DICT", CLINIC_TYPE="专家", CLINIC_TYPE_NAME="专家门诊", PRICE=24)
    db.insert(
        "CLINIC_INDEX",
        **{"CLINIC_LABEL": "0301A", "CLINIC_DEPT": "0301    ", "DOCTOR": "王建国  "},
        **{"DOCTOR_TITLE": "1", "CLINIC_TYPE": "专家", "CLINIC_POSITION": "门诊楼三层A区"},
    )


def slot(db: Database, label: str = "0301A", **values: Any) -> None:
    row = {"CLINIC_DATE": "2026-11-21 00:00:00", "CLINIC_LABEL": label, "TIME_DESC": "上午"}
    row |= {"REGISTRATION_LIMITS": 30, "REGISTRATION_NUM": 18, "REGIST_PRICE": 1}
    db.insert("CLINIC_FOR_REGIST", **{**row, **values})


def only(slots: list[Any]) -> Any:
    (one,) = slots
    return one


def test_a_session_with_everything(junwei_database: Database, opened: Opener) -> None:
    hospital(junwei_database)
    slot(junwei_database)
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert found.ScheduleId == "20261121-0301A-上午"
    assert (found.ScheduleDate, found.ClinicLabel) == (DAY, "0301A")
    assert (found.DeptCode, found.DeptName) == ("0301", "心血管内科")
    assert found.ClinicName == "心血管内科专家门诊"
    assert (found.DoctorName, found.DoctorTitle, found.Expert) == ("王建国", "主任医师", True)
    assert (found.Limit, found.Remaining, found.Unlimited) == (30, 12, False)
    assert (found.RegistrationFee, found.ConsultationFee) == (Decimal("1.00"), Decimal("24.00"))
    assert (found.Shift, found.Place) == ("1", "门诊楼三层A区")
    assert (found.Stopped, found.OpenToRemote, found.Speciality) == (False, True, None)


def test_fees_have_two_digits(junwei_database: Database, opened: Opener) -> None:
    slot(junwei_database, REGIST_PRICE=1.5)
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert (str(found.RegistrationFee), str(found.ConsultationFee)) == ("1.50", "0.00")


def test_only_that_date_whatever_its_time_of_day(junwei_database: Database, opened: Opener) -> None:
    slot(junwei_database, "a", CLINIC_DATE="2026-11-20 23:59:59")
    slot(junwei_database, "b", CLINIC_DATE="2026-11-21 00:00:00")
    slot(junwei_database, "c", CLINIC_DATE="2026-11-21 23:59:59")
    slot(junwei_database, "d", CLINIC_DATE="2026-11-22 00:00:00")
    adapter = opened(junwei_database.path, "junwei")
    assert [s.ClinicLabel for s in adapter.QueryNumberSource(DAY)] == ["b", "c"]
    assert adapter.QueryNumberSource(date(2026, 1, 1)) == []
    assert adapter.QueryNumberSource(date.max) == []


def test_the_order_is_department_label_shift(junwei_database: Database, opened: Opener) -> None:
    for label, dept in (("2B", "02"), ("2A", "02"), ("9Z", "01")):
        junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL=label, CLINIC_DEPT=dept)
        for time_desc in ("下午", "上午"):
            slot(junwei_database, label, TIME_DESC=time_desc)
    found = opened(junwei_database.path, "junwei").QueryNumberSource(DAY)
    assert [(s.DeptCode, s.ClinicLabel, s.Shift) for s in found] == [
        *[("01", "9Z", "1"), ("01", "9Z", "2"), ("02", "2A", "1"), ("02", "2A", "2")],
        *[("02", "2B", "1"), ("02", "2B", "2")],
    ]


def test_filters(junwei_database: Database, opened: Opener) -> None:
    for label, dept in (("A", "01"), ("B", "02"), ("C", "02")):
        junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL=label, CLINIC_DEPT=dept)
        slot(junwei_database, label)
    adapter = opened(junwei_database.path, "junwei")
    assert [s.ClinicLabel for s in adapter.QueryNumberSource(DAY, "02")] == ["B", "C"]
    assert [s.ClinicLabel for s in adapter.QueryNumberSource(DAY, None, "C")] == ["C"]
    assert adapter.QueryNumberSource(DAY, "01", "C") == []


@pytest.mark.parametrize(
    ("limit", "registered", "expected"),
    [
        *[(0, 7, (None, None, True)), (None, 7, (None, None, True)), (10, 10, (10, 0, False))],
        *[(10, 12, (10, 0, False)), (10, 0, (10, 10, False))],
    ],
)
def test_limits(
    junwei_database: Database, opened: Opener, limit: Any, registered: int, expected: Any
) -> None:
    slot(junwei_database, REGISTRATION_LIMITS=limit, REGISTRATION_NUM=registered)
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert (found.Limit, found.Remaining, found.Unlimited) == expected


@pytest.mark.parametrize(
    ("settings", "registered", "remaining"),
    [
        ({}, 3, 7),
        # No REGISTRATION_NUM: what CURRENT_NO tells, in the site's meaning of it.
        ({}, None, 6),
        ({"current_no": "last"}, None, 5),
        ({"taken": "CURRENT_NO"}, 3, 6),
        ({"taken": "CURRENT_NO", "current_no": "last"}, 3, 5),
        ({"appointments": "included"}, 3, 5),
    ],
)
def test_what_is_taken(
    junwei_database: Database, opened: Opener, settings: Any, registered: Any, remaining: int
) -> None:
    slot(
        junwei_database,
        **{"REGISTRATION_LIMITS": 10, "REGISTRATION_NUM": registered},
        **{"CURRENT_NO": 5, "APPOINTMENT_NUM": 2},
    )
    adapter = opened(junwei_database.path, "junwei", **settings)
    assert only(adapter.QueryNumberSource(DAY)).Remaining == remaining


def test_nothing_given_out_yet(junwei_database: Database, opened: Opener) -> None:
    slot(junwei_database, REGISTRATION_NUM=None, CURRENT_NO=None)
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert found.Remaining == 30


def test_stopped_by_status(junwei_database: Database, opened: Opener) -> None:
    junwei_database.script('ALTER TABLE CLINIC_INDEX ADD COLUMN "STATUS" VARCHAR(1)')
    for label, status in (("A", "0"), ("B", "1"), ("C", None)):
        junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL=label, STATUS=status)
        slot(junwei_database, label)
    path = junwei_database.path
    adapter = opened(path, "junwei", stopped="CLINIC_INDEX.STATUS")
    assert [s.Stopped for s in adapter.QueryNumberSource(DAY)] == [True, False, False]
    adapter = opened(path, "junwei", stopped="CLINIC_INDEX.STATUS", stopped_values=["1"])
    assert [s.Stopped for s in adapter.QueryNumberSource(DAY)] == [False, True, False]
    assert not any(s.Stopped for s in opened(path, "junwei").QueryNumberSource(DAY))


def test_stopped_by_doctor_date_and_time_of_day(junwei_database: Database, opened: Opener) -> None:
    hospital(junwei_database)
    junwei_database.script('ALTER TABLE OUTP_DOCTOR_REGIST ADD COLUMN "STOP_INDICATOR" CHAR(1)')
    for time_desc in ("上午", "下午"):
        slot(junwei_database, TIME_DESC=time_desc)
    slot(junwei_database, CLINIC_DATE="2026-11-22 00:00:00")
    session = {"DOCTOR_NO": "1", "CLINIC_DEPT": "0301", "DOCTOR": "王建国"}
    session |= {"COUNSEL_DATE": "2026-11-21 00:00:00"}
    junwei_database.insert(
        "OUTP_DOCTOR_REGIST", **session, CLINIC_DURATION="上午", STOP_INDICATOR="1"
    )
    junwei_database.insert(
        "OUTP_DOCTOR_REGIST", **session, CLINIC_DURATION="下午", STOP_INDICATOR="0"
    )
    adapter = opened(junwei_database.path, "junwei", stopped="OUTP_DOCTOR_REGIST.STOP_INDICATOR")
    assert [s.Stopped for s in adapter.QueryNumberSource(DAY)] == [True, False]
    assert adapter.GetNumberSource("20261121-0301A-上午").Stopped
    assert not adapter.GetNumberSource("20261122-0301A-上午").Stopped


@pytest.mark.parametrize("table", ["CLINIC_FOR_REGIST", "CLINIC_INDEX"])
def test_open_to_remote(junwei_database: Database, opened: Opener, table: str) -> None:
    junwei_database.script(f'ALTER TABLE {table} ADD COLUMN "远程" INTEGER')
    for label, flag in (("A", 1), ("B", 0), ("C", None)):
        of_slot = {"远程": flag} if table == "CLINIC_FOR_REGIST" else {}
        of_label = {} if of_slot else {"远程": flag}
        junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL=label, **of_label)
        slot(junwei_database, label, **of_slot)

    def answers(**settings: Any) -> list[bool]:
        adapter = opened(junwei_database.path, "junwei", **settings)
        return [s.OpenToRemote for s in adapter.QueryNumberSource(DAY)]

    flag = f"{table}.远程"
    assert answers(remote_flag=flag) == [True, False, True]
    assert answers(remote_flag=flag, remote_default=False) == [True, False, False]
    assert answers(remote_flag=flag, remote_open_values=["0"]) == [False, True, True]
    assert answers() == [True, True, True]
    assert answers(remote_default=False) == [False, False, False]


def test_status_and_remote_flag_in_one_table(junwei_database: Database, opened: Opener) -> None:
    junwei_database.script(
        'ALTER TABLE CLINIC_INDEX ADD COLUMN "STATUS" INTEGER;'
        'ALTER TABLE CLINIC_INDEX ADD COLUMN "REMOTE" INTEGER'
    )
    junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL="A", STATUS=0, REMOTE=1)
    slot(junwei_database, "A")
    adapter = opened(
        junwei_database.path,
        "junwei",
        stopped="CLINIC_INDEX.STATUS",
        remote_flag="CLINIC_INDEX.REMOTE",
    )
    found = only(adapter.QueryNumberSource(DAY))
    assert (found.Stopped, found.OpenToRemote) == (True, True)


def test_speciality_of_the_label_or_the_doctor(junwei_database: Database, opened: Opener) -> None:
    hospital(junwei_database)
    slot(junwei_database)
    junwei_database.script(
        'ALTER TABLE CLINIC_INDEX ADD COLUMN "SPECIALITY" VARCHAR(200);'
        'CREATE TABLE "专家介绍" ("DOCTOR" CHAR(8), "特长" VARCHAR(200));'
        "UPDATE CLINIC_INDEX SET SPECIALITY = '冠心病|介入?'"
    )
    junwei_database.insert("专家介绍", DOCTOR="王建国  ", 特长="心力衰竭")
    path = junwei_database.path
    by_label = opened(path, "junwei", speciality="CLINIC_INDEX.SPECIALITY")
    assert only(by_label.QueryNumberSource(DAY)).Speciality == "冠心病|介入?"
    by_doctor = opened(path, "junwei", speciality="专家介绍.特长", speciality_key="DOCTOR")
    assert only(by_doctor.QueryNumberSource(DAY)).Speciality == "心力衰竭"


def test_what_an_expert_is(junwei_database: Database, opened: Opener) -> None:
    hospital(junwei_database)
    slot(junwei_database)

    def expert(**settings: Any) -> bool:
        adapter = opened(junwei_database.path, "junwei", **settings)
        return bool(only(adapter.QueryNumberSource(DAY)).Expert)

    assert expert()
    assert not expert(expert_clinic_types=["特需"])
    assert expert(expert_clinic_types=[], expert_titles=["1"])
    assert not expert(expert_clinic_types=[], expert_titles=["2"])


def test_names_titles_fees_and_shifts_by_setting(junwei_database: Database, opened: Opener) -> None:
    hospital(junwei_database)
    slot(junwei_database, TIME_DESC="黄昏")
    adapter = opened(
        junwei_database.path,
        "junwei",
        clinic_name="label",
        doctor_titles={"1": "教授"},
        registration_fee="type",
        consultation_fee="none",
        shifts={"黄昏": "3"},
    )
    found = only(adapter.QueryNumberSource(DAY))
    assert (found.ClinicName, found.DoctorTitle, found.Shift) == ("0301A", "教授", "3")
    assert (found.RegistrationFee, found.ConsultationFee) == (Decimal("24"), Decimal("0"))
    default = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert default.Shift == "9"


def test_codes_that_nobody_named_stand_as_they_are(
    junwei_database: Database, opened: Opener
) -> None:
    junwei_database.insert(
        "CLINIC_INDEX", CLINIC_LABEL="A", CLINIC_DEPT="77", CLINIC_TYPE="夜诊", DOCTOR_TITLE="8"
    )
    slot(junwei_database, "A")
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert (found.DeptCode, found.DeptName, found.DoctorTitle) == ("77", "77", "8")
    assert (found.ClinicName, found.DoctorName) == ("77夜诊", None)


def test_a_slot_whose_label_left_the_index_is_still_answered(
    junwei_database: Database, opened: Opener
) -> None:
    slot(junwei_database, "gone")
    found = only(opened(junwei_database.path, "junwei").QueryNumberSource(DAY))
    assert (found.DeptCode, found.ClinicName, found.Remaining) == ("", "gone", 12)


@pytest.mark.parametrize(
    "label", ["0301A", "内科|专家?", "a-b_c", "_2d_", "心内 王", "100%", "𠮷", "x\ny"]
)
def test_schedule_ids_find_their_session(
    junwei_database: Database, opened: Opener, label: str
) -> None:
    slot(junwei_database, label)
    slot(junwei_database, label, TIME_DESC="下午")
    adapter = opened(junwei_database.path, "junwei")
    found = adapter.QueryNumberSource(DAY)
    assert len(found) == 2
    for one in found:
        assert not set("|?？｜\n ") & set(one.ScheduleId)
        assert len(one.ScheduleId) <= 128
        assert adapter.GetNumberSource(one.ScheduleId) == one


@pytest.mark.parametrize(
    "schedule_id",
    [
        *[
            "x",
            "20261121-0301A",
            "20261121-0301A-夜间",
            "20260230-0301A-上午",
            "20261121-0301A-上午-",
        ],
        *[
            "２０261121-0301A-上午",
            "20261121-0301A-_d800_",
            "20261121-_fffffff_-上午",
            "-",
            "'; --",
        ],
    ],
)
def test_unknown_schedule_ids(junwei_database: Database, opened: Opener, schedule_id: str) -> None:
    slot(junwei_database)
    with pytest.raises(NotFound) as caught:
        opened(junwei_database.path, "junwei").GetNumberSource(schedule_id)
    assert (caught.value.hospital, caught.value.source) == ("hx", "his")
    assert caught.value.field == "ScheduleId"


@pytest.mark.parametrize(
    ("column", "value"),
    [("REGISTRATION_LIMITS", "many"), ("REGISTRATION_NUM", -3), ("REGIST_PRICE", "free")],
)
def test_a_row_that_breaks_the_contract_is_named(
    junwei_database: Database, opened: Opener, column: str, value: Any
) -> None:
    slot(junwei_database, "0301A", **{column: value})
    with pytest.raises(SourceError) as caught:
        opened(junwei_database.path, "junwei").QueryNumberSource(DAY)
    for word in ("CLINIC_FOR_REGIST", "CLINIC_LABEL=0301A", column, "hx", "his"):
        assert word in caught.value.zh
        assert word in caught.value.en
    assert caught.value.field == column


def test_a_broken_code_table_is_named(junwei_database: Database, opened: Opener) -> None:
    junwei_database.insert("CLINIC_TYPE_DICT", CLINIC_TYPE="专家", PRICE="free")
    with pytest.raises(SourceError, match=r"CLINIC_TYPE_DICT 中 CLINIC_TYPE=专家 一行的 PRICE"):
        opened(junwei_database.path, "junwei").QueryNumberSource(DAY)


def test_padded_keys(junwei_database: Database, opened: Opener) -> None:
    label, time_desc = "内科A".ljust(14), "上午".ljust(6)  # CHAR(16) and CHAR(8), in GBK bytes
    junwei_database.insert("CLINIC_INDEX", CLINIC_LABEL=label, CLINIC_DEPT="01      ")
    slot(junwei_database, label, TIME_DESC=time_desc)
    found = opened(junwei_database.path, "junwei").QueryNumberSource(DAY)
    assert only(found).ClinicLabel == "内科A"
    adapter = opened(junwei_database.path, "junwei", char_padding="bytes")
    assert adapter.GetNumberSource(only(found).ScheduleId) == only(found)
    assert adapter.QueryNumberSource(DAY, "01") == found
    assert adapter.QueryNumberSource(DAY, None, "内科A") == found
