"""Patients out of a mapped query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from sqlalchemy import Connection

from adapters import values as v
from adapters.database import Source
from adapters.mapped.rows import complete
from adapters.mapped.running import Runner
from adapters.people import age_at, ambiguous, either_case, no_such_number, unknown_patient
from services.patients import MOST_MATCHES, Patient, criteria

_FIND = ("Patients", "FindPatients")


class PatientFiles:
    """The queries of Patients over one mapping. ``today`` is the clock."""

    def __init__(self, source: Source, runner: Runner, today: Callable[[], date]) -> None:
        self._source = source
        self._runner = runner
        self._today = today

    def find(self, asked: Mapping[str, str | None]) -> list[Patient]:
        """FindPatients."""
        given = criteria(**asked)
        names = self._runner.mapping.one(*_FIND).sql.names
        for name in given:
            if name not in names:
                raise no_such_number(self._source, name)
        with self._source.connect() as connection:
            return self._read(connection, given)[:MOST_MATCHES]

    def get(self, patient_id: str) -> Patient:
        """GetPatient."""
        with self._source.connect() as connection:
            return self.of(connection, patient_id)

    def of(self, connection: Connection, patient_id: str) -> Patient:
        """The patient of that id. Raises NotFound, and Conflict if there are several."""
        found = self._read(connection, {"PatientId": patient_id})
        if not found:
            raise unknown_patient(self._source)
        if len(found) > 1:
            raise ambiguous(self._source)
        return found[0]

    def _read(self, connection: Connection, given: Mapping[str, str]) -> list[Patient]:
        patients = []
        for number in either_case(given["IdentityNo"]) if "IdentityNo" in given else [""]:
            asked = {**given, "IdentityNo": number} if number else given
            for values in self._runner.rows(connection, *_FIND, asked):
                born = values.get("BirthDate")
                if values.get("Age") is None and born is not None:
                    values["Age"] = age_at(born, self._today())
                try:
                    patient = Patient(**complete(self._runner.mapping.one(*_FIND), values))
                except v.Unreadable as unreadable:
                    key = f"PatientId={values.get('PatientId')}"
                    raise self._source.broken_row(
                        f"（{'.'.join(_FIND)}）", key, unreadable
                    ) from None
                # A database that compares in either case answers the same row each time.
                if patient not in patients:
                    patients.append(patient)
        patients.sort(key=lambda one: one.PatientId)
        return patients
