"""The step "connection": what is refused before anybody looks at who asks, and what for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import pytest

from tests.gateway.conftest import (
    BODY,
    MakeGateway,
    RunningGateway,
    lab_results,
    shared_by_module,
    until,
)
from tests.gateway.scripted_node import Received, ScriptedNode, echo

START = b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Type: text/xml\r\n"
#: the rest of a call that is let in
WHOLE = b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
LIMITS = {"max_headers": 12, "max_head_bytes": 2048, "max_body_bytes": 4096, "head_seconds": 0.3}


shared, node, gateway = shared_by_module(limits={**LIMITS, "head_seconds": 60})


@pytest.mark.parametrize(
    "raw, status, rule",
    [
        (START + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "http-syntax"),
        (START + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", 400, "http-syntax"),
        (START + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\n<a/>", 400, "http-syntax"),
        (START + b"Content-Length: 4\r\ncontent-length: 5\r\n\r\n<a/>", 400, "http-syntax"),
        (START + b"Content-Length: +4\r\n\r\n<a/>", 400, "http-syntax"),
        (START + b"Content-Length: 0x4\r\n\r\n<a/>", 400, "http-syntax"),
        (START + b"Content-Length: 4 4\r\n\r\n<a/>", 400, "http-syntax"),
        (START + b"Content-Length: 99999999999999999999\r\n\r\n", 400, "http-syntax"),
        (START + b"Content-Length:\r\n\r\n", 400, "http-syntax"),
        (START + b"Content-Length : 4\r\n\r\n<a/>", 400, "http-syntax"),
        (
            START + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "transfer-encoding",
        ),
        (
            START + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            None,
        ),
        (START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "transfer-encoding"),
        (START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, "transfer-encoding"),
        (START + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, "http-syntax"),
        (
            START.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "transfer-encoding",
        ),
        (START + b"SOAPAction: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START + b"X: a\rY: b\r\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n", 400, "http-syntax"),
        (START + b"X: a\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START + b"X: a\x01b\r\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START + b": x\r\nContent-Length: 0\r\n\r\n", 400, "http-syntax"),
        (START + b"Expect: 200-maybe\r\nContent-Length: 0\r\n\r\n", 417, "expect"),
        (b"POST /hx/LabResults\r\n\r\n", 505, "http-version"),
        (b"POST /hx/LabResults HTTP/0.9\r\n\r\n", 505, "http-version"),
        (b"POST /hx/LabResults HTTP/2.0\r\nHost: g\r\n\r\n", 505, "http-version"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "http-syntax"),
        (b"POST http://evil/hx/LabResults HTTP/1.1\r\nHost: g\r\n\r\n", 400, "request-target"),
        (b"POST ftp://g/hx/LabResults HTTP/1.1\r\nHost: g\r\n\r\n", 400, "request-target"),
        (b"POST http://g HTTP/1.1\r\nHost: g\r\n\r\n", 400, "request-target"),
        (b"OPTIONS * HTTP/1.1\r\nHost: g\r\n\r\n", 400, "request-target"),
        (b"CONNECT g:80 HTTP/1.1\r\nHost: g:80\r\n\r\n", 400, "request-target"),
        (b"GET /hx/a b HTTP/1.1\r\nHost: g\r\n\r\n", 400, "http-syntax"),
        (b"G\xc3\x8bT / HTTP/1.1\r\nHost: g\r\n\r\n", 400, "http-syntax"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "http-syntax"),
        (START + b"X: y\r\n" * 12 + b"Content-Length: 0\r\n\r\n", 431, "max_headers"),
        (START + b"X: " + b"y" * 2100 + b"\r\nContent-Length: 0\r\n\r\n", 431, "max_head_bytes"),
        (START + b"X: " + b"y" * 2100, 431, "max_head_bytes"),
        (b"GET /" + b"y" * 2100, 431, "max_head_bytes"),
    ],
)
def test_a_head_that_is_refused(
    gateway: RunningGateway, node: ScriptedNode, raw: bytes, status: int, rule: str | None
) -> None:
    before = gateway.health()["refusals"].get("connection", 0)
    head, _, body = gateway.raw(raw).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"Connection: close" in head
    assert b"<faultcode>soap:Client</faultcode>" in body
    request_id = body.partition(b"<RequestId>")[2].partition(b"<")[0].decode()
    (line,) = [line for line in gateway.log("call") if line["request_id"] == request_id]
    assert (line["step"], line["status"]) == ("connection", status)
    if rule is not None:
        assert line["rule"] == rule
    assert gateway.health()["refusals"]["connection"] == before + 1
    assert node.requests == []


CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"0x4\r\n<a/>\r\n0\r\n\r\n",
        b"-1\r\n<a/>\r\n0\r\n\r\n",
        b"4 \r\n<a/>\r\n0\r\n\r\n",
        b"4\n<a/>\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n<a/>\r\n0\r\n\r\n",
        b"4\r\n<a/>0\r\n\r\n",
        b"3\r\n<a/>\r\n0\r\n\r\n",
        b"4\r\n<a/>\r\n0\r\n\r\x0b",
    ],
)
def test_a_chunked_body_in_the_wrong_shape_is_refused(
    gateway: RunningGateway, node: ScriptedNode, body: bytes
) -> None:
    received = gateway.raw(CHUNKED, body)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>MalformedMessage</Code>" in received
    assert node.requests == []


def test_what_stands_in_a_trailer_counts_for_nothing(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    body = b"%x\r\n%b\r\n0\r\nSOAPAction: x\r\nAuthorization: y\r\n\r\n" % (len(BODY), BODY)
    received = gateway.raw(CHUNKED.replace(b"Host", b"Connection: close\r\nHost") + body)
    assert received.startswith(b"HTTP/1.1 200 ")
    (sent,) = node.requests
    assert (sent.body, sent.all("SOAPAction")) == (BODY, [])


def test_the_refusal_of_a_soap_1_2_message_is_in_soap_1_2(gateway: RunningGateway) -> None:
    raw = START.replace(b"text/xml", b"application/soap+xml") + b"Transfer-Encoding: gzip\r\n\r\n"
    received = gateway.raw(raw)
    assert b"http://www.w3.org/2003/05/soap-envelope" in received


def test_an_absolute_form_that_names_this_gateway_is_taken(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    received = gateway.raw(
        b"POST http://g/hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n" + WHOLE
    )
    assert received.startswith(b"HTTP/1.1 200 ")
    assert node.requests[0].line == "POST /hx/LabResults HTTP/1.1"


def test_an_offer_to_upgrade_is_ignored(gateway: RunningGateway, node: ScriptedNode) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
    whole = START + offer + WHOLE
    received = gateway.raw(whole + whole.replace(offer, b"Connection: close\r\n"))
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert len(node.requests) == 2


def test_pipelined_calls_are_answered_in_order_and_one_at_a_time(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    under_way: list[int] = []
    answered: list[Received] = []

    async def watch(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0)
        under_way.append(len(node.requests) - len(answered))
        answered.append(request)
        await echo(request, writer)

    good, node.script = node.script, watch
    try:
        calls = [
            START + WHOLE.replace(b"<TestNo>T1</TestNo>", b"<TestNo>%d</TestNo>" % n)
            for n in range(10, 60)
        ]
        refused = START + b"Transfer-Encoding: gzip\r\n\r\n"
        received = gateway.raw(b"".join(calls) + refused + calls[0])
    finally:
        node.script = good
    found = [received.index(b"<TestNo>%d</TestNo>" % n) for n in range(10, 60)]
    assert found == sorted(found)
    assert received.count(b"HTTP/1.1 ") == 51  # nothing after the refused one is looked at
    assert received.rindex(b"HTTP/1.1 400 ") > found[-1]
    assert len(node.requests) == 50
    assert set(under_way) == {1}


def test_a_slow_head_is_cut_off_with_a_fault(make_gateway: MakeGateway, node: ScriptedNode) -> None:
    gateway = make_gateway([lab_results(node)], limits=LIMITS)
    received = gateway.raw(START)
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"<Code>MalformedMessage</Code>" in received
    assert gateway.raw() == b""  # who says nothing at all is told nothing
    assert node.requests == []


def test_a_head_that_trickles_is_cut_off_too(make_gateway: MakeGateway, node: ScriptedNode) -> None:
    gateway = make_gateway([lab_results(node)], limits=LIMITS)
    received = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=0.02) as connection:
        for byte in START * 100:
            connection.sendall(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                received = connection.recv(65536)
                break
    assert received.startswith(b"HTTP/1.1 408 ")


def test_one_peer_may_not_take_every_connection(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"max_connections_per_peer": 3})
    held = [socket.create_connection(("127.0.0.1", gateway.port), timeout=30) for _ in range(3)]
    for connection in held:  # each is really being served
        connection.sendall(START + WHOLE)
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
    received = gateway.raw()
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"<Code>Overloaded</Code>" in received
    for connection in held:
        connection.close()
    until(lambda: gateway.raw(b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200"))
    (told,) = until(lambda: gateway.log("connections_refused"))
    assert (told["rule"], told["peer"]) == ("max_connections_per_peer", "127.0.0.1")
    assert gateway.health()["refusals"]["connection"] >= 1


def test_the_worker_takes_only_so_many_connections(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"max_connections": 1})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(START + WHOLE)
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        assert gateway.raw().startswith(b"HTTP/1.1 503 ")


def test_an_end_lets_calls_under_way_finish(
    make_gateway: MakeGateway, node: ScriptedNode, make_node: Callable[..., ScriptedNode]
) -> None:
    slow = make_node()
    gateway = make_gateway([lab_results(slow)])
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:

        async def end_meanwhile(request: Received, writer: asyncio.StreamWriter) -> None:
            gateway.end()
            await echo(request, writer)

        slow.script = end_meanwhile
        connection.sendall(START + WHOLE)
        received = b""
        while part := connection.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"</soap:Envelope>" in received
