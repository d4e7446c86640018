"""What is on record of one call. No body, no name; a patient by a keyed hash unless told else."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Literal

import msgspec

from gateway.json_line import second_of

#: ``ok``: answered by the node; ``fault``: the node, or the way to it, failed; ``refused``: not let
#: in; ``left``: the caller went away before its request was complete
Outcome = Literal["ok", "fault", "refused", "left"]
PatientMark = Literal["hash", "plain", "none"]

MarkPatient = Callable[[str], str]
#: of a patient id that is recorded plain: what is longer is none, and would only fill the disk
_LONGEST_PATIENT = 128


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC to the millisecond, as everywhere in the trail."""
    whole = int(seconds)
    return f"{second_of(whole)}.{int((seconds - whole) * 1000):03}+00:00"


class Entry(
    msgspec.Struct,
    omit_defaults=True,
    tag_field="k",
    tag="call",
    rename={"time": "t", "request_id": "id", "request_bytes": "in", "answer_bytes": "out"},
):
    """A call's line, in the order of its members. ``time`` is the ``moment`` when the call began,
    ``ms`` how long it took. ``step`` and ``rule``: what refused it. ``node`` is the access point
    that it was sent to. What is empty is left out, except what every call has."""

    time: str
    request_id: str
    peer: str = ""
    caller: str = ""
    hospital: str = ""
    service: str = ""
    operation: str = ""
    patient: str = ""
    # A default that a function gives is never left out.
    outcome: Outcome = msgspec.field(default_factory=lambda: "ok")
    fault: str = ""
    step: str = ""
    rule: str = ""
    request_bytes: int = msgspec.field(default_factory=int)
    answer_bytes: int = msgspec.field(default_factory=int)
    ms: float = msgspec.field(default_factory=float)
    node: str = ""


def patient_mark(how: PatientMark, key: bytes) -> MarkPatient:
    """How a patient's id stands in the trail. ``hash``: the first 128 bits of HMAC-SHA256 under
    the trail's key, so that one patient's calls can be found by whoever has the key and the id,
    and ids cannot be tried out by who has only the trail."""
    if how == "plain":
        return lambda patient: patient[:_LONGEST_PATIENT]
    if how == "none":
        return lambda _: ""
    return lambda patient: "h:" + hmac.digest(key, patient.encode(), "sha256")[:16].hex()
