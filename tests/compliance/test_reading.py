"""What every source that reads answers: the contract's rules, and the same on every database."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.faults import InvalidArgument, NotFound
from tests.adapters.test_demo_hospitals import assert_within_the_contract
from tests.compliance.conftest import TODAY, Offered

PATIENTS = [f"{n:010d}" for n in range(1, 41)]


def test_every_table_and_column_is_there(offered: Offered) -> None:
    offered.adapter.check()


@pytest.mark.contract("NumberSource")
def test_number_sources(offered: Offered) -> None:
    adapter, original = offered.adapter, offered.original
    seen = 0
    for ahead in (-7, -1, 0, 1, 2, 7, 30):
        day = TODAY + timedelta(days=ahead)
        slots = adapter.QueryNumberSource(day)
        assert slots == original.QueryNumberSource(day)
        keys = [(slot.DeptCode or "", slot.ClinicLabel, slot.Shift) for slot in slots]
        assert keys == sorted(keys)
        for slot in slots:
            assert_within_the_contract(slot)
            assert slot.ScheduleDate == day and slot.Unlimited == (slot.Remaining is None)
        for slot in slots[::9]:
            assert adapter.GetNumberSource(slot.ScheduleId) == slot
            one = adapter.QueryNumberSource(day, ClinicLabel=slot.ClinicLabel)
            assert one == [s for s in slots if s.ClinicLabel == slot.ClinicLabel]
            some = adapter.QueryNumberSource(day, DeptCode=slot.DeptCode)
            assert some == [s for s in slots if s.DeptCode == slot.DeptCode]
        seen += len(slots)
    assert seen > 20
    far = TODAY + timedelta(days=3000)  # where weekly sessions still are, and no others
    assert adapter.QueryNumberSource(far) == original.QueryNumberSource(far)
    for unknown in ("none", "20261121-NONE-上午", "Y-20261121-0-0-1", "'; --"):
        with pytest.raises(NotFound):
            adapter.GetNumberSource(unknown)


@pytest.mark.contract("LabResults")
def test_lab_results(offered: Offered) -> None:
    adapter, original = offered.adapter, offered.original
    finals = 0
    for patient in PATIENTS:
        tests = adapter.QueryLabMaster(patient)
        assert tests == original.QueryLabMaster(patient)
        order = [(one.RequestedDateTime or datetime.min, one.TestNo) for one in tests]
        assert order == sorted(order, reverse=True)
        for one in tests:
            assert_within_the_contract(one)
            assert one.Final == (one.ResultStatus == "4")
            report = adapter.GetLabResult(one.TestNo)
            assert report == original.GetLabResult(one.TestNo)
            assert one.ResultStatus in "34" or report.Items == []
            finals += one.Final
        times = [one.RequestedDateTime for one in tests if one.RequestedDateTime]
        if times:
            since, until = times[len(times) // 2], times[0]
            within = adapter.QueryLabMaster(patient, since, until)
            assert within == [
                one
                for one in tests
                if one.RequestedDateTime and since <= one.RequestedDateTime < until
            ]
    assert finals > 10
    assert adapter.QueryLabMaster("nobody") == []
    with pytest.raises(NotFound):
        adapter.GetLabResult("none")


@pytest.mark.contract("ExamResults")
def test_exam_results(offered: Offered) -> None:
    adapter, original = offered.adapter, offered.original
    seen = 0
    for patient in PATIENTS:
        exams = adapter.QueryExamMaster(patient)
        assert exams == original.QueryExamMaster(patient)
        for one in exams:
            assert_within_the_contract(one)
            assert adapter.GetExamReport(one.ExamNo) == original.GetExamReport(one.ExamNo)
        seen += len(exams)
    assert seen > 3
    with pytest.raises(NotFound):
        adapter.GetExamReport("none")


@pytest.mark.contract("Patients")
def test_patients(offered: Offered) -> None:
    adapter, original = offered.adapter, offered.original
    found = 0
    for patient in PATIENTS:
        matches = adapter.FindPatients(PatientId=patient)
        assert matches == original.FindPatients(PatientId=patient)
        for one in matches:
            assert_within_the_contract(one)
            assert adapter.GetPatient(patient) == one
            found += 1
            if one.IdentityNo:
                for number in (one.IdentityNo, one.IdentityNo.lower()):
                    same = adapter.FindPatients(IdentityNo=number)
                    assert same == original.FindPatients(IdentityNo=number)
                    assert one in same
                assert one in adapter.FindPatients(patient, IdentityNo=one.IdentityNo)
                assert adapter.FindPatients("9999999998", IdentityNo=one.IdentityNo) == []
    assert found > 20
    with pytest.raises(NotFound):
        adapter.GetPatient("nobody")
    with pytest.raises(InvalidArgument):
        adapter.FindPatients()


def test_many_callers_get_their_own_answers(offered: Offered) -> None:
    """Through the bulkhead, on one pool; no answer is another one's."""
    contract = "LabResults" if "LabResults" in offered.offers else "Patients"
    adapter, original = offered.adapter, offered.original
    name = "QueryLabMaster" if contract == "LabResults" else "FindPatients"
    expected = [getattr(original, name)(PatientId=patient) for patient in PATIENTS]

    async def crowd() -> list[Any]:
        calls = (
            offered.source.run(getattr(adapter, name), PatientId=patient) for patient in PATIENTS
        )
        return await asyncio.gather(*calls)

    assert asyncio.run(crowd()) == expected
    assert offered.source.state()["running"] == 0
