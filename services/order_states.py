"""The states of an order, of a specimen, and every transition between a specimen's."""

from __future__ import annotations

from services.contract import Code
from services.faults import Conflict

ORDERED, ACCEPTED, DONE, PRELIMINARY, REPORTED, CANCELLED = "N", "A", "D", "P", "R", "C"

ORDER_STATE = Code(
    {
        ORDERED: ("已开单", "ordered"),
        ACCEPTED: ("已接收", "accepted by the performing department"),
        DONE: ("已执行", "performed"),
        PRELIMINARY: ("初步报告", "preliminary report"),
        REPORTED: ("已报告", "confirmed report"),
        CANCELLED: ("已撤销", "cancelled"),
    }
)

COLLECTED, SENT, DELIVERED, RECEIVED, REJECTED = "C", "S", "D", "R", "J"

SPECIMEN_EVENT = Code(
    {
        COLLECTED: ("已采集", "collected"),
        SENT: ("已送出", "sent"),
        DELIVERED: ("已送达", "delivered"),
        RECEIVED: ("已签收", "received"),
        REJECTED: ("已拒收", "rejected, with a reason"),
    }
)

#: last event -> events that may follow. "" is before the first one. A rejected specimen is drawn
#: again; a courier's "delivered" may be missing.
SPECIMEN_TRANSITIONS: dict[str, str] = {
    "": COLLECTED,
    COLLECTED: SENT,
    SENT: DELIVERED + RECEIVED + REJECTED,
    DELIVERED: RECEIVED + REJECTED,
    RECEIVED: REJECTED,
    REJECTED: COLLECTED,
}


def specimen_after(last: str, event: str) -> None:
    """Raises Conflict if ``event`` cannot follow ``last``, naming what can."""
    possible = SPECIMEN_TRANSITIONS[last]
    if event in possible:
        return
    table = SPECIMEN_EVENT.table
    now_zh, now_en = table.get(last, ("未采集", "not collected"))
    raise Conflict(
        f"标本当前为“{now_zh}”，不能登记“{table[event][0]}”；可登记："
        + "、".join(f"{code} {table[code][0]}" for code in possible),
        f"the specimen is {now_en}: it cannot be {table[event][1]}; "
        + ", ".join(f"{code} ({table[code][1]})" for code in possible)
        + " may follow",
    )
