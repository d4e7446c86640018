"""Examination results 检查结果: reports of imaging and other examinations, and their images.

The paper's function 5. Mutual recognition (HR) covers the result, not the conclusion.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from services import terms as t
from services.contract import Contract, Count, Doc, Text, read, write

LongText = Text(4000)


@dataclass(frozen=True, slots=True)
class ExamMaster:
    """One examination. ``Final`` is true for a confirmed report and nothing else; the
    RecognitionMark stands only on one, and only if the members recognise all of its items."""

    ExamNo: t.ExamNo
    Name: t.PersonName | None
    Sex: t.Sex | None
    ExamClass: Annotated[str, Text(64), Doc("检查类别", "class", "CT")] | None
    ExamSubClass: Annotated[str, Text(64), Doc("检查子类", "sub class", "胸部")] | None
    ExamItems: Annotated[str, Text(1000), Doc("检查项目", "items", "胸部CT平扫")] | None
    ClinDiag: Annotated[str, Text(512), Doc("临床诊断", "diagnosis", "肺部感染")] | None
    ReqDept: Annotated[str, Text(64), Doc("申请科室", "requesting department", "呼吸内科")] | None
    ReqPhysician: Annotated[str, Text(64), Doc("申请医师", "requesting doctor", "王建国")] | None
    ReqDateTime: Annotated[datetime, Doc("申请时间", "requested", "2026-11-20T08:30:00")] | None
    ExamDateTime: Annotated[datetime, Doc("检查时间", "examined", "2026-11-20T10:00:00")] | None
    ReportDateTime: Annotated[datetime, Doc("报告时间", "reported", "2026-11-20T15:00:00")] | None
    PerformedBy: Annotated[str, Text(64), Doc("执行科室", "performed by", "放射科")] | None
    Reporter: Annotated[str, Text(64), Doc("报告医师", "reporter", "陈光")] | None
    VerifiedBy: Annotated[str, Text(64), Doc("审核医师", "verified by", "赵静")] | None
    ResultStatus: t.ExamStatus
    Final: t.IsFinal
    Printed: Annotated[bool, Doc("是否已打印", "printed", "false")]
    StudyUid: t.StudyUid | None
    RecognitionMark: t.RecognitionMark | None


@dataclass(frozen=True, slots=True)
class ExamItem:
    """One examined item."""

    ItemNo: Annotated[int, Count(0), Doc("序号", "item number", "1")]
    ItemCode: Annotated[str, Text(64), Doc("项目代码", "item code", "E0101")] | None
    ItemName: Annotated[str, Text(128), Doc("项目名称", "item name", "胸部CT平扫")]


@dataclass(frozen=True, slots=True)
class ImageStudy:
    """A study in the PACS. ``Url`` opens it for this asker, where a viewer is configured."""

    StudyUid: t.StudyUid
    Modality: Annotated[str, Text(16), Doc("设备类型", "modality", "CT")] | None
    StudyDate: Annotated[datetime, Doc("检查日期", "date", "2026-11-20T10:00:00")] | None
    Description: Annotated[str, Text(256), Doc("描述", "description", "CHEST")] | None
    ImageCount: Annotated[int, Count(), Doc("图像数", "number of images", "120")] | None
    Url: Annotated[str, Text(1024), Doc("调阅地址", "link", "")] | None


@dataclass(frozen=True, slots=True)
class ExamReport:
    """A report. The texts are given only in status 3 (preliminary, Final is false) and 4, and
    nothing but the head of a void one. What members recognise is the result, never Impression:
    the receiving doctor decides."""

    ExamNo: t.ExamNo
    PatientId: t.PatientId
    ResultStatus: t.ExamStatus
    Final: t.IsFinal
    ExamPara: Annotated[str, LongText, Doc("检查参数", "parameters", "")] | None
    Description: Annotated[str, LongText, Doc("检查所见", "findings", "两肺纹理增多")] | None
    Impression: Annotated[str, LongText, Doc("印象", "impression", "支气管炎")] | None
    Recommendation: Annotated[str, LongText, Doc("建议", "recommendation", "随访")] | None
    Abnormal: Annotated[bool, Doc("是否阳性", "abnormal", "true")] | None
    RecognitionMark: t.RecognitionMark | None
    Items: Annotated[list[ExamItem], Doc("检查项目", "items")]
    Images: Annotated[list[ImageStudy], Doc("影像", "images")]


class ExamResults(Contract, version=1, zh="检查结果查询", reads_alone=True):
    """检查结果查询：检查主记录、报告与影像链接，只有已确认的报告才是最终报告。

    Examination results, reports and image links; only a confirmed report is final.
    """

    @read("查询检查主记录", probe={"PatientId": t.NOBODY})
    @abstractmethod
    def QueryExamMaster(
        self,
        PatientId: t.PatientId,
        Since: t.Since | None = None,
        Until: t.Until | None = None,
    ) -> list[ExamMaster]:
        """The patient's examinations in any status, newest request first (then by number,
        descending). Since and Until bound ReqDateTime: Since <= t < Until; an examination without
        that time is left out as soon as one bound is given. Unknown patients have none."""

    @read("查询检查报告")
    @abstractmethod
    def GetExamReport(self, ExamNo: t.ExamNo) -> ExamReport:
        """One report. Raises NotFound for an unknown number."""

    @write("标记已打印")
    @abstractmethod
    def MarkExamPrinted(self, RequestId: t.RequestId, ExamNo: t.ExamNo) -> ExamMaster:
        """Mark a confirmed report as printed; marking it again is no error. NotFound: unknown
        number. Conflict: it is not confirmed yet, or this hospital is only read from."""
