"""Registrations read: ours and the window's, one, a patient's, and those that a stop hits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from adapters.database import Source
from adapters.registrations.clinic import Clinic, Visit
from adapters.registrations.standing import Standing, his_id, his_key, state_of
from adapters.registrations.table import C, Kept, by_his_key, by_id, linked, read
from services.faults import NotFound
from services.number_source import NumberSourceSlot
from services.registration import AffectedRegistration, RegistrationRecord, StopNotice
from services.registration_states import LIVING


class Standings:
    """How the registrations of one source stand. The tables of ours are there already."""

    def __init__(self, source: Source, clinic: Clinic) -> None:
        self._source = source
        self._clinic = clinic

    def get(self, registration_id: str, now: datetime) -> RegistrationRecord:
        """GetRegistration."""
        with self._source.connect() as connection:
            found = self.find(connection, registration_id, now, "RegistrationId")
            return found.record()

    def of_patient(
        self, patient_id: str, since: date | None, now: datetime
    ) -> list[RegistrationRecord]:
        """ListRegistrations."""
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

    def stop_notices(self, since: date, now: datetime) -> list[StopNotice]:
        """ListStopNotices."""
        with self._source.connect() as connection:
            slots = self._clinic.stopped_since(connection, since)
            notices = [self._notice(connection, slot, now) for slot in slots]
        notices.sort(key=lambda one: (one.ScheduleDate, one.ClinicLabel, one.Shift, one.ScheduleId))
        return notices

    def find(self, connection: Connection, identifier: str, now: datetime, field: str) -> Standing:
        """The registration or lock of that id. Raises NotFound, which names ``field``."""
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


def _newness(record: RegistrationRecord) -> tuple[date, datetime, str]:
    return record.ScheduleDate, record.RegisteredAt or datetime.min, record.RegistrationId
