"""An order's rows in the junwei tables: what is written for one, and what one reads as."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Insert, Select, insert, select

from adapters import values as v
from adapters.columns import gbk_length
from adapters.junwei import tables
from adapters.junwei.order_patients import Known
from adapters.keys import Padding, matches
from adapters.orders import ORDER, Offer
from services.ordering import OrderedItem
from services.terms import LAB

_L, _LI = tables.LAB_TEST_MASTER.c, tables.LAB_TEST_ITEMS.c
_E, _EI, _A = tables.EXAM_MASTER.c, tables.EXAM_ITEMS.c, tables.EXAM_APPOINTS.c
_T = tables.OUTP_TREAT_REC.c

#: OUTP_TREAT_REC.ITEM_CLASS by the contract's item class
TREATMENT_CLASS = {LAB: "C", "02": "D"}
REQUESTED = "0"


@dataclass(frozen=True, slots=True)
class Draft:
    """A checked order, every text fitted into its columns."""

    item_class: str
    patient: Known
    lines: tuple[Offer, ...]
    diagnosis: str | None
    dept: str
    provider: str
    specimen: str | None
    notes: str | None
    at: datetime

    @property
    def charges(self) -> Decimal:
        return sum((line.price for line in self.lines), Decimal("0.00"))


# --- written --------------------------------------------------------------------------------------


def rows(number: str, draft: Draft) -> Iterator[Insert]:
    """Every row of the order, ours first."""
    yield insert(ORDER).values(
        ORDER_NO=number,
        ITEM_CLASS=draft.item_class,
        PATIENT_ID=draft.patient.patient_id,
        VIRTUAL_DEPT=draft.dept,
        ORDERED_AT=draft.at,
    )
    yield from _lab(number, draft) if draft.item_class == LAB else _exam(number, draft)
    day = datetime.combine(draft.at.date(), time())
    # An order from outside belongs to no visit of this hospital.
    visit = {"VISIT_DATE": day, "VISIT_NO": 0, "SERIAL_NO": number}
    yield insert(tables.OUTP_ORDERS).values(
        **visit,
        PATIENT_ID=draft.patient.patient_id,
        ORDERED_BY=draft.dept,
        DOCTOR=draft.provider,
        ORDER_DATE=draft.at,
    )
    for place, line in enumerate(draft.lines, 1):
        yield insert(tables.OUTP_TREAT_REC).values(
            **visit,
            ITEM_NO=place,
            ITEM_CLASS=TREATMENT_CLASS[draft.item_class],
            ITEM_CODE=line.code,
            ITEM_NAME=line.name,
            AMOUNT=1,
            PERFORMED_BY=line.performed_by,
            COSTS=line.price,
            CHARGES=line.price,
            CHARGE_INDICATOR=0,
            APPOINT_NO=number,
            APPOINT_ITEM_NO=place,
        )


def _lab(number: str, draft: Draft) -> Iterator[Insert]:
    subject = "+".join(line.name for line in draft.lines)
    yield insert(tables.LAB_TEST_MASTER).values(
        TEST_NO=number,
        PRIORITY_INDICATOR=0,
        PATIENT_ID=draft.patient.patient_id,
        NAME=draft.patient.name,
        CHARGE_TYPE=draft.patient.charge_type,
        SEX=draft.patient.sex,
        AGE=draft.patient.age(draft.at.date()),
        RELEVANT_CLINIC_DIAG=draft.diagnosis,
        SPECIMEN=draft.specimen,
        NOTES_FOR_SPCM=draft.notes,
        REQUESTED_DATE_TIME=draft.at,
        ORDERING_DEPT=draft.dept,
        ORDERING_PROVIDER=draft.provider,
        PERFORMED_BY=draft.lines[0].performed_by,
        RESULT_STATUS=REQUESTED,
        COSTS=draft.charges,
        CHARGES=draft.charges,
        BILLING_INDICATOR=0,
        PRINT_INDICATOR=0,
        # A title for the worklist, which is left out where the names do not fit.
        SUBJECT=subject if gbk_length(subject) <= 40 else None,
    )
    for place, line in enumerate(draft.lines, 1):
        yield insert(tables.LAB_TEST_ITEMS).values(
            TEST_NO=number,
            ITEM_NO=place,
            ITEM_NAME=line.name,
            ITEM_CODE=line.code,
            BILLING_INDICATOR=0,
        )


def _exam(number: str, draft: Draft) -> Iterator[Insert]:
    both = {
        "EXAM_NO": number,
        "PATIENT_ID": draft.patient.patient_id,
        "NAME": draft.patient.name,
        "SEX": draft.patient.sex,
        "DATE_OF_BIRTH": draft.patient.birth,
        "CHARGE_TYPE": draft.patient.charge_type,
        "EXAM_CLASS": draft.lines[0].exam_class,
        "EXAM_SUB_CLASS": draft.lines[0].exam_sub_class,
        "CLIN_DIAG": draft.diagnosis,
        "PERFORMED_BY": draft.lines[0].performed_by,
        "PATIENT_SOURCE": "1",
        "REQ_DATE_TIME": draft.at,
        "REQ_DEPT": draft.dept,
        "REQ_PHYSICIAN": draft.provider,
        "REQ_MEMO": draft.notes,
        "COSTS": draft.charges,
        "CHARGES": draft.charges,
    }
    yield insert(tables.EXAM_MASTER).values(
        **both, RESULT_STATUS=REQUESTED, CHARGE_INDICATOR=0, PRINT_STATUS="0"
    )
    yield insert(tables.EXAM_APPOINTS).values(**both, WORKED_INDICATOR=0, BILLING_INDICATOR=0)
    for place, line in enumerate(draft.lines, 1):
        yield insert(tables.EXAM_ITEMS).values(
            EXAM_NO=number,
            EXAM_ITEM_NO=place,
            EXAM_ITEM=line.name,
            EXAM_ITEM_CODE=line.code,
            COSTS=line.price,
            BILLING_INDICATOR=0,
        )


# --- read -----------------------------------------------------------------------------------------

_LAB_HEAD = select(
    *(_L.TEST_NO, _L.PATIENT_ID, _L.RESULT_STATUS, _L.ORDERING_DEPT, _L.ORDERING_PROVIDER),
    *(_L.REQUESTED_DATE_TIME, _L.RELEVANT_CLINIC_DIAG, _L.NOTES_FOR_SPCM, _L.CHARGES, _L.SPECIMEN),
)
_EXAM_HEAD = select(
    *(_E.EXAM_NO, _E.PATIENT_ID, _E.RESULT_STATUS, _E.REQ_DEPT, _E.REQ_PHYSICIAN),
    *(_E.REQ_DATE_TIME, _E.CLIN_DIAG, _E.REQ_MEMO, _E.CHARGES),
)
# Not yet taken over into EXAM_MASTER by the performing department.
_APPOINTMENT_HEAD = select(
    *(_A.EXAM_NO, _A.PATIENT_ID, _A.WORKED_INDICATOR, _A.REQ_DEPT, _A.REQ_PHYSICIAN),
    *(_A.REQ_DATE_TIME, _A.CLIN_DIAG, _A.REQ_MEMO, _A.CHARGES),
)
_LAB_LINES = select(_LI.TEST_NO, _LI.ITEM_NO, _LI.ITEM_CODE, _LI.ITEM_NAME)
_EXAM_LINES = select(_EI.EXAM_NO, _EI.EXAM_ITEM_NO, _EI.EXAM_ITEM_CODE, _EI.EXAM_ITEM, _EI.COSTS)
_TREATMENTS = select(
    *(_T.SERIAL_NO, _T.APPOINT_ITEM_NO, _T.CHARGES, _T.CHARGE_INDICATOR, _T.APPOINT_NO),
    _T.ITEM_CLASS,
)


def statements() -> Iterator[Select[Any]]:
    """Selects that name every table of the HIS that an order is read from."""
    yield from (_LAB_HEAD, _EXAM_HEAD, _APPOINTMENT_HEAD, _LAB_LINES, _EXAM_LINES, _TREATMENTS)
    o = tables.OUTP_ORDERS.c
    yield select(o.PATIENT_ID, o.VISIT_DATE, o.VISIT_NO, o.SERIAL_NO, o.ORDERED_BY, o.DOCTOR)


@dataclass(frozen=True, slots=True)
class Held:
    """An order's head as the HIS holds it. ``status`` is a RESULT_STATUS."""

    number: str
    patient_id: str
    status: str
    dept: str | None
    provider: str | None
    at: datetime | None
    diagnosis: str | None
    notes: str | None
    charges: Decimal
    specimen: str | None


def head(
    connection: Connection, number: str, item_class: str, padding: Padding, *, lock: bool = False
) -> Held | None:
    """The order of that number and class, if there is one; ``lock`` keeps others from it until
    the transaction ends."""
    if item_class == LAB:
        tried = [(_LAB_HEAD, "LAB_TEST_MASTER", _L.TEST_NO)]
    else:
        tried = [
            (_EXAM_HEAD, "EXAM_MASTER", _E.EXAM_NO),
            (_APPOINTMENT_HEAD, "EXAM_APPOINTS", _A.EXAM_NO),
        ]
    for statement, table, key in tried:
        found = statement.where(matches(key, number, padding))
        row = connection.execute(found.with_for_update() if lock else found).first()
        if row is None:
            continue
        try:
            return _held(row, statement.selected_columns.keys())
        except v.Unreadable as unreadable:
            unreadable.table, unreadable.key = table, f"{key.name}={number}"
            raise
    return None


def _held(row: Any, names: list[str]) -> Held:
    # WORKED_INDICATOR: in EXAM_APPOINTS alone, an order is no more than requested.
    appointed = names[2] == "WORKED_INDICATOR"
    return Held(
        number=v.required(row[0], names[0]),
        patient_id=v.required(row[1], names[1]),
        status=REQUESTED if appointed else v.result_status(row[2], names[2]),
        dept=v.text(row[3], names[3]),
        provider=v.text(row[4], names[4]),
        at=v.moment(row[5], names[5]),
        diagnosis=v.text(row[6], names[6]),
        notes=v.text(row[7], names[7]),
        charges=v.money(row[8], names[8]),
        specimen=v.text(row[9], names[9]) if len(row) > 9 else None,
    )


@dataclass(frozen=True, slots=True)
class Treatment:
    """A row of OUTP_TREAT_REC: what the cashier charges for one item."""

    serial_no: str
    item_no: int
    charges: Decimal
    charged: bool


def treatments(
    connection: Connection, number: str, item_class: str, padding: Padding, *, lock: bool = False
) -> list[Treatment]:
    """The order's rows of OUTP_TREAT_REC."""
    statement = _TREATMENTS.where(
        matches(_T.APPOINT_NO, number, padding), _T.ITEM_CLASS == TREATMENT_CLASS[item_class]
    )
    rows_found = connection.execute(statement.with_for_update() if lock else statement).all()
    return [
        Treatment(
            v.required(row[0], "SERIAL_NO"),
            v.count(row[1], "APPOINT_ITEM_NO"),
            v.money(row[2], "CHARGES"),
            v.count(row[3], "CHARGE_INDICATOR") != 0,
        )
        for row in rows_found
    ]


def items(
    connection: Connection, number: str, item_class: str, padding: Padding
) -> list[OrderedItem]:
    """The order's items, in their order. An item without a number takes its place in the list."""
    if item_class == LAB:
        prices: dict[int, Decimal | None] = {
            one.item_no: one.charges for one in treatments(connection, number, LAB, padding)
        }
        statement: Select[Any] = _LAB_LINES.where(matches(_LI.TEST_NO, number, padding))
    else:
        prices = {}
        statement = _EXAM_LINES.where(matches(_EI.EXAM_NO, number, padding))
    found = sorted(
        connection.execute(statement).all(), key=lambda row: (row[1] is None, row[1] or 0, row[3])
    )
    made = []
    for place, row in enumerate(found, 1):
        try:
            item_no = v.count(row[1], "ITEM_NO") or place
            name = v.text(row[3], "ITEM_NAME")
            code = v.text(row[2], "ITEM_CODE") or name
            price = prices.get(item_no)
            if item_class != LAB and row[4] is not None:
                price = v.money(row[4], "COSTS")
            made.append(OrderedItem(item_no, v.required(code, "ITEM_CODE"), name or "", price))
        except v.Unreadable as unreadable:
            unreadable.table = "LAB_TEST_ITEMS" if item_class == LAB else "EXAM_ITEMS"
            unreadable.key = f"{number}, {row[1]}"
            raise
    return made
