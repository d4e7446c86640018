"""Registration over MS_YSPB and MS_KSPB, the slots, and MS_GHMX, the registrations.

MS_GHMX has no sequence number and does not tell which slot a row belongs to: date of GHSJ,
department, doctor and GHLB, which is the shift, do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from adapters import values as v
from adapters.bsoft import tables
from adapters.bsoft.number_source import NumberSources, session_key
from adapters.bsoft.patients import PatientFiles
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import Statement
from adapters.database import Source
from adapters.keys import matches, pack
from adapters.numbering import insert_next
from adapters.registrations.clinic import Booking, Clinic, Visit
from services.faults import SourceError
from services.number_source import NumberSourceSlot
from services.patients import Patient

Y = tables.MS_YSPB.c
K = tables.MS_KSPB.c
G = tables.MS_GHMX.c
B = tables.MS_BRDA.c

_VISIT = (
    *(G.SBXH, B.MZHM, G.GHSJ, G.GHLB, G.KSDM, G.YSDM, G.GHJE, G.ZLJE, G.ZJFY, G.JZZT, G.THBZ),
    G.CZSJ,
)


class BsoftClinic(Clinic):
    """bsoft's side of registration, with one hospital's settings. ``today`` is the clock."""

    def __init__(
        self,
        source: Source,
        settings: BsoftSettings,
        numbers: NumberSources,
        patients: PatientFiles,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._source = source
        self._settings = settings
        self._numbers = numbers
        self._patients = patients
        self._today = today
        joined = tables.MS_GHMX.join(tables.MS_BRDA, G.BRID == B.BRID)
        self._visits = select(*_VISIT).select_from(joined)
        if settings.organisation:
            self._visits = self._visits.where(G.JGID == settings.organisation)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield select(*tables.MS_GHMX.c)
        yield select(Y.JZXH)
        yield select(K.JZXH)

    # --- sessions -----------------------------------------------------------------------------

    def session(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None:
        return self._numbers.find(connection, schedule_id)

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        return self._numbers.stopped_since(connection, day)

    def refusal(self, slot: NumberSourceSlot, today: date) -> tuple[str, str] | None:
        if not _weekly(slot.ScheduleId) or self._is_this_week(slot.ScheduleDate):
            return None
        return (
            f"科室号 {slot.ScheduleId} 的号表按周循环，只能提前 6 天以内挂号。",
            f"{slot.ScheduleId} is a department's session, whose counters are of one week: it "
            "takes registrations at most 6 days ahead.",
        )

    # --- counters -----------------------------------------------------------------------------

    def hold(self, connection: Connection, schedule_id: str) -> None:
        slot = _slot(schedule_id)
        self._update(connection, schedule_id, {"JZXH": slot.JZXH}, any_week=True)

    def take(self, connection: Connection, schedule_id: str, *, numbered: bool) -> bool:
        slot = _slot(schedule_id)
        values: dict[str, Any] = {"YGRS": func.coalesce(slot.YGRS, 0) + 1}
        if numbered:
            values["JZXH"] = func.coalesce(slot.JZXH, 1) + 1
        limit = func.coalesce(slot.GHXE, 0)
        taken: Any = func.coalesce(slot.YGRS, 0)
        if self._settings.appointments == "included":
            taken = taken + func.coalesce(slot.YYRS, 0)
        return self._update(connection, schedule_id, values, or_(limit == 0, taken < limit))

    def advance(self, connection: Connection, schedule_id: str) -> bool:
        slot = _slot(schedule_id)
        values = {"JZXH": func.coalesce(slot.JZXH, 1) + 1}
        return self._update(connection, schedule_id, values)

    def given(self, connection: Connection, schedule_id: str) -> int:
        slot = _slot(schedule_id)
        statement = select(slot.JZXH).where(*self._where(schedule_id))
        return v.count(connection.scalar(statement), "JZXH") - 1

    def give_back(self, connection: Connection, schedule_id: str) -> None:
        slot = _slot(schedule_id)
        # A weekly row that stands for another date by now is left alone.
        self._update(connection, schedule_id, {"YGRS": slot.YGRS - 1}, slot.YGRS > 0)

    def _where(self, schedule_id: str) -> list[Any]:
        key = session_key(schedule_id)
        if key is None:
            return []
        day, dept, doctor, shift = key
        settings, padding = self._settings, self._settings.char_padding
        if not shift.isascii() or not shift.isdigit() or len(shift) > 9:
            return []
        where: list[Any]
        if doctor is not None:
            where = [
                *_on(Y.GZRQ, day),
                matches(Y.KSDM, dept, padding),
                matches(Y.YSDM, doctor, padding),
                Y.ZBLB == int(shift),
            ]
        else:
            where = [
                K.GHRQ == self._numbers.weekday(day),
                matches(K.GHKS, dept, padding),
                K.ZBLB == int(shift),
            ]
        if settings.organisation:
            where.append((K if doctor is None else Y).JGID == settings.organisation)
        return where

    def _update(
        self,
        connection: Connection,
        schedule_id: str,
        values: dict[str, Any],
        *conditions: Any,
        any_week: bool = False,
    ) -> bool:
        key, where = session_key(schedule_id), self._where(schedule_id)
        if key is None or not where:
            return False
        weekly = key[2] is None
        if weekly and not any_week and not self._is_this_week(key[0]):
            return False
        if weekly and not self._settings.department_slots:
            return False
        table = tables.MS_KSPB if weekly else tables.MS_YSPB
        statement = update(table).where(*where, *conditions).values(values)
        changed = connection.execute(statement).rowcount
        if changed > 1:
            raise self._source.fault(
                SourceError,
                f"表 {table.name} 中号源 {schedule_id} 有 {changed} 行，应只有一行。请更正。",
                f"Table {table.name} has {changed} rows of session {schedule_id} and should "
                "have one. Correct them.",
                field="ScheduleId",
            )
        return changed == 1

    def _is_this_week(self, day: date) -> bool:
        return 0 <= (day - self._today()).days <= 6

    # --- patients and visits ------------------------------------------------------------------

    def patient(self, connection: Connection, patient_id: str) -> Patient:
        return self._patients.of(connection, patient_id)[1]

    def add_visit(self, connection: Connection, booking: Booking) -> str:
        slot = booking.slot
        key = session_key(slot.ScheduleId)
        assert key is not None
        _, dept, doctor, shift = key
        number, _ = self._patients.of(connection, booking.patient_id)
        # The HIS looks for a day's registrations by GHSJ, also for one made days before.
        begins = datetime.combine(slot.ScheduleDate, time())
        values = {
            "JGID": self._settings.organisation or None,
            "BRID": number,
            "GHSJ": max(begins, booking.now),
            "GHLB": int(shift),
            "KSDM": dept,
            "YSDM": doctor,
            "JZYS": doctor,
            "GHJE": booking.registration_fee,
            "ZLJE": booking.consultation_fee,
            "ZJFY": 0,
            "JZZT": 0,
            "THBZ": 0,
            "YYBZ": 1 if slot.ScheduleDate > booking.now.date() else 0,
            "CZSJ": booking.now,
        }
        made = insert_next(connection, G.SBXH, values)
        row = update(tables.MS_GHMX).where(G.SBXH == made)
        connection.execute(row.values(JZHM=str(made)))  # a visit's own number, as the row's is
        return str(made)

    def return_visit(self, connection: Connection, visit: Visit, now: datetime) -> bool:
        seen = [G.JZZT != int(one) for one in self._settings.visited_values if one.isdigit()]
        statement = update(tables.MS_GHMX).where(
            G.SBXH == int(visit.key),
            or_(G.THBZ.is_(None), G.THBZ == 0),
            *(or_(G.JZZT.is_(None), condition) for condition in seen),
        )
        return connection.execute(statement.values(THBZ=1)).rowcount == 1

    def visit(self, connection: Connection, key: str) -> Visit | None:
        if not (key.isascii() and key.isdigit() and len(key) <= 18):
            return None
        found = self._read(connection, self._visits.where(G.SBXH == int(key)))
        return found[0] if found else None

    def visits_of(self, connection: Connection, patient_id: str, since: date | None) -> list[Visit]:
        statement = self._visits.where(matches(B.MZHM, patient_id, self._settings.char_padding))
        if since is not None:
            statement = statement.where(G.GHSJ >= datetime.combine(since, time()))
        return self._read(connection, statement)

    def visits_at(self, connection: Connection, slot: NumberSourceSlot) -> list[Visit]:
        key = session_key(slot.ScheduleId)
        assert key is not None
        day, dept, _, shift = key
        padding = self._settings.char_padding
        statement = self._visits.where(
            *_on(G.GHSJ, day), matches(G.KSDM, dept, padding), G.GHLB == int(shift)
        )
        visits = self._read(connection, statement)
        # Compared here: no doctor is NULL or blanks, by site.
        return [visit for visit in visits if visit.schedule_id == slot.ScheduleId]

    # --- inside -----------------------------------------------------------------------------------

    def _read(self, connection: Connection, statement: Statement) -> list[Visit]:
        rows = connection.execute(statement).all()
        return [self._visit(connection, row) for row in rows]

    def _visit(self, connection: Connection, row: Sequence[Any]) -> Visit:
        (number, outpatient_no, at, shift, dept, doctor, *rest) = row
        (fee, consultation, expert_fee, state, returned, made) = rest
        try:
            registered = v.moment(at, "GHSJ")
            day = v.day(at, "GHSJ")
            code, who, kind = v.text(dept, "KSDM"), v.text(doctor, "YSDM"), v.text(shift, "GHLB")
            parts = [code or "", *([who] if who else [])]
            schedule_id = None
            if code and kind:
                schedule_id = pack("Y" if who else "K", day.strftime("%Y%m%d"), *parts, kind)
            amounts = (v.money(fee, "GHJE"), v.money(consultation, "ZLJE"))
            dept_name, doctor_name = self._numbers.names(connection, code, who)
            return Visit(
                key=str(int(number)),
                patient_id=v.required(outpatient_no, "MZHM"),
                schedule_id=schedule_id,
                day=day,
                ClinicLabel=pack(*parts) if code else None,
                DeptName=dept_name,
                DoctorName=doctor_name,
                Shift=self._settings.shifts.get(kind or "", "9"),
                sequence=None,
                amount=sum(amounts, v.money(expert_fee, "ZJFY")),
                registered_at=v.moment(made, "CZSJ") or registered,
                returned=v.yes(returned, "THBZ"),
                returned_at=None,
                visited=v.text(state, "JZZT") in self._settings.visited_values,
            )
        except v.Unreadable as unreadable:
            raise self._source.broken_row("MS_GHMX", f"SBXH={number}", unreadable) from None


def _weekly(schedule_id: str) -> bool:
    return schedule_id.startswith("K-")


def _slot(schedule_id: str) -> Any:
    """The columns of the slot's table."""
    return K if _weekly(schedule_id) else Y


def _on(column: Any, day: date) -> list[Any]:
    start = datetime.combine(day, time())
    if day == date.max:
        return [column >= start]
    return [column >= start, column < start + timedelta(days=1)]
