"""The generator: deterministic, whole or not at all, kept, extended, whatever the seed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.columns import gbk_length
from yilian.demo_data import FIRST_PATIENT, DemoHospitals, build
from yilian.demo_data.people import check_digit, identity_number

TODAY = date(2026, 11, 21)
TINY = 0.002


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def everything(made: DemoHospitals) -> list[str]:
    found: list[str] = []
    for file in (made.hx, made.sq_his, made.sq_lis):
        with closing(sqlite3.connect(file)) as connection:
            found += connection.iterdump()
    return found


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> DemoHospitals:
    return build(tmp_path_factory.mktemp("tiny"), today=TODAY, scale=TINY)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHospitals]:
    yield build(tmp_path_factory.mktemp("whole"), today=TODAY)


# --- what there is ----------------------------------------


def test_as_much_as_was_promised(whole: DemoHospitals) -> None:
    def count(file: Path, table: str) -> int:
        return int(rows(file, f"SELECT count(*) FROM {table}")[0][0])

    assert count(whole.hx, "PAT_MASTER_INDEX") >= 5000
    assert count(whole.sq_his, "MS_BRDA") >= 5000
    tests = count(whole.hx, "LAB_TEST_MASTER") + count(whole.sq_lis, "LIS_SAMPLE")
    assert tests >= 50_000
    assert count(whole.hx, "EXAM_MASTER") >= 1000
    assert count(whole.hx, "EXAM_REPORT") >= 500
    tables = rows(whole.hx, "SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name for (name,) in tables if not name.startswith("YILIAN_")} - {"INSURANCE_ACCOUNTS"}
    assert len(names) == 25


def test_every_status_and_null(whole: DemoHospitals) -> None:
    for file, sql in (
        (whole.hx, "SELECT DISTINCT RESULT_STATUS FROM LAB_TEST_MASTER"),
        (whole.sq_lis, "SELECT DISTINCT STATUS FROM LIS_SAMPLE"),
    ):
        assert {status for (status,) in rows(file, sql)} == {*"0123479", None}


def test_awkward_values(whole: DemoHospitals) -> None:
    names = {name for (name,) in rows(whole.hx, "SELECT NAME FROM PAT_MASTER_INDEX")}
    assert {"朱镕喆", "𠮷田花", "张㐂"} <= names
    diagnoses = rows(whole.hx, "SELECT RELEVANT_CLINIC_DIAG FROM LAB_TEST_MASTER")
    texts = {text for (text,) in diagnoses}
    assert None in texts
    assert any("|" in text and "?" in text and "\n" in text for text in texts if text)
    assert any("𠮷" in text for text in texts if text)
    doctors = rows(whole.hx, "SELECT ORDERING_PROVIDER FROM LAB_TEST_MASTER")
    assert any(text.endswith(" ") for (text,) in doctors if text)


def test_a_real_database_could_hold_it(whole: DemoHospitals) -> None:
    """No text is wider than its column, counted in GBK bytes as junwei's are."""
    for file in (whole.hx, whole.sq_his, whole.sq_lis):
        for (table,) in rows(file, "SELECT name FROM sqlite_master WHERE type = 'table'"):
            for _, column, kind, *_ in rows(file, f"PRAGMA table_info({table})"):
                if not kind.startswith("VARCHAR"):
                    continue
                width = int(kind.removeprefix("VARCHAR(").rstrip(")"))
                for (text,) in rows(file, f'SELECT DISTINCT "{column}" FROM {table}'):
                    assert text is None or gbk_length(text) <= width, (table, column, text)


def test_people_are_plausible(whole: DemoHospitals) -> None:
    people = rows(whole.hx, "SELECT NAME, SEX, DATE_OF_BIRTH, ID_NO FROM PAT_MASTER_INDEX")
    for name, sex, birth, id_no in people:
        assert 2 <= len(name) <= 4
        assert len(id_no) == 18
        assert check_digit(id_no[:17]) == id_no[17]
        assert id_no[6:14] == birth[:10].replace("-", "")
        assert (int(id_no[16]) % 2 == 1) == (sex.strip() == "男")
    assert len({id_no for *_, id_no in people}) > 0.99 * len(people)


def test_the_check_digit_of_the_standards_example() -> None:
    assert check_digit("11010519491231002") == "X"
    assert identity_number("440524", date(1880, 1, 1), 1) == "44052418800101001X"[
        :17
    ] + check_digit("44052418800101001")


def test_registrations_are_as_many_as_the_slots_say(whole: DemoHospitals) -> None:
    counted = rows(
        whole.hx,
        "SELECT count(*) FROM CLINIC_FOR_REGIST S WHERE REGISTRATION_NUM <> (SELECT count(*) "
        "FROM CLINIC_MASTER M WHERE M.VISIT_DATE = S.CLINIC_DATE "
        "AND M.CLINIC_LABEL = S.CLINIC_LABEL AND M.VISIT_TIME_DESC = S.TIME_DESC) "
        "AND S.CLINIC_DATE = '2026-11-21 00:00:00'",
    )
    assert counted == [(0,)]


def test_the_hospitals_share_people_under_other_numbers(whole: DemoHospitals) -> None:
    core = dict(rows(whole.hx, "SELECT ID_NO, PATIENT_ID FROM PAT_MASTER_INDEX"))
    community = dict(rows(whole.sq_his, "SELECT SFZH, MZHM FROM MS_BRDA"))
    both = core.keys() & community.keys()
    assert len(both) >= 400
    elsewhere = [id_no for id_no in both if core[id_no] != community[id_no]]
    assert len(elsewhere) == len(both) - 1


# --- whatever the seed ----------------------------------------


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(-(2**70), 2**70),
    today=st.dates(date(2026, 1, 1), date(2035, 12, 31)),
)
def test_whatever_the_seed(
    tmp_path_factory: pytest.TempPathFactory, seed: int, today: date
) -> None:
    made = build(tmp_path_factory.mktemp("any"), seed=seed, today=today, scale=TINY)
    for file, head, results, key, note in (
        (made.hx, "LAB_TEST_MASTER", "LAB_RESULT", "TEST_NO", "RELEVANT_CLINIC_DIAG"),
        (made.sq_lis, "LIS_SAMPLE", "LIS_RESULT", "SAMPLENO", "DIAGNOSE"),
    ):
        core = file == made.hx
        patient = "PATIENT_ID" if core else "PATIENTID"
        status = "RESULT_STATUS" if core else "STATUS"
        second = "NOTES_FOR_SPCM" if core else "SAMPLENOTE"
        confirmed = rows(
            file,
            f"SELECT {note}, {second} FROM {head} H WHERE {patient} = '{FIRST_PATIENT}' "
            f"AND {status} = '4' AND EXISTS (SELECT 1 FROM {results} R WHERE R.{key} = H.{key})",
        )
        assert len(confirmed) >= 5
        assert any(set("|?\n") <= set(a or "") & set(b or "") for a, b in confirmed)
    assert rows(made.sq_his, f"SELECT count(*) FROM MS_BRDA WHERE MZHM = '{FIRST_PATIENT}'") == [
        (1,)
    ]
    days = {day[:10] for (day,) in rows(made.hx, "SELECT CLINIC_DATE FROM CLINIC_FOR_REGIST")}
    wanted = {str(today + timedelta(days=n)) for n in range(-7, 31)}
    assert days == wanted
    assert {day[:10] for (day,) in rows(made.sq_his, "SELECT GZRQ FROM MS_YSPB")} == wanted


# --- kept, extended, whole ----------------------------------------


def test_the_same_seed_and_day_make_the_same_rows(tiny: DemoHospitals, tmp_path: Path) -> None:
    again = build(tmp_path, today=TODAY, scale=TINY)
    assert everything(again) == everything(tiny)
    other = build(tmp_path / "other", today=TODAY, scale=TINY, seed=7)
    assert everything(other) != everything(tiny)


def test_it_is_kept_until_fresh_or_otherwise(tmp_path: Path) -> None:
    first = build(tmp_path, today=TODAY, scale=TINY)
    assert (first.built, first.extended) == (True, False)
    inode = first.hx.stat().st_ino
    second = build(tmp_path, today=TODAY, scale=TINY)
    assert (second.built, second.extended) == (False, False)
    assert second.hx.stat().st_ino == inode
    assert build(tmp_path, today=TODAY, scale=TINY, seed=8).built
    before = everything(build(tmp_path, today=TODAY, scale=TINY))
    assert build(tmp_path, today=TODAY, scale=TINY, seed=8, fresh=True).built
    assert everything(build(tmp_path, today=TODAY, scale=TINY, seed=8)) != before


def test_weeks_later_only_the_days_are_added(tmp_path: Path) -> None:
    build(tmp_path, today=TODAY, scale=TINY)
    later = TODAY + timedelta(days=20)
    kept = build(tmp_path, today=later, scale=TINY)
    assert (kept.built, kept.extended) == (False, True)
    anew = build(tmp_path / "anew", today=later, scale=TINY)
    for name, sql in (
        (
            "hx",
            "SELECT * FROM CLINIC_FOR_REGIST WHERE CLINIC_DATE >= '2026-12-04' ORDER BY 1, 2, 3",
        ),
        ("hx", "SELECT * FROM CLINIC_MASTER WHERE VISIT_DATE >= '2026-12-04' ORDER BY 1, 2"),
        ("sq_his", "SELECT * FROM MS_YSPB WHERE GZRQ >= '2026-12-04' ORDER BY 1, 2, 3, 4"),
    ):
        extended = rows(getattr(kept, name), sql)
        assert extended
        # An added day is what it would have been in a build of its own.
        assert extended == rows(getattr(anew, name), sql)
    assert not build(tmp_path, today=later, scale=TINY).extended


def test_registrations_of_a_kept_hospital_stay(tmp_path: Path) -> None:
    made = build(tmp_path, today=TODAY, scale=TINY)
    with closing(sqlite3.connect(made.hx)) as connection, connection:
        connection.execute("UPDATE CLINIC_FOR_REGIST SET REGISTRATION_NUM = 99")
    build(tmp_path, today=TODAY + timedelta(days=1), scale=TINY)
    numbers = rows(
        made.hx,
        "SELECT DISTINCT REGISTRATION_NUM = 99 FROM CLINIC_FOR_REGIST "
        "WHERE CLINIC_DATE < '2026-12-22'",
    )
    assert numbers == [(1,)]


@pytest.mark.parametrize("content", [b"", b"half a file" * 1000, b"SQLite format 3\0" + b"\0" * 90])
def test_a_file_that_is_no_demo_is_made_anew(tmp_path: Path, content: bytes) -> None:
    for name in ("hx.db", "sq_his.db", "sq_lis.db"):
        (tmp_path / name).write_bytes(content)
    made = build(tmp_path, today=TODAY, scale=TINY)
    assert made.built
    assert rows(made.hx, "PRAGMA integrity_check") == [("ok",)]


def _build_and_stop_at(folder: Path, reached: Any) -> None:
    def progress(label: str, done: int, total: int) -> None:
        if label.startswith("sq"):
            reached.set()
            signal.pause()

    build(folder, today=TODAY, scale=TINY, progress=progress)


def test_a_killed_build_leaves_nothing_that_is_used(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    process = context.Process(target=_build_and_stop_at, args=(tmp_path, reached))
    process.start()
    assert reached.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert (tmp_path / "hx.db").exists()
    assert not (tmp_path / "sq_his.db").exists()
    assert list(tmp_path.glob("*.building-*"))
    made = build(tmp_path, today=TODAY, scale=TINY)
    assert made.built
    assert not list(tmp_path.glob("*.building-*"))
    assert everything(made) == everything(build(tmp_path / "anew", today=TODAY, scale=TINY))


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build(tmp_path, today=TODAY, scale=TINY, progress=lambda *one: told.append(one))
    labels = list(dict.fromkeys(label for label, _, _ in told))
    assert len(labels) == 4
    for label in labels:
        steps = [(done, total) for one, done, total in told if one == label]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


def test_no_registration_was_made_in_the_future(tiny: DemoHospitals) -> None:
    for file, table, column in (
        (tiny.hx, "CLINIC_MASTER", "REGISTERING_DATE"),
        (tiny.sq_his, "MS_GHMX", "CZSJ"),
    ):
        ((latest,),) = rows(file, f"SELECT max({column}) FROM {table}")
        assert latest < f"{TODAY}"
