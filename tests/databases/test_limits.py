"""What bounds a source on real servers: timeouts that fire, hung logins, killed backends."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from adapters.database import Source
from services.faults import (
    Fault,
    ServerFault,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from tests.databases.servers import until
from tests.databases.targets import Target

pytestmark = pytest.mark.full

T = Table(
    "T",
    MetaData(),
    Column("N", Integer, primary_key=True, autoincrement=False),
    Column("NAME", String(50)),
)
#: more than any machine is late, and less than the servers' own limits
SOON = 8.0


@pytest.fixture
def source(target: Target, database: str) -> Iterator[Source]:
    with target.source(
        database, statement_timeout_seconds=1, login_timeout_seconds=2, pool_size=2
    ) as made:
        with made.transaction() as connection:
            T.create(connection, checkfirst=False)
            connection.execute(insert(T).values(N=1, NAME="四变付"))
        yield made


def ask(source: Source, sql: str = "SELECT 1") -> Any:
    with source.connect() as connection:
        return connection.execute(text(sql)).scalar()


def sleeping(target: Target, seconds: int = 60) -> str:
    return f"SELECT pg_sleep({seconds})" if target.is_postgresql else f"SELECT sleep({seconds})"


def endless(target: Target) -> str:
    """Work that is no sleep."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    return f"{numbers} SELECT count(*) FROM n a, n b, n c, n d"


def fault_of(function: Any, *arguments: Any) -> tuple[Fault, float]:
    begin = time.monotonic()
    with pytest.raises(Fault) as caught:
        function(*arguments)
    return caught.value, time.monotonic() - begin


def test_a_statement_ends_in_time(target: Target, source: Source) -> None:
    for sql in (sleeping(target), endless(target)):
        if "sleep" in sql and not target.is_postgresql:
            continue  # MariaDB's sleep() is cut short and answers 1, which is not a fault
        fault, seconds = fault_of(ask, source, sql)
        assert type(fault) is SourceTimeout
        assert seconds < SOON
        assert ask(source) == 1


def test_a_wait_for_a_lock_ends_in_time(target: Target, database: str, source: Source) -> None:
    with target.source(database) as other, other.transaction() as connection:
        connection.execute(update(T).values(NAME="x"))

        def write() -> None:
            with source.transaction() as second:
                second.execute(update(T).values(NAME="y"))

        fault, seconds = fault_of(write)
        assert type(fault) is SourceTimeout and seconds < SOON
    write()


def test_a_server_that_hangs(target: Target, source: Source) -> None:
    """Its sockets are open and nobody answers, neither to statements nor to logins."""
    assert ask(source) == 1
    target.server.send(signal.SIGSTOP)
    try:
        fault, seconds = fault_of(ask, source)  # by the connection that is there
        assert type(fault) is SourceTimeout and seconds < SOON, fault
        fault, seconds = fault_of(ask, source)  # by a new one
        assert type(fault) is SourceUnavailable and seconds < SOON, fault
    finally:
        target.server.send(signal.SIGCONT)
    until(lambda: answers(source))


def test_a_server_that_hangs_in_a_statement(target: Target, source: Source) -> None:
    """The connection is shut from our side, and the caller is told that it took too long."""

    def hang() -> None:
        with source.connect() as connection:
            connection.execute(select(T)).all()
            target.server.send(signal.SIGSTOP)
            connection.execute(select(T)).all()

    try:
        fault, seconds = fault_of(hang)
        assert type(fault) is SourceTimeout and seconds < SOON, fault
    finally:
        target.server.send(signal.SIGCONT)
    until(lambda: answers(source))


def answers(source: Source) -> bool:
    try:
        return bool(ask(source) == 1)
    except ServerFault:
        return False


def test_a_killed_connection(target: Target, source: Source) -> None:
    def killed() -> None:
        with source.connect() as connection:
            connection.execute(select(T)).all()
            target.server.kill_connections()
            until(lambda: target.server.connections() == 0)
            connection.execute(select(T)).all()

    fault, _ = fault_of(killed)
    assert type(fault) is SourceUnavailable, fault
    assert ask(source) == 1
    # Those that wait in the pool are noticed before anybody meets them.
    target.server.kill_connections()
    until(lambda: target.server.connections() == 0)
    for _ in range(4):
        assert ask(source) == 1


def test_a_server_that_went_away_and_came_back(target: Target, source: Source) -> None:
    assert ask(source) == 1
    target.server.stop()
    try:
        for _ in range(3):
            fault, seconds = fault_of(ask, source)
            assert type(fault) is SourceUnavailable and seconds < SOON
    finally:
        target.server.start()
    assert ask(source) == 1


def test_a_cancelled_call_stops_its_statement(target: Target, database: str) -> None:
    with target.source(database, statement_timeout_seconds=600, pool_size=1) as source:

        async def impatient() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await source.run(ask, source=source, sql=endless(target))

        asyncio.run(impatient())
        until(lambda: source.state()["running"] == 0)
        assert not source.state()["failing"]
        assert ask(source) == 1


def test_errors_tell_no_values(source: Source) -> None:
    def twice() -> None:
        with source.transaction() as connection:
            connection.execute(insert(T).values(N=1, NAME="四变付"))

    fault, _ = fault_of(twice)
    assert type(fault) is SourceError and "四变付" not in str(fault) and "1062" not in fault.zh[:9]
    fault, _ = fault_of(ask, source, 'SELECT * FROM "NONE"'.replace('"', ""))
    assert type(fault) is SourceError and "none" in fault.zh.lower()


def test_a_duplicate_key_is_seen_as_one(source: Source) -> None:
    with source.connect() as connection:
        with pytest.raises(IntegrityError):
            connection.execute(insert(T).values(N=1, NAME="x"))
        connection.rollback()
        with connection.begin():
            with pytest.raises(IntegrityError), connection.begin_nested():
                connection.execute(insert(T).values(N=1, NAME="x"))
            connection.execute(insert(T).values(N=2, NAME="y"))
        assert connection.execute(select(T.c.N).order_by(T.c.N)).scalars().all() == [1, 2]


def test_rows_changed_are_counted(source: Source) -> None:
    """MariaDB counts by itself only the rows that became different."""
    with source.transaction() as connection:
        statement = update(T).values(NAME="四变付")
        assert connection.execute(statement.where(T.c.N == 1)).rowcount == 1
        assert connection.execute(statement.where(T.c.N == 9)).rowcount == 0


def test_a_source_that_only_reads_cannot_write(
    target: Target, database: str, source: Source
) -> None:
    with target.source(database, read_only=True) as reader:
        assert ask(reader) == 1

        def write() -> None:
            with reader.transaction() as connection:
                connection.execute(update(T).values(NAME="z"))

        fault, _ = fault_of(write)
        assert type(fault) is SourceError


def test_a_wrong_password_and_a_wrong_database(target: Target, database: str) -> None:
    with target.source("nowhere") as source:
        fault, _ = fault_of(ask, source)
        assert type(fault) is SourceUnavailable and "nowhere" in fault.zh
    wrong = target.url(database).set(password="wrong-secret")
    with target.source(database, url=wrong) as source:
        fault, _ = fault_of(ask, source)
        assert type(fault) is SourceUnavailable and "wrong-secret" not in str(fault)


def test_no_connection_is_left(target: Target, database: str) -> None:
    until(lambda: target.server.connections() == 0)
    with target.source(database, pool_size=3) as source:
        assert ask(source) == 1
        assert 1 <= target.server.connections() <= 3
    until(lambda: target.server.connections() == 0)
