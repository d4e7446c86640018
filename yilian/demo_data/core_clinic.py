"""The core hospital's patients, codes, number sources and registrations, in junwei's tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from adapters.junwei.tables import METADATA
from yilian.demo_data.people import Person
from yilian.demo_data.rows import create_tables, insert, padded, stored
from yilian.demo_data.schedules import BOOKED_AHEAD, Session, sessions
from yilian.demo_data.staff import EMERGENCY, PERFORMERS, TITLES, Doctor, Staff

# What this site added to the vendor's schema; the adapter's settings name it.
_SITE_ADDITIONS = """
ALTER TABLE CLINIC_INDEX ADD COLUMN SPECIALITY VARCHAR(200);
ALTER TABLE CLINIC_FOR_REGIST ADD COLUMN REMOTE_INDICATOR INTEGER;
ALTER TABLE OUTP_DOCTOR_REGIST ADD COLUMN STOP_INDICATOR VARCHAR(1);
CREATE TABLE INSURANCE_ACCOUNTS (PATIENT_ID VARCHAR(10) NOT NULL, INSURANCE_NO VARCHAR(18),
    PRIMARY KEY (PATIENT_ID));
"""
_INDEXES = """
CREATE INDEX LAB_TEST_MASTER_PATIENT ON LAB_TEST_MASTER (PATIENT_ID);
CREATE INDEX EXAM_MASTER_PATIENT ON EXAM_MASTER (PATIENT_ID);
CREATE INDEX CLINIC_MASTER_PATIENT ON CLINIC_MASTER (PATIENT_ID);
CREATE INDEX PAT_MASTER_INDEX_ID_NO ON PAT_MASTER_INDEX (ID_NO);
CREATE INDEX INSURANCE_ACCOUNTS_NO ON INSURANCE_ACCOUNTS (INSURANCE_NO);
CREATE INDEX OUTP_DOCTOR_REGIST_DATE ON OUTP_DOCTOR_REGIST (COUNSEL_DATE);
"""

_TYPES = {"普通": ("普通门诊", 1, 0), "专家": ("专家门诊", 2, 25), "急诊": ("急诊", 1, 10)}
_INTERVALS = {"1": "上午", "2": "下午", "3": "夜间", "4": "全天"}
_WHEN = {"上午": 8, "下午": 14, "夜间": 18}


def make_tables(connection: sqlite3.Connection) -> None:
    create_tables(connection, METADATA)
    connection.executescript(_SITE_ADDITIONS + _INDEXES)


def write_codes(connection: sqlite3.Connection, staff: Staff) -> None:
    """Departments, staff, clinic types and labels, and the weekly plan of ordinary clinics."""
    departments = staff.departments | PERFORMERS
    insert(
        connection,
        "DEPT_DICT",
        "SERIAL_NO, DEPT_CODE, DEPT_NAME, CLINIC_ATTR, OUTP_OR_INP",
        [(i, code, name, 0, 0) for i, (code, name) in enumerate(departments.items(), 1)],
    )
    insert(
        connection,
        "STAFF_DICT",
        "DEPT_CODE, NAME, EMP_NO, JOB, TITLE, USER_NAME, ID",
        [
            (d.dept, d.name, d.number, "医师", TITLES[d.title], f"u{d.number}", d.number)
            for d in staff.doctors
        ],
    )
    insert(
        connection,
        "CLINIC_TYPE_DICT",
        "SERIAL_NO, CLINIC_TYPE, PRICE, CLINIC_TYPE_NAME",
        [(i, key, kind[2], kind[0]) for i, (key, kind) in enumerate(_TYPES.items(), 1)],
    )
    insert(
        connection,
        "TIME_INTERVAL_DICT",
        "SERIAL_NO, TIME_INTERVAL_CODE, TIME_INTERVAL_NAME",
        [(int(code), code, name) for code, name in _INTERVALS.items()],
    )
    insert(
        connection,
        "CLINIC_INDEX",
        "CLINIC_LABEL, CLINIC_DEPT, DOCTOR, DOCTOR_TITLE, CLINIC_TYPE, CLINIC_POSITION, SPECIALITY",
        _labels(staff),
    )
    insert(
        connection,
        "CLINIC_SCHEDULE",
        "CLINIC_LABEL, DAY_OF_WEEK, TIME_DESC, REGISTRATION_LIMITS, APPOINTMENT_LIMITS",
        [
            (_label(staff, dept, None), weekday, shift, 0 if dept == EMERGENCY else 30, 10)
            for dept in staff.departments
            for weekday in range(1, 8)
            for shift in (("上午",) if weekday > 5 else ("上午", "下午"))
        ],
    )


def _label(staff: Staff, dept: str, doctor: Doctor | None) -> str:
    if doctor is None:
        return f"{dept}P"
    return dept + "ABCDEFGH"[staff.experts_of(dept).index(doctor)]


def _type(dept: str, doctor: Doctor | None) -> str:
    return "专家" if doctor else "急诊" if dept == EMERGENCY else "普通"


def _labels(staff: Staff) -> Iterable[tuple[Any, ...]]:
    for floor, dept in enumerate(staff.departments):
        place = f"门诊楼{floor % 6 + 1}层{'ABCD'[floor % 4]}区"
        yield (_label(staff, dept, None), dept, None, None, _type(dept, None), place, None)
        for doctor in staff.experts_of(dept):
            label = _label(staff, dept, doctor)
            name = padded(doctor.name, 8)  # a CHAR here, and none in STAFF_DICT
            yield (label, dept, name, doctor.title, "专家", place, doctor.speciality)


def write_patients(
    connection: sqlite3.Connection, patients: tuple[Person, ...], created: date
) -> None:
    insert(
        connection,
        "PAT_MASTER_INDEX",
        "PATIENT_ID, NAME, SEX, DATE_OF_BIRTH, CITIZENSHIP, NATION, ID_NO, CHARGE_TYPE, "
        "MAILING_ADDRESS, PHONE_NUMBER_HOME, CREATE_DATE, ID_TYPE",
        [
            (
                *(p.patient_id, p.name, padded(p.sex, 4), stored(p.birth), "CN", "汉族"),
                *(p.id_no, p.payer, p.address, p.phone, stored(created), "01"),
            )
            for p in patients
        ],
    )
    insert(
        connection,
        "INSURANCE_ACCOUNTS",
        "PATIENT_ID, INSURANCE_NO",
        [(p.patient_id, p.insurance_no) for p in patients if p.insurance_no],
    )


def write_day(
    connection: sqlite3.Connection,
    seed: int,
    staff: Staff,
    patients: tuple[Person, ...],
    day: date,
) -> None:
    """One day's number sources, the doctors' sessions, and who registered for them."""
    random = Random(f"{seed}/registrations/hx/{day}")
    slots: list[tuple[Any, ...]] = []
    duties: list[tuple[Any, ...]] = []
    visits: list[tuple[Any, ...]] = []
    appointed: list[tuple[Any, ...]] = []
    date_text = stored(day)
    for session in sessions(seed, "hx", staff, day):
        dept, doctor, shift = session.dept, session.doctor, session.shift
        label = _label(staff, dept, doctor)
        kind = _TYPES[_type(dept, doctor)]
        slots.append(
            (
                *(date_text, label, shift, session.limit, 10, session.registered + 1),
                *(session.registered, session.appointed, kind[1], int(session.remote)),
            )
        )
        if doctor is not None:
            stop = "1" if session.stopped else "0"
            duties.append((dept, doctor.number, doctor.name, date_text, shift, stop))
        for serial in range(1, session.registered + 1):
            patient = patients[random.randrange(len(patients))]
            visits.append(_visit(session, label, kind, day, len(visits) + 1, serial, patient))
        appointed += _appointments(random, session, label, date_text, patients)
    insert(
        connection,
        "CLINIC_FOR_REGIST",
        "CLINIC_DATE, CLINIC_LABEL, TIME_DESC, REGISTRATION_LIMITS, APPOINTMENT_LIMITS, "
        "CURRENT_NO, REGISTRATION_NUM, APPOINTMENT_NUM, REGIST_PRICE, REMOTE_INDICATOR",
        slots,
    )
    insert(
        connection,
        "OUTP_DOCTOR_REGIST",
        "CLINIC_DEPT, DOCTOR_NO, DOCTOR, COUNSEL_DATE, CLINIC_DURATION, STOP_INDICATOR",
        duties,
    )
    insert(
        connection,
        "CLINIC_MASTER",
        "VISIT_DATE, VISIT_NO, CLINIC_LABEL, VISIT_TIME_DESC, SERIAL_NO, PATIENT_ID, NAME, SEX, "
        "AGE, CHARGE_TYPE, INSURANCE_NO, CLINIC_TYPE, VISIT_DEPT, DOCTOR, REGISTRATION_STATUS, "
        "REGISTERING_DATE, REGIST_FEE, CLINIC_FEE, CLINIC_CHARGE, OPERATOR",
        visits,
    )
    insert(
        connection,
        "CLINIC_APPOINTS",
        "VISIT_DATE_APPTED, CLINIC_LABEL, PATIENT_ID, VISIT_TIME_APPTED, APPT_MADE_DATE, "
        "SERIAL_NO, NAME, SEX, CHARGE_TYPE, INSURANCE_NO",
        appointed,
    )


def _visit(
    session: Session,
    label: str,
    kind: tuple[str, int, int],
    day: date,
    number: int,
    serial: int,
    patient: Person,
) -> tuple[Any, ...]:
    at = datetime.combine(day - BOOKED_AHEAD, time(_WHEN[session.shift]))
    at += timedelta(minutes=4 * serial)
    doctor = session.doctor.name if session.doctor else None
    return (
        *(stored(day), number, label, session.shift, serial, patient.patient_id, patient.name),
        *(patient.sex, patient.age(day), patient.payer, patient.insurance_no),
        *(_type(session.dept, session.doctor), session.dept, doctor, 1, stored(at)),
        *(kind[1], kind[2], kind[1] + kind[2], "窗口01"),
    )


def _appointments(
    random: Random,
    session: Session,
    label: str,
    date_text: str | None,
    patients: tuple[Person, ...],
) -> list[tuple[Any, ...]]:
    hour = _WHEN[session.shift]
    rows = []
    for serial in range(session.appointed):
        patient = patients[random.randrange(len(patients))]
        rows.append(
            (
                *(date_text, label, patient.patient_id, f"{hour:02d}:{serial * 15:02d}"),
                *(date_text, session.registered + serial + 1, patient.name, patient.sex),
                *(patient.payer, patient.insurance_no),
            )
        )
    return rows
