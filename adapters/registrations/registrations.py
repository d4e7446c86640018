"""The operations of Registration, the same at every vendor, over what its Clinic answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from adapters.database import Source
from adapters.ledger import Changed, Ledger
from adapters.registrations.clinic import Booking, Clinic
from adapters.registrations.numbers import Numbers
from adapters.registrations.settings import RegistrationSettings
from adapters.registrations.standing import Standing
from adapters.registrations.standings import Standings
from adapters.registrations.table import (
    REGISTRATION,
    C,
    Kept,
    add,
    change,
)
from adapters.sessions import unknown_session
from services.faults import Conflict
from services.number_source import NumberSourceSlot
from services.registration import (
    NumberLock,
    RegistrationRecord,
    StopNotice,
)
from services.registration_states import (
    LOCKED,
    REGISTERED,
    after,
)

_NOTHING = Decimal("0.00")


class Registrations:
    """The operations of one source. ``clock`` gives local time without a zone."""

    def __init__(
        self,
        source: Source,
        clinic: Clinic,
        settings: RegistrationSettings,
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._source = source
        self._clinic = clinic
        self._settings = settings
        self._clock = clock
        self._ledger = Ledger(source, clock, (REGISTRATION,))
        self._numbers = Numbers(source, clinic, settings)
        self._standings = Standings(source, clinic)

    def housekeeping(self) -> None:
        """Make our tables if they are missing, and end the locks that expired."""
        self._ledger.prepare()
        self._numbers.sweep(self._now())

    # --- operations -------------------------------------------------------------------------------

    def lock(self, request_id: str, schedule_id: str, patient_id: str) -> NumberLock:
        """LockNumber."""
        asked = {"RequestId": request_id, "ScheduleId": schedule_id, "PatientId": patient_id}

        def work(connection: Connection) -> NumberLock:
            now = self._now()
            booking = self._take(connection, schedule_id, patient_id, now, after("", "LockNumber"))
            key = None
            if self._clinic.writes_locks:
                key = self._clinic.add_visit(connection, booking)
            kept = self._kept(booking, LOCKED, key)
            add(connection, kept, claims=True)
            assert kept.expires_at is not None
            return NumberLock(
                LockId=kept.id,
                ScheduleId=kept.schedule_id,
                PatientId=kept.patient_id,
                SequenceNo=booking.sequence,
                ExpiresAt=kept.expires_at,
                RegistrationFee=kept.registration_fee,
                ConsultationFee=kept.consultation_fee,
            )

        return self._ledger.once("LockNumber", asked, NumberLock, work)

    def confirm(
        self, request_id: str, lock_id: str, payment_reference: str, amount: Decimal
    ) -> RegistrationRecord:
        """ConfirmRegistration."""
        asked = {
            **{"RequestId": request_id, "LockId": lock_id},
            **{"PaymentReference": payment_reference, "Amount": amount},
        }

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._standings.find(connection, lock_id, now, "LockId")
            state = after(found.state, "ConfirmRegistration")
            kept = found.kept
            assert kept is not None and kept.sequence is not None  # only ours are ever locked
            if found.slot is None:
                raise unknown_session(self._source, kept.schedule_id)
            self._refuse_closed(found.slot, now, confirming=True)
            self._check_amount(amount, kept.fees)
            paid = {
                **{"STATE": state, "CONFIRMED_AT": now},
                **{"PAYMENT_REFERENCE": payment_reference, "AMOUNT": amount},
            }
            if not change(connection, kept, C.EXPIRES_AT > now, **paid):
                raise Changed
            booking = Booking(
                slot=found.slot,
                patient_id=kept.patient_id,
                sequence=kept.sequence,
                registration_fee=kept.registration_fee,
                consultation_fee=kept.consultation_fee,
                now=now,
                paid=True,
            )
            if kept.his_key is None:
                key = self._clinic.add_visit(connection, booking)
                change(connection, replace(kept, state=state), HIS_KEY=key)
            else:
                self._clinic.pay_visit(connection, kept.his_key, booking)
            return self._standings.find(connection, lock_id, now, "LockId").record()

        return self._ledger.once("ConfirmRegistration", asked, RegistrationRecord, work)

    def release(self, request_id: str, lock_id: str) -> RegistrationRecord:
        """ReleaseLock."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._standings.find(connection, lock_id, now, "LockId")
            state = after(found.state, "ReleaseLock")
            assert found.kept is not None  # only ours are ever locked
            self._clinic.hold(connection, found.kept.schedule_id)
            self._numbers.end(connection, found.kept, state, now, C.EXPIRES_AT > now)
            return self._standings.find(connection, lock_id, now, "LockId").record()

        asked = {"RequestId": request_id, "LockId": lock_id}
        return self._ledger.once("ReleaseLock", asked, RegistrationRecord, work)

    def register(
        self,
        request_id: str,
        schedule_id: str,
        patient_id: str,
        payment_reference: str | None,
        amount: Decimal | None,
    ) -> RegistrationRecord:
        """Register."""
        asked = {
            **{"RequestId": request_id, "ScheduleId": schedule_id, "PatientId": patient_id},
            **{"PaymentReference": payment_reference, "Amount": amount},
        }

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            booking = self._take(connection, schedule_id, patient_id, now, after("", "Register"))
            if amount is not None:
                self._check_amount(amount, booking.registration_fee + booking.consultation_fee)
            kept = self._kept(booking, REGISTERED, self._clinic.add_visit(connection, booking))
            paid = replace(kept, payment_reference=payment_reference, amount=amount)
            add(connection, paid, claims=True)
            return self._standings.find(connection, kept.id, now, "RegistrationId").record()

        return self._ledger.once("Register", asked, RegistrationRecord, work)

    def cancel(self, request_id: str, registration_id: str, reason: str) -> RegistrationRecord:
        """CancelRegistration."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._standings.find(connection, registration_id, now, "RegistrationId")
            state = after(found.state, "CancelRegistration")
            if found.schedule_id is not None:
                self._clinic.hold(connection, found.schedule_id)
            kept = found.kept or self._adopt(connection, found)
            self._numbers.end(connection, kept, state, now, END_REASON=reason)
            if found.visit is not None and not self._clinic.return_visit(
                connection, found.visit, now
            ):
                raise Changed
            return self._standings.find(connection, registration_id, now, "RegistrationId").record()

        asked = {
            **{"RequestId": request_id, "RegistrationId": registration_id},
            **{"Reason": reason},
        }
        return self._ledger.once("CancelRegistration", asked, RegistrationRecord, work)

    def check_in(self, request_id: str, registration_id: str) -> RegistrationRecord:
        """CheckIn."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._standings.find(connection, registration_id, now, "RegistrationId")
            state = after(found.state, "CheckIn")
            day = found.record().ScheduleDate
            if day != now.date():
                raise self._conflict(
                    f"只能在就诊当日（{day}）报到，今天是 {now.date()}。",
                    f"Arrival is told on the day of the session, {day}; today is {now.date()}.",
                    "RegistrationId",
                )
            kept = found.kept or self._adopt(connection, found)
            if not change(connection, kept, STATE=state, ARRIVED_AT=now):
                raise Changed
            return self._standings.find(connection, registration_id, now, "RegistrationId").record()

        asked = {"RequestId": request_id, "RegistrationId": registration_id}
        return self._ledger.once("CheckIn", asked, RegistrationRecord, work)

    def get(self, registration_id: str) -> RegistrationRecord:
        """GetRegistration."""
        self._ledger.prepare()
        return self._standings.get(registration_id, self._now())

    def of_patient(self, patient_id: str, since: date | None) -> list[RegistrationRecord]:
        """ListRegistrations."""
        self._ledger.prepare()
        return self._standings.of_patient(patient_id, since, self._now())

    def stop_notices(self, since: date) -> list[StopNotice]:
        """ListStopNotices."""
        self._ledger.prepare()
        return self._standings.stop_notices(since, self._now())

    # --- taking a number ------------------------------------------------------------------------

    def _take(
        self,
        connection: Connection,
        schedule_id: str,
        patient_id: str,
        now: datetime,
        state: str,
    ) -> Booking:
        """A number for the patient, or the Fault that says why not, which gives it back."""
        taken = self._numbers.take(connection, schedule_id)
        slot = self._clinic.session(connection, schedule_id)
        if slot is None:
            raise unknown_session(self._source, schedule_id)
        self._refuse_closed(slot, now)
        patient = self._clinic.patient(connection, patient_id)
        if not taken:
            # Also where nothing was left to sweep: another one may just have swept it.
            self._numbers.sweep_session(connection, slot.ScheduleId, now)
            taken = self._numbers.take(connection, schedule_id)
        if not taken:
            raise self._full(slot)
        visits = self._clinic.visits_at(connection, slot)
        self._numbers.refuse_holder(connection, slot, patient.PatientId, visits, now)
        number = self._numbers.number(connection, slot, visits)
        if number is None:
            self._numbers.sweep_session(connection, slot.ScheduleId, now)
            number = self._numbers.number(connection, slot, visits)
        if number is None:
            raise self._full(slot)
        return Booking(
            slot=slot,
            patient_id=patient.PatientId,
            sequence=number,
            registration_fee=slot.RegistrationFee,
            consultation_fee=slot.ConsultationFee,
            now=now,
            paid=state == REGISTERED,
        )

    def _kept(self, booking: Booking, state: str, key: str | None) -> Kept:
        now = booking.now
        return Kept(
            id=f"Y{uuid.uuid4().hex}",
            schedule_id=booking.slot.ScheduleId,
            day=booking.slot.ScheduleDate,
            patient_id=booking.patient_id,
            sequence=booking.sequence,
            state=state,
            locked_at=now,
            expires_at=now + timedelta(minutes=self._settings.lock_minutes)
            if state == LOCKED
            else None,
            confirmed_at=now if state == REGISTERED else None,
            arrived_at=None,
            ended_at=None,
            registration_fee=booking.registration_fee,
            consultation_fee=booking.consultation_fee,
            amount=None,
            payment_reference=None,
            end_reason=None,
            his_key=key,
        )

    def _refuse_closed(
        self, slot: NumberSourceSlot, now: datetime, *, confirming: bool = False
    ) -> None:
        """Conflict where a session does not take registrations. What was locked in time may be
        confirmed while its lock holds."""
        if slot.Stopped:
            raise self._conflict(
                f"号源 {slot.ScheduleId} 已停诊。请另选号源。",
                f"Session {slot.ScheduleId} is stopped. Choose another.",
            )
        if confirming:
            return
        ends = datetime.combine(slot.ScheduleDate, self._settings.ends(slot.Shift))
        if now >= ends:
            raise self._conflict(
                f"号源 {slot.ScheduleId} 已过时。请另选号源。",
                f"Session {slot.ScheduleId} is past. Choose another.",
            )
        if not slot.OpenToRemote:
            raise self._conflict(
                f"号源 {slot.ScheduleId} 未开放远程挂号。请另选号源，或到医院窗口挂号。",
                f"Session {slot.ScheduleId} is not open to remote registration. Choose another, "
                "or register at the hospital.",
            )
        refusal = self._clinic.refusal(slot, now.date())
        if refusal is not None:
            raise self._conflict(*refusal)

    def _check_amount(self, amount: Decimal, fees: Decimal) -> None:
        if self._settings.charge_check == "exact" and amount != fees:
            raise self._conflict(
                f"金额 {amount} 元与应收 {fees} 元不符，未挂号。请退款后核对费用。",
                f"The amount is {amount} yuan and the fees are {fees}: not registered. Refund, "
                "and look at the fees again.",
                "Amount",
            )

    def _full(self, slot: NumberSourceSlot) -> Conflict:
        return self._conflict(
            f"号源 {slot.ScheduleId} 已挂满。请另选号源，或稍后再试（可能有人解锁或退号）。",
            f"Session {slot.ScheduleId} is full. Choose another, or try later: numbers come back.",
        )

    # --- rows of ours ---------------------------------------------------------------------------

    def _adopt(self, connection: Connection, found: Standing) -> Kept:
        """A row of ours for what the hospital's window registered. It claims nothing: the
        window may have its reasons to register a patient twice."""
        visit = found.visit
        assert visit is not None
        kept = Kept(
            id=found.id,
            schedule_id=visit.schedule_id or found.id,
            day=visit.day,
            patient_id=visit.patient_id,
            sequence=visit.sequence,
            state=REGISTERED,
            locked_at=None,
            expires_at=None,
            confirmed_at=visit.registered_at,
            arrived_at=None,
            ended_at=None,
            registration_fee=_NOTHING,
            consultation_fee=_NOTHING,
            amount=visit.amount,
            payment_reference=None,
            end_reason=None,
            his_key=visit.key,
        )
        try:
            with connection.begin_nested():
                add(connection, kept, claims=False)
        except IntegrityError:
            raise Changed from None  # another request adopted it a moment ago
        return kept

    # --- small things -----------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _conflict(self, zh: str, en: str, field: str = "ScheduleId") -> Conflict:
        return self._source.fault(Conflict, zh, en, field=field)
