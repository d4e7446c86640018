"""The hospital's side of registration, by mapped statements."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from adapters import values as v
from adapters.database import Source
from adapters.mapped.number_source import NumberSources
from adapters.mapped.patients import PatientFiles
from adapters.mapped.rows import complete
from adapters.mapped.running import Runner
from adapters.registrations.clinic import Booking, Clinic, Visit
from services.faults import SourceError
from services.number_source import NumberSourceSlot
from services.patients import Patient

_R = "Registration"


class MappedClinic(Clinic):
    """The statements under [Registration], as the Clinic that adapters.registrations asks."""

    def __init__(
        self, source: Source, runner: Runner, numbers: NumberSources, patients: PatientFiles
    ) -> None:
        self._source = source
        self._runner = runner
        self._numbers = numbers
        self._patients = patients
        self.number_is_place = runner.mapping.number_is_place
        self.writes_locks = runner.mapping.has(_R, "pay_visit")

    # --- sessions -----------------------------------------------------------------------------

    def session(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None:
        return self._numbers.find(connection, schedule_id)

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        return self._numbers.stopped_since(connection, day)

    # --- counters -----------------------------------------------------------------------------

    def hold(self, connection: Connection, schedule_id: str) -> None:
        self._runner.steps(connection, _R, "hold", {"ScheduleId": schedule_id})

    def take(self, connection: Connection, schedule_id: str, *, numbered: bool) -> bool:
        given = {"ScheduleId": schedule_id, "Numbered": int(numbered)}
        return self._runner.steps(connection, _R, "take", given) is not None

    def advance(self, connection: Connection, schedule_id: str) -> bool:
        given = {"ScheduleId": schedule_id}
        return self._runner.steps(connection, _R, "advance", given) is not None

    def given(self, connection: Connection, schedule_id: str) -> int:
        found = self._runner.value(connection, _R, "given", {"ScheduleId": schedule_id})
        try:
            return v.count(found, "given")
        except v.Unreadable as unreadable:
            key = f"ScheduleId={schedule_id}"
            raise self._source.broken_row("（Registration.given）", key, unreadable) from None

    def give_back(self, connection: Connection, schedule_id: str) -> None:
        self._runner.steps(connection, _R, "give_back", {"ScheduleId": schedule_id})

    # --- patients and visits ------------------------------------------------------------------

    def patient(self, connection: Connection, patient_id: str) -> Patient:
        return self._patients.of(connection, patient_id)

    def add_visit(self, connection: Connection, booking: Booking) -> str:
        known = self._write(connection, "add_visit", _booked(booking))
        key = known.get("Key")
        if key is None:
            spot = self._runner.mapping.statements[_R, "add_visit"][0].spot
            raise self._source.fault(
                SourceError,
                f"{spot.zh} 没有得出 Key：须有一条语句答出名为 Key 的列。",
                f"{spot.en} gave no Key: one of its statements must answer a column named Key.",
            )
        return str(key).rstrip(" ")

    def pay_visit(self, connection: Connection, key: str, booking: Booking) -> None:
        self._write(connection, "pay_visit", {**_booked(booking), "Key": key})

    def return_visit(self, connection: Connection, visit: Visit, now: datetime) -> bool:
        given = {
            **{"Key": visit.key, "PatientId": visit.patient_id, "Now": now},
            **{"ScheduleId": visit.schedule_id},
        }
        return self._runner.steps(connection, _R, "return_visit", given) is not None

    def visit(self, connection: Connection, key: str) -> Visit | None:
        found = self._visits(connection, {"Key": key})
        return next((visit for visit in found if visit.key == key), None)

    def visits_of(self, connection: Connection, patient_id: str, since: date | None) -> list[Visit]:
        found = self._visits(connection, {"PatientId": patient_id, "SinceDate": since})
        return [visit for visit in found if since is None or visit.day >= since]

    def visits_at(self, connection: Connection, slot: NumberSourceSlot) -> list[Visit]:
        found = self._visits(connection, {"ScheduleId": slot.ScheduleId})
        return [visit for visit in found if visit.schedule_id == slot.ScheduleId]

    # --- inside -----------------------------------------------------------------------------------

    def _write(self, connection: Connection, name: str, given: dict[str, Any]) -> dict[str, Any]:
        known = self._runner.steps(connection, _R, name, given)
        if known is None:
            guarded = [one for one in self._runner.mapping.statements[_R, name] if one.rows]
            raise self._runner.wrong_rows(guarded[0], 0)
        return known

    def _visits(self, connection: Connection, given: dict[str, Any]) -> list[Visit]:
        statement = self._runner.mapping.one(_R, "visits")
        visits = []
        for values in self._runner.rows(connection, _R, "visits", given):
            for flag in ("Returned", "Visited"):
                values[flag] = bool(values.get(flag))  # NULL is no
            try:
                found = complete(statement, values)
            except v.Unreadable as unreadable:
                key = f"Key={values.get('Key')}"
                raise self._source.broken_row("（Registration.visits）", key, unreadable) from None
            visits.append(
                Visit(
                    key=found["Key"],
                    patient_id=found["PatientId"],
                    schedule_id=found["ScheduleId"],
                    day=found["ScheduleDate"],
                    ClinicLabel=found["ClinicLabel"],
                    DeptName=found["DeptName"],
                    DoctorName=found["DoctorName"],
                    Shift=found["Shift"],
                    sequence=found["SequenceNo"],
                    amount=found["Amount"],
                    registered_at=found["RegisteredAt"],
                    returned=found["Returned"],
                    returned_at=found["ReturnedAt"],
                    visited=found["Visited"],
                )
            )
        return visits


def _booked(booking: Booking) -> dict[str, Any]:
    slot = booking.slot
    return {
        "ScheduleId": slot.ScheduleId,
        "ScheduleDate": slot.ScheduleDate,
        "ClinicLabel": slot.ClinicLabel,
        "ClinicName": slot.ClinicName,
        "DeptCode": slot.DeptCode,
        "DeptName": slot.DeptName,
        "DoctorName": slot.DoctorName,
        "Shift": slot.Shift,
        "PatientId": booking.patient_id,
        "SequenceNo": booking.sequence,
        "RegistrationFee": booking.registration_fee,
        "ConsultationFee": booking.consultation_fee,
        "Amount": booking.registration_fee + booking.consultation_fee,
        "Now": booking.now,
        "Paid": int(booking.paid),
    }
