"""YILIAN_REGISTRATION: what we know of a registration and the HIS has no columns for.

Two keys make the database itself refuse what must never be: HOLDER_KEY, one living number of a
session per patient, and NUMBER_KEY, one living registration per sequence number. A row that is
no longer living has its own ID in both (and not NULL, which SQL Server counts as a value).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Index, MetaData, UniqueConstraint, insert, select

from adapters import values as v
from adapters.columns import table
from adapters.keys import pack

REGISTRATION = table(
    MetaData(),
    "YILIAN_REGISTRATION",
    """
    *ID C64, SCHEDULE_ID C128, SESSION_DATE D, PATIENT_ID C32, SEQUENCE_NO N9, STATE C1,
    HOLDER_KEY C192, NUMBER_KEY C160, NUMBER_FREE N1, LOCKED_AT D, EXPIRES_AT D, CONFIRMED_AT D,
    ARRIVED_AT D, ENDED_AT D, REGISTRATION_FEE N12,2, CONSULTATION_FEE N12,2, AMOUNT N12,2,
    PAYMENT_REFERENCE C256, END_REASON C1024, HIS_KEY C64
    """,
)
C = REGISTRATION.c
for _column in (C.SCHEDULE_ID, C.SESSION_DATE, C.PATIENT_ID, C.STATE, C.HOLDER_KEY, C.NUMBER_KEY):
    _column.nullable = False
REGISTRATION.append_constraint(UniqueConstraint(C.HOLDER_KEY, name="YILIAN_REG_HOLDER"))
REGISTRATION.append_constraint(UniqueConstraint(C.NUMBER_KEY, name="YILIAN_REG_NUMBER"))
Index("YILIAN_REG_SCHEDULE", C.SCHEDULE_ID)
Index("YILIAN_REG_PATIENT", C.PATIENT_ID)
Index("YILIAN_REG_EXPIRES", C.STATE, C.EXPIRES_AT)
Index("YILIAN_REG_HIS", C.HIS_KEY)


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of ours. ``his_key`` is the vendor's row of the same registration."""

    id: str
    schedule_id: str
    day: date
    patient_id: str
    sequence: int | None
    state: str
    locked_at: datetime | None
    expires_at: datetime | None
    confirmed_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    registration_fee: Decimal
    consultation_fee: Decimal
    amount: Decimal | None
    payment_reference: str | None
    end_reason: str | None
    his_key: str | None

    @property
    def fees(self) -> Decimal:
        return self.registration_fee + self.consultation_fee


def holder_key(schedule_id: str, patient_id: str) -> str:
    return f"{schedule_id}@{pack(patient_id)}"


def number_key(schedule_id: str, sequence: int) -> str:
    return f"{schedule_id}@{sequence}"


def read(connection: Connection, *conditions: Any) -> list[Kept]:
    """The rows that meet the conditions, by their ID."""
    rows = connection.execute(select(REGISTRATION).where(*conditions).order_by(C.ID)).all()
    return [_kept(row) for row in rows]


def by_id(connection: Connection, identifier: str) -> Kept | None:
    return next(iter(read(connection, C.ID == identifier)), None)


def by_his_key(connection: Connection, key: str) -> Kept | None:
    return next(iter(read(connection, C.HIS_KEY == key)), None)


def add(connection: Connection, kept: Kept, *, claims: bool) -> None:
    """Insert a row. ``claims``: its number and its patient's place in the session are its own."""
    claimed = claims and kept.sequence is not None
    connection.execute(
        insert(REGISTRATION).values(
            ID=kept.id,
            SCHEDULE_ID=kept.schedule_id,
            SESSION_DATE=kept.day,
            PATIENT_ID=kept.patient_id,
            SEQUENCE_NO=kept.sequence,
            STATE=kept.state,
            HOLDER_KEY=holder_key(kept.schedule_id, kept.patient_id) if claims else kept.id,
            NUMBER_KEY=number_key(kept.schedule_id, kept.sequence or 0) if claimed else kept.id,
            NUMBER_FREE=0,
            LOCKED_AT=kept.locked_at,
            EXPIRES_AT=kept.expires_at,
            CONFIRMED_AT=kept.confirmed_at,
            ARRIVED_AT=kept.arrived_at,
            ENDED_AT=kept.ended_at,
            REGISTRATION_FEE=kept.registration_fee,
            CONSULTATION_FEE=kept.consultation_fee,
            AMOUNT=kept.amount,
            PAYMENT_REFERENCE=kept.payment_reference,
            END_REASON=kept.end_reason,
            HIS_KEY=kept.his_key,
        )
    )


def change(connection: Connection, kept: Kept, *conditions: Any, **columns: Any) -> bool:
    """Change a row if it is still in the state in which it was read. Tells whether it was."""
    statement = REGISTRATION.update().where(C.ID == kept.id, C.STATE == kept.state, *conditions)
    return connection.execute(statement.values(**columns)).rowcount == 1


def linked(connection: Connection, keys: Iterable[str]) -> dict[str, Kept]:
    """Rows of ours by the key of the HIS row that they belong to."""
    wanted = sorted(set(keys))
    found: dict[str, Kept] = {}
    for start in range(0, len(wanted), 500):  # Oracle takes 1,000 values in a list
        part = wanted[start : start + 500]
        found |= {kept.his_key or "": kept for kept in read(connection, C.HIS_KEY.in_(part))}
    return found


def _kept(row: Any) -> Kept:
    return Kept(
        id=v.required(row.ID, "ID"),
        schedule_id=v.required(row.SCHEDULE_ID, "SCHEDULE_ID"),
        day=v.day(row.SESSION_DATE, "SESSION_DATE"),
        patient_id=v.required(row.PATIENT_ID, "PATIENT_ID"),
        sequence=None if row.SEQUENCE_NO is None else v.count(row.SEQUENCE_NO, "SEQUENCE_NO"),
        state=v.required(row.STATE, "STATE"),
        locked_at=v.moment(row.LOCKED_AT, "LOCKED_AT"),
        expires_at=v.moment(row.EXPIRES_AT, "EXPIRES_AT"),
        confirmed_at=v.moment(row.CONFIRMED_AT, "CONFIRMED_AT"),
        arrived_at=v.moment(row.ARRIVED_AT, "ARRIVED_AT"),
        ended_at=v.moment(row.ENDED_AT, "ENDED_AT"),
        registration_fee=v.money(row.REGISTRATION_FEE, "REGISTRATION_FEE"),
        consultation_fee=v.money(row.CONSULTATION_FEE, "CONSULTATION_FEE"),
        amount=None if row.AMOUNT is None else v.money(row.AMOUNT, "AMOUNT"),
        payment_reference=v.text(row.PAYMENT_REFERENCE, "PAYMENT_REFERENCE"),
        end_reason=v.text(row.END_REASON, "END_REASON"),
        his_key=v.text(row.HIS_KEY, "HIS_KEY"),
    )
