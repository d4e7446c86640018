"""Patients found by each of their numbers, at both vendors, and never guessed."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from services.faults import Conflict, InvalidArgument, NotFound, SourceError
from tests.adapters.conftest import Database, Opener

NOW = datetime(2026, 11, 21, 9)
ID_NO = "11010119810305001X"


@pytest.fixture
def two_sisters(junwei_database: Database) -> Database:
    for number, name in ((1, "张伟"), (2, "张玮")):
        junwei_database.insert(
            "PAT_MASTER_INDEX",
            PATIENT_ID=f"000000000{number}",
            NAME=name,
            SEX="女  ",
            DATE_OF_BIRTH="1981-11-22 00:00:00",
            ID_NO=ID_NO,
            ID_TYPE="01",
            CHARGE_TYPE="自费",
            NEXT_OF_KIN_PHONE="13800000000",
        )
    for visit, insurance in ((1, "YB-OLD"), (2, "YB-NEW")):
        junwei_database.insert(
            "CLINIC_MASTER",
            VISIT_DATE=f"2026-11-1{visit} 00:00:00",
            VISIT_NO=1,
            PATIENT_ID="0000000001",
            INSURANCE_NO=insurance,
            CARD_NO="K01",
        )
    return junwei_database


def test_junwei(two_sisters: Database, opened: Opener) -> None:
    config = {"offers": ["Patients"]}
    adapter = opened(two_sisters.path, "junwei", config)
    adapter.check()
    (one,) = adapter.FindPatients(InsuranceNo="YB-OLD")
    assert (one.PatientId, one.Name, one.Sex, one.InsuranceNo) == (
        *("0000000001", "张伟", "2", "YB-NEW"),
    )
    assert one.BirthDate == date(1981, 11, 22) and one.Phone == "13800000000"
    assert (one.IdentityType, one.VisitCardNo) == ("01", "K01")
    assert adapter.FindPatients(VisitCardNo="K01") == [one] == [adapter.GetPatient("0000000001")]
    # The lower-case x of another program finds the same people; both are answered.
    both = adapter.FindPatients(IdentityNo=ID_NO.lower())
    assert [found.PatientId for found in both] == ["0000000001", "0000000002"]
    assert adapter.FindPatients(IdentityNo=ID_NO, InsuranceNo="YB-NEW") == [one]
    assert adapter.FindPatients(PatientId="0000000002", InsuranceNo="YB-NEW") == []
    assert adapter.FindPatients(IdentityNo="%") == []


def test_no_criterion_no_card_nobody(two_sisters: Database, opened: Opener) -> None:
    config = {"offers": ["Patients"]}
    adapter = opened(two_sisters.path, "junwei", config, visit_card="")
    with pytest.raises(InvalidArgument):
        adapter.FindPatients(PatientId=" ")
    with pytest.raises(InvalidArgument) as caught:
        adapter.FindPatients(VisitCardNo="K01")
    assert caught.value.field == "VisitCardNo"
    with pytest.raises(NotFound):
        adapter.GetPatient("0000000003")
    assert adapter.GetPatient("0000000001").VisitCardNo is None


def test_bsoft(bsoft_database: Database, opened: Opener) -> None:
    bsoft_database.insert("GY_BRXZ", BRXZ=2, XZMC="职工医保")
    for number, card in ((1, "M1"), (2, "M2"), (3, "M2"), (4, None)):
        bsoft_database.insert(
            "MS_BRDA",
            BRID=number,
            MZHM=card,
            BRXM="张伟",
            BRXB=1,
            CSNY="1981-03-05",
            SFZH=f"{ID_NO[:-1]}{number}",
            YBKH=f"YB{number}",
            JZKH=f"K{number}",
            BRXZ=2,
        )
    adapter = opened(bsoft_database.path, "bsoft", {"offers": ["Patients"]})
    adapter.check()
    (one,) = adapter.FindPatients(VisitCardNo="K1", InsuranceNo="YB1")
    assert (one.PatientId, one.ChargeType, one.Sex, one.IdentityType) == (
        "M1",
        "职工医保",
        "1",
        "01",
    )
    assert adapter.GetPatient("M1") == one
    assert len(adapter.FindPatients(PatientId="M2")) == 2
    with pytest.raises(Conflict):
        adapter.GetPatient("M2")
    with pytest.raises(SourceError) as caught:  # without the number that all ask by
        adapter.FindPatients(VisitCardNo="K4")
    assert "MZHM" in str(caught.value) and "BRID=4" in str(caught.value)
