"""Values of a hospital as the contract's, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from adapters.mapped.formats import date_format
from adapters.mapped.rules import Rule, reader
from adapters.mapped.vocabulary import ENTRIES
from adapters.values import Unreadable
from services.contract import Field, Scalar
from services.faults import SourceError
from tests.adapters.mapped.conftest import Open
from tests.onboarding.third_hospital import mapping


def field(entry: str, name: str) -> Field:
    contract, _, operation = entry.partition(".")
    entries = ENTRIES[contract][operation]
    return next(f for f in (*entries.fields, *entries.parameters) if f.name == name)


DAY = Rule(format=date_format("yyyymmdd"))
SECOND = Rule(format=date_format("yyyymmddhh:mm:ss"))
SLOT, PATIENT = "NumberSource.QueryNumberSource", "Patients.FindPatients"
TEST, ITEM = "LabResults.QueryLabMaster", "LabResults.GetLabResult"


@pytest.mark.parametrize(
    ("entry", "name", "rule", "value", "expected"),
    [
        (SLOT, "Shift", Rule(), "上午", "1"),
        (SLOT, "Shift", Rule(values={"A": "2"}), "A", "2"),
        (SLOT, "Shift", Rule(values={"1": "2"}), Decimal("1.00"), "2"),
        (SLOT, "Shift", Rule(), "周末", "9"),
        (SLOT, "Stopped", Rule(), "Y", True),
        (SLOT, "Stopped", Rule(), 1.0, True),
        (SLOT, "Stopped", Rule(), "0 ", False),
        (SLOT, "Stopped", Rule(values={"T": True, "F": False}), "T ", True),
        (SLOT, "Limit", Rule(), "30", 30),
        (SLOT, "Limit", Rule(), "  ", None),
        (SLOT, "RegistrationFee", Rule(), "24.5", Decimal("24.50")),
        (SLOT, "ScheduleDate", Rule(), 20261121, date(2026, 11, 21)),
        (SLOT, "ScheduleDate", Rule(), datetime(2026, 11, 21, 8), date(2026, 11, 21)),
        (SLOT, "ScheduleDate", DAY, "20261121  ", date(2026, 11, 21)),
        (SLOT, "DeptCode", Rule(), "0301    ", "0301"),
        (SLOT, "DeptCode", Rule(), 301.0, "301"),
        (PATIENT, "Sex", Rule(), "女", "2"),
        (PATIENT, "IdentityType", Rule(), "居民身份证", "01"),
        (PATIENT, "Name", Rule(), None, ""),
        (TEST, "Age", Rule(), "8月", 0),
        (TEST, "ResultStatus", Rule(), None, "9"),
        (TEST, "ResultStatus", Rule(values={"已审": "4"}), "已审", "4"),
        (TEST, "ResultStatus", Rule(values={"已审": "4"}), "在途", "9"),
        (ITEM, "Abnormal", Rule(), "↑↑", "H"),
        (ITEM, "Abnormal", Rule(), "危急", "A"),
        (ITEM, "Abnormal", Rule(), "", "U"),
    ],
)
def test_read(entry: str, name: str, rule: Rule, value: Any, expected: Any) -> None:
    assert reader(field(entry, name), rule)(value, "列") == expected


@pytest.mark.parametrize(
    ("entry", "name", "rule", "value"),
    [
        (SLOT, "Stopped", Rule(values={"T": True, "F": False}), "X"),
        (SLOT, "Limit", Rule(), "many"),
        (SLOT, "Limit", Rule(), -1),
        (SLOT, "RegistrationFee", Rule(), "免"),
        (SLOT, "ScheduleDate", DAY, "2026-11-2"),
        (SLOT, "ClinicLabel", Rule(), "x" * 65),
        (TEST, "RecognitionMark", Rule(), "hr"),
    ],
)
def test_what_cannot_be_read(entry: str, name: str, rule: Rule, value: Any) -> None:
    with pytest.raises(Unreadable) as caught:
        reader(field(entry, name), rule)(value, "列")
    assert caught.value.column == "列"
    assert str(value) not in caught.value.zh


@pytest.mark.parametrize(
    ("name", "rule", "value", "expected"),
    [
        ("Shift", Rule(values={"A": "1", "P": "2"}), "2", "P"),
        ("Shift", Rule(values={"A": "1"}), "3", "3"),
        ("ScheduleDate", DAY, date(2026, 11, 21), "20261121"),
        ("Now", SECOND, datetime(2026, 11, 21, 8, 5), "2026112108:05:00"),
        ("PatientId", Rule(zeros=10), "7", "0000000007"),
        ("PatientId", Rule(spaces=10), "7", "7         "),
        ("PatientId", Rule(), "7", "7"),
        ("Amount", Rule(), Decimal("25.50"), Decimal("25.50")),
        ("Paid", Rule(), 1, 1),
    ],
)
def test_written(name: str, rule: Rule, value: Any, expected: Any) -> None:
    kind = field("Registration.add_visit", name).type
    assert isinstance(kind, Scalar)
    assert rule.written(value, kind)[0] == expected


Execute = Callable[..., list[Any]]


def test_a_broken_row_is_named_by_its_key(opened: Open, execute: Execute) -> None:
    execute("UPDATE 出诊安排 SET 停诊 = 'X' WHERE 安排号 = 105")
    adapter = opened()
    with pytest.raises(SourceError) as caught:
        adapter.QueryNumberSource(date(2026, 11, 21))
    assert "安排号=105" in caught.value.zh or "ScheduleId=105" in caught.value.zh
    assert "Stopped" in caught.value.zh
    assert caught.value.hospital == "third"


def test_a_default_stands_for_null(opened: Open, execute: Execute) -> None:
    execute("UPDATE 出诊安排 SET 外挂 = NULL")
    with pytest.raises(SourceError):
        opened().QueryNumberSource(date(2026, 11, 21))
    text = mapping().replace(
        "fields = { Stopped", "fields = { OpenToRemote = { default = true }, Stopped"
    )
    slots = opened(text).QueryNumberSource(date(2026, 11, 21))
    assert len(slots) == 4
    assert all(slot.OpenToRemote for slot in slots)
