"""A hospital without a database: the contracts over constants, full of what breaks clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import MISSING, fields, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.contract import describe
from services.faults import Conflict, NotFound
from services.lab_results import LabMaster, LabReport, LabResultItem, LabResults
from services.number_source import NumberSource, NumberSourceSlot
from services.soap.exchange import Endpoint, guarded
from services.soap.interface import typed_interface
from tests.rows import MASTER, SLOT
from yilian.config import Hospital, Listen, NodeConfig
from yilian.node import Node, his_service_endpoint

CODE = "hx"

SLOTS = (
    replace(
        SLOT,
        ClinicName="心血管内科专家门诊",
        DeptName="心血管内科",
        DoctorName="朱镕喆",
        DoctorTitle="主任医师",
        Speciality="介入|支架?\r\n随访\n<b>&amp;\"'</b>",
        Limit=30,
        Remaining=0,
        Unlimited=False,
        ConsultationFee=Decimal("24.50"),
        Place="门诊楼三层 A 区",
    ),
    replace(
        SLOT,
        ScheduleId="20261121-0302-2",
        ClinicLabel="0302",
        ClinicName="普通门诊",
        DeptCode="喆𠮷㐂",
        DeptName="𠮷野㐂代科",
        Expert=False,
        Shift="2",
        Stopped=True,
        OpenToRemote=False,
        RegistrationFee=Decimal("0.00"),
        ConsultationFee=Decimal("9999999999.99"),
        Place=None,
    ),
    replace(
        SLOT,
        ScheduleId="20261121-0303-9",
        ClinicLabel="0303",
        ClinicName="",
        DeptCode="0303",
        DeptName="骨科",
        DoctorName="",
        DoctorTitle="",
        Expert=False,
        Speciality="",
        Shift="9",
        Limit=2147483647,
        Remaining=2147483646,
        Unlimited=False,
        RegistrationFee=Decimal("0.5"),
        ConsultationFee=Decimal("100"),
        Place="",
    ),
)

#: a master of nothing but what each names itself
_BLANK: dict[str, Any] = dict.fromkeys(
    one.name for one in fields(LabMaster) if one.default is MISSING
)

MASTERS = (
    replace(
        MASTER,
        Name="𠮷田㐂喆",
        ChargeType="城镇职工基本医疗保险",
        Sex="2",
        TestCause="查体|复查?",
        RelevantClinicDiag="高血压病\r\n糖尿病",
        Specimen="静脉血",
        NotesForSpcm="",
        OrderingDept="心血管内科",
        ResultsRptDateTime=datetime(2026, 11, 20, 15, 10, 9),
        Printed=True,
        RecognitionMark="HR",
    ),
    LabMaster(
        **_BLANK
        | {
            "TestNo": "2611200002",
            "Sex": "1",
            "Age": 0,
            "RequestedDateTime": datetime(2026, 11, 19, 23, 59, 59),
            "ResultsRptDateTime": datetime(2026, 11, 20, 0, 0),
            "VerifiedBy": "赵静",
            "ResultStatus": "3",
            "Final": False,
            "Printed": False,
        }
    ),
    LabMaster(**_BLANK | {"TestNo": "2611200003", "ResultStatus": "7", "Final": False}),
)

ITEMS = [
    LabResultItem(
        ItemNo="1",
        ItemCode="WBC",
        ItemName="白细胞计数",
        Result="6.21",
        Units="10^9/L",
        Abnormal="N",
        Reference="3.5-9.5",
        ResultDateTime=datetime(2026, 11, 20, 14, 55),
        RecognitionMark="HR",
    ),
    LabResultItem(
        ItemNo="2",
        ItemCode="HBsAg",
        ItemName="乙肝表面抗原|定性?",
        Result="阳性(+) > 1:8 & < 1:16",
        Units="",
        Abnormal="A",
        Reference=None,
        ResultDateTime=None,
    ),
]
REPORTS = {
    "2611210001": LabReport("2611210001", "0000000001", "4", True, ITEMS),
    "2611200002": LabReport("2611200002", "0000000001", "3", False, ITEMS[:1]),
}


class ConstantHospital:
    """What is read of two contracts; a patient id that begins with 回声 comes back as the name."""

    def QueryNumberSource(
        self, ScheduleDate: date, DeptCode: str | None = None, ClinicLabel: str | None = None
    ) -> list[NumberSourceSlot]:
        return [
            slot
            for slot in SLOTS
            if slot.ScheduleDate == ScheduleDate
            and DeptCode in (None, slot.DeptCode)
            and ClinicLabel in (None, slot.ClinicLabel)
        ]

    def GetNumberSource(self, ScheduleId: str) -> NumberSourceSlot:
        for slot in SLOTS:
            if slot.ScheduleId == ScheduleId:
                return slot
        raise NotFound(f"没有号源 {ScheduleId}", f"no schedule {ScheduleId}", field="ScheduleId")

    def QueryLabMaster(
        self, PatientId: str, Since: datetime | None = None, Until: datetime | None = None
    ) -> list[LabMaster]:
        if PatientId.startswith("回声"):
            given = {"TestNo": "1", "Name": PatientId, "ResultStatus": "0", "Final": False}
            return [LabMaster(**_BLANK | given)]
        if PatientId != "0000000001":
            return []
        return [
            master
            for master in MASTERS
            if (Since is None and Until is None)
            or (
                master.RequestedDateTime is not None
                and (Since is None or Since <= master.RequestedDateTime)
                and (Until is None or master.RequestedDateTime < Until)
            )
        ]

    def GetLabResult(self, TestNo: str) -> LabReport:
        if TestNo not in REPORTS:
            raise NotFound(f"没有检验单 {TestNo}", f"no lab test {TestNo}", field="TestNo")
        return REPORTS[TestNo]

    def MarkLabPrinted(self, RequestId: str, TestNo: str) -> LabMaster:
        for master in MASTERS:
            if master.TestNo == TestNo and master.Final:
                return replace(master, Printed=True)
        raise NotFound(f"没有检验单 {TestNo}", f"no confirmed lab test {TestNo}", field="TestNo")


def constant_node(public_url: str) -> Node:
    """A node that serves the constants. HisService answers what is not here by its error."""
    hospital = ConstantHospital()
    offered = {
        contract.__name__: {
            operation.name: guarded(_as_coroutine(hospital, operation.name), CODE)
            for operation in describe(contract).operations
        }
        for contract in (NumberSource, LabResults)
    }
    endpoints = [
        Endpoint(typed_interface(NumberSource), CODE, offered["NumberSource"]),
        Endpoint(typed_interface(LabResults), CODE, offered["LabResults"]),
        his_service_endpoint(CODE, offered),
    ]
    # Not through the checks of a file, which ask for a source: there is none here.
    config = NodeConfig.model_construct(
        hospital=Hospital(code=CODE, name="华夏中心医院", name_en="Huaxia Central Hospital"),
        listen=Listen(port=1, public_url=public_url),
        registry=None,
        alliance=None,
        sources={},
    )
    return Node(config, {endpoint.path: endpoint for endpoint in endpoints}, {})


def _as_coroutine(hospital: ConstantHospital, operation: str) -> Callable[..., Awaitable[Any]]:
    method = getattr(hospital, operation, None)

    async def call(**arguments: Any) -> Any:
        if method is None:
            raise Conflict(f"此处没有 {operation}", f"{operation} is not offered here")
        return method(**arguments)

    return call
