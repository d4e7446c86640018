"""The change log: every change once, in an order that no reader can see with a gap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from registry.changes import Entry, record
from registry.model import BindingTemplate, BusinessEntity, BusinessService, LangText, TModel
from registry.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    made = Store(store_url)
    yield made
    made.close()


def business(number: int = 0, services: int = 2) -> BusinessEntity:
    return BusinessEntity(
        key=f"uddi:yilian:b{number}",
        names=(LangText(f"医院{number}"),),
        services=tuple(
            BusinessService(
                key=f"uddi:yilian:b{number}:s{each}",
                names=(LangText(f"服务{each}"),),
                bindings=(BindingTemplate(key=f"uddi:yilian:b{number}:s{each}:x"),),
            )
            for each in range(services)
        ),
    )


def told(store: Store, after: int = 0) -> list[tuple[str, str, str]]:
    return [
        (c.action, c.kind, c.key.removeprefix("uddi:yilian:")) for c in store.changes(after, 1000)
    ]


def test_a_new_registry_has_changed_nothing(store):
    assert (store.last_index(), store.changes(0, 10)) == (0, [])


def test_every_entity_saved_or_gone_is_a_line(store):
    store.save("hx", [business()])
    assert told(store) == [
        ("save", "business", "b0"),
        ("save", "service", "b0:s0"),
        ("save", "binding", "b0:s0:x"),
        ("save", "service", "b0:s1"),
        ("save", "binding", "b0:s1:x"),
    ]
    assert [c.index for c in store.changes(0, 10)] == [1, 2, 3, 4, 5]
    assert {c.publisher for c in store.changes(0, 10)} == {"hx"}
    assert store.last_index() == 5

    store.save("hx", [business(services=1)])
    assert told(store, 5) == [
        ("delete", "binding", "b0:s1:x"),
        ("delete", "service", "b0:s1"),
        ("save", "business", "b0"),
    ]
    store.delete("hx", "business", ["uddi:yilian:b0"])
    assert told(store, 8) == [
        ("delete", "binding", "b0:s0:x"),
        ("delete", "service", "b0:s0"),
        ("delete", "business", "b0"),
    ]


def test_what_is_gone_is_kept_as_it_last_stood(store):
    store.save("hx", [business()])
    store.delete("hx", "service", ["uddi:yilian:b0:s1"])
    binding, service = store.changes(5, 10)
    assert (binding.parent_key, service.parent_key) == ("uddi:yilian:b0:s1", "uddi:yilian:b0")
    assert service.content is not None and "服务1" in service.content
    assert all(c.content is None for c in store.changes(0, 5))


def test_a_deleted_tmodel_is_hidden(store):
    store.save("hx", [TModel(key="uddi:yilian:t", name=LangText("t"))])
    store.delete("hx", "tmodel", ["uddi:yilian:t"])
    assert told(store) == [("save", "tmodel", "t"), ("hide", "tmodel", "t")]


def test_a_changed_child_alone_is_told_with_its_parent(store):
    saved = store.save("hx", [business()])[0]
    second = replace(saved.services[1], names=(LangText("别的"),))
    store.save("hx", [replace(saved, services=(saved.services[0], second))])
    assert told(store, 5) == [("save", "business", "b0"), ("save", "service", "b0:s1")]


def test_what_failed_is_not_told(store):
    store.save("hx", [business()])
    with pytest.raises(Exception, match="userMismatch"):
        store.save("sq", [business(1), business(0)])
    assert store.last_index() == 5
    store.save("sq", [business(1)])
    assert [c.index for c in store.changes(5, 1)] == [6]


def test_the_history_of_an_entity_is_told_newest_first(store):
    store.save("hx", [business(), business(1)])
    store.delete("hx", "business", ["uddi:yilian:b0"])
    history = store.changes_of(["uddi:yilian:b0"], 10)
    assert [c.action for c in history] == ["delete", "save"]


def test_a_number_is_visible_only_after_all_before_it(store, store_url):
    """The first transaction has its number and does not commit; the second, which would have the
    next one, cannot commit before it, so that nobody can read 2 without 1."""
    other = Store(store_url)
    has_number, may_commit, second_done = (threading.Event() for _ in range(3))

    def first(connection):
        assert record(connection, "hx", [Entry("save", "business", "first")]) == 1
        has_number.set()
        assert may_commit.wait(60)

    def second(connection):
        record(connection, "sq", [Entry("save", "business", "second")])

    def write_second():
        other.write(second)
        second_done.set()

    threads = [
        threading.Thread(target=store.write, args=(first,)),
        threading.Thread(target=write_second),
    ]
    try:
        threads[0].start()
        assert has_number.wait(60)
        threads[1].start()
        assert not second_done.wait(0.3)
        assert (other.last_index(), other.changes(0, 10)) == (0, [])
    finally:
        may_commit.set()
        for thread in threads:
            thread.join(60)
    assert [(c.index, c.key) for c in store.changes(0, 10)] == [(1, "first"), (2, "second")]
    other.close()


def test_a_reader_beside_many_writers_skips_nothing(store, store_url):
    writers, saves = 6, 15
    stores = [store, Store(store_url)]
    failures: list[BaseException] = []
    over = threading.Event()
    seen: list[int] = []

    def write(number: int) -> None:
        try:
            for turn in range(saves):
                entities = business(number, services=turn % 3)
                stores[number % 2].save(f"p{number}", [entities])
        except BaseException as failure:
            failures.append(failure)

    def read() -> None:
        while not over.is_set() or stores[1].last_index() > len(seen):
            seen.extend(c.index for c in stores[1].changes(len(seen), 7))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    reader = threading.Thread(target=read)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join(100)
    over.set()
    reader.join(100)
    assert not failures
    assert seen == list(range(1, store.last_index() + 1))
    tops = [c for c in store.changes(0, 100_000) if c.kind == "business"]
    assert len(tops) == writers * saves
    stores[1].close()


# --- being told ------------------------------------------------------------------------------


def test_a_subscriber_is_told_after_the_commit(store):
    told: list[tuple[int, int]] = []
    end = store.subscribe(lambda last: told.append((last, store.last_index())))
    store.save("hx", [business()])
    assert told == [(5, 5)]
    end()
    store.save("hx", [business(1)])
    assert told == [(5, 5)]


def test_a_subscriber_hears_of_another_registry_on_the_same_database(store, store_url):
    heard = threading.Event()
    store.subscribe(lambda _last: heard.set())
    other = Store(store_url)
    other.save("hx", [business()])
    assert heard.wait(30)
    other.close()


def test_a_subscriber_that_fails_harms_nobody(store):
    def fail(_last: int) -> None:
        raise RuntimeError("a mistake")

    told: list[int] = []
    store.subscribe(fail)
    store.subscribe(told.append)
    store.save("hx", [business()])
    store.save("hx", [business(1)])
    assert told == [5, 10]


def test_nobody_is_told_of_what_was_rolled_back_or_only_read(store):
    told: list[int] = []
    store.subscribe(told.append)
    with pytest.raises(Exception, match="invalidKeyPassed"):
        store.delete("hx", "business", ["uddi:yilian:none"])
    store.get("tmodel", ["uddi:uddi.org:wsdl:types"])
    assert told == []
