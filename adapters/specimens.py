"""A specimen's way, kept in a table of ours beside the HIS's rows: each event once, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from adapters import values as v
from adapters.columns import table
from adapters.database import Source
from adapters.ledger import METADATA
from services.faults import InvalidArgument
from services.order_states import REJECTED, specimen_after
from services.ordering import SpecimenRecord

SPECIMEN_EVENT = table(
    METADATA,
    "YILIAN_SPECIMEN_EVENT",
    """
    *ORDER_NO C32, *EVENT_NO N4, EVENT C1, EVENT_TIME D, PERSON C256, PLACE C512, REASON C1024,
    RECORDED_AT D
    """,
)
_E = SPECIMEN_EVENT.c
_EVENTS = select(*(_E.EVENT_NO, _E.EVENT, _E.EVENT_TIME, _E.PERSON, _E.PLACE, _E.REASON)).order_by(
    _E.EVENT_NO
)

#: clocks of two hospitals differ, but not by more; a wrong year would bar all later events
AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be recorded, as the contract has it."""

    event: str
    at: datetime
    person: str
    place: str | None
    reason: str | None


def events(connection: Connection, order_no: str) -> list[SpecimenRecord]:
    """The way so far, oldest first."""
    rows = connection.execute(_EVENTS.where(_E.ORDER_NO == order_no)).all()
    found = []
    for row in rows:
        try:
            found.append(_record(order_no, row))
        except v.Unreadable as unreadable:
            unreadable.table = "YILIAN_SPECIMEN_EVENT"
            unreadable.key = f"ORDER_NO={order_no}, EVENT_NO={row[0]}"
            raise
    return found


def record(
    connection: Connection, source: Source, order_no: str, event: Event, now: datetime
) -> SpecimenRecord:
    """Put an event behind the last one. The caller holds the order's row, so nobody else does
    at the same time. Raises what RecordSpecimenEvent raises of the event itself."""
    past = events(connection, order_no)
    last = past[-1] if past else None
    specimen_after(last.Event if last else "", event.event)
    at = event.at.replace(microsecond=0)
    reason = (event.reason or "").strip() or None
    if event.event == REJECTED and reason is None:
        raise source.fault(
            InvalidArgument,
            "拒收标本须写明原因。",
            "a rejection needs a reason",
            field="Reason",
        )
    if last is not None and at < last.At:
        raise source.fault(
            InvalidArgument,
            f"时间早于上一事件（{last.At.isoformat(' ')}）。请核对。",
            f"At is before the last event ({last.At.isoformat(' ')}). Check it.",
            field="At",
        )
    if at > now + AHEAD:
        raise source.fault(
            InvalidArgument,
            f"时间晚于现在（{now.isoformat(' ', 'seconds')}）一天以上。请核对。",
            f"At is more than a day ahead of now ({now.isoformat(' ', 'seconds')}). Check it.",
            field="At",
        )
    person, place = event.person.strip(), (event.place or "").strip() or None
    connection.execute(
        insert(SPECIMEN_EVENT).values(
            ORDER_NO=order_no,
            EVENT_NO=len(past) + 1,
            EVENT=event.event,
            EVENT_TIME=at,
            PERSON=person,
            PLACE=place,
            REASON=reason,
            RECORDED_AT=now.replace(microsecond=0),
        )
    )
    return SpecimenRecord(order_no, event.event, at, person, place, reason)


def _record(order_no: str, row: Any) -> SpecimenRecord:
    at = v.moment(row[2], "EVENT_TIME")
    if at is None:
        raise v.Unreadable("EVENT_TIME", "不能为空", "must not be empty")
    return SpecimenRecord(
        order_no,
        v.required(row[1], "EVENT"),
        at,
        v.required(row[3], "PERSON"),
        v.text(row[4], "PLACE"),
        v.text(row[5], "REASON"),
    )
