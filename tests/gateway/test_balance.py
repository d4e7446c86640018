"""Where a call goes when there are several addresses, or one that fails."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.balance import Balance, Paused
from gateway.binding import Binding, Route
from gateway.breaker import Breaker
from gateway.forward import (
    AnswerTooLarge,
    BadAnswer,
    BrokenOff,
    Busy,
    GateClosed,
    NoAnswer,
    NodeAnswer,
    NodeRequest,
    NotReached,
    TimedOut,
    TooLargeForGate,
)
from gateway.log import json_log
from gateway_config.model import Forward
from tests.gateway.conftest import MakeGateway, closed_port, lab_results, run, until
from tests.gateway.scripted_node import Received, ScriptedNode, answering, envelope, http

A = Binding("hx", "X", "http://10.0.0.1:1/hx/X")
B = Binding("hx", "X", "http://10.0.0.2:1/hx/X")
C = Binding("hx", "X", "http://10.0.0.3:1/hx/X")
GOOD = NodeAnswer(200, {"content-type": "text/xml"}, envelope())
HTML = NodeAnswer(502, {"content-type": "text/html"}, b"<html/>")


class Nodes:
    """A forwarder whose nodes answer as ``says`` has them: an answer, an error, or a wait."""

    def __init__(self) -> None:
        self.says: dict[Binding, NodeAnswer | NoAnswer | asyncio.Future[NodeAnswer]] = {}
        self.asked: list[Binding] = []
        self.probed: list[Binding] = []
        self.up: set[str] = set()
        self.closed = False

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        if binding.path == "/health":
            self.probed.append(binding)
            host = binding.access_point.removesuffix("/health")
            if host in self.up:
                return NodeAnswer(404, {}, b"")
            raise NotReached("down")
        self.asked.append(binding)
        said = self.says.get(binding, GOOD)
        if isinstance(said, NodeAnswer):
            return NodeAnswer(said.status, said.headers, said.body)
        if isinstance(said, Exception):
            raise said
        return await asyncio.shield(said)  # one call given up is not all of them

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def balanced(**settings: Any) -> AsyncIterator[tuple[Balance, Nodes]]:
    nodes = Nodes()
    forward = Forward.model_validate({"probe_seconds": 600, **settings})
    balance = Balance(nodes, forward, json_log(io.StringIO()))
    yield balance, nodes
    await balance.close()
    assert nodes.closed


def read() -> NodeRequest:
    return NodeRequest("POST", (), b"<read/>", repeatable=True)


def write() -> NodeRequest:
    return NodeRequest("POST", (), b"<write/>", repeatable=False)


def test_idle_bindings_are_asked_in_turn() -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            for _ in range(9):
                await balance.send(Route.to([A, B, C]), read())
            assert {one: nodes.asked.count(one) for one in (A, B, C)} == {A: 3, B: 3, C: 3}

    run(story())


def test_the_one_with_the_fewest_calls_under_way_is_asked() -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            loop = asyncio.get_running_loop()
            held: asyncio.Future[NodeAnswer] = loop.create_future()
            nodes.says = {A: held, B: held}
            calls = [loop.create_task(balance.send(Route.to([A, B]), read())) for _ in range(2)]
            while len(nodes.asked) < 2:
                await asyncio.sleep(0)
            assert set(nodes.asked) == {A, B}
            nodes.says = {A: held}
            for _ in range(4):
                await balance.send(Route.to([A, B, C]), read())
            assert set(nodes.asked[2:]) == {C}
            held.set_result(GOOD)
            await asyncio.gather(*calls)

    run(story())


@pytest.mark.parametrize("request_of", [read, write])
def test_what_was_not_delivered_goes_elsewhere_whatever_it_is(
    request_of: Callable[[], NodeRequest],
) -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            nodes.says = {A: NotReached("refused"), B: NotReached("refused")}
            for _ in range(3):
                answer = await balance.send(Route.to([A, B, C]), request_of())
                assert answer.node == C.access_point
            nodes.says[C] = NotReached("refused")
            nodes.asked.clear()
            with pytest.raises(NotReached):
                await balance.send(Route.to([A, B, C]), request_of())
            assert sorted(one.access_point for one in nodes.asked) == [
                one.access_point for one in (A, B, C)
            ]

    run(story())


@pytest.mark.parametrize("said", [BrokenOff("x"), BadAnswer("x"), TimedOut("x"), HTML])
def test_what_may_have_been_carried_out_goes_elsewhere_once_if_it_may_be_repeated(
    said: NodeAnswer | NoAnswer,
) -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            nodes.says = {A: said, B: said, C: said}
            kind = BadAnswer if isinstance(said, NodeAnswer) else type(said)
            with pytest.raises(kind):
                await balance.send(Route.to([A, B, C]), write())
            assert len(nodes.asked) == 1
            with pytest.raises(kind):
                await balance.send(Route.to([A, B, C]), read())
            assert len(nodes.asked) == 3
            assert len(set(nodes.asked[1:])) == 2
            nodes.says = {A: said}
            for _ in range(4):
                await balance.send(Route.to([A, B]), read())

    run(story())


def test_a_soap_fault_is_an_answer_and_goes_nowhere_else() -> None:
    async def story() -> None:
        async with balanced(break_after=1) as (balance, nodes):
            fault = NodeAnswer(500, {"content-type": "text/xml"}, envelope(b"<Fault/>"))
            nodes.says = {A: fault, B: fault}
            for _ in range(4):
                assert (await balance.send(Route.to([A, B]), read())).status == 500
            assert len(nodes.asked) == 4

    run(story())


def test_the_deadline_is_one_for_all_attempts() -> None:
    async def story() -> None:
        async with balanced(timeout_seconds=600, try_share=1) as (balance, nodes):
            loop = asyncio.get_running_loop()
            deadlines: list[float] = []
            sent = nodes.send

            async def slow(binding: Binding, request: NodeRequest) -> NodeAnswer:
                deadlines.append(request.deadline)
                while loop.time() < deadline:
                    await asyncio.sleep(0.01)
                return await sent(binding, request)

            nodes.send = slow  # type: ignore[method-assign]
            nodes.says = {A: BrokenOff("x"), B: BrokenOff("x")}
            deadline = loop.time() + 0.05
            request = read()
            request.deadline = deadline
            with pytest.raises(BrokenOff):
                await balance.send(Route.to([A, B]), request)
            assert deadlines == [deadline]  # no second attempt: its time was up
            nodes.send = sent  # type: ignore[method-assign]
            request = read()
            begun = loop.time()
            with pytest.raises(BrokenOff):
                await balance.send(Route.to([A, B]), request)
            assert begun + 600 <= request.deadline <= loop.time() + 600

    run(story())


def forever() -> asyncio.Future[NodeAnswer]:
    """A node that has taken the call and says nothing."""
    return asyncio.get_running_loop().create_future()


#: a call waits 0.05 s for its first address, and 5 s in all
IMPATIENT = {"try_share": 0.01, "timeout_seconds": 5.0}


def test_an_address_that_says_nothing_costs_its_share_of_the_time_only() -> None:
    async def story() -> None:
        async with balanced(break_after=2, **IMPATIENT) as (balance, nodes):
            route = Route.to([A, B])
            nodes.says = {A: forever()}
            while nodes.asked.count(A) < 2:
                assert (await balance.send(route, read())).node == B.access_point
            # the calls that it kept were failures of its own, and now it is left out
            while balance.status(route)[0]["under_way"]:
                await asyncio.sleep(0)
            assert balance.status(route)[0] == {
                "state": "open",
                "under_way": 0,
                "failures_in_a_row": 2,
            }
            assert balance.status(route)[1]["failures_in_a_row"] == 0

    run(story())


def test_a_slow_address_may_still_answer_first() -> None:
    """It is not cut off when another one is asked beside it, and has not failed."""

    async def story() -> None:
        async with balanced(**IMPATIENT) as (balance, nodes):
            slow = {A: forever(), B: forever()}
            nodes.says = dict(slow)
            call = asyncio.create_task(balance.send(Route.to([A, B]), read()))
            while len(nodes.asked) < 2:
                await asyncio.sleep(0.01)
            slow[nodes.asked[0]].set_result(GOOD)
            assert (await call).node == nodes.asked[0].access_point
            while sum(one["under_way"] for one in balance.status(Route.to([A, B]))):
                await asyncio.sleep(0)
            assert {one["state"] for one in balance.status(Route.to([A, B]))} == {"closed"}
            first = [A, B].index(nodes.asked[0])
            assert balance.status(Route.to([A, B]))[first]["failures_in_a_row"] == 0

    run(story())


@pytest.mark.parametrize("share, request_of", [(0.01, write), (1, read)])
def test_what_may_not_be_repeated_stays_with_its_address(
    share: float, request_of: Callable[[], NodeRequest]
) -> None:
    async def story() -> None:
        async with balanced(try_share=share, timeout_seconds=1.0) as (balance, nodes):
            held = forever()
            nodes.says = {A: held, B: held}
            call = asyncio.create_task(balance.send(Route.to([A, B]), request_of()))
            await asyncio.sleep(0.2)  # twenty times the share
            held.set_result(GOOD)
            await call
            assert len(nodes.asked) == 1

    run(story())


def test_with_one_address_or_none_left_a_silent_one_is_waited_for() -> None:
    async def story() -> None:
        async with balanced(break_after=1, break_seconds=600, **IMPATIENT) as (balance, nodes):
            nodes.says = {B: NotReached("refused")}
            while balance.status(Route.to([A, B]))[1]["state"] == "closed":
                await balance.send(Route.to([A, B]), write())
            for route in (Route.to([A]), Route.to([A, B])):
                held = nodes.says[A] = forever()
                nodes.asked.clear()
                call = asyncio.create_task(balance.send(route, read()))
                await asyncio.sleep(0.2)
                assert not call.done()
                held.set_result(GOOD)
                assert (await call).node == A.access_point
                assert nodes.asked == [A]

    run(story())


def test_no_more_than_two_addresses_may_see_a_call() -> None:
    async def story() -> None:
        async with balanced(**IMPATIENT) as (balance, nodes):
            held = {one: forever() for one in (A, B, C)}
            nodes.says = dict(held)
            call = asyncio.create_task(balance.send(Route.to([A, B, C]), read()))
            while len(nodes.asked) < 2:
                await asyncio.sleep(0.01)
            first, second = nodes.asked
            held[second].set_exception(BrokenOff("second"))
            await asyncio.sleep(0.2)
            assert not call.done()  # the first may still answer
            held[first].set_exception(TimedOut("first"))
            with pytest.raises(TimedOut):
                await call
            assert len(nodes.asked) == 2

    run(story())


def test_beside_a_silent_one_what_is_not_reached_does_not_count() -> None:
    async def story() -> None:
        async with balanced(timeout_seconds=60, try_share=0.01) as (balance, nodes):
            held = forever()
            nodes.says = {A: held, B: held, C: held}
            call = asyncio.create_task(balance.send(Route.to([A, B, C]), read()))
            while not nodes.asked:
                await asyncio.sleep(0)
            nodes.says = dict.fromkeys((A, B, C), NotReached("refused"))
            while len(nodes.asked) < 3:
                await asyncio.sleep(0.01)
            held.set_exception(BrokenOff("may have been carried out"))
            with pytest.raises(BrokenOff):  # and not: it was not delivered
                await call

    run(story())


def test_what_a_node_may_have_seen_is_not_told_as_undelivered() -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            nodes.says = {A: BrokenOff("x"), B: NotReached("x")}
            for _ in range(4):
                with pytest.raises(BrokenOff):
                    await balance.send(Route.to([A, B]), read())

    run(story())


def test_a_binding_that_fails_again_and_again_is_left_out_until_a_trial_succeeds() -> None:
    async def story() -> None:
        async with balanced(break_after=3, break_seconds=0.05) as (balance, nodes):
            nodes.says = {A: BrokenOff("x")}
            route = Route.to([A])
            for _ in range(3):
                with pytest.raises(BrokenOff):
                    await balance.send(route, write())
            assert balance.status(route)[0]["state"] == "open"
            with pytest.raises(Paused, match="tried again in"):
                await balance.send(route, write())
            assert len(nodes.asked) == 3
            while balance.status(route)[0]["state"] == "open":
                await asyncio.sleep(0.01)
            with pytest.raises(BrokenOff):  # the trial
                await balance.send(route, write())
            with pytest.raises(Paused):
                await balance.send(route, write())
            nodes.says = {}
            while balance.status(route)[0]["state"] == "open":
                await asyncio.sleep(0.01)
            await balance.send(route, write())
            assert balance.status(route) == [
                {"state": "closed", "under_way": 0, "failures_in_a_row": 0}
            ]

    run(story())


def test_one_left_out_is_no_longer_asked_while_another_works() -> None:
    async def story() -> None:
        async with balanced(break_after=2) as (balance, nodes):
            nodes.says = {A: NotReached("x")}
            for _ in range(20):
                await balance.send(Route.to([A, B]), write())
            assert nodes.asked.count(A) == 2

    run(story())


@pytest.mark.parametrize(
    "error", [GateClosed("06:00-20:00"), Busy("x"), TooLargeForGate(9), AnswerTooLarge("x")]
)
def test_what_says_nothing_of_the_binding_does_not_count_against_it(error: NoAnswer) -> None:
    async def story() -> None:
        async with balanced(break_after=1) as (balance, nodes):
            nodes.says = {A: error}
            for _ in range(3):
                with pytest.raises(type(error)):
                    await balance.send(Route.to([A]), read())
            assert balance.status(Route.to([A]))[0]["state"] == "closed"

    run(story())


def test_a_hasty_caller_does_not_close_a_binding_to_others() -> None:
    async def story() -> None:
        async with balanced(break_after=1) as (balance, nodes):
            nodes.says = {A: TimedOut("0.01 s")}
            with pytest.raises(TimedOut):
                await balance.send(Route.to([A]), read())
            assert balance.status(Route.to([A]))[0]["state"] == "closed"

    run(story())


def test_a_caller_who_is_cancelled_frees_his_place() -> None:
    async def story() -> None:
        async with balanced() as (balance, nodes):
            loop = asyncio.get_running_loop()
            nodes.says = {A: loop.create_future()}
            call = loop.create_task(balance.send(Route.to([A]), read()))
            while not nodes.asked:
                await asyncio.sleep(0)
            assert balance.status(Route.to([A]))[0]["under_way"] == 1
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await call
            assert balance.status(Route.to([A]))[0]["under_way"] == 0

    run(story())


def test_a_probe_brings_a_binding_back_before_its_time() -> None:
    async def story() -> None:
        settings = {"break_after": 1, "break_seconds": 600, "probe_seconds": 0.02}
        async with balanced(**settings) as (balance, nodes):
            nodes.says = {A: NotReached("x")}
            with pytest.raises(NotReached):
                await balance.send(Route.to([A]), write())
            while len(nodes.probed) < 3:
                await asyncio.sleep(0.01)
            assert balance.status(Route.to([A]))[0]["state"] == "open"
            nodes.says = {}
            nodes.up.add("http://10.0.0.1:1")
            while balance.status(Route.to([A]))[0]["state"] == "open":
                await asyncio.sleep(0.01)
            await balance.send(Route.to([A]), write())
            assert balance.status(Route.to([A]))[0]["state"] == "closed"

    run(story())


def test_a_probe_takes_a_dead_one_of_several_out_before_a_call_meets_it() -> None:
    async def story() -> None:
        async with balanced(break_after=2, probe_seconds=0.02) as (balance, nodes):
            nodes.up.add("http://10.0.0.2:1")
            await balance.send(Route.to([A, B]), write())
            await balance.send(Route.to([A, B]), write())
            while balance.status(Route.to([A, B]))[0]["state"] != "open":
                await asyncio.sleep(0.01)
            nodes.asked.clear()
            for _ in range(5):
                await balance.send(Route.to([A, B]), write())
            assert set(nodes.asked) == {B}

    run(story())


def test_both_addresses_of_a_service_are_one_binding() -> None:
    async def story() -> None:
        async with balanced(break_after=1) as (balance, nodes):
            route = Route.to([A])
            nodes.says = {A: NotReached("x")}
            with pytest.raises(NotReached):
                await balance.send(route, write())
            with pytest.raises(Paused):
                await balance.send(route.with_suffix("/soap12"), write())

    run(story())


def test_the_pause_grows_with_each_trial_that_fails_and_begins_anew_after_a_success() -> None:
    now = [0.0]
    breaker = Breaker(1, 5.0, lambda: now[0])
    pauses = []
    for _ in range(7):
        breaker.begun()
        breaker.failed()
        pauses.append(breaker.seconds_left())
        now[0] += breaker.seconds_left()
        assert breaker.state == "half-open"
    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    breaker.begun()
    assert not breaker.lets_through()  # one trial at a time
    assert breaker.succeeded()
    breaker.begun()
    assert breaker.failed()
    assert breaker.seconds_left() == 5


# --- through a whole gateway ----------------------------------------------------------------------

WRITE = {"Content-Type": "text/xml", "SOAPAction": '"urn:yilian:LabResults:1/MarkLabPrinted"'}
READ = {"Content-Type": "text/xml", "SOAPAction": '"urn:yilian:LabResults:1/QueryLabMaster"'}


def test_a_read_whose_node_dies_is_answered_by_another(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    async def die(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.close()

    dying, well = make_node(script=die), make_node()
    gateway = make_gateway([lab_results(dying), lab_results(well)])
    body = envelope(b'<QueryLabMaster xmlns="urn:yilian:LabResults:1"/>')
    for _ in range(4):
        assert gateway.post("/hx/LabResults", body, READ).status == 200
    assert len(dying.requests) >= 1
    assert len(well.requests) == 4


def test_a_node_that_is_gone_costs_no_call_and_health_says_so(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    well = make_node()
    with closed_port() as port:
        gone = Binding("hx", "LabResults", f"http://127.0.0.1:{port}/hx/LabResults")
        gateway = make_gateway(
            [gone, lab_results(well)],
            forward={"break_after": 2, "break_seconds": 0.5, "probe_seconds": 0.05},
        )
        for _ in range(8):
            assert gateway.post("/hx/LabResults").status == 200

        def states() -> set[str]:
            (route,) = gateway.health()["routes"]
            return {one["state"] for one in route["bindings"]}

        until(lambda: states() & {"open", "half-open"})
        assert "closed" in states()
        assert str(port) not in gateway.get("/health").text
        assert gateway.log("binding_paused")
    back = make_node(port=port)

    def served_by_both() -> bool:
        assert gateway.post("/hx/LabResults").status == 200
        return bool(back.requests)

    until(served_by_both)
    until(lambda: gateway.post("/hx/LabResults").status == 200 and states() == {"closed"})


def test_a_paused_service_is_a_fault_at_once_and_nothing_is_sent(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    node.script = answering(http(b"<html/>", "502 Bad Gateway", "text/html"))
    gateway = make_gateway(
        [lab_results(node)], forward={"break_after": 2, "break_seconds": 600, "probe_seconds": 600}
    )
    for _ in range(2):
        gateway.post("/hx/LabResults")
    answer = gateway.post("/hx/LabResults")
    assert "<Code>SourceUnavailable</Code>" in answer.text
    assert gateway.call_line(answer)["reason"].startswith("Paused: ")
    assert len(node.requests) == 2


def test_where_all_addresses_hang_the_caller_is_told_at_his_deadline(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    never = asyncio.Event()

    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await never.wait()

    hanging = [make_node(script=hang) for _ in range(3)]
    gateway = make_gateway([lab_results(one) for one in hanging], forward={"try_share": 0.2})
    body = envelope(b'<QueryLabMaster xmlns="urn:yilian:LabResults:1"/>')
    answer = gateway.post("/hx/LabResults", body, {**READ, "X-Timeout-Ms": "500"})
    assert "<Code>SourceTimeout</Code>" in answer.text
    # not 0.5 s for each of them: what they had in all is what he gave
    assert gateway.call_line(answer)["ms"] >= 400
    assert sorted(len(one.requests) for one in hanging) == [0, 1, 1]
    for one in gateway.health()["routes"][0]["bindings"]:
        assert (one["state"], one["failures_in_a_row"]) == ("closed", 0)  # he was hasty


def test_a_write_at_an_address_that_hangs_is_made_elsewhere_with_its_request_id(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    never = asyncio.Event()

    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await never.wait()

    hanging, well = make_node(script=hang), make_node()
    gateway = make_gateway([lab_results(hanging), lab_results(well)], forward={"try_share": 0.01})
    body = envelope(
        b'<MarkLabPrinted xmlns="urn:yilian:LabResults:1"><RequestId>r-1</RequestId>'
        b"</MarkLabPrinted>"
    )
    for _ in range(2):
        assert gateway.post("/hx/LabResults", body, WRITE).status == 200
    assert [one.body for one in hanging.requests] == [body]  # the same: it is booked once
    assert [one.body for one in well.requests] == [body, body]
    (told,) = until(lambda: gateway.log("binding_silent"))
    assert told["access_point"] == lab_results(hanging).access_point
