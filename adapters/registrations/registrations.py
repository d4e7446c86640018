"""The operations of Registration, the same at every vendor, over what its Clinic answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from adapters.database import Source
from adapters.ledger import Changed, Ledger
from adapters.registrations.clinic import Booking, Clinic, Visit
from adapters.registrations.numbers import Numbers
from adapters.registrations.settings import RegistrationSettings
from adapters.registrations.standing import Standing, his_id, his_key, state_of
from adapters.registrations.table import (
    REGISTRATION,
    C,
    Kept,
    add,
    by_his_key,
    by_id,
    change,
    linked,
    read,
)
from adapters.sessions import unknown_session
from services.faults import Conflict, NotFound
from services.number_source import NumberSourceSlot
from services.registration import (
    AffectedRegistration,
    NumberLock,
    RegistrationRecord,
    StopNotice,
)
from services.registration_states import (
    LIVING,
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
            found = self._find(connection, lock_id, now, "LockId")
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
            return self._find(connection, lock_id, now, "LockId").record()

        return self._ledger.once("ConfirmRegistration", asked, RegistrationRecord, work)

    def release(self, request_id: str, lock_id: str) -> RegistrationRecord:
        """ReleaseLock."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._find(connection, lock_id, now, "LockId")
            state = after(found.state, "ReleaseLock")
            assert found.kept is not None  # only ours are ever locked
            self._clinic.hold(connection, found.kept.schedule_id)
            self._numbers.end(connection, found.kept, state, now, C.EXPIRES_AT > now)
            return self._find(connection, lock_id, now, "LockId").record()

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
            return self._find(connection, kept.id, now, "RegistrationId").record()

        return self._ledger.once("Register", asked, RegistrationRecord, work)

    def cancel(self, request_id: str, registration_id: str, reason: str) -> RegistrationRecord:
        """CancelRegistration."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._find(connection, registration_id, now, "RegistrationId")
            state = after(found.state, "CancelRegistration")
            if found.schedule_id is not None:
                self._clinic.hold(connection, found.schedule_id)
            kept = found.kept or self._adopt(connection, found)
            self._numbers.end(connection, kept, state, now, END_REASON=reason)
            if found.visit is not None and not self._clinic.return_visit(
                connection, found.visit, now
            ):
                raise Changed
            return self._find(connection, registration_id, now, "RegistrationId").record()

        asked = {
            **{"RequestId": request_id, "RegistrationId": registration_id},
            **{"Reason": reason},
        }
        return self._ledger.once("CancelRegistration", asked, RegistrationRecord, work)

    def check_in(self, request_id: str, registration_id: str) -> RegistrationRecord:
        """CheckIn."""

        def work(connection: Connection) -> RegistrationRecord:
            now = self._now()
            found = self._find(connection, registration_id, now, "RegistrationId")
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
            return self._find(connection, registration_id, now, "RegistrationId").record()

        asked = {"RequestId": request_id, "RegistrationId": registration_id}
        return self._ledger.once("CheckIn", asked, RegistrationRecord, work)

    def get(self, registration_id: str) -> RegistrationRecord:
        """GetRegistration."""
        self._ledger.prepare()
        with self._source.connect() as connection:
            found = self._find(connection, registration_id, self._now(), "RegistrationId")
            return found.record()

    def of_patient(self, patient_id: str, since: date | None) -> list[RegistrationRecord]:
        """ListRegistrations."""
        self._ledger.prepare()
        now = self._now()
        slots: dict[str, NumberSourceSlot | None] = {}
        conditions: list[Any] = [C.PATIENT_ID == patient_id]
        if since is not None:
            conditions.append(C.SESSION_DATE >= since)
        with self._source.connect() as connection:
            visits = {v.key: v for v in self._clinic.visits_of(connection, patient_id, since)}
            ours = read(connection, *conditions)
            known = {kept.his_key for kept in ours}
            pairs: list[tuple[Kept | None, Visit | None]] = [
                (kept, visits.get(kept.his_key or "")) for kept in ours
            ]
            pairs += [(None, visit) for key, visit in visits.items() if key not in known]
            records = [
                self._standing(connection, kept, visit, now, slots).record()
                for kept, visit in pairs
            ]
        records.sort(key=_newness, reverse=True)
        return records

    def stop_notices(self, since: date) -> list[StopNotice]:
        """ListStopNotices."""
        self._ledger.prepare()
        now = self._now()
        with self._source.connect() as connection:
            slots = self._clinic.stopped_since(connection, since)
            notices = [self._notice(connection, slot, now) for slot in slots]
        notices.sort(key=lambda one: (one.ScheduleDate, one.ClinicLabel, one.Shift, one.ScheduleId))
        return notices

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
        if not taken and self._numbers.sweep_session(connection, slot.ScheduleId, now):
            taken = self._numbers.take(connection, schedule_id)
        if not taken:
            raise self._full(slot)
        visits = self._clinic.visits_at(connection, slot)
        self._numbers.refuse_holder(connection, slot, patient.PatientId, visits, now)
        number = self._numbers.number(connection, slot, visits)
        if number is None and self._numbers.sweep_session(connection, slot.ScheduleId, now):
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

    # --- finding --------------------------------------------------------------------------------

    def _find(self, connection: Connection, identifier: str, now: datetime, field: str) -> Standing:
        kept = by_id(connection, identifier)
        visit = None
        if kept is None:
            key = his_key(identifier)
            if key is not None:
                visit = self._clinic.visit(connection, key)
                kept = by_his_key(connection, key)
        elif kept.his_key is not None:
            visit = self._clinic.visit(connection, kept.his_key)
        if kept is None and visit is None:
            raise self._source.fault(
                NotFound,
                f"医院 {self._source.hospital} 没有挂号或锁号 {identifier}。请核对标识。",
                f"Hospital {self._source.hospital} has no registration or lock {identifier}. "
                "Check the id.",
                field=field,
            )
        return self._standing(connection, kept, visit, now, {})

    def _standing(
        self,
        connection: Connection,
        kept: Kept | None,
        visit: Visit | None,
        now: datetime,
        slots: dict[str, NumberSourceSlot | None],
    ) -> Standing:
        """``slots`` are those looked up before. Those of old visits are not: the HIS's row has
        its session's names, and nobody stops a session of last year."""
        slot = None
        schedule_id = kept.schedule_id if kept else visit.schedule_id if visit else None
        day = kept.day if kept else visit.day if visit else now.date()
        if schedule_id is not None and (visit is None or day >= now.date()):
            if schedule_id not in slots:
                slots[schedule_id] = self._clinic.session(connection, schedule_id)
            slot = slots[schedule_id]
        identifier = kept.id if kept else his_id(visit.key) if visit else ""
        return Standing(identifier, state_of(kept, visit, slot, now), kept, visit, slot)

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

    def _notice(self, connection: Connection, slot: NumberSourceSlot, now: datetime) -> StopNotice:
        visits = {visit.key: visit for visit in self._clinic.visits_at(connection, slot)}
        ours = read(connection, C.SCHEDULE_ID == slot.ScheduleId)
        known = linked(connection, visits) | {kept.his_key or kept.id: kept for kept in ours}
        pairs: list[tuple[Kept | None, Visit | None]] = [
            (kept, visits.get(kept.his_key or "")) for kept in known.values()
        ]
        pairs += [(None, visit) for key, visit in visits.items() if key not in known]
        affected = []
        for kept, visit in pairs:
            if state_of(kept, visit, slot, now) not in LIVING:
                continue
            one: Any = kept or visit
            affected.append(
                AffectedRegistration(
                    RegistrationId=kept.id if kept else his_id(visit.key if visit else ""),
                    PatientId=one.patient_id,
                    SequenceNo=one.sequence,
                )
            )
        affected.sort(key=lambda each: (each.SequenceNo or 0, each.RegistrationId))
        return StopNotice(
            ScheduleId=slot.ScheduleId,
            ScheduleDate=slot.ScheduleDate,
            ClinicLabel=slot.ClinicLabel,
            DeptName=slot.DeptName,
            DoctorName=slot.DoctorName,
            Shift=slot.Shift,
            Affected=affected,
        )

    # --- small things -----------------------------------------------------------------------------

    def _now(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _conflict(self, zh: str, en: str, field: str = "ScheduleId") -> Conflict:
        return self._source.fault(Conflict, zh, en, field=field)


def _newness(record: RegistrationRecord) -> tuple[date, datetime, str]:
    return record.ScheduleDate, record.RegisteredAt or datetime.min, record.RegistrationId
