"""HisService 传统接口: every delimited operation, in one service, so that a legacy client needs
one proxy. A published operation's name, parameters, columns and their order never change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services import his_exam_results, his_ordering, his_patients, his_registration
from services import terms as t
from services.contract import record_type
from services.delimited import DelimitedOperation, delimited
from services.lab_results import LabMaster, LabReport, LabResultItem, LabResults
from services.number_source import NumberSource, NumberSourceSlot

NAME = "HisService"
NAMESPACE = "http://tempuri.org/"
ZH = "传统接口（竖线分隔）"
DOC = "供 PowerBuilder、VB6、wsdl.exe 客户端使用的传统接口。 The face for legacy clients."


def _sex(master: LabMaster) -> str:
    return "" if master.Sex is None else t.SEX.table[master.Sex][0]


def _reported(master: LabMaster) -> str:
    # A legacy client takes a report time for "the report is ready": only a final one has it.
    return _moment(master.ResultsRptDateTime) if master.Final else ""


def _verified(master: LabMaster) -> str:
    return (master.VerifiedBy or "") if master.Final else ""


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.isoformat(" ", "seconds")


def _living(masters: Sequence[LabMaster]) -> list[LabMaster]:
    # The 17 fields have no status, so a void test could not be told from a living one.
    return [master for master in masters if master.ResultStatus != t.VOID]


def _final_items(report: LabReport) -> list[LabResultItem]:
    # A row has no status either: results before confirmation are left to the typed service.
    return report.Items if report.Final else []


def _abnormal(item: LabResultItem) -> str:
    return {"U": "", "N": ""}.get(item.Abnormal, item.Abnormal)


def _one(master: LabMaster) -> list[LabMaster]:
    return [master]


OPERATIONS: tuple[DelimitedOperation, ...] = (
    delimited(
        "getlabmaster",
        LabResults,
        "QueryLabMaster",
        zh="检验主记录",
        doc="病人的检验主记录，17 个字段；作废的不列出，未审核的没有报告时间和审核者。 "
        "A patient's lab tests, 17 fields; void ones are left out, and only a confirmed report "
        "has its time and verifier.",
        record=record_type(LabMaster),
        columns=(
            "TestNo",
            "Name",
            "ChargeType",
            "Sex",
            "Age",
            "TestCause",
            "RelevantClinicDiag",
            "Specimen",
            "NotesForSpcm",
            "OrderingDept",
            "RequestedDateTime",
            "ResultsRptDateTime",
            "OrderingProvider",
            "PerformedBy",
            "WorkingId",
            "Transcriptionist",
            "VerifiedBy",
        ),
        cells={"Sex": _sex, "ResultsRptDateTime": _reported, "VerifiedBy": _verified},
        rows=_living,
    ),
    delimited(
        "getlabresult",
        LabResults,
        "GetLabResult",
        zh="检验结果明细",
        doc="一张检验单的结果；未审核的返回 0 行，单号不存在返回 -2。 "
        "One test's results; 0 rows until the report is confirmed, -2 for an unknown number.",
        record=record_type(LabResultItem),
        columns=(
            "ItemNo",
            "ItemCode",
            "ItemName",
            "Result",
            "Units",
            "Abnormal",
            "Reference",
            "ResultDateTime",
        ),
        cells={"Abnormal": _abnormal},
        rows=_final_items,
    ),
    delimited(
        "marklabprinted",
        LabResults,
        "MarkLabPrinted",
        zh="检验报告已打印",
        doc="登记检验报告已打印；未审核返回 -3。 Note that a report was printed; -3 until it is "
        "confirmed.",
        record=record_type(LabMaster),
        columns=("TestNo", "Printed"),
        rows=_one,
    ),
    delimited(
        "getclinicforregist",
        NumberSource,
        "QueryNumberSource",
        zh="号表查询",
        doc="某日全部号别；布尔值为 1 或 0，不限号时限号数与余号为空。 "
        "Every session of a date; 1 or 0 for yes or no, Limit and Remaining empty if unlimited.",
        record=record_type(NumberSourceSlot),
        parameters={"ClinicDate": "ScheduleDate"},
        columns=(
            "ScheduleId",
            "ClinicLabel",
            "ClinicName",
            "DeptCode",
            "DeptName",
            "DoctorName",
            "DoctorTitle",
            "Expert",
            "Speciality",
            "Shift",
            "Limit",
            "Remaining",
            "Unlimited",
            "Stopped",
            "OpenToRemote",
            "RegistrationFee",
            "ConsultationFee",
            "Place",
        ),
    ),
    *his_patients.OPERATIONS,
    *his_registration.OPERATIONS,
    *his_ordering.OPERATIONS,
    *his_exam_results.OPERATIONS,
)


def columns_of(operation: str) -> tuple[str, ...]:
    """The column names of an operation's rows, or KeyError."""
    for known in OPERATIONS:
        if known.name == operation:
            return tuple(column.field.name for column in known.columns)
    raise KeyError(operation)
