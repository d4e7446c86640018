"""What the hospitals' databases hold, read without any of our code in between."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass

from tests.conftest import Alliance

_QUERIES = {
    "hx": (
        "hx.db",
        "SELECT TEST_NO, NAME, RELEVANT_CLINIC_DIAG, NOTES_FOR_SPCM, RESULT_STATUS"
        " FROM LAB_TEST_MASTER WHERE rtrim(PATIENT_ID) = ?",
    ),
    "sq": (
        "sq_lis.db",
        "SELECT SAMPLENO, PATIENTNAME, DIAGNOSE, SAMPLENOTE, STATUS"
        " FROM LIS_SAMPLE WHERE rtrim(PATIENTID) = ?",
    ),
}


@dataclass(frozen=True)
class KeptTest:
    """A lab test as kept; ``name``, ``diagnosis``, ``notes`` as a delimited row says them."""

    number: str
    name: str
    raw_diagnosis: str | None
    diagnosis: str
    notes: str


def lab_tests(alliance: Alliance, code: str, patient: str, *, void: bool = False) -> list[KeptTest]:
    """A patient's tests; the void ones only when asked for."""
    file, query = _QUERIES[code]
    uri = (alliance.plan.folder / file).as_uri()
    with closing(sqlite3.connect(f"{uri}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query, (patient,)).fetchall()
    return [
        KeptTest(number.rstrip(), told(name), diagnosis, told(diagnosis), told(notes))
        for number, name, diagnosis, notes, status in rows
        if void or (status or "").strip() != "7"
    ]


def told(value: str | None) -> str:
    """A value in a delimited row: its padding gone, delimiters in full width, lines joined."""
    text = (value or "").rstrip(" ")
    return re.sub(r"\r\n|\r|\n", " ", text).replace("|", "｜").replace("?", "？")
