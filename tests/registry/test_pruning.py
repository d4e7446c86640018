"""The change log's beginning is dropped when it is old, and never what somebody still needs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from registry_server import config, running
from sqlalchemy import select, update

from registry import pruning, subscriptions
from registry.changes import change
from registry.housekeeping import Housekeeping
from registry.lease_sweep import LeaseSweep
from registry.leases import Leases
from registry.lived_time import LivedTime
from registry.living_client import LivingClient
from registry.model import LangText, TModel
from registry.pruning import prune
from registry.store import Store
from registry.subscriptions import Subscription

DAY = 24 * 3600 * 1000
#: later than anything that these tests write
LATER = int(time.time() * 1000) + 1000 * DAY


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    made = Store(store_url)
    written(made, 10)
    yield made
    made.close()


def written(store: Store, count: int) -> None:
    for number in range(count):
        store.save("hx", [TModel(name=LangText(f"t{number}"))])


def indexes(store: Store) -> list[int]:
    with store.engine.connect() as connection:
        return list(connection.execute(select(change.c.index).order_by(change.c.index)).scalars())


def pruned(store: Store, before: int = LATER, now: int = LATER) -> int:
    return store.write(lambda connection: prune(connection, before, now))


def date(store: Store, moments: dict[int, int]) -> None:
    def work(connection):
        for index, moment in moments.items():
            connection.execute(update(change).where(change.c.index == index).values(moment=moment))

    store.write(work)


def test_the_oldest_go_and_the_last_one_stays(store):
    assert pruned(store) == 9
    assert indexes(store) == [10] and store.last_index() == 10
    assert pruned(store) == 0
    written(store, 1)
    assert indexes(store) == [10, 11], "numbers go on where they were"


def test_what_is_not_old_stays(store):
    date(store, {1: 1, 2: 2, 3: 3})
    assert pruned(store, before=3) == 2
    assert indexes(store) == list(range(3, 11))


def test_only_the_beginning_goes_where_a_clock_was_set_back(store):
    date(store, {1: 1, 2: LATER, 3: 1, 4: 1})
    assert pruned(store, before=LATER) == 1
    assert indexes(store) == list(range(2, 11)), "no gaps"


def test_one_round_is_short_and_the_next_goes_on(store, monkeypatch):
    monkeypatch.setattr(pruning, "AT_ONCE", 4)
    assert [pruned(store) for _ in range(4)] == [4, 4, 1, 0]


@pytest.mark.parametrize(
    ("seen", "told", "listens", "kept"),
    [(3, 0, False, 4), (3, 6, True, 4), (7, 5, True, 6), (9, 9, True, 10)],
)
def test_what_a_subscription_is_still_to_be_told_of_stays(store, seen, told, listens, kept):
    due = 0 if listens else None
    one = Subscription("uddi:one", "hx", "<a/>", LATER, seen, 0, told, due, 0)
    store.write(lambda connection: subscriptions.put(connection, one, 0))
    pruned(store, now=LATER - 1)
    assert indexes(store) == list(range(kept, 11))
    pruned(store, now=LATER)
    assert indexes(store) == [10], "it has expired"
    other = replace(one, key="uddi:other", expires=LATER + 1, seen=10, told_index=10)
    store.write(lambda connection: subscriptions.put(connection, other, LATER))
    written(store, 3)
    pruned(store)
    assert indexes(store) == [11, 12, 13]


def test_the_registry_does_so_by_itself(store):
    date(store, dict.fromkeys(range(1, 6), 1))
    lived = LivedTime(store.engine)
    sweep = LeaseSweep(store, lived, Leases(store, lived, seconds=60))
    Housekeeping(store, lived, sweep, keep_days=30).once()
    assert indexes(store) == list(range(6, 11))


def test_a_watcher_from_before_is_told_to_begin_anew(tmp_path: Path, store, store_url):
    pruned(store)
    with running(config(tmp_path)) as registry:
        client = LivingClient(registry.url, timeout=30)
        answer = client.watch(3, "", 30)
        assert answer.reset and answer.index == 10 and not answer.changes
        written(store, 1)
        news = client.watch(10, "", 60)
        assert not news.reset and [one.index for one in news.changes] == [11]


def test_keep_days_is_checked():
    from pydantic import ValidationError

    from registry.config import RegistryConfig

    assert RegistryConfig().changes.keep_days == 366
    assert RegistryConfig.model_validate({"changes": {"keep_days": 30}}).changes.keep_days == 30
    with pytest.raises(ValidationError, match="keep_days"):
        RegistryConfig.model_validate({"changes": {"keep_days": 0}})
