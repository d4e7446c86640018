"""Number sources 号源: what can be registered for, by date.

The paper's function 1, remote number-source query 远程号表查询.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

from services import terms as t
from services.contract import Contract, Count, Doc, Text, read


@dataclass(frozen=True, slots=True)
class NumberSourceSlot:
    """One session of one clinic label: the row of a number table 号表."""

    ScheduleId: t.ScheduleId
    ScheduleDate: t.ScheduleDate
    ClinicLabel: t.ClinicLabel
    ClinicName: Annotated[str, Text(128), Doc("号别名称", "clinic name", "心血管内科专家门诊")]
    DeptCode: t.DeptCode
    DeptName: t.DeptName
    DoctorName: (
        Annotated[str, Text(64), Doc("医师姓名（普通号无）", "doctor; none: ordinary", "王建国")]
        | None
    )
    DoctorTitle: Annotated[str, Text(32), Doc("职称", "doctor's title", "主任医师")] | None
    Expert: Annotated[bool, Doc("是否专家号", "expert session", "true")]
    Speciality: (
        Annotated[str, Text(512), Doc("专家特长", "expert's speciality", "冠心病介入治疗")] | None
    )
    Shift: Annotated[str, t.SHIFT, Doc("班次", "shift", "1")]
    Limit: (
        Annotated[int, Count(), Doc("限号数（不限号时无）", "limit; none: unlimited", "30")] | None
    )
    Remaining: (
        Annotated[int, Count(), Doc("剩余号数（不限号时无）", "left; none: unlimited", "12")] | None
    )
    Unlimited: Annotated[bool, Doc("是否不限号", "unlimited", "false")]
    Stopped: Annotated[bool, Doc("是否停诊", "session stopped", "false")]
    OpenToRemote: Annotated[bool, Doc("是否开放远程挂号", "open to remote registration", "true")]
    RegistrationFee: Annotated[t.Yuan, Doc("挂号费（元）", "registration fee, yuan", "1.00")]
    ConsultationFee: Annotated[t.Yuan, Doc("诊查费（元）", "consultation fee, yuan", "24.00")]
    Place: Annotated[str, Text(128), Doc("就诊地点", "place", "门诊楼三层A区")] | None


class NumberSource(Contract, version=1, zh="号源查询"):
    """号源查询：按日期查询各号别的余号、停诊、是否开放远程挂号、专家特长。

    Number-source query: by date, every clinic label with what is left, whether the session is
    stopped, whether it is open to remote registration, and the expert's speciality.
    """

    @read("按日期查询号源", probe={"ScheduleDate": t.NO_DATE})
    @abstractmethod
    def QueryNumberSource(
        self,
        ScheduleDate: t.ScheduleDate,
        DeptCode: t.DeptCode | None = None,
        ClinicLabel: t.ClinicLabel | None = None,
    ) -> list[NumberSourceSlot]:
        """Every session of that date, also full and stopped ones, ordered by department code,
        clinic label and shift. A date without sessions is answered by an empty list."""

    @read("按号源标识查询")
    @abstractmethod
    def GetNumberSource(self, ScheduleId: t.ScheduleId) -> NumberSourceSlot:
        """One session. Raises NotFound where the hospital has none of that id."""
