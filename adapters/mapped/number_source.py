"""NumberSource out of a mapped query; what follows from other fields need not be mapped."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from adapters import values as v
from adapters.database import Source
from adapters.mapped.rows import Values, complete
from adapters.mapped.running import Runner
from adapters.sessions import session_of
from services.number_source import NumberSourceSlot

_QUERY = ("NumberSource", "QueryNumberSource")
_GET = ("NumberSource", "GetNumberSource")


class NumberSources:
    """The queries of NumberSource over one mapping."""

    def __init__(self, source: Source, runner: Runner) -> None:
        self._source = source
        self._runner = runner

    def query(self, day: date, dept: str | None, label: str | None) -> list[NumberSourceSlot]:
        """QueryNumberSource."""
        asked = {"ScheduleDate": day, "DeptCode": dept, "ClinicLabel": label}
        with self._source.connect() as connection:
            slots = self._read(connection, _QUERY, asked)
        # A filter that the statement does not use is kept here.
        found = [
            slot
            for slot in slots
            if dept in (None, slot.DeptCode) and label in (None, slot.ClinicLabel)
        ]
        found.sort(key=lambda slot: (slot.DeptCode, slot.ClinicLabel, slot.Shift, slot.ScheduleId))
        return found

    def get(self, schedule_id: str) -> NumberSourceSlot:
        """GetNumberSource."""
        return session_of(self._source, self.find, schedule_id)

    def find(self, connection: Connection, schedule_id: str) -> NumberSourceSlot | None:
        """The session of that id; None if there is none."""
        statement = _GET if self._runner.mapping.has(*_GET) else _QUERY
        slots = self._read(connection, statement, {"ScheduleId": schedule_id})
        # Compared again: a database may take "7 " or 07 for "7".
        return next((slot for slot in slots if slot.ScheduleId == schedule_id), None)

    def stopped_since(self, connection: Connection, day: date) -> list[NumberSourceSlot]:
        """Stopped sessions from that day on."""
        slots = self._read(connection, _QUERY, {"SinceDate": day})
        return [slot for slot in slots if slot.Stopped and slot.ScheduleDate >= day]

    def _read(
        self, connection: Connection, statement: tuple[str, str], asked: dict[str, Any]
    ) -> list[NumberSourceSlot]:
        slots = []
        for values in self._runner.rows(connection, *statement, asked):
            try:
                slots.append(slot_of(self._runner, statement, values))
            except v.Unreadable as unreadable:
                key = f"ScheduleId={values.get('ScheduleId')}"
                raise self._source.broken_row(
                    f"（{'.'.join(statement)}）", key, unreadable
                ) from None
        return slots


def slot_of(runner: Runner, statement: tuple[str, str], values: Values) -> NumberSourceSlot:
    """The record; limits, names and fees that no column gives follow from others."""
    limit = values.get("Limit") or None
    values["Limit"] = limit
    if limit is None:
        values["Remaining"] = None
    elif values.get("Taken") is not None:
        values["Remaining"] = max(0, limit - values["Taken"])
    else:
        values["Remaining"] = values.get("Remaining") or 0
    if values.get("Unlimited") is None:
        values["Unlimited"] = limit is None
    values["DeptName"] = values.get("DeptName") or values.get("DeptCode")
    values["ClinicLabel"] = values.get("ClinicLabel") or values.get("DeptCode")
    values["ClinicName"] = values.get("ClinicName") or values["DeptName"]
    for fee in ("RegistrationFee", "ConsultationFee"):
        # A session without a fee costs nothing, as everywhere.
        if values.get(fee) is None:
            values[fee] = Decimal("0.00")
    for flag in ("Stopped", "Expert"):
        values[flag] = bool(values.get(flag))  # NULL is no
    return NumberSourceSlot(**complete(runner.mapping.one(*statement), values))
