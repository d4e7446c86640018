"""An HTTP source: whatever its server does wrong is a Fault, in time, and holds no thread."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from adapters.http_source import LARGEST
from adapters.orthanc import Orthanc as Archive
from services.faults import (
    Fault,
    Overloaded,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from tests.adapters.orthanc.conftest import Archives
from tests.adapters.orthanc.fake_pacs import (
    Conversation,
    FakePacs,
    Orthanc,
    Talk,
    always,
    dripping,
    fake_pacs,
    http,
    hung,
)

SYSTEM = {"Version": "1.10.1", "DicomAet": "ORTHANC"}


@contextmanager
def asked(talk: Talk, archive: Archives, **config: Any) -> Iterator[tuple[FakePacs, Archive]]:
    with fake_pacs(talk) as pacs:
        made = archive(pacs.url, **config)
        yield pacs, made
        made.source.close()


def wait_until(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.005)


def ran(archive: Archive) -> str:
    async def run() -> str:
        return await archive.source.run(archive.check)

    return asyncio.run(run())


def test_an_answer(archive: Archives) -> None:
    with asked(Orthanc(), archive) as (_, made):
        assert ran(made) == "Orthanc 1.10.1"
        state = made.source.state()
    assert (state["failing"], state["protocol"], state["offers"]) == (False, "http", [])


def test_user_password_and_path_of_the_url(archive: Archives) -> None:
    with fake_pacs(always(http(SYSTEM))) as pacs:
        url = f"http://yilian:p%40ss@127.0.0.1:{pacs.port}/pacs/one"
        archive(url).check()
        ((first, headers, _),) = pacs.requests
    assert first == "GET /pacs/one/system HTTP/1.1"
    assert headers["authorization"] == "Basic eWlsaWFuOnBAc3M="


def test_a_server_that_closes_after_each_answer(archive: Archives) -> None:
    raw = http([], "200 OK", "Connection: close")

    def talk(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(raw)

    with asked(talk, archive) as (pacs, made), made.source.session() as session:
        assert [session.get("/a"), session.get("/b")] == [[], []]
        assert pacs.connections == 2


def test_an_answer_that_ends_with_the_connection(archive: Archives) -> None:
    raw = b'HTTP/1.0 200 OK\r\n\r\n{"Version": "1.10.1", "DicomAet": "ORTHANC"}'

    def talk(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(raw)

    with asked(talk, archive) as (_, made):
        assert ran(made) == "Orthanc 1.10.1"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (http({}, "401 Unauthorized"), SourceError, "401"),
        (http({}, "403 Forbidden"), SourceError, "403"),
        (http({}, "500 Internal Server Error"), SourceError, "500"),
        (http({}, "302 Found", "Location: http://127.0.0.1:1/"), SourceError, "302"),
        (http({}, "502 Bad Gateway"), SourceUnavailable, "502"),
        (http({}, "503 Service Unavailable"), SourceUnavailable, "503"),
        (http({}, "504 Gateway Timeout"), SourceTimeout, "504"),
        (http(b"<html>"), SourceError, "JSON"),
        (http(b"[" * 100_000), SourceError, "JSON"),
        (http(b'{"a": "\xff"}'), SourceError, "JSON"),
        (http([1]), SourceError, "Orthanc"),
        (http({"Version": 3}), SourceError, "Orthanc"),
        (http({}, "404 Not Found"), SourceError, "Orthanc"),
        (http(b" " * (LARGEST + 1)), SourceError, str(LARGEST)),
        (b"220 ftp.example ready\r\n", SourceError, "HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", SourceError, "HTTP"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_answers(archive: Archives, raw: bytes, kind: type[Fault], words: str) -> None:
    with asked(always(raw), archive) as (_, made):
        with pytest.raises(kind, match=words) as caught:
            ran(made)
        assert (caught.value.hospital, caught.value.source) == ("hx", "pacs")
        assert made.source.state()["failing"]


@pytest.mark.parametrize("raw", [b"", http(SYSTEM)[:-5], CHUNKED])
def test_an_answer_that_breaks_off(archive: Archives, raw: bytes) -> None:
    def talk(conversation: Conversation) -> None:
        conversation.request()
        conversation.send(raw)

    with asked(talk, archive) as (_, made), pytest.raises(SourceUnavailable):
        ran(made)


def test_a_server_that_is_not_there(archive: Archives) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceUnavailable, match="refused"):
        ran(archive(f"http://127.0.0.1:{port}"))


def test_tls_where_there_is_none(archive: Archives) -> None:
    def talk(conversation: Conversation) -> None:
        conversation.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with fake_pacs(talk) as pacs:
        made = archive(pacs.url.replace("http", "https"))
        with pytest.raises(SourceUnavailable, match="SSL"):
            ran(made)
        made.source.close()


def never_accepts() -> socket.socket:
    """A port whose queue of connections is full, as behind a gate that drops packets."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    return listener


def test_a_server_that_takes_no_connection(archive: Archives) -> None:
    with never_accepts() as listener:
        address = listener.getsockname()
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(address)
        made = archive(f"http://127.0.0.1:{address[1]}", login_timeout_seconds=0.2)
        with pytest.raises(SourceUnavailable, match=r"0\.2"):
            ran(made)
        for one in crowd:
            one.close()


@pytest.mark.parametrize(
    "talk",
    [
        hung,
        dripping(b"HTTP/1.1 200 OK\r\nX: "),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
    ],
    ids=["hung", "slow head", "slow body"],
)
def test_a_call_ends_in_time(archive: Archives, talk: Talk) -> None:
    with asked(talk, archive, statement_timeout_seconds=0.3, pool_size=1) as (pacs, made):
        with pytest.raises(SourceTimeout, match=r"0\.3"):
            ran(made)
        assert made.source.state()["last_fault"]["code"] == "SourceTimeout"
        pacs.talk = Orthanc()
        assert ran(made) == "Orthanc 1.10.1"
        assert not made.source.state()["failing"]


def test_all_requests_of_a_call_have_one_limit(archive: Archives) -> None:
    """Ten answers that are each in time, and not in time together."""

    def talk(conversation: Conversation) -> None:
        while conversation.request():
            conversation._pacs.over.wait(0.1)
            conversation.send(http({}))

    with asked(talk, archive, statement_timeout_seconds=0.35) as (pacs, made):
        with pytest.raises(SourceTimeout), made.source.session() as session:
            for _ in range(10):
                session.get("/system")
        assert len(pacs.requests) < 10


def test_a_cancelled_call_leaves_no_thread_behind(archive: Archives) -> None:
    with asked(hung, archive, statement_timeout_seconds=3600, pool_size=1) as (pacs, made):

        async def impatient() -> None:
            task = asyncio.create_task(made.source.run(made.check))
            await asyncio.to_thread(wait_until, lambda: pacs.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(impatient())
        wait_until(lambda: made.source.state()["running"] == 0)
        assert not made.source.state()["failing"]
        pacs.talk = Orthanc()
        assert ran(made) == "Orthanc 1.10.1"


def test_closing_ends_what_runs(archive: Archives) -> None:
    with asked(hung, archive, statement_timeout_seconds=3600) as (pacs, made):

        async def closed() -> None:
            task = asyncio.create_task(made.source.run(made.check))
            await asyncio.to_thread(wait_until, lambda: pacs.requests)
            await asyncio.to_thread(made.source.close)
            with pytest.raises(SourceUnavailable):
                await task

        asyncio.run(closed())
    assert not [one.name for one in threading.enumerate() if one.name.startswith("hx-pacs")]


def test_a_hung_pacs_is_asked_by_no_more_than_its_pool(archive: Archives) -> None:
    limits = {"pool_size": 2, "queue_length": 1, "statement_timeout_seconds": 3600}
    with asked(hung, archive, **limits, queue_wait_seconds=60) as (pacs, made):

        async def rush() -> list[BaseException | str]:
            calls = [asyncio.create_task(made.source.run(made.check)) for _ in range(10)]
            await asyncio.to_thread(wait_until, lambda: len(pacs.requests) == 2)
            await asyncio.wait(calls, return_when=asyncio.FIRST_EXCEPTION)
            assert (made.source.state()["queued"], pacs.connections) == (1, 2)
            for call in calls:
                call.cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

        results = asyncio.run(rush())
        assert sum(isinstance(one, Overloaded) for one in results) == 7
