"""Numbers of a session: taken, given back, and expired locks swept.

Whoever changes a session's numbers first takes its counters' row, by an UPDATE, and only then
looks at anything: so the callers of one session come one after another, on every database and
however many nodes there are, and callers of different sessions do not meet.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from adapters.database import Source
from adapters.ledger import Changed
from adapters.registrations.clinic import Clinic, Visit
from adapters.registrations.settings import RegistrationSettings, ReturnedNumber
from adapters.registrations.standing import state_of
from adapters.registrations.table import REGISTRATION, C, Kept, change, number_key, read
from services.faults import Conflict
from services.number_source import NumberSourceSlot
from services.registration_states import EXPIRED, LIVING, LOCKED, RETURNED

#: locks that one sweep looks at; the next one follows in seconds
_AT_ONCE = 500


class Numbers:
    """The numbers of one source's sessions."""

    def __init__(self, source: Source, clinic: Clinic, settings: RegistrationSettings) -> None:
        self._source = source
        self._clinic = clinic
        self._returned: ReturnedNumber = settings.returned_number
        # An abandoned lock never cost anybody a place. Where places are counted by number, its
        # place comes back only with its number, which no patient ever came with.
        self._unlocked: ReturnedNumber = "freed"
        if clinic.number_is_place or self._returned == "reused":
            self._unlocked = "reused"
        if clinic.number_is_place and self._returned == "freed":
            self._returned = "kept"
        self._reuses = "reused" in (self._unlocked, self._returned)

    def take(self, connection: Connection, schedule_id: str) -> bool:
        """Take a place if there is one. Nothing is to be read before this."""
        return self._clinic.take(connection, schedule_id, numbered=not self._reuses)

    def number(
        self, connection: Connection, slot: NumberSourceSlot, visits: list[Visit]
    ) -> int | None:
        """The sequence number of the place that was taken; None if there is none after all."""
        schedule_id = slot.ScheduleId
        if self._reuses:
            free = self._claim(connection, schedule_id)
            if free is not None:
                return free
            if not self._clinic.advance(connection, schedule_id):
                return None
        used = {visit.sequence for visit in visits if not visit.returned}
        number = self._clinic.given(connection, schedule_id)
        # A window that writes back what it read a moment ago lowers the counter by accident.
        while number in used or self._is_used(connection, schedule_id, number):
            if not self._clinic.advance(connection, schedule_id):
                return None
            number = self._clinic.given(connection, schedule_id)
        return number

    def end(
        self,
        connection: Connection,
        kept: Kept,
        state: str,
        at: datetime,
        *conditions: Any,
        **columns: Any,
    ) -> None:
        """End a lock or a registration of ours and give its number back, once. The session must
        be held. Changed: another one ended it."""
        fate = self._returned if state == RETURNED else self._unlocked
        ended = change(
            connection,
            kept,
            *conditions,
            STATE=state,
            ENDED_AT=at,
            HOLDER_KEY=kept.id,
            NUMBER_KEY=kept.id,
            NUMBER_FREE=int(fate == "reused" and kept.sequence is not None),
            **columns,
        )
        if not ended:
            raise Changed
        if fate != "kept":
            self._clinic.give_back(connection, kept.schedule_id)

    def drop(self, connection: Connection, kept: Kept, at: datetime) -> None:
        """End a registration of ours that the hospital's window returned: the window has given
        its number back already."""
        ended = change(
            connection,
            kept,
            STATE=RETURNED,
            ENDED_AT=at,
            HOLDER_KEY=kept.id,
            NUMBER_KEY=kept.id,
        )
        if not ended:
            raise Changed

    # --- locks that expired ---------------------------------------------------------------------

    def sweep(self, now: datetime) -> int:
        """End every lock that has expired, each in a transaction of its own; how many."""
        due = C.STATE == LOCKED, C.EXPIRES_AT <= now
        statement = select(C.ID, C.SCHEDULE_ID).where(*due).order_by(C.EXPIRES_AT)
        with self._source.connect() as connection:
            rows = connection.execute(statement.limit(_AT_ONCE)).all()
        swept = 0
        for identifier, schedule_id in rows:
            try:
                with self._source.transaction() as connection:
                    self._clinic.hold(connection, schedule_id.rstrip())
                    for kept in read(connection, C.ID == identifier, *due):
                        self._expire(connection, kept, now)
                        swept += 1
            except Changed:
                continue  # confirmed or released, or another node swept it
        return swept

    def sweep_session(self, connection: Connection, schedule_id: str, now: datetime) -> bool:
        """End the expired locks of one session, in the caller's transaction; whether any was."""
        self._clinic.hold(connection, schedule_id)
        due = read(connection, C.SCHEDULE_ID == schedule_id, C.STATE == LOCKED, C.EXPIRES_AT <= now)
        for kept in due:
            self._expire(connection, kept, now)
        return bool(due)

    def _expire(self, connection: Connection, kept: Kept, now: datetime) -> None:
        self.end(connection, kept, EXPIRED, kept.expires_at or now, C.EXPIRES_AT <= now)

    # --- who holds what ---------------------------------------------------------------------------

    def refuse_holder(
        self,
        connection: Connection,
        slot: NumberSourceSlot,
        patient_id: str,
        visits: list[Visit],
        now: datetime,
    ) -> None:
        """Conflict if the patient already holds a number of this session, ours or the window's.
        A row of ours that is over and was not yet ended is ended here."""
        by_key = {visit.key: visit for visit in visits}
        ours = read(connection, C.SCHEDULE_ID == slot.ScheduleId, C.PATIENT_ID == patient_id)
        for kept in ours:
            visit = by_key.get(kept.his_key or "")
            state = state_of(kept, visit, None, now)
            if state in LIVING:
                raise self._held(slot)
            if state == EXPIRED and kept.state == LOCKED:
                self._expire(connection, kept, now)
            elif state != kept.state:
                self.drop(connection, kept, (visit and visit.returned_at) or now)
        if any(visit.patient_id == patient_id and not visit.returned for visit in visits):
            raise self._held(slot)

    def _held(self, slot: NumberSourceSlot) -> Conflict:
        return self._source.fault(
            Conflict,
            f"该病人在号源 {slot.ScheduleId} 已有有效的号，不能重复挂号。"
            "可用 ListRegistrations 查看。",
            f"The patient already holds a number of session {slot.ScheduleId}; see "
            "ListRegistrations.",
            field="PatientId",
        )

    def _claim(self, connection: Connection, schedule_id: str) -> int | None:
        """A number that came back, lowest first."""
        free = C.SCHEDULE_ID == schedule_id, C.NUMBER_FREE == 1
        statement = select(C.ID, C.SEQUENCE_NO).where(*free).order_by(C.SEQUENCE_NO, C.ID)
        for identifier, number in connection.execute(statement).all():
            claim = REGISTRATION.update().where(C.ID == identifier, C.NUMBER_FREE == 1)
            if connection.execute(claim.values(NUMBER_FREE=0)).rowcount == 1:
                return int(number)
        return None

    def _is_used(self, connection: Connection, schedule_id: str, number: int) -> bool:
        key = number_key(schedule_id, number)
        return connection.execute(select(C.ID).where(C.NUMBER_KEY == key)).first() is not None
