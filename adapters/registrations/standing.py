"""How a registration stands: our row and the HIS's row of it, read together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapters.registrations.clinic import Visit
from adapters.registrations.table import Kept
from services.number_source import NumberSourceSlot
from services.registration import RegistrationRecord
from services.registration_states import (
    ARRIVED,
    EXPIRED,
    LOCKED,
    REGISTERED,
    after,
)

#: before the key of a HIS row, in the id of a registration that we did not make
_HIS = "H-"


@dataclass(frozen=True, slots=True)
class Standing:
    """A registration at one moment; at least one of ``kept`` and ``visit`` is there."""

    id: str
    state: str
    kept: Kept | None
    visit: Visit | None
    slot: NumberSourceSlot | None

    @property
    def schedule_id(self) -> str | None:
        return (
            self.kept.schedule_id if self.kept else self.visit.schedule_id if self.visit else None
        )

    def record(self) -> RegistrationRecord:
        """What is told of it. Names come from its session, else from the HIS's row."""
        kept, visit = self.kept, self.visit
        subject = kept if kept is not None else visit
        assert subject is not None
        named = self.slot or visit
        amount = kept.amount if kept else None
        registered_at = kept.confirmed_at if kept else None
        return RegistrationRecord(
            RegistrationId=self.id,
            State=self.state,
            PatientId=subject.patient_id,
            ScheduleId=self.schedule_id,
            ScheduleDate=subject.day,
            ClinicLabel=named.ClinicLabel if named else None,
            DeptName=named.DeptName if named else None,
            DoctorName=named.DoctorName if named else None,
            Shift=named.Shift if named else "9",
            SequenceNo=subject.sequence,
            Place=self.slot.Place if self.slot else None,
            Amount=visit.amount if amount is None and visit else amount,
            PaymentReference=kept.payment_reference if kept else None,
            RegisteredAt=visit.registered_at if registered_at is None and visit else registered_at,
            ArrivedAt=kept.arrived_at if kept else None,
            EndedAt=(kept.ended_at if kept else None) or self._ended(),
            EndReason=kept.end_reason if kept else None,
        )

    def _ended(self) -> datetime | None:
        if self.state == EXPIRED and self.kept is not None:
            return self.kept.expires_at  # not swept yet
        return self.visit.returned_at if self.visit else None


def his_id(key: str) -> str:
    """The id of a registration that the hospital made itself."""
    return _HIS + key


def his_key(identifier: str) -> str | None:
    """The key of the HIS row in such an id; None if it is no such id."""
    return identifier.removeprefix(_HIS) if identifier.startswith(_HIS) else None


def state_of(
    kept: Kept | None, visit: Visit | None, slot: NumberSourceSlot | None, now: datetime
) -> str:
    """The state, which the hospital's own window and doctors' stations change as well as we."""
    state = kept.state if kept else REGISTERED
    if state == LOCKED and kept and kept.expires_at and kept.expires_at <= now:
        return after(state, "expire")
    if state not in (REGISTERED, ARRIVED):
        return state
    # Old rows are moved away by a hospital; one of today or later that is gone was returned.
    gone = kept and kept.his_key and visit is None and kept.day >= now.date()
    if gone or (visit and visit.returned):
        return after(state, "return")
    if visit and visit.visited:
        return after(state, "visit")
    if state == REGISTERED and slot and slot.Stopped:
        return after(state, "stop")
    return state
