"""Lab results 检验结果: master records of a patient's tests, and a test's results.

The paper's function 5, remote result retrieval, and its worked example getlabmaster.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from services import terms as t
from services.contract import Contract, Doc, Text, read, write


@dataclass(frozen=True, slots=True)
class LabMaster:
    """One lab test: the paper's 17 fields, typed, and its status.

    ``Final`` is true for a confirmed report and nothing else. ResultsRptDateTime and VerifiedBy
    are given as the LIS holds them; a reader that shows results looks at Final. RecognitionMark
    stands only on a confirmed report, all of whose items the members recognise.
    """

    TestNo: t.TestNo
    Name: t.PersonName | None
    ChargeType: t.ChargeType | None
    Sex: t.Sex | None
    Age: t.Age | None
    TestCause: Annotated[str, Text(64), Doc("检验目的", "cause of the test", "查体")] | None
    RelevantClinicDiag: (
        Annotated[str, Text(512), Doc("临床诊断", "relevant diagnosis", "高血压病")] | None
    )
    Specimen: Annotated[str, Text(64), Doc("标本", "specimen", "静脉血")] | None
    NotesForSpcm: (
        Annotated[str, Text(256), Doc("标本说明", "notes for the specimen", "空腹")] | None
    )
    OrderingDept: (
        Annotated[str, Text(64), Doc("申请科室", "ordering department", "心血管内科")] | None
    )
    RequestedDateTime: (
        Annotated[datetime, Doc("申请时间", "time of the request", "2026-11-20T08:30:00")] | None
    )
    ResultsRptDateTime: (
        Annotated[datetime, Doc("报告时间", "time of the report", "2026-11-20T15:10:00")] | None
    )
    OrderingProvider: Annotated[str, Text(64), Doc("申请医师", "ordering doctor", "王建国")] | None
    PerformedBy: Annotated[str, Text(64), Doc("执行科室", "performing department", "检验科")] | None
    WorkingId: Annotated[str, Text(32), Doc("工作单号", "working id", "A01")] | None
    Transcriptionist: (
        Annotated[str, Text(64), Doc("报告者", "who entered the report", "李敏")] | None
    )
    VerifiedBy: Annotated[str, Text(64), Doc("审核者", "who verified it", "赵静")] | None
    ResultStatus: t.ResultStatus
    Final: Annotated[bool, Doc("是否已审核的最终报告", "confirmed, final report", "true")]
    Printed: Annotated[bool, Doc("是否已打印", "printed", "false")] = False
    RecognitionMark: t.RecognitionMark | None = None


@dataclass(frozen=True, slots=True)
class LabResultItem:
    """One reported item of a test. Its mark says that the members recognise the result; whether
    to rely on it is the receiving doctor's decision."""

    ItemNo: Annotated[str, Text(32), Doc("序号", "item number", "1")]
    ItemCode: Annotated[str, Text(64), Doc("项目代码", "item code", "WBC")] | None
    ItemName: Annotated[str, Text(128), Doc("项目名称", "item name", "白细胞计数")] | None
    Result: Annotated[str, Text(512), Doc("结果", "result", "6.21")] | None
    Units: Annotated[str, Text(64), Doc("单位", "unit", "10^9/L")] | None
    Abnormal: Annotated[str, t.ABNORMAL, Doc("异常标志", "abnormal flag", "N")]
    Reference: Annotated[str, Text(256), Doc("参考范围", "reference range", "3.5-9.5")] | None
    ResultDateTime: (
        Annotated[datetime, Doc("结果时间", "time of the result", "2026-11-20T14:55:00")] | None
    )
    RecognitionMark: t.RecognitionMark | None = None


@dataclass(frozen=True, slots=True)
class LabReport:
    """A test's report. ``Items`` holds results only in status 3 (preliminary, Final is false)
    and 4 (confirmed); in every other status nothing has been reported yet, or it is void."""

    TestNo: t.TestNo
    PatientId: t.PatientId
    ResultStatus: t.ResultStatus
    Final: Annotated[bool, Doc("是否已审核的最终报告", "confirmed, final report", "true")]
    Items: list[LabResultItem]


class LabResults(Contract, version=1, zh="检验结果查询", reads_alone=True):
    """检验结果查询：检验主记录与结果明细，只有已确认的报告才是最终报告。

    Lab results: master records and results; only a confirmed report is final.
    """

    @read("查询检验主记录", probe={"PatientId": t.NOBODY})
    @abstractmethod
    def QueryLabMaster(
        self,
        PatientId: t.PatientId,
        Since: t.Since | None = None,
        Until: t.Until | None = None,
    ) -> list[LabMaster]:
        """The patient's tests, in any status, newest request first (then by test number,
        descending). ``Since`` and ``Until`` bound RequestedDateTime: Since <= t < Until; a test
        without that time is left out as soon as one bound is given. A patient without tests, or
        unknown to the laboratory, is answered by an empty list."""

    @read("查询检验结果明细")
    @abstractmethod
    def GetLabResult(self, TestNo: t.TestNo) -> LabReport:
        """One test's report, items in print order. Raises NotFound for an unknown number."""

    @write("标记已打印")
    @abstractmethod
    def MarkLabPrinted(self, RequestId: t.RequestId, TestNo: t.TestNo) -> LabMaster:
        """Mark a confirmed report as printed; marking it again is no error. NotFound: unknown
        number. Conflict: it is not confirmed yet, or this hospital is only read from."""
