"""The community hospital's LIS, a database of its own: sample heads, results, and their view."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from yilian.demo_data.lab_tests import LabTest
from yilian.demo_data.rows import insert, padded, stored
from yilian.demo_data.staff import PERFORMERS, Staff

_SCHEMA = """
CREATE TABLE LIS_DEPT (DEPTCODE VARCHAR(10) NOT NULL PRIMARY KEY, DEPTNAME VARCHAR(40));
CREATE TABLE LIS_SAMPLE (
    SAMPLENO VARCHAR(16) NOT NULL PRIMARY KEY, PATIENTID VARCHAR(32), PATIENTNAME VARCHAR(40),
    PAYTYPE VARCHAR(20), SEX VARCHAR(2), AGE VARCHAR(8), TESTAIM VARCHAR(40),
    DIAGNOSE VARCHAR(200), SAMPLETYPE VARCHAR(20), SAMPLENOTE VARCHAR(100), REQDEPT VARCHAR(10),
    REQTIME DATETIME, REPORTTIME DATETIME, REQDOCTOR VARCHAR(20), EXECDEPT VARCHAR(10),
    WORKNO VARCHAR(16), REPORTER VARCHAR(20), CHECKER VARCHAR(20), STATUS VARCHAR(2));
CREATE TABLE LIS_RESULT (
    SAMPLENO VARCHAR(16) NOT NULL, TESTID VARCHAR(16) NOT NULL, PRINTORD INTEGER,
    CHINESENAME VARCHAR(60), TESTRESULT VARCHAR(60), HINT VARCHAR(4), UNIT VARCHAR(16),
    REFRANGE VARCHAR(40), CHECKTIME DATETIME, PRIMARY KEY (SAMPLENO, TESTID));
CREATE VIEW V_LIS_TESTRESULT AS
    SELECT R.SAMPLENO, R.TESTID, S.PATIENTID, S.WORKNO AS VISITID, R.CHINESENAME, R.TESTRESULT,
        R.HINT, R.UNIT, R.CHECKTIME, R.REFRANGE, R.PRINTORD
    FROM LIS_RESULT R JOIN LIS_SAMPLE S ON S.SAMPLENO = R.SAMPLENO;
CREATE INDEX LIS_SAMPLE_PATIENT ON LIS_SAMPLE (PATIENTID);
"""
_HINTS = {"H": "↑", "L": "↓", "A": "*", "N": None}


def make_tables(connection: sqlite3.Connection) -> None:
    connection.executescript(_SCHEMA)


def write_codes(connection: sqlite3.Connection, staff: Staff) -> None:
    departments = staff.departments | PERFORMERS
    insert(connection, "LIS_DEPT", "DEPTCODE, DEPTNAME", list(departments.items()))


def write_lab_tests(connection: sqlite3.Connection, tests: Iterable[LabTest]) -> None:
    heads: list[tuple[Any, ...]] = []
    results: list[tuple[Any, ...]] = []
    for test in tests:
        heads.append(_head(test))
        at = stored(test.reported)
        for order, (item, (result, mark)) in enumerate(
            zip(test.panel.items, test.results, strict=False), 1
        ):
            results.append(
                (
                    *(test.number, item.code, order, item.name, result, _HINTS[mark]),
                    *(item.unit or None, item.reference, at),
                )
            )
    insert(
        connection,
        "LIS_SAMPLE",
        "SAMPLENO, PATIENTID, PATIENTNAME, PAYTYPE, SEX, AGE, TESTAIM, DIAGNOSE, SAMPLETYPE, "
        "SAMPLENOTE, REQDEPT, REQTIME, REPORTTIME, REQDOCTOR, EXECDEPT, WORKNO, REPORTER, "
        "CHECKER, STATUS",
        heads,
    )
    insert(
        connection,
        "LIS_RESULT",
        "SAMPLENO, TESTID, PRINTORD, CHINESENAME, TESTRESULT, HINT, UNIT, REFRANGE, CHECKTIME",
        results,
    )


def _head(test: LabTest) -> tuple[Any, ...]:
    patient, doctor = test.patient, test.doctor
    dept = doctor.dept if doctor else None
    age = None
    if test.requested and test.cause:
        years = patient.age(test.requested.date())
        age = f"{years}岁" if years else "8月"  # this LIS writes ages as people say them
    name = padded(patient.name, 40) if test.padded else patient.name
    return (
        *(test.number, patient.patient_id, name, patient.payer, "1" if patient.male else "2"),
        *(age, test.cause, test.diagnosis, test.specimen, test.notes),
        *(padded(dept, 10) if test.padded else dept, stored(test.requested)),
        *(stored(test.reported), doctor.name if doctor else None, test.performed_by),
        *(test.working_id, test.reporter, test.verifier, test.status),
    )
