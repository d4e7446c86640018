"""Looking for calls in the trail: who asked for this patient, what became of this request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from gateway.audit.files import TrailFile, files_in
from gateway.audit.line import ASKED, GENESIS, NotALine, read_line

#: a file holds lines from its opening to the next one's, and a call is written when it ends: this
#: much earlier it may have begun
_LONGEST_CALL = timedelta(minutes=15)


class Wanted(NamedTuple):
    """What a line must be like; empty: anything. ``patients``: the marks under which the patient
    may stand, any of them. ``since`` and ``until`` bound when the call began."""

    since: datetime | None = None
    until: datetime | None = None
    request_id: str = ""
    caller: str = ""
    hospital: str = ""
    service: str = ""
    operation: str = ""
    patients: tuple[str, ...] = ()
    outcome: str = ""
    fault: str = ""


_EQUAL = ("caller", "hospital", "service", "operation", "outcome", "fault")


def search(folder: Path, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The lines of calls, and of connections refused before there was one, as JSON objects with
    ``stream`` added, each stream in its order. Lines that cannot be read are left to ``verify``.
    OSError."""
    marks = _marks(wanted)
    files = files_in(folder)
    for file, following in zip_longest(files, files[1:]):
        if _outside(file, following, wanted):
            continue
        for raw in file.lines():
            # Most lines are not wanted: bytes are looked at before anything is parsed.
            if not all(any(mark in raw for mark in either) for either in marks):
                continue
            try:
                line = read_line(raw, GENESIS)
            except NotALine:
                continue
            if line.kind in ASKED and _matches(line.fields, wanted):
                yield {"stream": file.stream, **line.fields}


def _marks(wanted: Wanted) -> list[tuple[bytes, ...]]:
    """For each criterion the byte strings of which one must be in the line."""

    def said(text: str) -> bytes:
        return json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")

    found: list[tuple[bytes, ...]] = [
        (said(getattr(wanted, name)),) for name in _EQUAL if getattr(wanted, name)
    ]
    if wanted.request_id:
        found.append((said(wanted.request_id),))
    if wanted.patients:
        found.append(tuple(said(patient) for patient in wanted.patients))
    return found


def _outside(file: TrailFile, following: TrailFile | None, wanted: Wanted) -> bool:
    if wanted.until is not None and file.opened - _LONGEST_CALL > wanted.until:
        return True
    if wanted.since is None or following is None or following.stream != file.stream:
        return False
    return following.opened < wanted.since


def _matches(fields: dict[str, Any], wanted: Wanted) -> bool:
    if any(getattr(wanted, name) not in ("", fields.get(name, "")) for name in _EQUAL):
        return False
    if wanted.request_id and fields.get("id") != wanted.request_id:
        return False
    if wanted.patients and fields.get("patient") not in wanted.patients:
        return False
    if wanted.since is None and wanted.until is None:
        return True
    time = datetime.fromisoformat(str(fields.get("t"))).astimezone(UTC)
    return (wanted.since is None or wanted.since <= time) and (
        wanted.until is None or time < wanted.until
    )
