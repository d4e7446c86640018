"""NumberSource over CLINIC_FOR_REGIST: a slot is a date, a clinic label and a time of day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from adapters import values as v
from adapters.columns import Statement, with_columns
from adapters.database import Source
from adapters.junwei import codes, tables
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches, pack, unpack
from adapters.sessions import session_of
from services.number_source import NumberSourceSlot

_NO_TYPE = codes.ClinicType(None, Decimal("0.00"))
_STOPPED_BY = {"CLINIC_INDEX.STATUS": ["0"], "OUTP_DOCTOR_REGIST.STOP_INDICATOR": ["1"]}


class NumberSources:
    """The queries of NumberSource, with one hospital's settings."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._departments = codes.departments(settings)
        self._types = codes.clinic_types(settings)
        self._specialities = codes.specialities(settings)
        self._stopped_values = frozenset(
            settings.stopped_values or _STOPPED_BY.get(settings.stopped, [])
        )
        self._by_doctor = settings.stopped == "OUTP_DOCTOR_REGIST.STOP_INDICATOR"
        self._build()

    def _build(self) -> None:
        remote_table, _, remote_column = self._settings.remote_flag.partition(".")
        status = "STATUS" if self._settings.stopped == "CLINIC_INDEX.STATUS" else ""
        slots = with_columns(
            tables.CLINIC_FOR_REGIST, remote_column if remote_table == "CLINIC_FOR_REGIST" else ""
        )
        index = with_columns(
            tables.CLINIC_INDEX, status, remote_column if remote_table == "CLINIC_INDEX" else ""
        )
        sessions = with_columns(tables.OUTP_DOCTOR_REGIST, "STOP_INDICATOR")
        self._slot, self._index, self._session = slots.c, index.c, sessions.c
        s, i = slots.c, index.c
        chosen = [
            *(s.CLINIC_DATE, s.CLINIC_LABEL, s.TIME_DESC, s.REGISTRATION_LIMITS, s.CURRENT_NO),
            *(s.REGISTRATION_NUM, s.APPOINTMENT_NUM, s.REGIST_PRICE, i.CLINIC_DEPT, i.DOCTOR),
            *(i.DOCTOR_TITLE, i.CLINIC_TYPE, i.CLINIC_POSITION),
        ]
        if remote_column:
            chosen.append((s if remote_table == "CLINIC_FOR_REGIST" else i)[remote_column])
        if status:
            chosen.append(i.STATUS)
        self._has_remote, self._has_status = bool(remote_column), bool(status)
        # A slot whose label left CLINIC_INDEX is still a session of that date: an outer join.
        self._slots = select(*chosen).select_from(
            slots.outerjoin(index, s.CLINIC_LABEL == i.CLINIC_LABEL)
        )
        self._sessions = select(
            sessions.c.CLINIC_DEPT,
            sessions.c.DOCTOR,
            sessions.c.CLINIC_DURATION,
            sessions.c.STOP_INDICATOR,
        )

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield self._slots
        yield self._departments.statement
        yield self._types.statement
        if self._by_doctor:
            yield self._sessions
        if self._specialities is not None:
            yield self._specialities.statement

    def query(
        self, day: date, dept_code: str | None, clinic_label: str | None
    ) -> list[NumberSourceSlot]:
        """QueryNumberSource."""
        padding = self._settings.char_padding
        statement = self._on(day)
        if dept_code is not None:
            statement = statement.where(matches(self._index.CLINIC_DEPT, dept_code, padding))
        if clinic_label is not None:
            statement = statement.where(matches(self._slot.CLINIC_LABEL, clinic_label, padding))
        with self._source.connect() as connection:
            slots = self._read(connection, statement, day)
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
        day, label, time_desc = key
        padding = self._settings.char_padding
        statement = self._on(day).where(
            matches(self._slot.CLINIC_LABEL, label, padding),
            matches(self._slot.TIME_DESC, time_desc, padding),
        )
        slots = self._read(connection, statement, day)
        return slots[0] if slots else None

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        """Stopped sessions from that day on."""
        since = datetime.combine(day, time())
        if self._by_doctor:
            column, flag = self._session.COUNSEL_DATE, self._session.STOP_INDICATOR
            statement: Statement = select(column, flag).where(column >= since)
        elif self._has_status:
            column, flag = self._slot.CLINIC_DATE, self._index.STATUS
            statement = self._slots.with_only_columns(column, flag).where(column >= since)
        else:
            return []
        days = {
            v.day(at, column.name)
            for at, value in connection.execute(statement.distinct()).all()
            if v.text(value, flag.name) in self._stopped_values
        }
        return [
            slot
            for one in sorted(days)
            for slot in self._read(connection, self._on(one), one)
            if slot.Stopped
        ]

    def departments(self, connection: Connection) -> Mapping[str, str]:
        """Department names by code."""
        return self._departments.read(connection)

    # --- inside -----------------------------------------------------------------------------------

    def _on(self, day: date) -> Statement:
        # A range, for an index, and because some sites keep a time beside the date.
        start = datetime.combine(day, time())
        column = self._slot.CLINIC_DATE
        if day == date.max:
            return self._slots.where(column >= start)
        return self._slots.where(column >= start, column < start + timedelta(days=1))

    def _read(
        self, connection: Connection, statement: Statement, day: date
    ) -> list[NumberSourceSlot]:
        departments = self._departments.read(connection)
        types = self._types.read(connection)
        specialities = self._specialities.read(connection) if self._specialities else {}
        stopped = self._stopped_sessions(connection, day) if self._by_doctor else frozenset()
        slots = []
        for row in connection.execute(statement).all():
            try:
                slots.append(self._slot_of(row, departments, types, specialities, stopped))
            except v.Unreadable as unreadable:
                key = f"CLINIC_DATE={row[0]}, CLINIC_LABEL={row[1]}, TIME_DESC={row[2]}"
                raise self._source.broken_row("CLINIC_FOR_REGIST", key, unreadable) from None
        return slots

    def _stopped_sessions(
        self, connection: Connection, day: date
    ) -> frozenset[tuple[str | None, str | None, str | None]]:
        """(department, doctor, time of day) of the sessions that are stopped on that date."""
        start = datetime.combine(day, time())
        column = self._session.COUNSEL_DATE
        statement = self._sessions.where(column >= start)
        if day != date.max:
            statement = statement.where(column < start + timedelta(days=1))
        return frozenset(
            (v.text(dept, ""), v.text(doctor, ""), v.text(duration, ""))
            for dept, doctor, duration, flag in connection.execute(statement)
            if v.text(flag, "STOP_INDICATOR") in self._stopped_values
        )

    def _slot_of(
        self,
        row: Sequence[Any],
        departments: Mapping[str, str],
        types: Mapping[str, codes.ClinicType],
        specialities: Mapping[str, str],
        stopped: frozenset[tuple[str | None, str | None, str | None]],
    ) -> NumberSourceSlot:
        (clinic_date, clinic_label, time_desc, limits, current_no, registered, appointed) = row[:7]
        (price, clinic_dept, doctor_name, doctor_title, clinic_type, position, *flags) = row[7:]
        settings = self._settings
        day = v.day(clinic_date, "CLINIC_DATE")
        label = v.required(clinic_label, "CLINIC_LABEL")
        shift = v.text(time_desc, "TIME_DESC") or ""
        dept = v.text(clinic_dept, "CLINIC_DEPT") or ""
        doctor = v.text(doctor_name, "DOCTOR")
        title = v.text(doctor_title, "DOCTOR_TITLE")
        type_code = v.text(clinic_type, "CLINIC_TYPE") or ""
        type_ = types.get(type_code, _NO_TYPE)
        dept_name = departments.get(dept, dept)
        limit = v.count(limits, "REGISTRATION_LIMITS") or None
        remaining = None
        if limit is not None:
            taken = self._taken(current_no, registered)
            if settings.appointments == "included":
                taken += v.count(appointed, "APPOINTMENT_NUM")
            remaining = max(0, limit - taken)
        session_price = v.money(price, "REGIST_PRICE")
        prices = {"session": session_price, "type": type_.price, "none": _NO_TYPE.price}
        by_label = settings.speciality_key == "CLINIC_LABEL"
        return NumberSourceSlot(
            ScheduleId=pack(day.strftime("%Y%m%d"), label, shift),
            ScheduleDate=day,
            ClinicLabel=label,
            ClinicName=(
                label
                if settings.clinic_name == "label" or not dept
                else dept_name + (type_.name or type_code)
            ),
            DeptCode=dept,
            DeptName=dept_name,
            DoctorName=doctor,
            DoctorTitle=None if title is None else settings.doctor_titles.get(title, title),
            Expert=type_code in settings.expert_clinic_types or title in settings.expert_titles,
            Speciality=specialities.get(label if by_label else doctor or ""),
            Shift=settings.shifts.get(shift, "9"),
            Limit=limit,
            Remaining=remaining,
            Unlimited=limit is None,
            Stopped=(
                (dept or None, doctor, shift or None) in stopped
                if self._by_doctor
                else self._has_status and v.text(flags[-1], "STATUS") in self._stopped_values
            ),
            OpenToRemote=self._open(flags[0]) if self._has_remote else settings.remote_default,
            RegistrationFee=prices[settings.registration_fee],
            ConsultationFee=prices[settings.consultation_fee],
            Place=v.text(position, "CLINIC_POSITION"),
        )

    def _taken(self, current_no: Any, registered: Any) -> int:
        if self._settings.taken == "REGISTRATION_NUM" and registered is not None:
            return v.count(registered, "REGISTRATION_NUM")
        given = v.count(current_no, "CURRENT_NO")
        return max(0, given - 1) if self._settings.current_no == "next" else given

    def _open(self, flag: Any) -> bool:
        value = v.text(flag, self._settings.remote_flag)
        if value is None:
            return self._settings.remote_default
        return value in self._settings.remote_open_values


def session_key(schedule_id: str) -> tuple[date, str, str] | None:
    """Date, clinic label and time of day of a ScheduleId; None if no session can have it."""
    parts = unpack(schedule_id)
    if parts is None or len(parts) != 3 or len(parts[0]) != 8 or not parts[0].isascii():
        return None
    try:
        return datetime.strptime(parts[0], "%Y%m%d").date(), parts[1], parts[2]
    except ValueError:
        return None
