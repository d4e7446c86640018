"""Constant data behind the operations, so that what is measured is the codec and the host."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.catalogue import CONTRACTS
from services.contract import describe
from services.lab_results import LabMaster
from services.number_source import NumberSource, NumberSourceSlot
from services.soap.exchange import Endpoint, guarded
from services.soap.interface import his_service_interface, typed_interface
from yilian.node import his_service_endpoint

CODE = "hx"
DAY = date(2026, 11, 21)
_ASKED = datetime(2026, 11, 20, 8, 30)
Invoke = Callable[..., Awaitable[Any]]


def masters(rows: int) -> list[LabMaster]:
    """Lab tests as a hospital has them: mostly Chinese, some values left out."""
    return [
        LabMaster(
            TestNo=f"261120{number:04d}",
            Name="张伟",
            ChargeType="城镇职工基本医疗保险",
            Sex="1",
            Age=45,
            TestCause="查体",
            RelevantClinicDiag="高血压病 2 级",
            Specimen="静脉血",
            NotesForSpcm=None if number % 2 else "空腹",
            OrderingDept="心血管内科",
            RequestedDateTime=_ASKED - timedelta(hours=number),
            ResultsRptDateTime=_ASKED - timedelta(hours=number - 6),
            OrderingProvider="王建国",
            PerformedBy="检验科",
            WorkingId=f"A{number:02d}",
            Transcriptionist="李敏",
            VerifiedBy="赵静",
            ResultStatus="4",
            Final=True,
        )
        for number in range(rows)
    ]


def slots(rows: int) -> list[NumberSourceSlot]:
    """A number table: expert sessions, and every third an ordinary one without a doctor."""
    return [
        NumberSourceSlot(
            ScheduleId=f"20261121-{number:04d}A-1",
            ScheduleDate=DAY,
            ClinicLabel=f"{number:04d}A",
            ClinicName="心血管内科专家门诊",
            DeptCode="0301",
            DeptName="心血管内科",
            DoctorName="王建国" if number % 3 else None,
            DoctorTitle="主任医师" if number % 3 else None,
            Expert=bool(number % 3),
            Speciality="冠心病介入治疗，擅长心律失常" if number % 3 else None,
            Shift="1",
            Limit=30 if number % 3 else None,
            Remaining=12 if number % 3 else None,
            Unlimited=not number % 3,
            Stopped=False,
            OpenToRemote=True,
            RegistrationFee=Decimal("1.00"),
            ConsultationFee=Decimal("24.00"),
            Place="门诊楼三层 A 区",
        )
        for number in range(rows)
    ]


def _constant(value: Any) -> Invoke:
    async def call(**arguments: Any) -> Any:
        return value

    return guarded(call, CODE)


def legacy_endpoint(rows: int) -> Endpoint:
    """HisService, whose getlabmaster answers ``rows`` rows to whoever asks."""
    answers = {"QueryLabMaster": _constant(masters(rows))}
    offered = {
        name: {op.name: answers.get(op.name, _constant([])) for op in describe(contract).operations}
        for name, contract in CONTRACTS.items()
    }
    return his_service_endpoint(CODE, offered)


def string_endpoint(answer: tuple[int, str]) -> Endpoint:
    """HisService over nothing: every operation answers this."""

    async def call(**arguments: Any) -> Any:
        return answer

    interface = his_service_interface()
    return Endpoint(interface, CODE, {op.name: call for op in interface.operations})


def number_source_endpoint(rows: int) -> Endpoint:
    """NumberSource, whose QueryNumberSource answers ``rows`` sessions for any date."""
    invoke = {op.name: _constant(slots(rows)) for op in describe(NumberSource).operations}
    return Endpoint(typed_interface(NumberSource), CODE, invoke)
