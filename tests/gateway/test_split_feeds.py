"""However the network cuts what an asker sends into pieces, he gets the same answers."""

from __future__ import annotations

import asyncio
import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.app import Gateway
from gateway.call import Answer, BodyTooLarge, Call
from gateway.head import Refused
from gateway.log import json_log
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import run

CALL = b"POST /hx/X HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\n\r\n<a/>"
PIECES = (
    CALL,
    CALL.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked").replace(
        b"<a/>", b"2\r\n<b\r\n2;x=y\r\n/>\r\n0\r\nTrailer: x\r\n\r\n"
    ),
    b"GET /hx/X?wsdl HTTP/1.1\r\nHost: g\r\n\r\n",
    CALL.replace(b"Host: g", b"Host: g\r\nConnection: Upgrade\r\nUpgrade: h2c"),
    b"\r\n" + CALL,
    CALL.replace(b"Content-Length: 4", b"Content-Length: 4\r\nContent-Length: 4"),
    CALL.replace(b"Content-Length: 4", b"Transfer-Encoding: gzip"),
    CALL.replace(b"HTTP/1.1", b"HTTP/1.0"),
    CALL.replace(b"Host: g", b"Host: g\r\nConnection: close"),
    CALL.replace(b"4\r\n\r\n<a/>", b"2000\r\n\r\n" + b"z" * 2000),
    CALL.replace(b"Host: g", b"Host: g\r\nX: " + b"y" * 1500),
    b"rubbish\r\n\r\n",
)


class Transport:
    """Takes what is written, as a socket that is always ready would."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default

    def write(self, data: bytes) -> None:
        assert not self.closing
        self.written += data

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def get_write_buffer_size(self) -> int:
        return 0


class State:
    """What uvicorn's server keeps."""

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.default_headers: list[tuple[bytes, bytes]] = []
        self.total_requests = 0


class Config:
    timeout_keep_alive = 65


async def path(call: Call) -> Answer:
    """Says what it was asked, so that two different requests cannot look alike."""
    if call.refused is not None:
        return Answer(call.refused.status, (), call.refused.rule.encode(), close=True)
    try:
        body = await call.read_body(1024)
    except BodyTooLarge:
        return Answer(413, (), b"too large")
    except Refused as refused:
        return Answer(refused.status, (), refused.rule.encode(), close=True)
    names = b",".join(name for name, _ in call.headers)
    return Answer(200, (), b"|".join((call.raw_path, call.query, names, body)))


async def answered(feeds: list[bytes]) -> bytes:
    limits = {"max_head_bytes": 1024, "max_body_bytes": 1024}
    gateway = Gateway(open_configuration(limits=limits), list, log=json_log(io.StringIO()))
    gateway._plane.path = path
    transport, state = Transport(), State()
    protocol = gateway.protocol(Config(), state, {})
    protocol.connection_made(transport)  # type: ignore[arg-type]
    for feed in feeds:
        if not transport.closing:
            protocol.data_received(feed)
        while not transport.closing and any(
            one.complete or one.refused for one in list(protocol.queue)[:1]
        ):
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    protocol.connection_lost(None)
    for task in list(state.tasks):
        task.cancel()
    await asyncio.gather(*state.tasks, return_exceptions=True)
    return transport.written


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4), st.data())
def test_the_cuts_between_packets_change_no_answer(
    pieces: list[bytes], data: st.DataObject
) -> None:
    sent = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=6).map(sorted))
    ends = [*cuts, len(sent)]
    feeds = [sent[start:end] for start, end in zip([0, *cuts], ends, strict=True) if start < end]
    byte_wise = [bytes([byte]) for byte in sent]

    async def story() -> None:
        whole = await answered([sent])
        assert await answered(feeds) == whole
        assert await answered(byte_wise) == whole

    run(story())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=200) | st.sampled_from(PIECES), max_size=5))
def test_whatever_comes_something_proper_goes_back(feeds: list[bytes]) -> None:
    async def story() -> None:
        written = await answered(feeds)
        assert written == b"" or written.startswith(b"HTTP/1.1 ")

    run(story())
