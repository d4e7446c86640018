"""What a registry's database meets in the field: locks, a full disk, a crowd, a second registry."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from registry_server import Running, config, running
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

import registry.tables
from registry.errors import UddiError
from registry.model import BusinessEntity, BusinessService, Find, LangText, TModel
from registry.store import Store

EVERY = Find(qualifiers=("approximateMatch",), names=(LangText("%"),))
CROWD = 100


def business(name: str, services: int = 3) -> BusinessEntity:
    return BusinessEntity(
        names=(LangText(name),),
        services=tuple(BusinessService(names=(LangText(f"服务{n}"),)) for n in range(services)),
    )


def hold_a_lock(url: str) -> Engine:
    """Somebody else's transaction that has changed something and does not end; disposing of the
    engine ends it."""
    engine = create_engine(url)
    connection = engine.connect()
    if engine.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    connection.execute(text("UPDATE change_head SET last = last"))
    engine.held = connection  # type: ignore[attr-defined]
    return engine


def test_a_lock_that_somebody_keeps_is_busy_and_finds_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.tables, "LOCK_MILLISECONDS", 300)
    settings = config(tmp_path)
    with running(settings) as server:
        client, token = server.client(), server.token()
        client.save_businesses(token, [business("先来的")])
        held = hold_a_lock(settings.store.url)
        try:
            with pytest.raises(UddiError, match=r"E_busy \(10400\): .*数据库忙.*try again later"):
                client.save_businesses(token, [business("等锁的")])
            assert len(client.find_business(EVERY)) == 1
            assert server.send("GET", "/health").status == 200
        finally:
            held.held.invalidate()  # type: ignore[attr-defined]
            held.dispose()
        client.save_businesses(token, [business("后来的")])
        assert len(client.find_business(EVERY)) == 2


def test_callers_outwait_a_lock() -> None:
    """Who asks is told that the database is busy before its own patience ends."""
    assert registry.tables.LOCK_MILLISECONDS <= 5_000


def test_a_full_disk_saves_nothing_by_halves_and_loses_nothing(
    tmp_path: Path, sqlite: None
) -> None:
    """SQLite's own limit of pages is met in the same place, and told in the same way, as the
    end of the disk."""
    limit = [0]

    def bounded(connection: object, _record: object) -> None:
        if limit[0]:
            connection.execute(f"PRAGMA max_page_count = {limit[0]}")  # type: ignore[attr-defined]

    event.listen(Engine, "connect", bounded)
    settings = config(tmp_path)
    saved = 0
    try:
        store = Store(settings.store.url)
        with store.engine.connect() as connection:
            pages = connection.execute(text("PRAGMA page_count")).scalar()
        store.close()
        limit[0] = int(str(pages)) + 60
        with running(settings) as server:
            client, token = server.client(), server.token()
            with pytest.raises(UddiError, match=r"E_fatalError.*磁盘已满.*disk is full"):
                for number in range(200):
                    client.save_businesses(token, [business(f"医院{number}", 40)])
                    saved += 1
            assert saved > 0
            assert len(client.find_business(EVERY)) == saved
    finally:
        event.remove(Engine, "connect", bounded)
    with running(settings) as server:
        client = server.client()
        there = client.get_business_detail(client.find_business(EVERY))
        assert len(there) == saved
        assert {len(one.services) for one in there} == {40}
        client.save_businesses(server.token(), [business("又有地方了", 40)])
    store = Store(settings.store.url)
    assert len(store.changes(0, 100_000)) == store.last_index() == (saved + 1) * 41
    with store.engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    store.close()


def test_a_hundred_publishers_at_one_time(registry: Running, tmp_path: Path) -> None:
    token = registry.token("admin")
    together = threading.Barrier(CROWD)

    def publish(number: int) -> str:
        client = registry.client()
        client.timeout = 100
        together.wait(60)
        return client.save_businesses(token, [business(f"医院{number}")])[0].key

    with ThreadPoolExecutor(CROWD) as crowd:
        keys = list(crowd.map(publish, range(CROWD)))
    assert len(set(keys)) == CROWD
    client = registry.client()
    assert sorted(client.find_business(EVERY)) == sorted(keys)
    store = Store(config(tmp_path).store.url)
    log = store.changes(0, 100_000)
    store.close()
    assert [change.index for change in log] == list(range(1, CROWD * 4 + 1))
    # One publisher's entities stand together: nobody's transaction came in between.
    for first in range(0, len(log), 4):
        assert [c.kind for c in log[first : first + 4]] == ["business", *["service"] * 3]


def test_two_registries_on_one_database(tmp_path: Path) -> None:
    settings = config(tmp_path)
    with running(settings) as one, running(settings) as other:
        token = one.token()
        saved = one.client().save_businesses(token, [business("一家")])[0]
        # A token of one is a token of the other.
        renamed = BusinessEntity(saved.key, (LangText("改了名"),))
        other.client().save_businesses(token, [renamed])
        assert one.client().get_business_detail([saved.key])[0].names[0].value == "改了名"
        assert one.client().find_business(Find(names=(LangText("一家"),))) == []

        # Both are asked for the same new key at once: it goes to one of them.
        together = threading.Barrier(2)
        tokens = {"hx": one.token("hx"), "sq": other.token("sq")}

        def claim(server: Running, user: str, number: int) -> str:
            together.wait(60)
            tmodel = TModel(f"uddi:yilian:claimed:{number}", LangText(user))
            try:
                server.client().save_tmodels(tokens[user], [tmodel])
            except UddiError as error:
                return error.code
            return "saved"

        for number in range(5):
            with ThreadPoolExecutor(2) as pool:
                claims = [
                    pool.submit(claim, one, "hx", number),
                    pool.submit(claim, other, "sq", number),
                ]
                assert sorted(each.result() for each in claims) == ["saved", "userMismatch"]
