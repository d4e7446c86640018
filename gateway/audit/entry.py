"""What is on record of one call. No body, no name; a patient by a keyed hash unless told else."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

#: ``ok``: answered by the node; ``fault``: the node, or the way to it, failed; ``refused``: not let
#: in; ``left``: the caller went away before its request was complete
Outcome = Literal["ok", "fault", "refused", "left"]
PatientMark = Literal["hash", "plain", "none"]

MarkPatient = Callable[[str], str]
#: of a patient id that is recorded plain: what is longer is none, and would only fill the disk
_LONGEST_PATIENT = 128


class Entry(NamedTuple):
    """``time`` is when the call began, seconds since 1970; ``ms`` how long it took. ``step`` and
    ``rule``: what refused it. ``node`` is the access point that it was sent to."""

    time: float
    request_id: str
    peer: str = ""
    caller: str = ""
    hospital: str = ""
    service: str = ""
    operation: str = ""
    patient: str = ""
    outcome: Outcome = "ok"
    fault: str = ""
    step: str = ""
    rule: str = ""
    request_bytes: int = 0
    answer_bytes: int = 0
    ms: float = 0.0
    node: str = ""


def moment(seconds: float) -> str:
    """ISO 8601 in UTC to the millisecond, as everywhere in the trail."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def fields_of(entry: Entry, mark: MarkPatient) -> dict[str, Any]:
    """The members of an entry's line. What is empty is left out, except what every call has."""
    fields: dict[str, Any] = {"k": "call", "t": moment(entry.time), "id": entry.request_id}
    if entry.peer:
        fields["peer"] = entry.peer
    if entry.caller:
        fields["caller"] = entry.caller
    if entry.hospital:
        fields["hospital"] = entry.hospital
    if entry.service:
        fields["service"] = entry.service
    if entry.operation:
        fields["operation"] = entry.operation
    if entry.patient:
        marked = mark(entry.patient)
        if marked:
            fields["patient"] = marked
    fields["outcome"] = entry.outcome
    if entry.fault:
        fields["fault"] = entry.fault
    if entry.step:
        fields["step"] = entry.step
    if entry.rule:
        fields["rule"] = entry.rule
    fields["in"] = entry.request_bytes
    fields["out"] = entry.answer_bytes
    fields["ms"] = round(entry.ms, 2)
    if entry.node:
        fields["node"] = entry.node
    return fields


def patient_mark(how: PatientMark, key: bytes) -> MarkPatient:
    """How a patient's id stands in the trail. ``hash``: the first 128 bits of HMAC-SHA256 under
    the trail's key, so that one patient's calls can be found by whoever has the key and the id,
    and ids cannot be tried out by who has only the trail."""
    if how == "plain":
        return lambda patient: patient[:_LONGEST_PATIENT]
    if how == "none":
        return lambda _: ""
    return lambda patient: "h:" + hmac.digest(key, patient.encode(), "sha256")[:16].hex()
