"""HisService's operations of examinations: ExamResults, told as rows.

As with lab tests, a row has no room for a caveat: void examinations are left out, and a report's
time, verifier and text are told only once it is confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services import terms as t
from services.contract import record_type
from services.delimited import DelimitedOperation, delimited
from services.exam_results import ExamMaster, ExamReport, ExamResults

_MASTER = record_type(ExamMaster)


def _sex(master: ExamMaster) -> str:
    """性别的中文 sex in Chinese：男、女、未知、未说明"""
    return "" if master.Sex is None else t.SEX.table[master.Sex][0]


def _reported(master: ExamMaster) -> str:
    """yyyy-MM-dd HH:mm:ss；未审核时为空 empty until confirmed"""
    if not master.Final or master.ReportDateTime is None:
        return ""
    return master.ReportDateTime.isoformat(" ", "seconds")


def _verified(master: ExamMaster) -> str:
    """≤ 64 字；未审核时为空 empty until confirmed"""
    return (master.VerifiedBy or "") if master.Final else ""


def _living(masters: Sequence[ExamMaster]) -> list[ExamMaster]:
    return [master for master in masters if master.ResultStatus != t.VOID]


def _final(report: ExamReport) -> list[ExamReport]:
    return [report] if report.Final else []


def _items(report: ExamReport) -> str:
    """项目名称，以顿号分隔 the items' names"""
    return "、".join(item.ItemName for item in report.Items)


def _images(report: ExamReport) -> str:
    """影像调阅地址，以空格分隔；可为空 addresses of the images, parted by blanks; may be empty"""
    return " ".join(image.Url for image in report.Images if image.Url)


def _one(record: Any) -> Sequence[Any]:
    return [record]


OPERATIONS: tuple[DelimitedOperation, ...] = (
    delimited(
        "getexammaster",
        ExamResults,
        "QueryExamMaster",
        zh="检查主记录",
        doc="病人的检查；作废的不列出，未审核的没有报告时间和审核者。 "
        "A patient's examinations; void ones are left out, and only a confirmed report has its "
        "time and verifier.",
        record=_MASTER,
        columns=(
            "ExamNo",
            "Name",
            "Sex",
            "ExamClass",
            "ExamSubClass",
            "ExamItems",
            "ClinDiag",
            "ReqDept",
            "ReqPhysician",
            "ReqDateTime",
            "ExamDateTime",
            "ReportDateTime",
            "PerformedBy",
            "Reporter",
            "VerifiedBy",
            "Printed",
            "StudyUid",
            "RecognitionMark",
        ),
        cells={"Sex": _sex, "ReportDateTime": _reported, "VerifiedBy": _verified},
        rows=_living,
    ),
    delimited(
        "getexamreport",
        ExamResults,
        "GetExamReport",
        zh="检查报告",
        doc="一份检查报告；未审核的返回 0 行，单号不存在返回 -2；Images 为影像地址，以空格分隔。 "
        "One report; 0 rows until it is confirmed, -2 for an unknown number; Images holds "
        "addresses, parted by blanks.",
        record=record_type(ExamReport),
        columns=(
            "ExamNo",
            "PatientId",
            "Items",
            "ExamPara",
            "Description",
            "Impression",
            "Recommendation",
            "Abnormal",
            "RecognitionMark",
            "Images",
        ),
        cells={"Items": _items, "Images": _images},
        rows=_final,
    ),
    delimited(
        "markexamprinted",
        ExamResults,
        "MarkExamPrinted",
        zh="检查报告已打印",
        doc="登记检查报告已打印；未审核返回 -3。 Note that a report was printed; -3 until it is "
        "confirmed.",
        record=_MASTER,
        columns=("ExamNo", "Printed"),
        rows=_one,
    ),
)
