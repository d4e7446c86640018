"""Builds the demo's databases: once, in seconds, whole or not at all, and kept between runs.

A file is made under a temporary name and renamed when it is complete, so that a build that was
killed leaves nothing that is ever used. A file is used again when seed, scale and generator
version agree; its number sources are then extended to 30 days ahead of today. Lab tests stay as
they were, relative to the day of the first build.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from yilian.demo_data import (
    community_clinic,
    community_lis,
    core_clinic,
    core_exams,
    core_lab,
    core_orders,
    people,
    staff,
)
from yilian.demo_data.hospitals import DemoHospitals
from yilian.demo_data.lab_tests import lab_tests

#: raised whenever the same seed makes other rows than before
VERSION = 3

DAYS_BACK = 7
DAYS_AHEAD = 30

#: (label, done, total)
Progress = Callable[[str, int, int], None]

_CORE_PATIENTS, _CORE_TESTS, _CORE_EXAMS = 6000, 30_000, 2000
_COMMUNITY_PATIENTS, _COMMUNITY_TESTS = 5000, 20_000
_CHUNK = 2000
_DATABASES = ("hx", "sq_his", "sq_lis")


def build(
    folder: Path,
    *,
    seed: int = 20260101,
    today: date,
    fresh: bool = False,
    progress: Progress | None = None,
    scale: float = 1.0,
) -> DemoHospitals:
    """The demo's databases in ``folder``, made where they are not there already.

    The same seed, scale and day make the same rows. ``fresh`` makes them anew; ``scale`` is for
    tests, which need fewer rows. Two builds of one folder wait for each other.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    plan = _Plan(seed, scale, today, progress or (lambda label, done, total: None))
    files = [folder / f"{name}.db" for name in _DATABASES]
    writers = (_write_core, _write_community_his, _write_community_lis)
    extenders = (_extend_core, _extend_community_his, None)
    built = extended = False
    with _alone(folder):
        for left_over in folder.glob("*.db.building*"):
            left_over.unlink()
        for file, write, extend in zip(files, writers, extenders, strict=True):
            if fresh or not _fits(file, plan):
                _make(file, plan, write)
                built = True
            elif extend is not None:
                extended = _extended(file, plan, extend) or extended
    hx, sq_his, sq_lis = files
    return DemoHospitals(hx, sq_his, sq_lis, built, extended)


@dataclass(frozen=True)
class _Plan:
    seed: int
    scale: float
    today: date
    progress: Progress

    def count(self, whole: int, least: int) -> int:
        return max(least, round(whole * self.scale))

    @property
    def core_patients(self) -> tuple[people.Person, ...]:
        return people.core_patients(self.seed, self.count(_CORE_PATIENTS, 20))

    @property
    def community_patients(self) -> tuple[people.Person, ...]:
        counts = self.count(_COMMUNITY_PATIENTS, 20), self.count(_CORE_PATIENTS, 20)
        return people.community_patients(self.seed, *counts)

    @property
    def core_staff(self) -> staff.Staff:
        return staff.core_staff(self.seed, self.scale)

    @property
    def community_staff(self) -> staff.Staff:
        return staff.community_staff(self.seed, self.scale)

    @property
    def days(self) -> list[date]:
        return [self.today + timedelta(days=n) for n in range(-DAYS_BACK, DAYS_AHEAD + 1)]


# --- what is in each file -------------------------------------------------------------------------

_Day = Callable[[sqlite3.Connection, _Plan, date], None]


def _write_core(connection: sqlite3.Connection, plan: _Plan) -> None:
    core_clinic.make_tables(connection)
    core_clinic.write_codes(connection, plan.core_staff)
    core_orders.write_items(connection)
    core_clinic.write_patients(connection, plan.core_patients, plan.today)
    _write_days(connection, plan, _extend_core, plan.days, "hx 号源 number sources")
    count = plan.count(_CORE_TESTS, 30)
    random = Random(f"{plan.seed}/lab/hx")
    tests = lab_tests(random, plan.core_patients, plan.core_staff, count, plan.today)
    for done in _progress_of(plan, "hx 检验 lab tests", count):
        core_lab.write_lab_tests(connection, islice(tests, done))
    core_exams.write_exams(
        connection,
        plan.seed,
        plan.core_staff,
        plan.core_patients,
        plan.count(_CORE_EXAMS, 10),
        plan.today,
    )


def _write_community_his(connection: sqlite3.Connection, plan: _Plan) -> None:
    community_clinic.make_tables(connection)
    community_clinic.write_codes(connection, plan.community_staff)
    community_clinic.write_patients(connection, plan.community_patients)
    _write_days(connection, plan, _extend_community_his, plan.days, "sq 号源 number sources")


def _write_community_lis(connection: sqlite3.Connection, plan: _Plan) -> None:
    community_lis.make_tables(connection)
    community_lis.write_codes(connection, plan.community_staff)
    count = plan.count(_COMMUNITY_TESTS, 30)
    random = Random(f"{plan.seed}/lab/sq")
    tests = lab_tests(random, plan.community_patients, plan.community_staff, count, plan.today)
    for done in _progress_of(plan, "sq 检验 lab tests", count):
        community_lis.write_lab_tests(connection, islice(tests, done))


def _extend_core(connection: sqlite3.Connection, plan: _Plan, day: date) -> None:
    core_clinic.write_day(connection, plan.seed, plan.core_staff, plan.core_patients, day)


def _extend_community_his(connection: sqlite3.Connection, plan: _Plan, day: date) -> None:
    community_clinic.write_day(
        connection, plan.seed, plan.community_staff, plan.community_patients, day
    )


def _write_days(
    connection: sqlite3.Connection, plan: _Plan, write: _Day, days: list[date], label: str
) -> None:
    for done, day in enumerate(days, 1):
        write(connection, plan, day)
        connection.execute("INSERT INTO YILIAN_DEMO_DAY (DAY) VALUES (?)", (day.isoformat(),))
        plan.progress(label, done, len(days))


def _progress_of(plan: _Plan, label: str, total: int) -> Iterator[int]:
    """Sizes of the portions that make ``total``, telling of each when it is done."""
    for done in range(0, total, _CHUNK):
        yield min(_CHUNK, total - done)
        plan.progress(label, min(done + _CHUNK, total), total)


# --- making, keeping, extending -------------------------------------------------------------------


def _make(file: Path, plan: _Plan, write: Callable[[sqlite3.Connection, _Plan], None]) -> None:
    temporary = file.with_name(f"{file.name}.building-{os.getpid()}")
    with closing(sqlite3.connect(temporary)) as connection:
        # Nothing of it counts before the rename, so nothing has to be safe before that.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        connection.execute("CREATE TABLE YILIAN_DEMO (SEED TEXT, SCALE REAL, VERSION INTEGER)")
        connection.execute("CREATE TABLE YILIAN_DEMO_DAY (DAY TEXT PRIMARY KEY)")
        write(connection, plan)
        connection.execute("INSERT INTO YILIAN_DEMO VALUES (?, ?, ?)", _mark(plan))
        connection.commit()
        connection.execute("PRAGMA optimize")
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(file)


def _mark(plan: _Plan) -> tuple[str, float, int]:
    return str(plan.seed), plan.scale, VERSION


def _fits(file: Path, plan: _Plan) -> bool:
    """Whether the file was made for the same seed, scale and version; False also for a file
    that is no database, or no demo's."""
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            row = connection.execute("SELECT SEED, SCALE, VERSION FROM YILIAN_DEMO").fetchone()
        except sqlite3.DatabaseError:
            return False
    return row is not None and tuple(row) == _mark(plan)


def _extended(file: Path, plan: _Plan, write: _Day) -> bool:
    """Add the days that are missing, in one transaction. A node may be reading meanwhile."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        there = {row[0] for row in connection.execute("SELECT DAY FROM YILIAN_DEMO_DAY")}
        missing = [day for day in plan.days if day.isoformat() not in there]
        _write_days(connection, plan, write, missing, f"{file.stem} 号源 number sources")
    return bool(missing)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The folder to oneself. The lock goes with the process, however that ends."""
    with (folder / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
