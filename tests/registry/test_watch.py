"""The long poll, on the wire: told at once, in order, once; bounded; put back; 1,000 at a time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from registry_server import PASSWORDS, Running, config, running, service_wsdl

from registry.living_client import LivingClient
from registry.model import LangText, TModel
from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from yilian.bindings import RegistryBindings

LONG = 60.0  # far longer than any of these tests takes


def client(registry: Running) -> LivingClient:
    return LivingClient(registry.url, timeout=30)


def publish(registry: Running, code: str = "hx", name: str = "LabResults", port: int = 8082):
    path = f"/{code}/{name}"
    entry = ServiceEntry(
        name, service_wsdl(name), f"http://gateway:8080{path}", f"http://{code}-node:{port}{path}"
    )
    hospital = HospitalEntry(code, "医院")
    return publish_node(registry.client(), "admin", PASSWORDS["admin"], hospital, [entry])


def save_tmodel(registry: Running, name: str = "一") -> None:
    one = registry.client()
    one.save_tmodels(registry.token("admin"), [TModel(name=LangText(name))])


def test_who_waits_is_told_of_the_next_change_at_once(registry: Running) -> None:
    now = client(registry).snapshot()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client(registry).watch, now.index, now.epoch, LONG)
        until_waiting(registry, now.index)
        save_tmodel(registry)
        news = waiting.result(30)
    assert [(change.action, change.kind) for change in news.changes] == [("save", "tmodel")]
    assert news.changes[0].publisher == "admin"
    assert news.index == now.index + 1
    assert not news.reset


def until_waiting(registry: Running, index: int) -> None:
    """A request that was sent has surely arrived: another one, sent later, has been answered."""
    client(registry).watch(index, "", 0)


def test_no_change_is_missed_or_told_twice_while_somebody_writes(registry: Running) -> None:
    begun = client(registry).snapshot()
    writer = threading.Thread(target=lambda: [save_tmodel(registry, str(n)) for n in range(30)])
    writer.start()
    seen: list[int] = []
    index, epoch = begun.index, begun.epoch
    while len(seen) < 30:
        news = client(registry).watch(index, epoch, 20)
        assert not news.reset
        seen += [change.index for change in news.changes]
        index = news.index
    writer.join()
    assert seen == list(range(begun.index + 1, begun.index + 31))


def test_nothing_new_is_an_answer_when_the_time_is_up(registry: Running) -> None:
    now = client(registry).snapshot()
    news = client(registry).watch(now.index, now.epoch, 0.05)
    assert (news.changes, news.index, news.reset) == ((), now.index, False)


@pytest.mark.parametrize("behind", ["index=999999999", "index=0&epoch=another", ""])
def test_an_index_of_another_database_is_told_to_begin_anew(registry: Running, behind) -> None:
    publish(registry)
    begun = time.monotonic()
    answer = json.loads(registry.send("GET", f"/watch?wait=250s&{behind}").body)
    assert answer["reset"]
    assert answer["changes"] == []
    assert answer["index"] == client(registry).snapshot().index
    assert time.monotonic() - begun < 200, "who must begin anew does not wait"


@pytest.mark.parametrize("query", ["index=x", "index=-1", "index=1&wait=soon", "index=1&wait=-1"])
def test_nonsense_is_refused(registry: Running, query: str) -> None:
    reply = registry.send("GET", f"/watch?{query}")
    assert reply.status == 400
    assert json.loads(reply.body)["error"]["code"] == "fatalError"


def test_a_restart_and_a_backup_that_is_put_back_are_noticed(tmp_path: Path, sqlite: None) -> None:
    with running(config(tmp_path)) as registry:
        publish(registry)
        before = client(registry).snapshot()
        with sqlite3.connect(tmp_path / "registry.db") as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        backup = (tmp_path / "registry.db").read_bytes()
        publish(registry, "sq")
        later = client(registry).snapshot()
        assert later.epoch == before.epoch
    for file in tmp_path.glob("registry.db*"):
        file.unlink()
    (tmp_path / "registry.db").write_bytes(backup)
    with running(config(tmp_path)) as registry:
        news = client(registry).watch(later.index, later.epoch, LONG)
        assert news.reset
        assert news.epoch != later.epoch
        assert {one.hospital for one in client(registry).snapshot().bindings} == {"hx"}


def test_more_waiters_than_there_is_room_for_are_told_to_come_later(tmp_path: Path) -> None:
    with running(config(tmp_path, watch={"waiters": 2})) as registry:
        now = client(registry).snapshot()
        path = f"/watch?index={now.index}&epoch={now.epoch}&wait="
        with ThreadPoolExecutor(3) as pool:
            replies = [pool.submit(registry.send, "GET", path + "3s") for _ in range(3)]
            statuses = sorted(reply.result(30).status for reply in replies)
        assert statuses == [200, 200, 503]
        busy = next(r.result() for r in replies if r.result().status == 503)
        assert busy.headers["retry-after"] == "5"


def test_a_watcher_that_goes_away_gives_its_place_back(tmp_path: Path) -> None:
    with running(config(tmp_path, watch={"waiters": 1})) as registry:
        now = client(registry).snapshot()

        async def come_and_go() -> None:
            _, writer = await asyncio.open_connection(registry.host, registry.port)
            writer.write(
                f"GET /watch?index={now.index}&wait=60s HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.close()

        for _ in range(20):
            asyncio.run(come_and_go())
        deadline = time.monotonic() + 30
        while registry.send("GET", f"/watch?index={now.index}&wait=10ms").status != 200:
            assert time.monotonic() < deadline


def test_a_thousand_watchers_are_all_told_and_publishing_goes_on(registry: Running) -> None:
    now = client(registry).snapshot()

    async def watch() -> dict:
        reader, writer = await asyncio.open_connection(registry.host, registry.port)
        query = f"/watch?index={now.index}&epoch={now.epoch}&wait=60s"
        writer.write(f"GET {query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        return json.loads(body)

    async def everybody() -> list[dict]:
        watchers = [asyncio.create_task(watch()) for _ in range(1000)]
        await asyncio.sleep(0)
        await asyncio.to_thread(publish, registry)
        return await asyncio.gather(*watchers)

    answers = asyncio.run(asyncio.wait_for(everybody(), 100))
    assert all(answer["changes"] for answer in answers)
    assert all(answer["changes"][0]["index"] == now.index + 1 for answer in answers)


def test_bindings_in_pages_and_by_hospital(registry: Running, monkeypatch) -> None:
    monkeypatch.setattr("registry.watch_api.HOSPITALS", 3)
    for number in range(7):
        publish(registry, f"h{number}")
    everything = client(registry).snapshot()
    assert {one.hospital for one in everything.bindings} == {f"h{n}" for n in range(7)}
    some = client(registry).snapshot(["h3", "H5", "zz"])
    assert {one.hospital for one in some.bindings} == {"h3", "h5"}
    assert set(everything.bindings) == set(registry.client().bindings())


def test_a_gateway_reads_again_what_changed_and_nothing_else(registry: Running, monkeypatch):
    for code in ("hx", "sq", "h1"):
        publish(registry, code)
    bindings = RegistryBindings(registry.url)
    assert {one.hospital for one in bindings()} == {"hx", "sq", "h1"}
    asked: list[list[str]] = []
    snapshot = LivingClient.snapshot

    def noted(self, hospitals=()):
        asked.append(list(hospitals))
        return snapshot(self, hospitals)

    monkeypatch.setattr(LivingClient, "snapshot", noted)
    bindings()
    assert asked == []
    publish(registry, "sq", port=9000)
    bindings.wait(LONG)
    moved = {one.hospital: one.access_point for one in bindings()}
    assert moved["sq"] == "http://sq-node:9000/sq/LabResults"
    assert set(moved) == {"hx", "sq", "h1"}
    assert asked == [["sq"]]
    client_, token = registry.client(), registry.token("admin")
    client_.delete_businesses(token, ["uddi:yilian:hospital:h1"])
    bindings.wait(LONG)
    assert {one.hospital for one in bindings()} == {"hx", "sq"}


def test_history_says_who_changed_what_and_when(registry: Running) -> None:
    before = time.time() * 1000
    publish(registry)
    lines = client(registry).history("uddi:yilian:hospital:hx")
    assert [(line.publisher, line.action, line.kind) for line in lines] == [
        ("admin", "save", "business")
    ]
    assert before - 1000 <= lines[0].moment <= time.time() * 1000 + 1000
    every = client(registry).history(limit=2)
    assert len(every) == 2
    assert every[0].index > every[1].index
