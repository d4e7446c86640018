"""Calls that the node answers: what reaches it, and what comes back."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from tests.gateway.conftest import (
    ACTION,
    BODY,
    SOAP_1_1,
    MakeGateway,
    RunningGateway,
    lab_call,
    lab_results,
)
from tests.gateway.scripted_node import Received, ScriptedNode, answering, envelope, http


def test_a_call_reaches_the_node_unchanged_and_its_answer_comes_back(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    body = lab_call("<TestNo>张伟 ｜ 朱镕喆</TestNo>").decode().encode("gb18030")
    headers = {"Content-Type": "text/xml; charset=gbk", "SOAPAction": f" {ACTION} "}
    answer = gateway.post("/hx/LabResults", body, headers)
    (sent,) = node.requests
    assert sent.line == "POST /hx/LabResults HTTP/1.1"
    assert sent.body == body
    assert sent.all("Content-Type") == ["text/xml; charset=gbk"]
    assert sent.all("SOAPAction") == [ACTION]
    assert sent.all("Content-Length") == [str(len(body))]
    assert sent.all("Host") == [f"127.0.0.1:{node.port}"]
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/xml; charset=utf-8"
    assert answer.body == envelope(b"<echo>%s</echo>" % body)


def test_a_request_id_is_made_sent_on_returned_and_logged(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    first = gateway.post("/hx/LabResults", headers={**SOAP_1_1, "X-Request-Id": "mine"})
    second = gateway.post("/hx/LabResults")
    ids = [answer.header("X-Request-Id") for answer in (first, second)]
    assert "mine" not in ids
    assert len(set(ids)) == 2
    assert [sent.all("X-Request-Id") for sent in node.requests] == [[ids[0]], [ids[1]]]
    line = gateway.call_line(first)
    assert line["hospital"] == "hx"
    assert line["service"] == "LabResults"
    assert line["operation"] == "GetLabResult"
    assert line["status"] == 200
    assert line["fault"] is None
    assert line["answer_bytes"] == len(first.body)


def test_headers_of_one_connection_and_forged_ones_stay_behind(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    node.script = answering(
        http(envelope(), extra="Keep-Alive: timeout=5\r\nServer: inner\r\nX-Inner: 10.1.2.3\r\n")
    )
    hostile = {
        **SOAP_1_1,
        "Connection": "keep-alive, X-Custom",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Proxy-Authorization": "Basic eA==",
        "X-Custom": "1",
        "X-Forwarded-For": "10.0.0.1",
        "Accept-Encoding": "gzip",
    }
    answer = gateway.post("/hx/LabResults", headers=hostile)
    names = {name.lower() for name, _ in node.requests[0].headers}
    assert names == {
        "host",
        "content-type",
        "soapaction",
        "content-length",
        "x-request-id",
        "via",
        "accept-encoding",
    }
    assert node.requests[0].all("Accept-Encoding") == ["identity"]
    assert answer.status == 200
    assert not {"keep-alive", "server", "x-inner"} & {name.lower() for name, _ in answer.headers}


def test_a_chunked_request_is_sent_on_with_its_length(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    received = gateway.raw(
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
        b"Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (BODY[:3], len(BODY) - 3, BODY[3:])
    )
    (sent,) = node.requests
    assert sent.body == BODY
    assert sent.all("Content-Length") == [str(len(BODY))]
    assert sent.all("Transfer-Encoding") == []
    assert b"<echo>%b</echo>" % BODY in received


def test_an_http_1_0_caller_and_one_that_expects_100_continue(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    echo = b"<echo>%b</echo>" % BODY
    old = gateway.raw(
        b"POST /hx/LabResults HTTP/1.0\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
    )
    assert echo in old
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
        connection.sendall(
            b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n"
            b"Expect: 100-continue\r\nConnection: close\r\n\r\n" % len(BODY)
        )
        assert connection.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        careful = b""
        while part := connection.recv(65536):
            careful += part
    assert echo in careful
    assert all(sent.all("Expect") == [] for sent in node.requests)


def test_a_query_on_a_call_is_not_sent_on(gateway: RunningGateway, node: ScriptedNode) -> None:
    assert gateway.post("/hx/LabResults?wsdl").status == 200
    assert node.requests[0].line == "POST /hx/LabResults HTTP/1.1"


def test_the_soap_1_2_address_of_a_service_leads_to_the_nodes(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    assert gateway.post("/hx/LabResults/soap12").status == 200
    assert node.requests[0].line == "POST /hx/LabResults/soap12 HTTP/1.1"
    assert gateway.post("/hx/Nothing/soap12").status == 500


def test_a_nodes_fault_comes_back_as_it_is(gateway: RunningGateway, node: ScriptedNode) -> None:
    fault = envelope(
        b"<soap:Fault><detail><Fault><Code>NotFound</Code></Fault></detail></soap:Fault>"
    )
    node.script = answering(http(fault, "500 Internal Server Error", extra="Retry-After: 3\r\n"))
    answer = gateway.post("/hx/LabResults")
    assert (answer.status, answer.body) == (500, fault)
    assert answer.header("Retry-After") == "3"
    assert gateway.call_line(answer)["fault"] == "NotFound"
    (route,) = gateway.health()["routes"]
    assert route["faults"] == {"NotFound": 1}
    assert (route["calls"], route["under_way"]) == (1, 0)


def test_large_and_chunked_answers_come_back_whole(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    large = envelope(b"<r>" + b"x" * 1_000_000 + b"</r>")
    node.script = answering(http(large))
    assert gateway.post("/hx/LabResults").body == large
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part)
        for part in (large[at : at + 65_000] for at in range(0, len(large), 65_000))
    )
    node.script = answering(head + chunks + b"0\r\n\r\n")
    chunked = gateway.post("/hx/LabResults")
    assert chunked.body == large
    assert chunked.header("Content-Length") == str(len(large))


def test_a_large_request_arrives_whole(gateway: RunningGateway, node: ScriptedNode) -> None:
    body = lab_call(f"<TestNo>{'y' * 3_000_000}</TestNo>")
    assert gateway.post("/hx/LabResults", body).status == 200
    assert node.requests[0].body == body


def test_a_slow_answer_in_pieces_comes_back_whole(
    gateway: RunningGateway, node: ScriptedNode
) -> None:
    async def slow(request: Received, writer: asyncio.StreamWriter) -> None:
        whole = http(envelope())
        for at in range(0, len(whole), 20):
            writer.write(whole[at : at + 20])
            await writer.drain()
            await asyncio.sleep(0)

    node.script = slow
    assert gateway.post("/hx/LabResults").body == envelope()


def test_a_one_way_call_is_answered_202(gateway: RunningGateway, node: ScriptedNode) -> None:
    node.script = answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    answer = gateway.post("/hx/LabResults")
    assert (answer.status, answer.body) == (202, b"")


def test_a_hundred_callers_at_once_get_each_their_own_answer(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway: RunningGateway = make_gateway(
        [lab_results(node)], forward={"connect_timeout_seconds": 30}
    )
    together = asyncio.Event()

    async def shuffled(request: Received, writer: asyncio.StreamWriter) -> None:
        if len(node.requests) == 100:
            together.set()
        await together.wait()  # so that all hundred are under way at the same time
        number = request.body.partition(b"<TestNo>")[2].partition(b"<")[0]
        await asyncio.sleep(int(number) * 37 % 20 / 1000)
        writer.write(http(envelope(b"<n>%s</n>" % number)))

    node.script = shuffled

    def ask(number: int) -> bool:
        numbers = number, number + 1000
        bodies = [lab_call(f"<TestNo>{n}</TestNo>") for n in numbers]
        answers = [gateway.post("/hx/LabResults", body) for body in bodies]
        wanted = [envelope(b"<n>%d</n>" % n) for n in numbers]
        return [answer.body for answer in answers] == wanted

    with ThreadPoolExecutor(100) as callers:
        assert all(callers.map(ask, range(100)))
    assert len({gateway_line["request_id"] for gateway_line in gateway.log("call")}) == 200


def test_two_hospitals_have_each_their_own_node(
    make_gateway: MakeGateway, make_node: type[ScriptedNode]
) -> None:
    hx, sq = make_node(), make_node()
    gateway = make_gateway([lab_results(hx), lab_results(sq, "sq")])
    gateway.post("/sq/LabResults")
    assert (len(hx.requests), len(sq.requests)) == (0, 1)
