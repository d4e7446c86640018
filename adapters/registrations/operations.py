"""The wire operations of Registration, for an adapter to derive from: each names its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from adapters.registrations.registrations import Registrations
from services.registration import NumberLock, Registration, RegistrationRecord, StopNotice


class RegistrationOperations(Registration):
    """The contract over ``registrations``, which the adapter makes with its vendor's Clinic."""

    registrations: Registrations

    def LockNumber(self, RequestId: str, ScheduleId: str, PatientId: str) -> NumberLock:
        return self.registrations.lock(RequestId, ScheduleId, PatientId)

    def ConfirmRegistration(
        self, RequestId: str, LockId: str, PaymentReference: str, Amount: Decimal
    ) -> RegistrationRecord:
        return self.registrations.confirm(RequestId, LockId, PaymentReference, Amount)

    def ReleaseLock(self, RequestId: str, LockId: str) -> RegistrationRecord:
        return self.registrations.release(RequestId, LockId)

    def Register(
        self,
        RequestId: str,
        ScheduleId: str,
        PatientId: str,
        PaymentReference: str | None = None,
        Amount: Decimal | None = None,
    ) -> RegistrationRecord:
        return self.registrations.register(
            RequestId, ScheduleId, PatientId, PaymentReference, Amount
        )

    def CancelRegistration(
        self, RequestId: str, RegistrationId: str, Reason: str
    ) -> RegistrationRecord:
        return self.registrations.cancel(RequestId, RegistrationId, Reason)

    def GetRegistration(self, RegistrationId: str) -> RegistrationRecord:
        return self.registrations.get(RegistrationId)

    def ListRegistrations(
        self, PatientId: str, SinceDate: date | None = None
    ) -> list[RegistrationRecord]:
        return self.registrations.of_patient(PatientId, SinceDate)

    def CheckIn(self, RequestId: str, RegistrationId: str) -> RegistrationRecord:
        return self.registrations.check_in(RequestId, RegistrationId)

    def ListStopNotices(self, SinceDate: date) -> list[StopNotice]:
        return self.registrations.stop_notices(SinceDate)
