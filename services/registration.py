"""Registration 挂号: a number locked, paid for, confirmed, returned, and the patient's arrival.

The paper's function 2, remote registration: on arrival the patient goes straight to the triage
desk. Every write carries a RequestId: repeated, it answers what the first one did.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from services import terms as t
from services.contract import Contract, Doc, Text, read, write
from services.registration_states import REGISTRATION_STATE


@dataclass(frozen=True, slots=True)
class NumberLock:
    """A number held for a patient until ``ExpiresAt``. LockId stays the registration's id."""

    LockId: t.LockId
    ScheduleId: t.ScheduleId
    PatientId: t.PatientId
    SequenceNo: t.SequenceNo
    ExpiresAt: Annotated[datetime, Doc("失效时间", "held until", "2026-11-21T08:15:00")]
    RegistrationFee: Annotated[t.Yuan, Doc("挂号费（元）", "registration fee, yuan", "1.00")]
    ConsultationFee: Annotated[t.Yuan, Doc("诊查费（元）", "consultation fee, yuan", "24.00")]


@dataclass(frozen=True, slots=True)
class RegistrationRecord:
    """A registration, whichever way it was made: here, or at the hospital's own window."""

    RegistrationId: t.RegistrationId
    State: Annotated[str, REGISTRATION_STATE, Doc("状态", "state", "R")]
    PatientId: t.PatientId
    ScheduleId: t.ScheduleId | None
    ScheduleDate: t.ScheduleDate
    ClinicLabel: t.ClinicLabel | None
    DeptName: t.DeptName | None
    DoctorName: t.DoctorName | None
    Shift: t.ShiftCode
    SequenceNo: t.SequenceNo | None
    Place: t.Place | None
    Amount: t.Amount | None
    PaymentReference: t.PaymentReference | None
    RegisteredAt: (
        Annotated[datetime, Doc("挂号时间", "time of registration", "2026-11-20T20:01:00")] | None
    )
    ArrivedAt: Annotated[datetime, Doc("报到时间", "arrival", "2026-11-21T08:05:00")] | None
    EndedAt: Annotated[datetime, Doc("退号或解锁时间", "returned, released, expired", "")] | None
    EndReason: Annotated[str, Text(256), Doc("退号原因", "reason of the return", "")] | None


@dataclass(frozen=True, slots=True)
class AffectedRegistration:
    """A living registration of a stopped session."""

    RegistrationId: t.RegistrationId
    PatientId: t.PatientId
    SequenceNo: t.SequenceNo | None


@dataclass(frozen=True, slots=True)
class StopNotice:
    """A stopped session 停诊 and the registrations hit by it."""

    ScheduleId: t.ScheduleId
    ScheduleDate: t.ScheduleDate
    ClinicLabel: t.ClinicLabel
    DeptName: t.DeptName
    DoctorName: t.DoctorName | None
    Shift: t.ShiftCode
    Affected: list[AffectedRegistration]


class Registration(Contract, version=1, zh="挂号"):
    """挂号：锁号、支付确认、解锁、现场挂号、退号、报到、停诊通知。

    Registration: lock, confirm, release, register at once, return, check in, stop notices.
    """

    @write("锁号")
    @abstractmethod
    def LockNumber(
        self, RequestId: t.RequestId, ScheduleId: t.ScheduleId, PatientId: t.PatientId
    ) -> NumberLock:
        """Hold the session's next number for the hospital's lock time (15 minutes by default).
        NotFound: no such session or patient. Conflict: full, stopped, past, not open to remote
        registration, or the patient already holds a number of this session."""

    @write("支付确认")
    @abstractmethod
    def ConfirmRegistration(
        self,
        RequestId: t.RequestId,
        LockId: t.LockId,
        PaymentReference: t.PaymentReference,
        Amount: t.Amount,
    ) -> RegistrationRecord:
        """Turn a lock into a registration. NotFound: no such lock. Conflict: expired, released,
        its session stopped, or the amount is not the fees' sum (unless the hospital does not
        check it); the caller then refunds."""

    @write("解锁")
    @abstractmethod
    def ReleaseLock(self, RequestId: t.RequestId, LockId: t.LockId) -> RegistrationRecord:
        """Give a locked number back before it expires. Conflict: it is no lock, or no longer one;
        after an expiry there is nothing left to release."""

    @write("挂号")
    @abstractmethod
    def Register(
        self,
        RequestId: t.RequestId,
        ScheduleId: t.ScheduleId,
        PatientId: t.PatientId,
        PaymentReference: t.PaymentReference | None = None,
        Amount: t.Amount | None = None,
    ) -> RegistrationRecord:
        """Lock and confirm in one, for hospitals that take payment on site. Faults as both; an
        Amount that is not given is not checked."""

    @write("退号")
    @abstractmethod
    def CancelRegistration(
        self, RequestId: t.RequestId, RegistrationId: t.RegistrationId, Reason: t.Reason
    ) -> RegistrationRecord:
        """Return a registration 退号, also one made at the hospital's window. Whether its number
        can be given out again follows the hospital's setting; never are there two living
        registrations of one number. Conflict: arrived, seen, or returned already."""

    @read("查询挂号")
    @abstractmethod
    def GetRegistration(self, RegistrationId: t.RegistrationId) -> RegistrationRecord:
        """One registration or lock. Raises NotFound."""

    @read("病人挂号列表")
    @abstractmethod
    def ListRegistrations(
        self, PatientId: t.PatientId, SinceDate: t.SinceDate | None = None
    ) -> list[RegistrationRecord]:
        """The patient's registrations and locks in every state, newest session first; with
        SinceDate those of sessions from that day on."""

    @write("分诊台报到")
    @abstractmethod
    def CheckIn(
        self, RequestId: t.RequestId, RegistrationId: t.RegistrationId
    ) -> RegistrationRecord:
        """The patient's arrival at the triage desk, without fetching a ticket. Only on the day of
        the session (Conflict otherwise)."""

    @read("停诊通知", probe={"SinceDate": t.FAR_DATE})
    @abstractmethod
    def ListStopNotices(self, SinceDate: t.SinceDate) -> list[StopNotice]:
        """Stopped sessions from that day on, each with its living registrations and locks,
        ordered by date and clinic label. Sessions without registrations are listed too."""
