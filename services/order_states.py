"""The states of an order and of a specimen, and every transition between them."""

from __future__ import annotations

from services.contract import Code
from services.faults import Conflict

ORDERED, ACCEPTED, DONE, PRELIMINARY, REPORTED, CANCELLED = "N", "A", "D", "P", "R", "C"
OTHER = "U"

ORDER_STATE = Code(
    {
        ORDERED: ("已开单", "ordered"),
        ACCEPTED: ("已接收", "accepted by the performing department"),
        DONE: ("已执行", "performed"),
        PRELIMINARY: ("初步报告", "preliminary report"),
        REPORTED: ("已报告", "confirmed report"),
        CANCELLED: ("已撤销", "cancelled"),
        OTHER: ("其他", "other or unknown"),
    }
)

#: state -> states that may follow. Ours is the first step and the cancellation; the others are
#: the performing department's, which may skip some. A rejected specimen makes an accepted order
#: wait again.
ORDER_TRANSITIONS: dict[str, str] = {
    "": ORDERED,
    ORDERED: ACCEPTED + DONE + PRELIMINARY + REPORTED + CANCELLED,
    ACCEPTED: ORDERED + DONE + PRELIMINARY + REPORTED,
    DONE: PRELIMINARY + REPORTED,
    PRELIMINARY: REPORTED,
    REPORTED: "",
    CANCELLED: "",
    OTHER: "",
}

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


def may_cancel(state: str) -> None:
    """Raises Conflict if an order in this state can no longer be cancelled."""
    if CANCELLED in ORDER_TRANSITIONS[state]:
        return
    zh, en = ORDER_STATE.table[state]
    raise Conflict(
        f"申请单当前为“{zh}”，只有“{ORDER_STATE.table[ORDERED][0]}”的才能撤销；请与执行科室联系。",
        f"the order is {en}, and only one that nobody has accepted can be cancelled; "
        "speak to the performing department",
        field="OrderNo",
    )


def specimen_wanted(state: str) -> None:
    """Raises Conflict if an order in this state has no use for a specimen."""
    if state not in (CANCELLED, REPORTED):
        return
    zh, en = ORDER_STATE.table[state]
    raise Conflict(
        f"申请单当前为“{zh}”，不能再登记标本。",
        f"the order is {en}: nothing can be recorded of its specimen any more",
        field="OrderNo",
    )


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
        f"the specimen is {now_en}: it cannot be {table[event][1].partition(',')[0]}; "
        + ", ".join(f"{code} ({table[code][1]})" for code in possible)
        + " may follow",
        field="Event",
    )
