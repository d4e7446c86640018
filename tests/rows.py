"""A laboratory test and a number source with nothing remarkable about them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from services.lab_results import LabMaster
from services.number_source import NumberSourceSlot

MASTER = LabMaster(
    TestNo="2611210001",
    Name="张伟",
    ChargeType="自费",
    Sex="1",
    Age=45,
    TestCause=None,
    RelevantClinicDiag="高血压",
    Specimen="血",
    NotesForSpcm=None,
    OrderingDept="心内科",
    RequestedDateTime=datetime(2026, 11, 20, 8, 30),
    ResultsRptDateTime=datetime(2026, 11, 20, 15, 10, 5),
    OrderingProvider="王建国",
    PerformedBy="检验科",
    WorkingId="A01",
    Transcriptionist="李敏",
    VerifiedBy="赵静",
    ResultStatus="4",
    Final=True,
)
SLOT = NumberSourceSlot(
    ScheduleId="20261121-0301A-1",
    ScheduleDate=date(2026, 11, 21),
    ClinicLabel="0301A",
    ClinicName="心内专家",
    DeptCode="0301",
    DeptName="心内科",
    DoctorName=None,
    DoctorTitle=None,
    Expert=True,
    Speciality=None,
    Shift="1",
    Limit=None,
    Remaining=None,
    Unlimited=True,
    Stopped=False,
    OpenToRemote=True,
    RegistrationFee=Decimal("1.00"),
    ConsultationFee=Decimal("1E+1"),
    Place="三层",
)
