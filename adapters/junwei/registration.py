"""Registration over CLINIC_FOR_REGIST, CLINIC_MASTER and CLINIC_RETURNED_ACCT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, and_, case, func, insert, or_, select, update
from sqlalchemy import Sequence as DatabaseSequence

from adapters import values as v
from adapters.columns import Statement
from adapters.database import Source
from adapters.junwei import tables
from adapters.junwei.number_source import NumberSources, session_key
from adapters.junwei.patients import PatientIndex
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches, pack, unpack
from adapters.numbering import insert_next
from adapters.registrations.clinic import Booking, Clinic, Visit
from services.faults import SourceError
from services.number_source import NumberSourceSlot
from services.patients import Patient

S = tables.CLINIC_FOR_REGIST.c
M = tables.CLINIC_MASTER.c
P = tables.PAT_MASTER_INDEX.c

#: REGISTRATION_STATUS
_CONFIRMED, _SEEN = 1, 2
#: what CLINIC_MASTER takes over from PAT_MASTER_INDEX under the same name
_COPIED = ("NAME", "NAME_PHONETIC", "SEX", "IDENTITY", "CHARGE_TYPE", "UNIT_IN_CONTRACT")
#: what CLINIC_RETURNED_ACCT takes over from CLINIC_MASTER, where the names differ
_RETURNED_AS = {"VISIT_TIME_DESC": "TIME_DESC", "NAME": "PATIENT_NAME"}
_RETURNED = (
    *("VISIT_DATE", "VISIT_NO", "CLINIC_LABEL", "VISIT_TIME_DESC", "PATIENT_ID", "NAME"),
    *("REGIST_FEE", "CLINIC_FEE", "OTHER_FEE", "CLINIC_CHARGE", "OPERATOR", "SERIAL_NO"),
    *("PAY_WAY", "INVOICE_NO"),
)
_VISIT = (
    *(M.VISIT_DATE, M.VISIT_NO, M.CLINIC_LABEL, M.VISIT_TIME_DESC, M.SERIAL_NO, M.PATIENT_ID),
    *(M.VISIT_DEPT, M.DOCTOR, M.REGISTRATION_STATUS, M.REGISTERING_DATE, M.CLINIC_CHARGE),
    M.RETURNED_DATE,
)


class JunweiClinic(Clinic):
    """junwei's side of registration, with one hospital's settings."""

    def __init__(
        self,
        source: Source,
        settings: JunweiSettings,
        numbers: NumberSources,
        patients: PatientIndex,
    ) -> None:
        self._source = source
        self._settings = settings
        self._numbers = numbers
        self._patients = patients
        self.number_is_place = settings.taken == "CURRENT_NO"
        self.writes_locks = settings.unpaid_lock == "returned_row"

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        for table in (
            *(tables.CLINIC_FOR_REGIST, tables.CLINIC_MASTER, tables.PAT_MASTER_INDEX),
            *(tables.CLINIC_RETURNED_ACCT, tables.CLINIC_INDEX),
        ):
            yield select(*table.c)

    # --- sessions -----------------------------------------------------------------------------

    def session(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None:
        return self._numbers.find(connection, schedule_id)

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        return self._numbers.stopped_since(connection, day)

    # --- counters -----------------------------------------------------------------------------

    def hold(self, connection: Connection, schedule_id: str) -> None:
        self._update(connection, schedule_id, [(S.CURRENT_NO, S.CURRENT_NO)])

    def take(self, connection: Connection, schedule_id: str, *, numbered: bool) -> bool:
        given = self._given
        # In this order: MySQL computes the second with what the first has set.
        values: list[Any] = [(S.REGISTRATION_NUM, func.coalesce(S.REGISTRATION_NUM, given) + 1)]
        if numbered:
            values.append((S.CURRENT_NO, self._next))
        room = [] if self.number_is_place and not numbered else [self._room]
        return self._update(connection, schedule_id, values, *room)

    def advance(self, connection: Connection, schedule_id: str) -> bool:
        room = [self._room] if self.number_is_place else []
        return self._update(connection, schedule_id, [(S.CURRENT_NO, self._next)], *room)

    def given(self, connection: Connection, schedule_id: str) -> int:
        statement = select(S.CURRENT_NO).where(*self._where(schedule_id))
        number = v.count(connection.scalar(statement), "CURRENT_NO")
        return number - 1 if self._settings.current_no == "next" else number

    def give_back(self, connection: Connection, schedule_id: str) -> None:
        values = [(S.REGISTRATION_NUM, S.REGISTRATION_NUM - 1)]
        self._update(connection, schedule_id, values, S.REGISTRATION_NUM > 0)

    @property
    def _given(self) -> Any:
        """How many numbers were given out, by CURRENT_NO."""
        if self._settings.current_no == "last":
            return func.coalesce(S.CURRENT_NO, 0)
        return case((S.CURRENT_NO > 1, S.CURRENT_NO - 1), else_=0)

    @property
    def _next(self) -> Any:
        return func.coalesce(S.CURRENT_NO, 1 if self._settings.current_no == "next" else 0) + 1

    @property
    def _room(self) -> Any:
        taken: Any = self._given
        if not self.number_is_place:
            taken = func.coalesce(S.REGISTRATION_NUM, taken)
        if self._settings.appointments == "included":
            taken = taken + func.coalesce(S.APPOINTMENT_NUM, 0)
        limit = func.coalesce(S.REGISTRATION_LIMITS, 0)
        return or_(limit == 0, taken < limit)

    def _where(self, schedule_id: str) -> list[Any]:
        key = session_key(schedule_id)
        if key is None:
            return []
        day, label, time_desc = key
        padding = self._settings.char_padding
        return [
            *_on(S.CLINIC_DATE, day),
            matches(S.CLINIC_LABEL, label, padding),
            matches(S.TIME_DESC, time_desc, padding),
        ]

    def _update(
        self, connection: Connection, schedule_id: str, values: list[Any], *conditions: Any
    ) -> bool:
        where = self._where(schedule_id)
        if not where:
            return False
        statement = update(tables.CLINIC_FOR_REGIST).where(*where, *conditions)
        changed = connection.execute(statement.ordered_values(*values)).rowcount
        if changed > 1:
            raise self._source.fault(
                SourceError,
                f"表 CLINIC_FOR_REGIST 中号源 {schedule_id} 有 {changed} 行，应只有一行。请更正。",
                f"Table CLINIC_FOR_REGIST has {changed} rows of session {schedule_id} and should "
                "have one. Correct them.",
                field="ScheduleId",
            )
        return changed == 1

    # --- patients and visits ------------------------------------------------------------------

    def patient(self, connection: Connection, patient_id: str) -> Patient:
        return self._patients.of(connection, patient_id)

    def add_visit(self, connection: Connection, booking: Booking) -> str:
        slot, settings = booking.slot, self._settings
        key = session_key(slot.ScheduleId)
        assert key is not None
        patient = self.patient(connection, booking.patient_id)
        chosen = [P[name] for name in _COPIED]
        condition = matches(P.PATIENT_ID, booking.patient_id, settings.char_padding)
        copied = connection.execute(select(*chosen).where(condition)).one()._mapping
        label = matches(tables.CLINIC_INDEX.c.CLINIC_LABEL, key[1], settings.char_padding)
        clinic_type = connection.scalar(select(tables.CLINIC_INDEX.c.CLINIC_TYPE).where(label))
        values = {
            **{name: v.text(copied[name], name) for name in _COPIED},
            "VISIT_DATE": datetime.combine(slot.ScheduleDate, time()),
            "CLINIC_LABEL": key[1],
            "VISIT_TIME_DESC": key[2],
            "SERIAL_NO": booking.sequence,
            "PATIENT_ID": booking.patient_id,
            "AGE": patient.Age,
            "INSURANCE_NO": patient.InsuranceNo,
            "CLINIC_TYPE": v.text(clinic_type, "CLINIC_TYPE"),
            "VISIT_DEPT": slot.DeptCode or None,
            "DOCTOR": slot.DoctorName,
            "REGISTERING_DATE": booking.now,
            "REGIST_FEE": booking.registration_fee,
            "CLINIC_FEE": booking.consultation_fee,
            "CLINIC_CHARGE": booking.registration_fee + booking.consultation_fee,
            "OPERATOR": settings.operator,
            **self._standing(booking),
        }
        number = self._insert(connection, slot.ScheduleDate, values)
        return pack(slot.ScheduleDate.strftime("%Y%m%d"), str(number))

    def pay_visit(self, connection: Connection, key: str, booking: Booking) -> None:
        values = {**self._standing(booking), "REGISTERING_DATE": booking.now}
        paid = update(tables.CLINIC_MASTER).where(*_visit_where(key) or []).values(values)
        if connection.execute(paid).rowcount != 1:
            raise self._source.fault(
                SourceError,
                f"锁号在表 CLINIC_MASTER 中的行（{key}）不见了，未挂号。请退款后重新锁号。",
                f"The lock's row in CLINIC_MASTER ({key}) is gone: not registered. Refund, and "
                "lock anew.",
            )

    def return_visit(self, connection: Connection, visit: Visit, now: datetime) -> bool:
        where = _visit_where(visit.key)
        assert where is not None
        operator = self._settings.operator
        returned = {"RETURNED_DATE": now, "RETURNED_OPERATOR": operator}
        statement = update(tables.CLINIC_MASTER).where(
            *where,
            M.RETURNED_DATE.is_(None),
            or_(M.REGISTRATION_STATUS.is_(None), M.REGISTRATION_STATUS != _SEEN),
        )
        if connection.execute(statement.values(returned)).rowcount != 1:
            return False
        row = connection.execute(select(*(M[n] for n in _RETURNED)).where(*where)).one()._mapping
        account = {_RETURNED_AS.get(name, name): row[name] for name in _RETURNED}
        # What VISIT_DATE gave as text is given back as a date.
        account["VISIT_DATE"] = v.moment(row["VISIT_DATE"], "VISIT_DATE")
        connection.execute(insert(tables.CLINIC_RETURNED_ACCT).values({**account, **returned}))
        return True

    def visit(self, connection: Connection, key: str) -> Visit | None:
        where = _visit_where(key)
        found = [] if where is None else self._read(connection, where)
        return found[0] if found else None

    def visits_of(self, connection: Connection, patient_id: str, since: date | None) -> list[Visit]:
        where = [matches(M.PATIENT_ID, patient_id, self._settings.char_padding)]
        if since is not None:
            where.append(M.VISIT_DATE >= datetime.combine(since, time()))
        return self._read(connection, where)

    def visits_at(self, connection: Connection, slot: NumberSourceSlot) -> list[Visit]:
        key = session_key(slot.ScheduleId)
        assert key is not None
        day, label, time_desc = key
        padding = self._settings.char_padding
        return self._read(
            connection,
            [
                *_on(M.VISIT_DATE, day),
                matches(M.CLINIC_LABEL, label, padding),
                matches(M.VISIT_TIME_DESC, time_desc, padding),
            ],
        )

    # --- inside -----------------------------------------------------------------------------------

    def _standing(self, booking: Booking) -> dict[str, Any]:
        """A lock that is written at all looks like a returned registration until it is paid."""
        if booking.paid:
            return {
                **{"REGISTRATION_STATUS": _CONFIRMED},
                **{"RETURNED_DATE": None, "RETURNED_OPERATOR": None},
            }
        return {
            **{"REGISTRATION_STATUS": 0},
            **{"RETURNED_DATE": booking.now, "RETURNED_OPERATOR": self._settings.operator},
        }

    def _insert(self, connection: Connection, day: date, values: Mapping[str, Any]) -> int:
        if self._settings.visit_no == "daily":
            return insert_next(connection, M.VISIT_NO, values, *_on(M.VISIT_DATE, day))
        number = int(connection.scalar(DatabaseSequence(self._settings.visit_no)) or 0)
        connection.execute(insert(tables.CLINIC_MASTER).values({**values, "VISIT_NO": number}))
        return number

    def _read(self, connection: Connection, where: list[Any]) -> list[Visit]:
        departments = self._numbers.departments(connection)
        rows = connection.execute(select(*_VISIT).where(*where)).all()
        return [self._visit(row, departments) for row in rows]

    def _visit(self, row: Sequence[Any], departments: Mapping[str, str]) -> Visit:
        (visit_date, number, clinic_label, time_desc, serial, patient, dept, doctor) = row[:8]
        (status, registered, charge, returned) = row[8:]
        try:
            day = v.day(visit_date, "VISIT_DATE")
            label, shift = v.text(clinic_label, "CLINIC_LABEL"), v.text(time_desc, "")
            code = v.text(dept, "VISIT_DEPT")
            returned_at = v.moment(returned, "RETURNED_DATE")
            return Visit(
                key=pack(day.strftime("%Y%m%d"), str(v.count(number, "VISIT_NO"))),
                patient_id=v.required(patient, "PATIENT_ID"),
                schedule_id=pack(day.strftime("%Y%m%d"), label, shift or "") if label else None,
                day=day,
                ClinicLabel=label,
                DeptName=None if code is None else departments.get(code, code),
                DoctorName=v.text(doctor, "DOCTOR"),
                Shift=self._settings.shifts.get(shift or "", "9"),
                sequence=None if serial is None else v.count(serial, "SERIAL_NO"),
                amount=None if charge is None else v.money(charge, "CLINIC_CHARGE"),
                registered_at=v.moment(registered, "REGISTERING_DATE"),
                returned=returned_at is not None,
                returned_at=returned_at,
                visited=v.text(status, "REGISTRATION_STATUS") == str(_SEEN),
            )
        except v.Unreadable as unreadable:
            key = f"VISIT_DATE={visit_date}, VISIT_NO={number}"
            raise self._source.broken_row("CLINIC_MASTER", key, unreadable) from None


def _on(column: Any, day: date) -> list[Any]:
    start = datetime.combine(day, time())
    if day == date.max:
        return [column >= start]
    return [and_(column >= start, column < start + timedelta(days=1))]


def _visit_where(key: str) -> list[Any] | None:
    parts = unpack(key)
    if (
        parts is None
        or len(parts) != 2
        or not all(one.isascii() and one.isdigit() for one in parts)
    ):
        return None
    try:
        day = datetime.strptime(parts[0], "%Y%m%d").date()
    except ValueError:
        return None
    return None if len(parts[1]) > 9 else [*_on(M.VISIT_DATE, day), M.VISIT_NO == int(parts[1])]
