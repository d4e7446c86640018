"""Patients over PAT_MASTER_INDEX; insurance numbers and visit cards stand in other tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select

from adapters import values as v
from adapters.columns import Statement
from adapters.database import Source
from adapters.junwei.patient_numbers import PatientNumbers
from adapters.junwei.settings import JunweiSettings
from adapters.junwei.tables import PAT_MASTER_INDEX
from adapters.keys import matches
from adapters.people import age_at, ambiguous, either_case, no_such_number, unknown_patient
from services.patients import MOST_MATCHES, Patient, criteria

P = PAT_MASTER_INDEX.c
_CHOSEN = (
    *(P.PATIENT_ID, P.NAME, P.SEX, P.DATE_OF_BIRTH, P.ID_TYPE, P.ID_NO, P.CHARGE_TYPE),
    *(P.PHONE_NUMBER_HOME, P.NEXT_OF_KIN_PHONE, P.MAILING_ADDRESS),
)


class PatientIndex:
    """The queries of Patients, with one hospital's settings. ``today`` is the clock."""

    def __init__(
        self, source: Source, settings: JunweiSettings, today: Callable[[], date] = date.today
    ) -> None:
        self._source = source
        self._settings = settings
        self._today = today
        self._insurance = PatientNumbers(f"{settings.insurance_no}.INSURANCE_NO")
        self._cards = PatientNumbers(settings.visit_card) if settings.visit_card else None

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield select(*_CHOSEN)
        yield self._insurance.statement
        if self._cards is not None:
            yield self._cards.statement

    def find(
        self,
        patient_id: str | None,
        insurance_no: str | None,
        identity_no: str | None,
        visit_card_no: str | None,
    ) -> list[Patient]:
        """FindPatients."""
        asked = criteria(
            PatientId=patient_id,
            InsuranceNo=insurance_no,
            IdentityNo=identity_no,
            VisitCardNo=visit_card_no,
        )
        padding = self._settings.char_padding
        statement = select(*_CHOSEN)
        if "PatientId" in asked:
            statement = statement.where(matches(P.PATIENT_ID, asked["PatientId"], padding))
        if "IdentityNo" in asked:
            forms = either_case(asked["IdentityNo"])
            statement = statement.where(or_(*(matches(P.ID_NO, one, padding) for one in forms)))
        if "InsuranceNo" in asked:
            holders = self._insurance.holders(asked["InsuranceNo"], padding)
            statement = statement.where(P.PATIENT_ID.in_(holders))
        if "VisitCardNo" in asked:
            if self._cards is None:
                raise no_such_number(self._source, "VisitCardNo")
            holders = self._cards.holders(asked["VisitCardNo"], padding)
            statement = statement.where(P.PATIENT_ID.in_(holders))
        with self._source.connect() as connection:
            return self._read(connection, statement)

    def get(self, patient_id: str) -> Patient:
        """GetPatient."""
        with self._source.connect() as connection:
            return self.of(connection, patient_id)

    def of(self, connection: Connection, patient_id: str) -> Patient:
        """The patient of that id. Raises NotFound, and Conflict if there are several."""
        statement = select(*_CHOSEN).where(
            matches(P.PATIENT_ID, patient_id, self._settings.char_padding)
        )
        found = self._read(connection, statement)
        if not found:
            raise unknown_patient(self._source)
        if len(found) > 1:
            raise ambiguous(self._source)
        return found[0]

    def _read(self, connection: Connection, statement: Statement) -> list[Patient]:
        limited = statement.order_by(P.PATIENT_ID).limit(MOST_MATCHES)
        rows = connection.execute(limited).all()
        ids = [row[0] for row in rows]
        insured = self._insurance.of(connection, ids)
        cards = self._cards.of(connection, ids) if self._cards else {}
        return [self._patient(row, insured, cards) for row in rows]

    def _patient(
        self, row: Sequence[Any], insured: dict[str, str], cards: dict[str, str]
    ) -> Patient:
        (number, name, sex, birth, id_type, id_no, charge_type, phone, kin_phone, address) = row
        try:
            patient_id = v.required(number, "PATIENT_ID")
            born = v.moment(birth, "DATE_OF_BIRTH")
            identity_no = v.text(id_no, "ID_NO")
            kind = v.text(id_type, "ID_TYPE")
            return Patient(
                PatientId=patient_id,
                Name=v.text(name, "NAME") or "",
                Sex=v.sex(sex, "SEX") or "0",
                BirthDate=born.date() if born else None,
                Age=age_at(born.date(), self._today()) if born else None,
                IdentityType=(
                    self._settings.identity_types.get(kind or "01", "99") if identity_no else None
                ),
                IdentityNo=identity_no,
                InsuranceNo=insured.get(patient_id),
                VisitCardNo=cards.get(patient_id),
                ChargeType=v.text(charge_type, "CHARGE_TYPE"),
                Phone=v.text(phone, "PHONE_NUMBER_HOME") or v.text(kin_phone, "NEXT_OF_KIN_PHONE"),
                Address=v.text(address, "MAILING_ADDRESS"),
            )
        except v.Unreadable as unreadable:
            key = f"PATIENT_ID={number}"
            raise self._source.broken_row("PAT_MASTER_INDEX", key, unreadable) from None
