"""HisService's operations of registration: Registration, told as rows.

A legacy client that did not hear an answer sends the same RequestId again, as a typed one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services import terms as t
from services.contract import RecordType, record_type
from services.delimited import DelimitedOperation, delimited
from services.registration import NumberLock, Registration, RegistrationRecord, StopNotice


@dataclass(frozen=True, slots=True)
class StopNoticeRow:
    """One registration of a stopped session; without one, the last three are empty."""

    ScheduleId: t.ScheduleId
    ScheduleDate: t.ScheduleDate
    ClinicLabel: t.ClinicLabel
    DeptName: t.DeptName
    DoctorName: t.DoctorName | None
    Shift: t.ShiftCode
    RegistrationId: t.RegistrationId | None = None
    PatientId: t.PatientId | None = None
    SequenceNo: t.SequenceNo | None = None


_LOCK = record_type(NumberLock)
_REGISTRATION = record_type(RegistrationRecord)
_NOTICE = record_type(StopNoticeRow)


def _one(record: Any) -> Sequence[Any]:
    return [record]


def _each(notices: Sequence[StopNotice]) -> list[StopNoticeRow]:
    rows = []
    for one in notices:
        session = (
            *(one.ScheduleId, one.ScheduleDate, one.ClinicLabel),
            *(one.DeptName, one.DoctorName, one.Shift),
        )
        rows += [
            StopNoticeRow(*session, hit.RegistrationId, hit.PatientId, hit.SequenceNo)
            for hit in one.Affected
        ] or [StopNoticeRow(*session)]
    return rows


def _columns(record: RecordType) -> tuple[str, ...]:
    return tuple(field.name for field in record.fields)


def _registration(
    name: str, operation: str, zh: str, doc: str, *parameters: str
) -> DelimitedOperation:
    return delimited(
        name,
        Registration,
        operation,
        zh=zh,
        doc=doc,
        record=_REGISTRATION,
        parameters={parameter: parameter for parameter in parameters},
        columns=_columns(_REGISTRATION),
        rows=_one,
    )


OPERATIONS: tuple[DelimitedOperation, ...] = (
    delimited(
        "locknumber",
        Registration,
        "LockNumber",
        zh="锁号",
        doc="为病人锁一个号，到 ExpiresAt 为止；返回 1 行。重试须用同一 RequestId。 "
        "Hold a number for a patient until ExpiresAt; one row. A retry has the same RequestId.",
        record=_LOCK,
        columns=_columns(_LOCK),
        rows=_one,
    ),
    _registration(
        "confirmregist",
        "ConfirmRegistration",
        "支付确认",
        "支付后把锁号变为挂号；返回 -3 时未挂号，应退款。 "
        "Turn a paid lock into a registration; on -3 nothing was registered: refund.",
        *("RequestId", "LockId", "PaymentReference", "Amount"),
    ),
    _registration(
        "releaselock",
        "ReleaseLock",
        "解锁",
        "支付前放弃锁号。 Give a locked number back before it is paid.",
        *("RequestId", "LockId"),
    ),
    _registration(
        "regist",
        "Register",
        "挂号",
        "直接挂号（在医院支付）；PaymentReference 与 Amount 可空。 "
        "Register at once, paid on site; PaymentReference and Amount may be empty.",
        *("RequestId", "ScheduleId", "PatientId", "PaymentReference", "Amount"),
    ),
    _registration(
        "cancelregist",
        "CancelRegistration",
        "退号",
        "退号，须写明原因。 Return a registration, with a reason.",
        *("RequestId", "RegistrationId", "Reason"),
    ),
    _registration(
        "getregist",
        "GetRegistration",
        "查询挂号",
        "一条挂号或锁号；不存在返回 -2。 One registration or lock; -2 if there is none.",
        "RegistrationId",
    ),
    delimited(
        "getregistlist",
        Registration,
        "ListRegistrations",
        zh="病人挂号列表",
        doc="病人的全部挂号与锁号，日期新的在前；SinceDate 可空。 "
        "A patient's registrations and locks, newest session first; SinceDate may be empty.",
        record=_REGISTRATION,
        parameters={"PatientId": "PatientId", "SinceDate": "SinceDate"},
        columns=_columns(_REGISTRATION),
    ),
    _registration(
        "checkinregist",
        "CheckIn",
        "分诊台报到",
        "病人到达分诊台，只限就诊当日。 The patient's arrival, on the day of the session only.",
        *("RequestId", "RegistrationId"),
    ),
    delimited(
        "getstopnotice",
        Registration,
        "ListStopNotices",
        zh="停诊通知",
        doc="停诊的号源，每条受影响的挂号一行；没有挂号的也有一行，后三列为空。 "
        "Stopped sessions, a row for each registration hit; one row with empty last columns "
        "where there is none.",
        record=_NOTICE,
        columns=_columns(_NOTICE),
        rows=_each,
    ),
)
