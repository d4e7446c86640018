"""The health book: what is read is what was written; it stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from stores import BACKENDS, URLS

from registry.health import HealthBook, Result, probe, probe_hour, roll_up
from registry.health_rules import UNKNOWN, Finding, Rules, judged
from registry.store import Store

START = datetime(2026, 11, 21, 8, tzinfo=UTC)


@dataclass
class Book:
    store: Store
    book: HealthBook
    now: datetime

    def probed(self, key: str, ok: bool = True, ms: float = 12.5, fault: str = "") -> None:
        before = self.book.standings().get(key, UNKNOWN)
        finding = Finding(ok, ms, "因", "why")
        moment = int(self.now.timestamp() * 1000)
        standing = judged(before, finding, moment, Rules())
        self.book.record([Result(key, key.rpartition(":")[0], moment, ok, ms, fault, standing)])

    def roll(self) -> None:
        """As housekeeping does, until there is nothing left to do."""
        for _ in range(60):
            self.store.write(lambda c: roll_up(c, int(self.now.timestamp() * 1000)))

    def rows(self, table: object) -> int:
        with self.store.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture(params=BACKENDS)
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Book]:
    store = Store(URLS[request.param](tmp_path))
    made = Book(store, HealthBook(store.engine, stale_seconds=900), START)
    made.book._clock = lambda: made.now.timestamp()
    yield made
    store.close()


def test_what_was_written_is_read(book: Book) -> None:
    book.probed("a")
    book.now += timedelta(seconds=30)
    book.probed("a", False, 3.0, "service: SourceUnavailable")
    health = book.book.of(["a", "b"])
    assert health["b"].state == "unknown"
    assert health["b"].checked is None
    assert health["a"].state == "warning"
    assert health["a"].since == health["a"].checked == book.now
    assert health["a"].latency_ms is None
    first, second = book.book.history("a", START)
    assert (first.ok, first.latency_ms, first.fault) == (True, 12.5, "")
    assert (second.ok, second.fault) == (False, "service: SourceUnavailable")
    assert book.book.history("a", book.now) == [second]


def test_a_service_is_as_the_worst_of_its_bindings(book: Book) -> None:
    failing = {"a:outside": 3, "a:inside": 0, "b:outside": 1, "c:outside": 0, "d:inside": 3}
    for turn in range(3):
        for key, failures in failing.items():
            book.probed(key, ok=turn >= failures)
        book.now += timedelta(seconds=30)
    book.probed("e:outside", False)
    book.probed("e:inside")
    states = {key: one.state for key, one in book.book.of([*failing, "e:outside"]).items()}
    assert states == {
        "a:outside": "critical",
        "a:inside": "passing",
        "b:outside": "passing",
        "c:outside": "passing",
        "d:inside": "critical",
        "e:outside": "warning",
    }
    assert book.book.services() == {"critical": 2, "warning": 1, "passing": 2}
    assert book.book.troubled() == ["d", "a", "e"]
    for _ in range(2):
        book.now += timedelta(seconds=30)
        book.probed("e:outside", False)
    assert book.book.troubled() == ["e", "d", "a"], "the newest first"
    book.now += timedelta(seconds=880)
    assert book.book.services() == {"critical": 1, "unknown": 4}
    assert book.book.troubled() == ["e"]


def test_a_restart_goes_on_where_it_was(book: Book) -> None:
    for _ in range(3):
        book.probed("a", False)
        book.now += timedelta(seconds=30)
    assert book.book.of(["a"])["a"].state == "critical"
    again = HealthBook(book.store.engine).standings()["a"]
    assert (again.state, again.failures, len(again.falls)) == ("critical", 3, 1)


def test_what_was_not_probed_for_long_is_unknown_again(book: Book) -> None:
    book.probed("a")
    book.now += timedelta(seconds=901)
    health = book.book.of(["a"])["a"]
    assert health.state == "unknown"
    assert health.checked == START
    assert book.book.answering(["a"]) == set()


def test_old_probes_become_hours_and_old_hours_go(book: Book) -> None:
    for minute in range(0, 60 * 30, 10):  # 30 hours, every ten minutes
        book.now = START + timedelta(minutes=minute)
        ok = minute % 60 != 50
        book.probed("a", ok, minute % 60, "" if ok else "x")
    book.roll()
    history = book.book.history("a", START)
    hours, single = history[:5], history[5:]
    assert [one.moment for one in hours] == [START + timedelta(hours=n) for n in range(5)]
    assert {one.latency_ms for one in hours} == {25.0}
    assert {(one.ok, one.fault) for one in hours} == {(False, "1/6: x")}
    assert len(single) == 25 * 6
    assert [one.moment for one in history] == sorted(one.moment for one in history)
    book.now += timedelta(days=28)
    book.roll()
    assert book.rows(probe) == 0
    assert book.rows(probe_hour) == 30
    book.now += timedelta(days=4)
    book.roll()
    assert book.rows(probe_hour) == 0


def test_a_clock_that_is_set_back_to_the_same_moment(book: Book) -> None:
    book.probed("a", False, fault="first")
    book.probed("a", True)
    (only,) = book.book.history("a", START)
    assert only.ok


def test_bindings_that_are_gone_are_forgotten(book: Book) -> None:
    book.probed("a")
    assert book.book.forget_gone(["a"]) == ["a"]
    assert book.book.standings() == {}
    assert book.book.history("a", START) == []
