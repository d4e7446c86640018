"""The states of a registration and every transition between them: the one table.

docs/registration.md draws it; a transition that is not in it is a Conflict. What begins with a
capital is an operation; the rest happens by itself: a lock expires, the hospital stops a session
or lets it take place after all, its window returns a registration, its doctor sees the patient.

A lock of a stopped session stays a lock, which can be released and expires but not be confirmed:
nothing was paid for it, and so there is nothing to return.
"""

from __future__ import annotations

from services.contract import Code
from services.faults import Conflict

LOCKED = "L"
REGISTERED = "R"
RELEASED = "X"
EXPIRED = "E"
RETURNED = "C"
STOPPED = "S"
ARRIVED = "A"
VISITED = "V"

REGISTRATION_STATE = Code(
    {
        LOCKED: ("锁号待支付", "locked, waiting for payment"),
        REGISTERED: ("已挂号", "registered"),
        RELEASED: ("已解锁", "lock released"),
        EXPIRED: ("锁号过期", "lock expired"),
        RETURNED: ("已退号", "returned"),
        STOPPED: ("已停诊", "session stopped"),
        ARRIVED: ("已报到", "arrived at the triage desk"),
        VISITED: ("已就诊", "visit done"),
    }
)

#: (from, what happens) -> to. "" is before the registration exists.
TRANSITIONS: dict[tuple[str, str], str] = {
    ("", "LockNumber"): LOCKED,
    ("", "Register"): REGISTERED,
    (LOCKED, "ConfirmRegistration"): REGISTERED,
    (LOCKED, "ReleaseLock"): RELEASED,
    (LOCKED, "expire"): EXPIRED,
    (REGISTERED, "CancelRegistration"): RETURNED,
    (REGISTERED, "CheckIn"): ARRIVED,
    (REGISTERED, "stop"): STOPPED,
    (REGISTERED, "visit"): VISITED,
    (REGISTERED, "return"): RETURNED,
    (STOPPED, "CancelRegistration"): RETURNED,
    (STOPPED, "resume"): REGISTERED,
    (STOPPED, "return"): RETURNED,
    (ARRIVED, "visit"): VISITED,
    (ARRIVED, "return"): RETURNED,
}

#: states in which a registration holds its sequence number
LIVING = frozenset({LOCKED, REGISTERED, STOPPED, ARRIVED, VISITED})


def after(state: str, event: str) -> str:
    """The state that ``event`` leads to. Raises Conflict, which names both and what is possible."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        zh, en = REGISTRATION_STATE.table.get(state, ("不存在", "not existing"))
        possible = [name for (start, name) in TRANSITIONS if start == state and name[0].isupper()]
        raise Conflict(
            f"该登记当前为“{zh}”，不能执行 {event}；可执行：{'、'.join(possible) or '无'}",
            f"the registration is {en}: {event} is not possible, "
            + (f"only {', '.join(possible)}" if possible else "nothing is"),
        ) from None
