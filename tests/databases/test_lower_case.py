"""A HIS whose tables were created without quotes, and so are in lower case: the same operations
over them, and the tables of ours beside them in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from adapters.ledger import REQUEST
from adapters.spelling import tables_of
from services.faults import Conflict, SourceError
from tests.databases.targets import TARGETS, Target
from tests.writes_once.hospital import DAY, FEES, Hospital, hospital, patient_id

ADAPTERS = ("junwei", "bsoft")
#: the database's own list of its tables
NAMES = {
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "mariadb": "SELECT table_name FROM information_schema.tables WHERE table_schema = '{}'",
}


@pytest.fixture(params=[(t, a) for t in TARGETS for a in ADAPTERS], ids="-".join)
def his(request: pytest.FixtureRequest) -> Iterator[tuple[Hospital, Any]]:
    """The hospital, and the names of its tables as a function."""
    drivername, adapter = request.param
    target = Target(drivername)
    database = target.server.database()
    query = NAMES[drivername.partition("+")[0]].format(database)

    def names() -> set[str]:
        connection = target.server.administrator(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return {row[0] for row in cursor.fetchall()}
        finally:
            connection.close()

    url = target.url(database).render_as_string(hide_password=False)
    with hospital(adapter, url, lower=True) as made:
        yield made, names


@pytest.mark.full
def test_a_life_in_lower_case(his: tuple[Hospital, Any]) -> None:
    made, names = his
    assert names() and all(name == name.lower() for name in names())
    for node in (made.open(datetime.now), made.open(datetime.now)):  # the second finds our tables
        node.check()
        node.housekeeping()
    (slot,) = node.QueryNumberSource(DAY)
    assert (slot.ScheduleId, slot.Remaining) == (made.session, 10)
    record = node.Register("r1", made.session, patient_id(1), "WX", Decimal(FEES))
    assert node.Register("r1", made.session, patient_id(1), "WX", Decimal(FEES)) == record
    assert (record.State, record.SequenceNo) == ("R", 1)
    with pytest.raises(Conflict):
        node.Register("r2", made.session, patient_id(1))
    lock = node.LockNumber("r3", made.session, patient_id(2))
    assert node.ReleaseLock("r4", lock.LockId).State == "X"
    assert node.ListRegistrations(patient_id(1)) == [record]
    assert node.GetPatient(patient_id(1)).Name == "病人1"
    assert node.CancelRegistration("r5", record.RegistrationId, "行程有变").State == "C"
    assert (made.counters()[0], made.visits()) == (0, 0)
    assert node.ListStopNotices(DAY) == []
    assert all(name == name.lower() for name in names())
    assert {"yilian_request", "yilian_registration"} <= names()
    with made.engine.connect() as connection:
        assert len(connection.execute(select(REQUEST.c.REQUEST_ID)).all()) == 4


@pytest.mark.full
@pytest.mark.parametrize("drivername", ["postgresql+psycopg", "postgresql+pyodbc"])
def test_a_database_without_the_tables_says_which_is_missing(drivername: str) -> None:
    target = Target(drivername)
    url = target.url(target.server.database()).render_as_string(hide_password=False)
    with hospital("bsoft", url, lower=True) as made:
        made.engine.dispose()
        target.server.do("DROP TABLE ms_yspb", database=target_name(url))
        node = made.open()
        with pytest.raises(SourceError, match="ms_yspb"):
            node.check()


def target_name(url: str) -> str:
    return url.rpartition("/")[2]


def test_the_tables_that_are_asked_for() -> None:
    from adapters.columns import Statement
    from adapters.junwei import tables as j

    statements: list[Statement] = [
        select(j.CLINIC_MASTER.c.PATIENT_ID),
        select(j.DEPT_DICT.c.DEPT_CODE).join_from(
            j.DEPT_DICT, j.CLINIC_INDEX, j.DEPT_DICT.c.DEPT_CODE == j.CLINIC_INDEX.c.CLINIC_DEPT
        ),
    ]
    assert tables_of(statements) == {"CLINIC_MASTER", "DEPT_DICT", "CLINIC_INDEX"}
