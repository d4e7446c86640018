"""NumberSource over bsoft: doctors' slots by date, departments' slots by weekday."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.bsoft.number_source import NumberSources
from adapters.bsoft.settings import BsoftSettings
from services.faults import NotFound, SourceError
from tests.adapters.conftest import Database, Opener

DAY = date(2026, 11, 21)  # a Saturday: GHRQ 7 where the week begins on Sunday


def codes(db: Database) -> None:
    db.insert("MS_GHKS", KSDM="0301", KSMC="心内科", GHF=0.5, ZLF=12, ZJMZ=0, DDXX="一层")
    db.insert("MS_GHKS", KSDM="0302", KSMC="心内专家", GHF=1, ZLF=24, ZJMZ=1, DDXX=None)
    db.insert("GY_YGDM", YGDM="1024      ", YGXM="王建国", YGJB="主任医师")


def doctor_slot(db: Database, **values: Any) -> None:
    row = {"GZRQ": "2026-11-21 00:00:00", "KSDM": "0302", "YSDM": "1024", "ZBLB": 1, "GHXE": 30}
    db.insert("MS_YSPB", **{**row, "YGRS": 18, "YYRS": 2, "TGBZ": 0, "JGID": "1", **values})


def department_slot(db: Database, **values: Any) -> None:
    row = {"GHRQ": 7, "GHKS": "0301", "ZBLB": 1, "GHXE": 30, "YGRS": 18, "YYRS": 2, "TGBZ": 0}
    db.insert("MS_KSPB", **{**row, "JGID": "1", **values})


def test_a_doctors_session(bsoft_database: Database, opened: Opener) -> None:
    codes(bsoft_database)
    doctor_slot(bsoft_database)
    (found,) = opened(bsoft_database.path, "bsoft").QueryNumberSource(DAY)
    assert found.ScheduleId == "Y-20261121-0302-1024-1"
    assert (found.ScheduleDate, found.ClinicLabel) == (DAY, "0302-1024")
    assert (found.DeptCode, found.DeptName, found.ClinicName) == ("0302", "心内专家", "心内专家")
    assert (found.DoctorName, found.DoctorTitle, found.Expert) == ("王建国", "主任医师", True)
    assert (found.Limit, found.Remaining, found.Unlimited) == (30, 12, False)
    assert (found.RegistrationFee, found.ConsultationFee) == (Decimal("1"), Decimal("24"))
    assert (found.Shift, found.Place, found.Speciality) == ("1", None, None)
    assert (found.Stopped, found.OpenToRemote) == (False, True)


def test_a_departments_session(bsoft_database: Database, opened: Opener) -> None:
    codes(bsoft_database)
    department_slot(bsoft_database, ZBLB=2)
    adapter = opened(bsoft_database.path, "bsoft")
    (found,) = adapter.QueryNumberSource(DAY)
    assert (found.ScheduleId, found.ClinicLabel) == ("K-20261121-0301-2", "0301")
    assert (found.DoctorName, found.Expert, found.Shift) == (None, False, "2")
    assert (found.Place, str(found.RegistrationFee)) == ("一层", "0.50")
    assert adapter.QueryNumberSource(DAY + timedelta(days=1)) == []
    off = opened(bsoft_database.path, "bsoft", department_slots=False)
    assert off.QueryNumberSource(DAY) == []
    with pytest.raises(NotFound):
        off.GetNumberSource(found.ScheduleId)


@pytest.mark.parametrize(("first", "weekday"), [("sunday", 7), ("monday", 6)])
def test_which_day_the_week_begins_with(
    bsoft_database: Database, opened: Opener, first: str, weekday: int
) -> None:
    for ghrq in range(1, 8):
        department_slot(bsoft_database, GHRQ=ghrq, GHXE=100 + ghrq)
    adapter = opened(bsoft_database.path, "bsoft", first_weekday=first)
    (found,) = adapter.QueryNumberSource(DAY)
    assert found.Limit == 100 + weekday
    sunday = adapter.QueryNumberSource(DAY + timedelta(days=1))[0]
    assert sunday.Limit == 100 + (1 if first == "sunday" else 7)


def test_a_weekly_row_counts_for_its_next_day_only(
    bsoft_database: Database, opened: Opener
) -> None:
    department_slot(bsoft_database)
    source = opened(bsoft_database.path, "bsoft").source
    queries = NumberSources(source, BsoftSettings(), today=lambda: DAY)
    week = timedelta(days=7)
    left = [queries.query(DAY + n * week, None, None)[0].Remaining for n in (-1, 0, 1)]
    assert left == [0, 12, 30]


def test_appointments(bsoft_database: Database, opened: Opener) -> None:
    doctor_slot(bsoft_database)
    (found,) = opened(bsoft_database.path, "bsoft", appointments="included").QueryNumberSource(DAY)
    assert found.Remaining == 10


@pytest.mark.parametrize(
    ("limit", "expected"), [(0, (None, None, True)), (None, (None, None, True)), (5, (5, 0, False))]
)
def test_limits(bsoft_database: Database, opened: Opener, limit: Any, expected: Any) -> None:
    doctor_slot(bsoft_database, GHXE=limit)
    (found,) = opened(bsoft_database.path, "bsoft").QueryNumberSource(DAY)
    assert (found.Limit, found.Remaining, found.Unlimited) == expected


@pytest.mark.parametrize(("value", "stopped"), [(1, True), (0, False), (None, False)])
def test_stopped(bsoft_database: Database, opened: Opener, value: Any, stopped: bool) -> None:
    doctor_slot(bsoft_database, TGBZ=value)
    path = bsoft_database.path
    (found,) = opened(path, "bsoft").QueryNumberSource(DAY)
    assert found.Stopped is stopped
    (found,) = opened(path, "bsoft", stopped_values=["0"]).QueryNumberSource(DAY)
    assert found.Stopped is (value == 0 and value is not None)


@pytest.mark.parametrize("on", ["slots", "departments"])
def test_open_to_remote(bsoft_database: Database, opened: Opener, on: str) -> None:
    for table in ("MS_YSPB", "MS_KSPB") if on == "slots" else ("MS_GHKS",):
        bsoft_database.script(f'ALTER TABLE {table} ADD COLUMN "YC" INTEGER')
    for dept, flag in (("1", 1), ("2", 0), ("3", None)):
        of_slot = {"YC": flag} if on == "slots" else {}
        bsoft_database.insert("MS_GHKS", KSDM=dept, **({} if of_slot else {"YC": flag}))
        doctor_slot(bsoft_database, KSDM=dept, **of_slot)
    path = bsoft_database.path

    def answers(**settings: Any) -> list[bool]:
        adapter = opened(path, "bsoft", **settings)
        return [s.OpenToRemote for s in adapter.QueryNumberSource(DAY)]

    assert answers(remote_flag="YC", remote_flag_on=on) == [True, False, True]
    assert answers(remote_flag="YC", remote_flag_on=on, remote_default=False) == [
        *[True, False, False]
    ]
    assert answers(remote_default=False) == [False, False, False]


def test_filters_and_order(bsoft_database: Database, opened: Opener) -> None:
    doctor_slot(bsoft_database, KSDM="02", YSDM="9")
    doctor_slot(bsoft_database, KSDM="02", YSDM="8", ZBLB=2)
    doctor_slot(bsoft_database, KSDM="02", YSDM="8", ZBLB=1)
    department_slot(bsoft_database, GHKS="02")
    department_slot(bsoft_database, GHKS="01")
    adapter = opened(bsoft_database.path, "bsoft")

    def labels(*filters: str | None) -> list[str]:
        return [f"{s.ClinicLabel}/{s.Shift}" for s in adapter.QueryNumberSource(DAY, *filters)]

    assert labels() == ["01/1", "02/1", "02-8/1", "02-8/2", "02-9/1"]
    assert labels("02") == ["02/1", "02-8/1", "02-8/2", "02-9/1"]
    assert labels(None, "02") == ["02/1"]
    assert labels(None, "02-8") == ["02-8/1", "02-8/2"]
    assert labels("02", "02-9") == ["02-9/1"]
    assert labels("01", "02-9") == labels(None, "x-y-z") == labels(None, "a|b") == []


def test_one_database_of_several_hospitals(bsoft_database: Database, opened: Opener) -> None:
    doctor_slot(bsoft_database, JGID="1", KSDM="1")
    doctor_slot(bsoft_database, JGID="2", KSDM="2")
    department_slot(bsoft_database, JGID="2", GHKS="3")
    path = bsoft_database.path
    found = opened(path, "bsoft", organisation="2").QueryNumberSource(DAY)
    assert [slot.DeptCode for slot in found] == ["2", "3"]
    assert len(opened(path, "bsoft").QueryNumberSource(DAY)) == 3


def test_speciality_titles_and_experts_by_setting(bsoft_database: Database, opened: Opener) -> None:
    codes(bsoft_database)
    bsoft_database.script('CREATE TABLE "介绍" ("工号" TEXT, "特长" TEXT)')
    bsoft_database.insert("介绍", 工号="1024", 特长="冠心病|介入?")
    doctor_slot(bsoft_database, KSDM="0301")
    adapter = opened(
        bsoft_database.path,
        "bsoft",
        speciality="介绍.特长",
        speciality_key="工号",
        doctor_titles={"主任医师": "教授"},
        expert_titles=["教授"],
        shifts={"1": "3"},
    )
    (found,) = adapter.QueryNumberSource(DAY)
    assert (found.Speciality, found.DoctorTitle) == ("冠心病|介入?", "教授")
    assert (found.Expert, found.Shift) == (True, "3")
    plain = opened(bsoft_database.path, "bsoft", title_column="")
    (found,) = plain.QueryNumberSource(DAY)
    assert (found.Expert, found.DoctorTitle, found.Speciality) == (False, None, None)


def test_unknown_codes_stand_as_they_are(bsoft_database: Database, opened: Opener) -> None:
    doctor_slot(bsoft_database, KSDM="7|7", YSDM="a-b", ZBLB=8)
    adapter = opened(bsoft_database.path, "bsoft")
    (found,) = adapter.QueryNumberSource(DAY)
    assert (found.DeptCode, found.DeptName, found.DoctorName) == ("7|7", "7|7", "a-b")
    assert found.Shift == "9"
    assert not set("|?") & set(found.ScheduleId + found.ClinicLabel)
    assert adapter.GetNumberSource(found.ScheduleId) == found
    assert adapter.QueryNumberSource(DAY, None, found.ClinicLabel) == [found]


@pytest.mark.parametrize(
    "schedule_id",
    [
        *["x", "Y-20261121-0302-1024", "Y-20261121-0302-1024-2", "Y-20261399-0302-1024-1"],
        *["K-20261121-0302-1", "Z-20261121-0302-1024-1", "K-20261121"],
    ],
)
def test_unknown_schedule_ids(bsoft_database: Database, opened: Opener, schedule_id: str) -> None:
    doctor_slot(bsoft_database)
    with pytest.raises(NotFound):
        opened(bsoft_database.path, "bsoft").GetNumberSource(schedule_id)


def test_a_row_that_breaks_the_contract_is_named(bsoft_database: Database, opened: Opener) -> None:
    doctor_slot(bsoft_database, YGRS="viele")
    with pytest.raises(SourceError, match=r"MS_YSPB 中 .*YSDM=1024.* 一行的 YGRS"):
        opened(bsoft_database.path, "bsoft").QueryNumberSource(DAY)
