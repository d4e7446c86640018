"""NumberSource over MS_YSPB, doctors' slots by date, and MS_KSPB, departments' slots by weekday.

bsoft has no clinic labels. Ours is the department's code, with the doctor's behind it in a
doctor's session: ``0301`` and ``0301-1024``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from adapters import values as v
from adapters.bsoft import codes, tables
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import Statement, with_columns
from adapters.database import Source
from adapters.keys import matches, pack, unpack
from adapters.sessions import session_of
from services.number_source import NumberSourceSlot


@dataclass(frozen=True)
class _Codes:
    departments: Mapping[str, codes.Department]
    staff: Mapping[str, codes.Doctor]
    specialities: Mapping[str, str]


class NumberSources:
    """The queries of NumberSource, with one hospital's settings. ``today`` is the clock."""

    def __init__(
        self, source: Source, settings: BsoftSettings, today: Callable[[], date] = date.today
    ) -> None:
        self._source = source
        self._settings = settings
        self._today = today
        self._departments = codes.departments(settings)
        self._staff = codes.staff(settings)
        self._specialities = codes.specialities(settings)
        flag = settings.remote_flag if settings.remote_flag_on == "slots" else ""
        self._has_flag = bool(flag)
        self._of_doctors = with_columns(tables.MS_YSPB, flag).c
        self._of_departments = with_columns(tables.MS_KSPB, flag).c
        d, k = self._of_doctors, self._of_departments
        # Both begin with day, department, shift, limit, registered, booked, stopped.
        self._doctor_slots = select(
            *(d.GZRQ, d.KSDM, d.ZBLB, d.GHXE, d.YGRS, d.YYRS, d.TGBZ, d.YSDM),
            *([d[flag]] if flag else []),
        )
        self._department_slots = select(
            *(k.GHRQ, k.GHKS, k.ZBLB, k.GHXE, k.YGRS, k.YYRS, k.TGBZ),
            *([k[flag]] if flag else []),
        )
        if settings.organisation:
            self._doctor_slots = self._doctor_slots.where(d.JGID == settings.organisation)
            self._department_slots = self._department_slots.where(k.JGID == settings.organisation)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield self._doctor_slots
        if self._settings.department_slots:
            yield self._department_slots
        yield self._departments.statement
        yield self._staff.statement
        if self._specialities is not None:
            yield self._specialities.statement

    def query(
        self, day: date, dept_code: str | None, clinic_label: str | None
    ) -> list[NumberSourceSlot]:
        """QueryNumberSource."""
        dept, doctor, any_doctor = dept_code, None, True
        if clinic_label is not None:
            parts = unpack(clinic_label)
            if parts is None or len(parts) > 2 or dept_code not in (None, parts[0]):
                return []
            dept, doctor, any_doctor = parts[0], (parts[1] if len(parts) == 2 else None), False
        slots: list[NumberSourceSlot] = []
        with self._source.connect() as connection:
            known = self._codes(connection)
            if any_doctor or doctor is not None:
                slots += self._doctors_sessions(connection, known, day, dept, doctor)
            if doctor is None and self._settings.department_slots:
                slots += self._departments_sessions(connection, known, day, dept)
        slots.sort(key=lambda slot: (slot.DeptCode, slot.ClinicLabel, slot.Shift, slot.ScheduleId))
        return slots

    def get(self, schedule_id: str) -> NumberSourceSlot:
        """GetNumberSource."""
        return session_of(self._source, self.find, schedule_id)

    def find(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None:
        """The session of that id; None if there is none."""
        key = session_key(schedule_id)
        if key is None:
            return None
        day, dept, doctor, _ = key
        slots: list[NumberSourceSlot] = []
        known = self._codes(connection)
        if doctor is not None:
            slots = self._doctors_sessions(connection, known, day, dept, doctor)
        elif self._settings.department_slots:
            slots = self._departments_sessions(connection, known, day, dept)
        return next((slot for slot in slots if slot.ScheduleId == schedule_id), None)

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        """Stopped sessions from that day on; weekly ones within the week that they stand for."""
        known = self._codes(connection)
        column, flag = self._of_doctors.GZRQ, self._of_doctors.TGBZ
        statement = self._doctor_slots.with_only_columns(column, flag).distinct()
        rows = connection.execute(statement.where(column >= datetime.combine(day, time()))).all()
        stopped = self._settings.stopped_values
        days = {v.day(at, "GZRQ") for at, value in rows if v.text(value, "TGBZ") in stopped}
        slots = [
            slot
            for one in sorted(days)
            for slot in self._doctors_sessions(connection, known, one, None, None)
        ]
        if self._settings.department_slots:
            week = (self._today() + timedelta(days=ahead) for ahead in range(7))
            slots += [
                slot
                for one in week
                if one >= day
                for slot in self._departments_sessions(connection, known, one, None)
            ]
        return [slot for slot in slots if slot.Stopped]

    def weekday(self, day: date) -> int:
        """The weekday as GHRQ counts it."""
        sunday_first = self._settings.first_weekday == "sunday"
        return day.isoweekday() % 7 + 1 if sunday_first else day.isoweekday()

    def names(
        self, connection: Connection, dept: str | None, doctor: str | None
    ) -> tuple[str | None, str | None]:
        """What a department and a doctor are called; their codes where nobody named them."""
        known = self._codes(connection)
        department, person = known.departments.get(dept or ""), known.staff.get(doctor or "")
        return department.name if department else dept, person.name if person else doctor

    # --- inside -----------------------------------------------------------------------------------

    def _codes(self, connection: Connection) -> _Codes:
        return _Codes(
            self._departments.read(connection),
            self._staff.read(connection),
            self._specialities.read(connection) if self._specialities else {},
        )

    def _doctors_sessions(
        self, connection: Connection, known: _Codes, day: date, dept: str | None, doctor: str | None
    ) -> list[NumberSourceSlot]:
        column, padding = self._of_doctors.GZRQ, self._settings.char_padding
        start = datetime.combine(day, time())
        statement = self._doctor_slots.where(column >= start)
        if day != date.max:
            statement = statement.where(column < start + timedelta(days=1))
        if dept is not None:
            statement = statement.where(matches(self._of_doctors.KSDM, dept, padding))
        if doctor is not None:
            statement = statement.where(matches(self._of_doctors.YSDM, doctor, padding))
        slots = []
        for row in connection.execute(statement).all():
            try:
                code = v.required(row[7], "YSDM")
                slots.append(self._slot(row, known, v.day(row[0], "GZRQ"), code))
            except v.Unreadable as unreadable:
                key = f"GZRQ={row[0]}, KSDM={row[1]}, YSDM={row[7]}, ZBLB={row[2]}"
                raise self._source.broken_row("MS_YSPB", key, unreadable) from None
        return slots

    def _departments_sessions(
        self, connection: Connection, known: _Codes, day: date, dept: str | None
    ) -> list[NumberSourceSlot]:
        k, padding = self._of_departments, self._settings.char_padding
        statement = self._department_slots.where(k.GHRQ == self.weekday(day))
        if dept is not None:
            statement = statement.where(matches(k.GHKS, dept, padding))
        slots = []
        for row in connection.execute(statement).all():
            try:
                slots.append(self._slot(row, known, day, None))
            except v.Unreadable as unreadable:
                key = f"GHRQ={row[0]}, GHKS={row[1]}, ZBLB={row[2]}"
                raise self._source.broken_row("MS_KSPB", key, unreadable) from None
        return slots

    def _slot(
        self, row: Sequence[Any], known: _Codes, day: date, doctor_code: str | None
    ) -> NumberSourceSlot:
        settings = self._settings
        dept = v.required(row[1], "KSDM" if doctor_code else "GHKS")
        shift = v.required(row[2], "ZBLB")
        department = known.departments.get(dept) or codes.Department(
            dept, Decimal("0.00"), Decimal("0.00"), False, None, None
        )
        doctor = None
        if doctor_code is not None:
            doctor = known.staff.get(doctor_code) or codes.Doctor(doctor_code, None)
        limit = v.count(row[3], "GHXE") or None
        remaining = None if limit is None else self._remaining(limit, row, day, weekly=not doctor)
        flag = v.text(row[-1], settings.remote_flag) if self._has_flag else department.remote
        title = doctor.title if doctor else None
        who = [] if doctor_code is None else [doctor_code]
        return NumberSourceSlot(
            ScheduleId=pack("Y" if who else "K", day.strftime("%Y%m%d"), dept, *who, shift),
            ScheduleDate=day,
            ClinicLabel=pack(dept, *who),
            ClinicName=department.name,
            DeptCode=dept,
            DeptName=department.name,
            DoctorName=doctor.name if doctor else None,
            DoctorTitle=title,
            Expert=doctor is not None and (department.expert or title in settings.expert_titles),
            Speciality=known.specialities.get(doctor_code or ""),
            Shift=settings.shifts.get(shift, "9"),
            Limit=limit,
            Remaining=remaining,
            Unlimited=limit is None,
            Stopped=v.text(row[6], "TGBZ") in settings.stopped_values,
            OpenToRemote=(
                settings.remote_default if flag is None else flag in settings.remote_open_values
            ),
            RegistrationFee=department.registration_fee,
            ConsultationFee=department.consultation_fee,
            Place=department.place,
        )

    def _remaining(self, limit: int, row: Sequence[Any], day: date, weekly: bool) -> int:
        taken = v.count(row[4], "YGRS")
        if self._settings.appointments == "included":
            taken += v.count(row[5], "YYRS")
        if weekly:
            # A weekly row counts for one day only: the next one, today included.
            ahead = (day - self._today()).days
            if ahead < 0:
                return 0
            if ahead > 6:
                taken = 0
        return max(0, limit - taken)


def session_key(schedule_id: str) -> tuple[date, str, str | None, str] | None:
    """Date, department, doctor (None: a department's session) and shift of a ScheduleId; None
    if no session can have it."""
    parts = unpack(schedule_id) or [""]
    if len(parts) != {"Y": 5, "K": 4}.get(parts[0]):
        return None
    day = _day(parts[1])
    if day is None:
        return None
    return day, parts[2], parts[3] if parts[0] == "Y" else None, parts[-1]


def _day(text: str) -> date | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None
