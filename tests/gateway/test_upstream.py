"""The kept connections: when they are used again, dropped, and when a call is sent twice."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.binding import Binding
from gateway.forward import BadAnswer, BrokenOff, NodeAnswer, NodeRequest, NotReached, TimedOut
from gateway.upstream import KeptConnections
from gateway_config.model import Forward
from tests.gateway.conftest import run
from tests.gateway.scripted_node import Received, ScriptedNode, echo, envelope, http, reset

POST = NodeRequest("POST", (("Content-Type", "text/xml"),), b"<call/>", repeatable=True)
ANSWER = envelope(b"<echo><call/></echo>")


class Upstream:
    """A node and a forwarder to it in the test's own loop."""

    def __init__(self, **settings: float) -> None:
        self.node = ScriptedNode()
        self._settings = Forward.model_validate(settings)

    async def __aenter__(self) -> Upstream:
        await self.node.start()
        self.forwarder = KeptConnections(self._settings)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.forwarder.close()
        await self.node.stop()

    async def send(self, request: NodeRequest = POST) -> NodeAnswer:
        return await self.forwarder.send(Binding("hx", "X", f"{self.node.url}/hx/X"), request)


def test_one_connection_carries_many_calls() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            for _ in range(5):
                assert (await upstream.send()).body == ANSWER
            assert upstream.node.connections == 1
            assert [sent.nth for sent in upstream.node.requests] == [1, 2, 3, 4, 5]

    run(story())


def test_an_idle_connection_is_dropped_before_a_gate_would_cut_it() -> None:
    async def story() -> None:
        async with Upstream(idle_seconds=0.05) as upstream:
            await upstream.send()
            while upstream.node.open:  # the gateway closes it, with nothing to be sent
                await asyncio.sleep(0.01)
            await upstream.send()
            assert [sent.connection for sent in upstream.node.requests] == [1, 2]

    run(story())


def test_a_connection_closed_while_idle_costs_no_call() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.send()
            await upstream.node.close_idle()
            assert (await upstream.send()).body == ANSWER
            assert len(upstream.node.requests) == 2  # sent once each

    run(story())


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
def test_a_kept_connection_that_dies_without_an_answer_is_replaced_once(hard: bool) -> None:
    async def dies_on_reuse(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.nth == 1:
            await echo(request, writer)
        elif hard:
            await reset(writer)
        else:
            writer.close()

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = dies_on_reuse
            await upstream.send()
            assert (await upstream.send()).body == ANSWER
            assert [(r.connection, r.nth) for r in upstream.node.requests] == [
                (1, 1),
                (1, 2),
                (2, 1),
            ]

    run(story())


def test_the_replacement_is_a_new_connection_and_the_last_try() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            held = asyncio.Event()

            async def both_at_once(request: Received, writer: asyncio.StreamWriter) -> None:
                if len(upstream.node.requests) == 2:
                    held.set()
                await held.wait()
                await echo(request, writer)

            async def die(request: Received, writer: asyncio.StreamWriter) -> None:
                writer.close()

            upstream.node.script = both_at_once
            await asyncio.gather(upstream.send(), upstream.send())  # two kept connections
            upstream.node.script = die
            with pytest.raises(BrokenOff):
                await upstream.send()
            assert [r.connection for r in upstream.node.requests[2:]][1:] == [3]

    run(story())


@pytest.mark.parametrize("hard", [False, True], ids=["FIN", "RST"])
def test_once_a_byte_of_an_answer_came_nothing_is_sent_again(hard: bool) -> None:
    async def begins_to_answer(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.nth == 1:
            await echo(request, writer)
            return
        writer.write(b"HTTP/1.1 2")
        await writer.drain()
        await asyncio.sleep(0.05)  # so that the byte is read before the end is
        if hard:
            await reset(writer)
        else:
            writer.close()

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = begins_to_answer
            await upstream.send()
            with pytest.raises(BrokenOff):
                await upstream.send()
            assert len(upstream.node.requests) == 2

    run(story())


def test_a_call_on_a_new_connection_is_never_sent_again() -> None:
    async def die(request: Received, writer: asyncio.StreamWriter) -> None:
        await reset(writer)

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = die
            with pytest.raises(BrokenOff):
                await upstream.send()
            assert len(upstream.node.requests) == 1

    run(story())


def test_a_timed_out_call_is_never_sent_again_and_its_late_answer_reaches_nobody() -> None:
    async def late(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.body == b"late":
            await asyncio.sleep(0.3)
        await echo(request, writer)

    async def story() -> None:
        async with Upstream(timeout_seconds=0.1) as upstream:
            upstream.node.script = late
            await upstream.send()
            with pytest.raises(TimedOut):
                await upstream.send(NodeRequest("POST", (), b"late"))
            assert (await upstream.send()).body == ANSWER
            assert [r.body for r in upstream.node.requests] == [b"<call/>", b"late", b"<call/>"]
            assert upstream.node.requests[2].connection == 2

    run(story())


@pytest.mark.parametrize("when", ["with the answer", "while idle"])
def test_an_answer_that_nobody_asked_for_reaches_nobody(when: str) -> None:
    surplus = http(envelope(b"<of>somebody else</of>"))

    async def story() -> None:
        async with Upstream() as upstream:

            async def twice(request: Received, writer: asyncio.StreamWriter) -> None:
                whole = http(envelope(b"<echo>%s</echo>" % request.body))
                if request.connection > 1:
                    writer.write(whole)
                elif when == "while idle":
                    writer.write(whole)
                    asyncio.get_running_loop().call_later(0.05, writer.write, surplus)
                else:
                    head, _, body = whole.partition(b"\r\n\r\n")
                    writer.write(head + b"\r\n\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
                    writer.write(body + surplus)

            upstream.node.script = twice
            assert (await upstream.send()).body == ANSWER
            await asyncio.sleep(0.1 if when == "while idle" else 0)
            for _ in range(3):
                assert (await upstream.send()).body == ANSWER

    run(story())


@pytest.mark.parametrize("cut", [4, 30, -40])
def test_the_beginning_of_a_surplus_answer_does_not_wait_for_the_next_call(cut: int) -> None:
    """It comes in one piece with the answer; its end would be the next caller's answer."""
    surplus = http(envelope(b"<of>somebody else</of>"))

    async def story() -> None:
        async with Upstream() as upstream:

            async def smuggles(request: Received, writer: asyncio.StreamWriter) -> None:
                whole = http(envelope(b"<echo>%s</echo>" % request.body))
                if request.connection > 1:
                    writer.write(whole)
                elif request.nth == 1:
                    writer.write(whole + surplus[:cut])
                else:
                    writer.write(surplus[cut:] + whole)

            upstream.node.script = smuggles
            for _ in range(3):
                assert (await upstream.send()).body == ANSWER
            assert [r.connection for r in upstream.node.requests] == [1, 2, 2]

    run(story())


def test_close_leaves_no_connection_behind() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.send()
            await upstream.forwarder.close()
            while upstream.node.open:
                await asyncio.sleep(0.01)

    run(story())


def test_what_may_not_be_sent_twice_is_not_even_on_a_kept_connection() -> None:
    async def dies_on_reuse(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.nth == 1:
            await echo(request, writer)
        else:
            writer.close()

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = dies_on_reuse
            once = NodeRequest("POST", (), b"<call/>", repeatable=False)
            await upstream.send(once)
            with pytest.raises(BrokenOff):
                await upstream.send(once)
            assert len(upstream.node.requests) == 2

    run(story())


def test_the_head_says_length_host_and_nothing_that_gates_drop() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.send(NodeRequest("GET", (("A", "王"),), query="wsdl", suffix="/soap12"))
            (sent,) = upstream.node.requests
            assert sent.line == "GET /hx/X/soap12?wsdl HTTP/1.1"
            assert [(name, value.encode("latin-1")) for name, value in sent.headers] == [
                ("Host", f"127.0.0.1:{upstream.node.port}".encode()),
                ("Accept-Encoding", b"identity"),
                ("A", "王".encode()),
                ("Content-Length", b"0"),
            ]

    run(story())


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "raw, body, kept",
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(b"<a/>"), b"<a/>", True),
        (b"HTTP/1.1 102 Wait\r\nA: b\r\n\r\nHTTP/1.1 103 X\r\n\r\n" + http(b"<a/>"), b"<a/>", True),
        (OK + b"Connection: close\r\nContent-Length: 4\r\n\r\n<a/>", b"<a/>", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n<a\r\n2\r\n/>\r\n0\r\n\r\n", b"<a/>", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\n<a/>", b"<a/>", False),
        (http(b"<a/>") + b"rubbish", b"<a/>", False),
    ],
)
def test_the_shapes_of_an_answer(raw: bytes, body: bytes, kept: bool) -> None:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = answer
            assert (await upstream.send()).body == body
            assert (await upstream.send()).body == body
            assert upstream.node.connections == (1 if kept else 2)

    run(story())


def test_an_answer_may_end_with_its_connection() -> None:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<a>")
        await writer.drain()
        writer.write(b"</a>")
        writer.close()

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = answer
            assert (await upstream.send()).body == b"<a></a>"

    run(story())


@pytest.mark.parametrize(
    "raw",
    [
        OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n<a/>x",
        OK + b"Transfer-Encoding: gzip\r\n\r\nxxxx",
        OK + b"Content-Length: 4\r\nContent-Encoding: gzip\r\n\r\n<a/>",
        OK + b"".join(b"X-%d: y\r\n" % n for n in range(20_000)),
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 20",
    ],
)
def test_an_answer_that_is_no_proper_http_is_a_bad_answer(raw: bytes) -> None:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        if raw.endswith(b" 20"):
            writer.write(b"\0\r\n")

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = answer
            with pytest.raises(BadAnswer):
                await upstream.send()

    run(story())


def test_the_deadline_of_a_call_holds_over_the_general_one() -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        async with Upstream(timeout_seconds=600) as upstream:
            upstream.node.script = hang
            soon = asyncio.get_running_loop().time() + 0.05
            with pytest.raises(TimedOut) as timed_out:
                await upstream.send(NodeRequest("POST", (), b"x", deadline=soon))
            assert timed_out.value.seconds == 0.1  # and not none, which would mean 600
            with pytest.raises(NotReached):  # nothing of it was sent
                await upstream.send(NodeRequest("POST", (), b"x", deadline=soon))

    run(story())


def test_a_caller_who_is_cancelled_leaves_no_connection_for_the_next() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            began = asyncio.Event()

            async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
                if request.body == b"slow":
                    began.set()
                    await asyncio.sleep(0.05)
                await echo(request, writer)

            upstream.node.script = slow
            task = asyncio.create_task(upstream.send(NodeRequest("POST", (), b"slow")))
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await upstream.send()).body == ANSWER
            assert upstream.node.requests[1].connection == 2

    run(story())


def test_a_gate_that_allows_one_call_a_connection_gets_one() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.forwarder.close()
            upstream.forwarder = KeptConnections(Forward(), idle_seconds=lambda binding: 0)
            for _ in range(3):
                assert (await upstream.send()).body == ANSWER
            assert [sent.nth for sent in upstream.node.requests] == [1, 1, 1]

    run(story())


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux tells a silent cut")
def test_the_kernel_is_asked_to_notice_a_silent_cut() -> None:
    async def story() -> None:
        async with Upstream(idle_seconds=30, connect_timeout_seconds=2) as upstream:
            await upstream.send()
            (pool,) = upstream.forwarder._pools.values()
            sock = pool.idle[0].transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 4000
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    run(story())
