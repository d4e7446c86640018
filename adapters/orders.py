"""What is ours in a HIS's database for ordering: items on offer, orders from outside, specimens.

They stand beside the HIS's own rows and are written in the same transaction. Texts that only we
read are wide enough for any value that the contracts allow, in any encoding.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from adapters import values as v
from adapters.columns import table
from adapters.database import Source
from adapters.dictionary import Dictionary
from adapters.ledger import METADATA
from adapters.own_tables import OwnTables
from services.terms import RECOGNITION

#: what the hospital opens to the alliance; its own staff maintain it
ITEM = table(
    METADATA,
    "YILIAN_ITEM",
    """
    *ITEM_CLASS C2, *ITEM_CODE C20, ITEM_NAME C100, SPECIMEN C8, PRICE N8,2, PERFORMED_BY C8,
    EXAM_CLASS C6, EXAM_SUB_CLASS C8, RECOGNITION_MARK C2
    """,
)
#: orders placed from outside; no two share a number, of whatever class
ORDER = table(
    METADATA,
    "YILIAN_ORDER",
    """
    *ORDER_NO C32, ITEM_CLASS C2, PATIENT_ID C32, VIRTUAL_DEPT C32, ORDERED_AT D,
    CANCELLED_AT D, CANCEL_REASON C1024
    """,
)
#: who was made a patient here by an order; the digest is of the identity number
PATIENT = table(
    METADATA,
    "YILIAN_PATIENT",
    """
    *IDENTITY_DIGEST C64, PATIENT_ID C32
    """,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A row of YILIAN_ITEM. ``exam_class`` and ``exam_sub_class`` are an examination's."""

    code: str
    item_class: str
    name: str
    specimen: str | None
    price: Decimal
    performed_by: str
    exam_class: str | None
    exam_sub_class: str | None
    recognised: bool


_OFFERS = select(
    *(ITEM.c.ITEM_CODE, ITEM.c.ITEM_CLASS, ITEM.c.ITEM_NAME, ITEM.c.SPECIMEN, ITEM.c.PRICE),
    *(ITEM.c.PERFORMED_BY, ITEM.c.EXAM_CLASS, ITEM.c.EXAM_SUB_CLASS, ITEM.c.RECOGNITION_MARK),
)


def offers(connection: Connection, item_class: str | None) -> list[Offer]:
    """What is on offer, of one class or of all, by class and code."""
    statement = _OFFERS
    if item_class is not None:
        statement = statement.where(ITEM.c.ITEM_CLASS == item_class)
    found = []
    for row in connection.execute(statement).all():
        try:
            found.append(_offer(row))
        except v.Unreadable as unreadable:
            unreadable.table, unreadable.key = "YILIAN_ITEM", f"ITEM_CODE={row[0]}"
            raise
    return sorted(found, key=lambda offer: (offer.item_class, offer.code))


def _offer(row: Any) -> Offer:
    return Offer(
        code=v.required(row[0], "ITEM_CODE"),
        item_class=v.required(row[1], "ITEM_CLASS"),
        name=v.required(row[2], "ITEM_NAME"),
        specimen=v.text(row[3], "SPECIMEN"),
        price=v.money(row[4], "PRICE"),
        performed_by=v.required(row[5], "PERFORMED_BY"),
        exam_class=v.text(row[6], "EXAM_CLASS"),
        exam_sub_class=v.text(row[7], "EXAM_SUB_CLASS"),
        recognised=v.text(row[8], "RECOGNITION_MARK") in RECOGNITION.table,
    )


class Recognised:
    """Which items the members recognise: those of the setting and, where the hospital has
    YILIAN_ITEM, those that it marks there. ``item_class`` is 02 or 03."""

    MARK = "HR"

    def __init__(self, source: Source, item_class: str, codes: list[str], seconds: float) -> None:
        self._codes = frozenset(codes)
        self._table: OwnTables | None = None
        # Only a hospital that takes orders has the table.
        if "Ordering" in source.config.offers:
            self._table = OwnTables(source, (ITEM,))
        statement = select(ITEM.c.ITEM_CODE, ITEM.c.RECOGNITION_MARK).where(
            ITEM.c.ITEM_CLASS == item_class, ITEM.c.RECOGNITION_MARK == self.MARK
        )
        self._marked = Dictionary(
            statement, lambda row: v.text(row[1], "RECOGNITION_MARK"), seconds
        )

    def prepare(self) -> None:
        """Done before a connection is taken: it may have to make the table."""
        if self._table is not None:
            self._table.make()

    def codes(self, connection: Connection) -> frozenset[str]:
        if self._table is None:
            return self._codes
        return self._codes | self._marked.read(connection).keys()
