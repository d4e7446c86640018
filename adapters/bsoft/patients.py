"""Patients over MS_BRDA. A patient's id is the outpatient number MZHM; BRID stays inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, or_, select

from adapters import values as v
from adapters.bsoft import tables
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import Statement
from adapters.database import Source
from adapters.dictionary import names
from adapters.keys import matches
from adapters.people import age_at, ambiguous, either_case, unknown_patient
from services.patients import MOST_MATCHES, Patient, criteria

B = tables.MS_BRDA.c
_CHOSEN = (
    *(B.BRID, B.MZHM, B.BRXM, B.BRXB, B.CSNY, B.SFZH, B.YBKH, B.BRXZ, B.JZKH, B.JTDH, B.JTDZ),
)
_COLUMNS = {
    **{"PatientId": B.MZHM, "InsuranceNo": B.YBKH, "IdentityNo": B.SFZH, "VisitCardNo": B.JZKH},
}


class PatientFiles:
    """The queries of Patients, with one hospital's settings. ``today`` is the clock."""

    def __init__(
        self, source: Source, settings: BsoftSettings, today: Callable[[], date] = date.today
    ) -> None:
        self._source = source
        self._settings = settings
        self._today = today
        payers = select(tables.GY_BRXZ.c.BRXZ, tables.GY_BRXZ.c.XZMC)
        self._payers = names(payers, settings.dictionary_seconds)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield select(*_CHOSEN)
        yield self._payers.statement

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
        with self._source.connect() as connection:
            return [patient for _, patient in self._read(connection, asked)]

    def get(self, patient_id: str) -> Patient:
        """GetPatient."""
        with self._source.connect() as connection:
            return self.of(connection, patient_id)[1]

    def of(self, connection: Connection, patient_id: str) -> tuple[int, Patient]:
        """BRID and the patient of that id. Raises NotFound, and Conflict if there are several."""
        found = self._read(connection, {"PatientId": patient_id})
        if not found:
            raise unknown_patient(self._source)
        if len(found) > 1:
            raise ambiguous(self._source)
        return found[0]

    def _read(self, connection: Connection, asked: Mapping[str, str]) -> list[tuple[int, Patient]]:
        padding = self._settings.char_padding
        statement = select(*_CHOSEN)
        for name, value in asked.items():
            forms = either_case(value) if name == "IdentityNo" else [value]
            column = _COLUMNS[name]
            statement = statement.where(or_(*(matches(column, one, padding) for one in forms)))
        payers = self._payers.read(connection)
        rows = connection.execute(statement.order_by(B.MZHM, B.BRID).limit(MOST_MATCHES)).all()
        return [self._patient(row, payers) for row in rows]

    def _patient(self, row: Sequence[Any], payers: Mapping[str, str]) -> tuple[int, Patient]:
        (number, outpatient_no, name, sex, birth, id_no, insured, payer, card, phone, address) = row
        try:
            born = v.moment(birth, "CSNY")
            identity_no = v.text(id_no, "SFZH")
            payer_code = v.text(payer, "BRXZ")
            patient = Patient(
                PatientId=v.required(outpatient_no, "MZHM"),
                Name=v.text(name, "BRXM") or "",
                Sex=v.sex(sex, "BRXB") or "0",
                BirthDate=born.date() if born else None,
                Age=age_at(born.date(), self._today()) if born else None,
                IdentityType="01" if identity_no else None,  # SFZH holds nothing else
                IdentityNo=identity_no,
                InsuranceNo=v.text(insured, "YBKH"),
                VisitCardNo=v.text(card, "JZKH"),
                ChargeType=None if payer_code is None else payers.get(payer_code, payer_code),
                Phone=v.text(phone, "JTDH"),
                Address=v.text(address, "JTDZ"),
            )
            return v.count(number, "BRID"), patient
        except v.Unreadable as unreadable:
            raise self._source.broken_row("MS_BRDA", f"BRID={number}", unreadable) from None
