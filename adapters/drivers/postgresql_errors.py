"""PostgreSQL's SQLSTATEs: which fault each is, and what may be told of it."""

from __future__ import annotations

from services.faults import Overloaded, ServerFault, SourceError, SourceTimeout, SourceUnavailable

#: statement timeout or cancelled, lock timeout, lock not available, deadlock, serialization
_TIMEOUTS = {"57014", "55P03", "40P01", "40001"}
_UNDONE = {"40P01", "40001"}
#: shut down, crashed, starting; no such database
_UNAVAILABLE = {"57P01", "57P02", "57P03", "57P05", "3D000"}
#: too many connections
_FULL = {"53300"}
_DISK_FULL = {"53100"}
#: classes whose first line names tables, columns and accounts and never a row's value
_SPOKEN = ("08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58")


def fault(state: str | None, text: str) -> type[ServerFault]:
    """Without a state it never came to the server."""
    if state in _TIMEOUTS:
        return SourceTimeout
    if state in _FULL:
        return Overloaded
    if state is None or state in _UNAVAILABLE or state.startswith(("08", "28")):
        return SourceUnavailable
    return SourceError


def undone(state: str | None) -> bool:
    return state in _UNDONE


def full(state: str | None) -> bool:
    return state in _DISK_FULL


def detail(state: str | None, text: str) -> str:
    if state is None or state.startswith(_SPOKEN):
        line = text.strip().partition("\n")[0]
        return f"{state} {line}" if state else line
    return f"SQLSTATE {state}"
