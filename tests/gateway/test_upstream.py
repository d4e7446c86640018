"""The kept connections: when they are used again, dropped, and when a call is sent twice."""

from __future__ import annotations

import asyncio

import pytest

from gateway.binding import Binding
from gateway.forward import BrokenOff, NodeAnswer, NodeRequest, TimedOut
from gateway.upstream import KeptConnections
from gateway_config.model import Forward
from tests.gateway.scripted_node import Received, ScriptedNode, echo, envelope, http, reset

POST = NodeRequest("POST", (("Content-Type", "text/xml"),), b"<call/>")
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

    asyncio.run(story())


def test_an_idle_connection_is_dropped_before_a_gate_would_cut_it() -> None:
    async def story() -> None:
        async with Upstream(idle_seconds=0.05) as upstream:
            await upstream.send()
            while upstream.node.open:  # the gateway closes it, with nothing to be sent
                await asyncio.sleep(0.01)
            await upstream.send()
            assert [sent.connection for sent in upstream.node.requests] == [1, 2]

    asyncio.run(story())


def test_a_connection_closed_while_idle_costs_no_call() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.send()
            await upstream.node.close_idle()
            assert (await upstream.send()).body == ANSWER
            assert len(upstream.node.requests) == 2  # sent once each

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(story())


def test_a_call_on_a_new_connection_is_never_sent_again() -> None:
    async def die(request: Received, writer: asyncio.StreamWriter) -> None:
        await reset(writer)

    async def story() -> None:
        async with Upstream() as upstream:
            upstream.node.script = die
            with pytest.raises(BrokenOff):
                await upstream.send()
            assert len(upstream.node.requests) == 1

    asyncio.run(story())


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

    asyncio.run(story())


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

    asyncio.run(story())


def test_close_leaves_no_connection_behind() -> None:
    async def story() -> None:
        async with Upstream() as upstream:
            await upstream.send()
            await upstream.forwarder.close()
            while upstream.node.open:
                await asyncio.sleep(0.01)

    asyncio.run(story())
