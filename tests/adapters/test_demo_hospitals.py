"""The adapters over generated hospitals: every row of every test and session can be answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from adapters import ADAPTERS
from adapters.config import SourceConfig
from adapters.database import Source
from adapters.junwei.patients import PatientIndex
from adapters.junwei.settings import JunweiSettings
from services.contract import Code, Scalar, Text, record_type
from services.faults import NotFound
from tests.adapters.conftest import TODAY
from yilian.demo_data import FIRST_PATIENT, DemoHospitals


@pytest.fixture(params=["hx", "sq"])
def offered(request: pytest.FixtureRequest, demo: DemoHospitals) -> Iterator[dict[str, Any]]:
    """By contract, the adapter of one demo hospital."""
    found, sources = {}, []
    for name, given in demo.sources[request.param].items():
        config = SourceConfig.model_validate(given)
        source = Source(name, request.param, config)
        sources.append(source)
        adapter = ADAPTERS[config.adapter](source, config.settings)
        adapter.check()
        found.update(dict.fromkeys(config.offers, adapter))
    yield found
    for source in sources:
        source.close()


def assert_within_the_contract(record: Any) -> None:
    """Every text within its length, every code in its table, every required field there."""
    for field in record_type(type(record)).fields:
        value = getattr(record, field.name)
        if value is None:
            assert not field.required, field.name
        elif isinstance(field.type, Scalar):
            assert type(value) is field.type.python, field.name
            facet = field.type.facet
            if isinstance(facet, Text):
                assert facet.min_len <= len(value) <= facet.max_len, field.name
            if isinstance(facet, Code):
                assert value in facet.table, field.name


def test_every_day_of_number_sources(offered: dict[str, Any]) -> None:
    adapter = offered["NumberSource"]
    for ahead in range(-7, 31):
        day = TODAY + timedelta(days=ahead)
        slots = adapter.QueryNumberSource(day)
        for slot in slots:
            assert_within_the_contract(slot)
            assert slot.ScheduleDate == day
            assert not set("|?") & set(slot.ScheduleId)
            assert slot.DeptName != slot.DeptCode
            assert slot.Unlimited == (slot.Limit is None) == (slot.Remaining is None)
        assert len({slot.ScheduleId for slot in slots}) == len(slots)
        assert any(slot.Stopped for slot in slots)
        assert any(slot.Remaining == 0 for slot in slots)
        assert any(slot.Unlimited for slot in slots)
        assert any(not slot.OpenToRemote for slot in slots)
        free = [s for s in slots if s.OpenToRemote and not s.Stopped and s.Remaining]
        assert any(slot.Expert and slot.Speciality and slot.DoctorName for slot in free)


def test_sessions_are_found_by_id(offered: dict[str, Any]) -> None:
    adapter = offered["NumberSource"]
    slots = adapter.QueryNumberSource(TODAY)
    assert [adapter.GetNumberSource(slot.ScheduleId) for slot in slots] == slots
    with pytest.raises(NotFound):
        adapter.GetNumberSource(slots[0].ScheduleId + "0")


def test_the_first_patient(offered: dict[str, Any]) -> None:
    adapter = offered["LabResults"]
    masters = adapter.QueryLabMaster(FIRST_PATIENT)
    reports = {master.TestNo: adapter.GetLabResult(master.TestNo) for master in masters}
    confirmed = [master for master in masters if master.Final]
    assert len(confirmed) >= 5
    assert all(reports[master.TestNo].Items for master in confirmed)
    awkward = [
        master
        for master in confirmed
        if set("|?\n") <= set(master.RelevantClinicDiag or "") & set(master.NotesForSpcm or "")
    ]
    assert awkward
    assert {master.ResultStatus for master in masters} == set("0123479")
    assert {master.Name for master in masters} == {"张伟"}


def test_every_test_and_report(offered: dict[str, Any], demo: DemoHospitals) -> None:
    adapter = offered["LabResults"]
    seen = 0
    for number in range(1, 121):
        for master in adapter.QueryLabMaster(f"{number:010d}"):
            assert_within_the_contract(master)
            for field in fields(master):
                value = getattr(master, field.name)
                assert not isinstance(value, str) or value == value.rstrip(" "), field.name
            report = adapter.GetLabResult(master.TestNo)
            assert_within_the_contract(report)
            assert report.PatientId == f"{number:010d}"
            assert (report.ResultStatus, report.Final) == (master.ResultStatus, master.Final)
            assert bool(report.Items) == (master.ResultStatus in "34")
            for item in report.Items:
                assert_within_the_contract(item)
            seen += 1
    assert seen >= 400


def test_the_insurance_number_is_where_the_setting_says(demo: DemoHospitals) -> None:
    settings = demo.sources["hx"]["his"]["settings"]
    source = Source("his", "hx", SourceConfig.model_validate(demo.sources["hx"]["his"]))
    with closing(sqlite3.connect(demo.hx)) as connection:
        patient, number = connection.execute(
            "SELECT PATIENT_ID, INSURANCE_NO FROM CLINIC_MASTER WHERE INSURANCE_NO IS NOT NULL"
        ).fetchone()
    for place in (settings, {"insurance_no": "CLINIC_MASTER"}):
        index = PatientIndex(source, JunweiSettings.model_validate(place))
        found = index.find(None, number, None, None)
        assert [(one.PatientId, one.InsuranceNo) for one in found] == [(patient, number)]
    source.close()
