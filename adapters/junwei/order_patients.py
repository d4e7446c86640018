"""Who an order is for: a patient whom junwei knows, or a new row of PAT_MASTER_INDEX.

A new patient's PATIENT_ID is the letters of the ``patient_id_prefix`` setting and a number that
counts up behind the highest one in use; the HIS's own ids never begin with these letters. Two
orders at once for the same unknown identity number make one patient: the second meets the first
one's row in YILIAN_PATIENT.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, column, insert, or_, select, table, update
from sqlalchemy.exc import IntegrityError

from adapters import values as v
from adapters.columns import Statement
from adapters.database import Source
from adapters.fitting import fitted
from adapters.junwei import tables
from adapters.junwei.patient_numbers import PatientNumbers
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches
from adapters.orders import PATIENT
from services.faults import Conflict, InvalidArgument, NotFound
from services.ordering import OrderPatient

_P = tables.PAT_MASTER_INDEX.c
_KNOWN = select(_P.PATIENT_ID, _P.NAME, _P.SEX, _P.DATE_OF_BIRTH, _P.CHARGE_TYPE, _P.ID_NO)
#: the HIS's words for GB/T 2261.1, in a column of four bytes
_SEXES = {"0": "未知", "1": "男", "2": "女", "9": "其他"}
#: a duplicate id is met once for each order that makes a patient at the same moment
_ATTEMPTS = 200


@dataclass(frozen=True, slots=True)
class Known:
    """A patient as the HIS has them now, which is what the order's rows say."""

    patient_id: str
    name: str
    sex: str | None
    birth: datetime | None
    charge_type: str | None

    def age(self, day: date) -> int | None:
        """Whole years on that day."""
        if self.birth is None:
            return None
        before = (day.month, day.day) < (self.birth.month, self.birth.day)
        return max(0, day.year - self.birth.year - before)


class OrderPatients:
    """Patients of one hospital, found or made."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._insurance = PatientNumbers(f"{settings.insurance_no}.INSURANCE_NO")

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield _KNOWN
        yield self._insurance.statement

    def of(self, connection: Connection, asked: OrderPatient, dept: str, now: datetime) -> Known:
        """The patient meant. Raises what PlaceLabOrder raises about its patient."""
        if asked.PatientId and asked.PatientId.strip():
            return self._by_id(connection, asked, asked.PatientId.strip())
        identity = (asked.IdentityNo or "").strip().upper()
        if identity:
            found = self._by_identity(connection, identity)
            if found:
                return self._only(found, asked, "IdentityNo")
        insurance = (asked.InsuranceNo or "").strip()
        if insurance and not identity:
            found = self._by_insurance(connection, insurance)
            if found:
                return self._only(found, asked, "InsuranceNo")
        if not identity and not insurance and asked.BirthDate is None:
            raise self._source.fault(
                InvalidArgument,
                "新病人须有证件号、医保号或出生日期，否则无法与他人区分。",
                "A new patient needs an identity number, an insurance number or a date of birth, "
                "to be told from others.",
                field="Patient.IdentityNo",
            )
        return self._new(connection, asked, identity, dept, now)

    # --- known ------------------------------------------------------------------------------------

    def _by_id(self, connection: Connection, asked: OrderPatient, patient_id: str) -> Known:
        padding = self._settings.char_padding
        row = connection.execute(_KNOWN.where(matches(_P.PATIENT_ID, patient_id, padding))).first()
        if row is None:
            raise self._source.fault(
                NotFound,
                f"医院 {self._source.hospital} 没有病人标识号 {patient_id}。"
                "不知道本院标识号时请不填，按证件号查找。",
                f"Hospital {self._source.hospital} has no patient id {patient_id}. Leave it out "
                "where this hospital's id is not known.",
                field="Patient.PatientId",
            )
        kept = (v.text(row[5], "ID_NO") or "").upper()
        given = (asked.IdentityNo or "").strip().upper()
        if kept and given and kept != given:
            raise self._other_person("Patient.IdentityNo", "证件号", "identity number")
        return self._only([row], asked, "PatientId")

    def _by_identity(self, connection: Connection, identity: str) -> Sequence[Any]:
        padding = self._settings.char_padding
        spelled = {identity, identity.lower()}  # the X at the end, in either case
        return connection.execute(
            _KNOWN.where(or_(*(matches(_P.ID_NO, text, padding) for text in sorted(spelled))))
        ).all()

    def _by_insurance(self, connection: Connection, insurance: str) -> Sequence[Any]:
        insured = self._insurance.holders(insurance, self._settings.char_padding)
        return connection.execute(_KNOWN.where(_P.PATIENT_ID.in_(insured))).all()

    def _only(self, found: Sequence[Any], asked: OrderPatient, by: str) -> Known:
        if len(found) > 1:
            raise self._source.fault(
                Conflict,
                f"本院有 {len(found)} 个病人登记了这个 {by}，无法确定是谁。"
                "请与本院核对后用 PatientId 开单。",
                f"{len(found)} patients of this hospital have this {by}. Find out which one is "
                "meant, and order by PatientId.",
                field=f"Patient.{by}",
            )
        (row,) = found
        try:
            known = _known(row)
        except v.Unreadable as unreadable:
            unreadable.table, unreadable.key = "PAT_MASTER_INDEX", f"PATIENT_ID={row[0]}"
            raise
        if _folded(known.name) != _folded(asked.Name):
            raise self._other_person("Patient.Name", "姓名", "name")
        return known

    def _other_person(self, field: str, zh: str, en: str) -> Conflict:
        return self._source.fault(
            Conflict,
            f"本院该病人登记的{zh}与申请单不同。请核对是否同一人。",
            f"This hospital has that patient under another {en}. Check that it is the same person.",
            field=field,
        )

    # --- new --------------------------------------------------------------------------------------

    def _new(
        self, connection: Connection, asked: OrderPatient, identity: str, dept: str, now: datetime
    ) -> Known:
        row = self._row(asked, identity, dept, now)
        if identity:
            already = self._claimed(connection, identity)
            if already:
                return self._only(already, asked, "IdentityNo")
        patient_id = self._inserted(connection, row)
        if identity:
            connection.execute(
                update(PATIENT)
                .where(PATIENT.c.IDENTITY_DIGEST == _digest(identity))
                .values(PATIENT_ID=patient_id)
            )
        insurance = (asked.InsuranceNo or "").strip()
        if insurance and self._settings.insurance_no == "INSURANCE_ACCOUNTS":
            accounts = table("INSURANCE_ACCOUNTS", column("PATIENT_ID"), column("INSURANCE_NO"))
            connection.execute(
                insert(accounts).values(PATIENT_ID=patient_id, INSURANCE_NO=insurance)
            )
        return Known(patient_id, row["NAME"], row["SEX"], row["DATE_OF_BIRTH"], row["CHARGE_TYPE"])

    def _row(self, asked: OrderPatient, identity: str, dept: str, now: datetime) -> dict[str, Any]:
        def fit(name: str, value: str | None, field: str) -> str | None:
            return fitted(self._source, _P[name], value, f"Patient.{field}")

        name = fit("NAME", asked.Name, "Name")
        if name is None:
            raise self._source.fault(
                InvalidArgument, "缺少病人姓名。", "The name is missing.", field="Patient.Name"
            )
        fitted(self._source, tables.CLINIC_MASTER.c.INSURANCE_NO, asked.InsuranceNo, "InsuranceNo")
        birth = asked.BirthDate or _birth_in(identity)
        return {
            "NAME": name,
            "SEX": _SEXES[asked.Sex],
            "DATE_OF_BIRTH": datetime(birth.year, birth.month, birth.day) if birth else None,
            "ID_NO": fit("ID_NO", identity, "IdentityNo"),
            "ID_TYPE": asked.IdentityType or ("01" if identity else None),
            "CHARGE_TYPE": fit("CHARGE_TYPE", asked.ChargeType, "ChargeType"),
            "PHONE_NUMBER_HOME": fit("PHONE_NUMBER_HOME", asked.Phone, "Phone"),
            "CREATE_DATE": now,
            "OPERATOR": dept,
        }

    def _claimed(self, connection: Connection, identity: str) -> Sequence[Any]:
        """Nobody, and the identity number is ours to make a patient of; or the patient whom
        another order made of it after we had looked."""
        claim = insert(PATIENT).values(IDENTITY_DIGEST=_digest(identity), PATIENT_ID=None)
        try:
            with connection.begin_nested():
                connection.execute(claim)
        except IntegrityError:
            statement = select(PATIENT.c.PATIENT_ID).with_for_update()
            made = connection.execute(
                statement.where(PATIENT.c.IDENTITY_DIGEST == _digest(identity))
            ).scalar()
            # Locked, so that what another transaction committed meanwhile is read as well.
            found = _KNOWN.where(_P.PATIENT_ID == made).with_for_update()
            # None of them where the hospital has since merged that patient away.
            return connection.execute(found).all()
        return ()

    def _inserted(self, connection: Connection, row: dict[str, Any]) -> str:
        prefix = self._settings.patient_id_prefix
        digits = 10 - len(prefix)
        highest = select(_P.PATIENT_ID).where(
            _P.PATIENT_ID >= prefix + "0" * digits, _P.PATIENT_ID <= prefix + "9" * digits
        )
        taken = [
            int(text[len(prefix) :])
            for (value,) in connection.execute(highest.order_by(_P.PATIENT_ID.desc()).limit(50))
            if (text := v.text(value, "PATIENT_ID") or "")[len(prefix) :].isdecimal()
        ]
        first = max(taken, default=0) + 1
        for number in range(first, first + _ATTEMPTS):
            patient_id = f"{prefix}{number:0{digits}d}"
            try:
                with connection.begin_nested():
                    statement = insert(tables.PAT_MASTER_INDEX)
                    connection.execute(statement.values(PATIENT_ID=patient_id, **row))
            except IntegrityError as error:
                duplicate = error
            else:
                return patient_id
        raise duplicate


def _known(row: Any) -> Known:
    return Known(
        patient_id=v.required(row[0], "PATIENT_ID"),
        name=v.required(row[1], "NAME"),
        sex=v.text(row[2], "SEX"),
        birth=v.moment(row[3], "DATE_OF_BIRTH"),
        charge_type=v.text(row[4], "CHARGE_TYPE"),
    )


def _folded(name: str) -> str:
    """A name as it is compared: some stations write a blank between its parts."""
    return "".join(name.split()).casefold()


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()


def _birth_in(identity: str) -> date | None:
    """The date of birth that stands in an identity card's 18 characters."""
    if len(identity) != 18 or not identity[6:14].isdecimal():
        return None
    try:
        return date(int(identity[6:10]), int(identity[10:12]), int(identity[12:14]))
    except ValueError:
        return None
