"""The community hospital's patients, codes, number sources and registrations, in bsoft's tables."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from adapters.bsoft.tables import METADATA
from yilian.demo_data.people import PAYERS, Person
from yilian.demo_data.rows import create_tables, insert, padded, stored
from yilian.demo_data.schedules import BOOKED_AHEAD, sessions
from yilian.demo_data.staff import PERFORMERS, TITLES, Staff

# What this site added to the vendor's schema; the adapter's settings name it.
_SITE_ADDITIONS = """
ALTER TABLE MS_YSPB ADD COLUMN YCGH INTEGER;
ALTER TABLE MS_KSPB ADD COLUMN YCGH INTEGER;
CREATE TABLE YS_ZJJS (YGDM VARCHAR(10) NOT NULL, ZJTC VARCHAR(200), PRIMARY KEY (YGDM));
CREATE INDEX MS_BRDA_MZHM ON MS_BRDA (MZHM);
CREATE INDEX MS_BRDA_SFZH ON MS_BRDA (SFZH);
CREATE INDEX MS_BRDA_YBKH ON MS_BRDA (YBKH);
CREATE INDEX MS_GHMX_BRID ON MS_GHMX (BRID);
"""
ORGANISATION = "SQ01"
_SHIFTS = {"上午": 1, "下午": 2, "夜间": 3}
_WHEN = {"上午": 8, "下午": 14, "夜间": 18}


def make_tables(connection: sqlite3.Connection) -> None:
    create_tables(connection, METADATA)
    connection.executescript(_SITE_ADDITIONS)


def write_codes(connection: sqlite3.Connection, staff: Staff) -> None:
    """Departments, staff, payers, and the weekly slots of departments."""
    everything = staff.departments | PERFORMERS
    insert(connection, "GY_KSDM", "KSDM, KSMC", list(everything.items()))
    insert(
        connection,
        "GY_YGDM",
        "YGDM, YGXM, KSDM, YGJB",
        # A CHAR here, and none in MS_YSPB.
        [(padded(d.number, 10), d.name, d.dept, TITLES[d.title]) for d in staff.doctors],
    )
    insert(connection, "GY_BRXZ", "BRXZ, XZMC", list(enumerate(PAYERS, 1)))
    experts = [doctor for doctor in staff.doctors if doctor.expert]
    insert(connection, "YS_ZJJS", "YGDM, ZJTC", [(d.number, d.speciality) for d in experts])
    insert(
        connection,
        "MS_GHKS",
        "KSDM, KSMC, GHF, ZLF, ZJMZ, DDXX",
        [
            (code, name, 0.5, 6.5, 0, f"门诊一层{place}号诊室")
            for place, (code, name) in enumerate(staff.departments.items(), 1)
        ],
    )
    insert(
        connection,
        "MS_KSPB",
        "GHRQ, ZBLB, GHKS, GHXE, YGRS, YYXE, YYRS, JZXH, TGBZ, JGID, YCGH",
        [
            (weekday, shift, code, 30, 3 * place, 5, 0, 3 * place + 1, 0, ORGANISATION, place % 2)
            for place, code in enumerate(staff.departments)
            for weekday in range(1, 8)
            for shift in ((1,) if weekday in (1, 7) else (1, 2))
        ],
    )


def write_patients(connection: sqlite3.Connection, patients: tuple[Person, ...]) -> None:
    payers = {name: number for number, name in enumerate(PAYERS, 1)}
    insert(
        connection,
        "MS_BRDA",
        "BRID, MZHM, BRXM, BRXB, CSNY, SFZH, YBKH, BRXZ, JZKH, JTDH, JTDZ, EMPIID",
        [
            (
                *(p.number, p.patient_id, p.name, 1 if p.male else 2, stored(p.birth), p.id_no),
                *(p.insurance_no, payers[p.payer], f"K{p.number:08d}", p.phone, p.address),
                f"E{p.id_no}",
            )
            for p in patients
        ],
    )


def write_day(
    connection: sqlite3.Connection,
    seed: int,
    staff: Staff,
    patients: tuple[Person, ...],
    day: date,
) -> None:
    """One day's slots of doctors, and who registered for them."""
    random = Random(f"{seed}/registrations/sq/{day}")
    slots: list[tuple[Any, ...]] = []
    registrations: list[tuple[Any, ...]] = []
    first = day.toordinal() * 10_000  # of the day's SBXH
    for session in sessions(seed, "sq", staff, day):
        doctor, dept = session.doctor, session.dept
        if doctor is None:
            continue  # departments' slots are weekly here
        shift = _SHIFTS[session.shift]
        slots.append(
            (
                *(stored(day), dept, doctor.number, shift, session.limit, session.registered),
                *(5, session.appointed, session.registered + session.appointed + 1, 10),
                *("08:00", "17:00", int(session.stopped), ORGANISATION, int(session.remote)),
            )
        )
        opening = datetime.combine(day, time(_WHEN[session.shift]))
        for serial in range(session.registered):
            patient = patients[random.randrange(len(patients))]
            at = stored(opening + timedelta(minutes=5 * serial))
            made = stored(opening - BOOKED_AHEAD + timedelta(minutes=5 * serial))
            number = first + len(registrations)
            registrations.append(
                (
                    *(number, ORGANISATION, patient.number, at, shift, dept, doctor.number),
                    *(0.5, 6.5, 0, f"J{number:012d}", 1, 0, 0, made),
                )
            )
    insert(
        connection,
        "MS_YSPB",
        "GZRQ, KSDM, YSDM, ZBLB, GHXE, YGRS, YYXE, YYRS, JZXH, YYJG, YYKSSJ, YYJSSJ, TGBZ, "
        "JGID, YCGH",
        slots,
    )
    insert(
        connection,
        "MS_GHMX",
        "SBXH, JGID, BRID, GHSJ, GHLB, KSDM, YSDM, GHJE, ZLJE, ZJFY, JZHM, JZZT, THBZ, YYBZ, CZSJ",
        registrations,
    )
