"""Heads and bodies that are refused, as raw bytes: with a Fault, and nothing reaches a node."""

from __future__ import annotations

import socket

import pytest

from tests.gateway.conftest import (
    SOAP_1_1,
    SOAP_1_2,
    MakeGateway,
    RunningGateway,
    lab_call,
    lab_results,
    shared_by_module,
    until,
)
from tests.gateway.scripted_node import ScriptedNode
from tests.gateway.test_trouble import fault_in

HEAD = b"POST %s HTTP/1.1\r\nHost: gw\r\nContent-Type: text/xml\r\n%sContent-Length: 4\r\n\r\n<a/>"


shared, node, gateway = shared_by_module()


def refused(gateway: RunningGateway, raw: bytes) -> tuple[int, str]:
    """The status and the body of what comes back for a raw request, after which it closes."""
    head, _, body = gateway.raw(raw).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), body.decode()


@pytest.mark.parametrize(
    "path",
    [
        b"//hx/LabResults",
        b"/hx//LabResults",
        b"/hx/LabResults/",
        b"/hx/./LabResults",
        b"/sq/../hx/LabResults",
        b"/hx/%2e%2e/hx/LabResults",
        b"/hx%2FLabResults",
        b"/hx%2fLabResults",
        b"/hx/Lab%52esults",
        b"/hx/LabResults;jsessionid=1",
        b"/hx;a/LabResults",
        b"/hx/LabResults%00",
        b"/hx/LabResults%23",
        b"/hx/LabResults\\",
        b"/hx\\LabResults",
        b"/hx/LabResults%0d%0aX: y",
        b"/hx/" + b"L" * 200,
        b"/%E5%8D%8E/LabResults",
        b"/" + b"a/" * 20 + b"LabResults",
    ],
)
def test_a_path_that_is_not_canonical_is_refused(
    gateway: RunningGateway, node: ScriptedNode, path: bytes
) -> None:
    assert gateway.raw(HEAD % (path, b"")).split()[1] == b"400"
    assert node.requests == []


@pytest.mark.parametrize(
    "extra",
    [
        b"SOAPAction: a\r\nSOAPAction: b\r\n",
        b"SOAPAction: a\r\nsoapaction: a\r\n",
        b"Content-Type: text/xml; charset=gbk\r\n",
        b"Host: other\r\n",
        b"Authorization: Basic YQ==\r\nAuthorization: Basic Yg==\r\n",
    ],
)
def test_a_header_that_stands_twice_is_refused(
    gateway: RunningGateway, node: ScriptedNode, extra: bytes
) -> None:
    status, body = refused(gateway, HEAD % (b"/hx/LabResults", extra))
    assert status == 400
    assert "<faultcode>soap:Client</faultcode>" in body
    assert "<Code>MalformedMessage</Code>" in body
    assert node.requests == []


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"identity, gzip", b"x"])
def test_a_compressed_body_is_refused(
    gateway: RunningGateway, node: ScriptedNode, encoding: bytes
) -> None:
    status, body = refused(
        gateway, HEAD % (b"/hx/LabResults", b"Content-Encoding: %s\r\n" % encoding)
    )
    assert status == 415
    assert "<Code>MalformedMessage</Code>" in body
    assert node.requests == []


@pytest.mark.parametrize(
    "raw",
    [
        # smuggling shapes: what the length is must be beyond doubt
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: 4\r\n"
        b"Content-Length: 5\r\n\r\n<a/>",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: -1\r\n\r\n",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: 4, 4\r\n\r\n<a/>",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nSOAPAction: a\r\n b\r\n"
        b"Content-Length: 4\r\n\r\n<a/>",
        b"POST /hx/LabResults HTTP/1.1\r\nHost : g\r\nContent-Length: 4\r\n\r\n<a/>",
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nX: a\x00b\r\nContent-Length: 4\r\n\r\n<a/>",
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_proper_http_is_refused(
    gateway: RunningGateway, node: ScriptedNode, raw: bytes
) -> None:
    received = gateway.raw(raw)
    assert received.split()[1] == b"400"
    assert node.requests == []


@pytest.mark.parametrize("host", [b"a b", b"a/b", b"a@b", b"gw:0", b"gw:99999", b"gw:x", b"<x>"])
def test_a_host_header_that_is_no_host_is_refused(
    gateway: RunningGateway, node: ScriptedNode, host: bytes
) -> None:
    raw = b"GET /hx/LabResults?wsdl HTTP/1.1\r\nHost: %s\r\n\r\n" % host
    status, body = refused(gateway, raw)
    assert status == 400
    assert "Host" in body
    assert node.requests == []


def test_a_body_beyond_the_limit_is_refused_by_its_length_alone(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"max_body_bytes": 2048})
    raw = (
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Type: text/xml\r\n"
        b"Content-Length: 2049\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(raw)  # and nothing of the body
        received = connection.recv(65536)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert node.requests == []


def test_a_caller_who_sends_too_much_still_reads_why_it_was_refused(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"max_body_bytes": 1024 * 1024})
    for headers in ({**SOAP_1_1}, {**SOAP_1_2}):
        answer = gateway.post("/hx/LabResults", b"x" * 5_000_000, headers)
        assert answer.status == 413
        assert answer.header("Content-Type") == headers["Content-Type"].split("; action")[0]
        assert fault_in(answer)["Code"] in ("MalformedMessage", "")
        assert "<Code>MalformedMessage</Code>" in answer.text
    largest = lab_call().replace(b"T1", b"T" * (1024 * 1024 - len(lab_call()) + 2))
    assert len(largest) == 1024 * 1024
    assert gateway.post("/hx/LabResults", largest).status == 200
    assert len(node.requests) == 1


def test_a_chunked_body_beyond_the_limit_is_not_read_to_its_end(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"max_body_bytes": 2048})
    head = b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = gateway.raw(head, b"1000\r\n" + b"x" * 4096 + b"\r\n")  # and no end
    assert received.startswith(b"HTTP/1.1 413 ")
    assert node.requests == []


def test_a_body_that_does_not_come_is_refused_in_time(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway = make_gateway([lab_results(node)], limits={"body_seconds": 0.3})
    received = gateway.raw(
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nhalf"
    )
    assert received.startswith(b"HTTP/1.1 408 ")
    assert node.requests == []


def test_a_caller_who_leaves_midway_leaves_a_log_line_and_nothing_else(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
        connection.sendall(b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\nx")
    until(lambda: [line for line in gateway.log("call") if line["reason"] == "the caller left"])
    assert node.requests == []
    assert gateway.post("/hx/LabResults").status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_other_methods_are_refused_with_what_to_do(
    gateway: RunningGateway, node: ScriptedNode, method: str
) -> None:
    answer = gateway.request(method, "/hx/LabResults")
    assert answer.status == 405
    assert answer.header("Allow") == "GET, HEAD, POST"
    assert "/hx/LabResults?wsdl" in answer.text
    assert node.requests == []
