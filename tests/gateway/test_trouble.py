"""A node that is away, slow or broken: a SOAP Fault in the caller's version, in time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import pytest
from lxml import etree

from gateway.binding import Binding
from services.soap.version import SOAP_1_1 as V1_1
from services.soap.version import SOAP_1_2 as V1_2
from services.soap.version import SoapVersion
from tests.gateway.conftest import (
    SOAP_1_1,
    SOAP_1_2,
    Answered,
    MakeGateway,
    RunningGateway,
    closed_port,
    lab_call,
    lab_results,
)
from tests.gateway.scripted_node import (
    Received,
    Script,
    ScriptedNode,
    answering,
    envelope,
    http,
    reset,
)

DETAIL = "{urn:yilian:fault:1}"


def fault_in(answer: Answered) -> dict[str, str]:
    """The fault's detail, its standard code and text, whichever version it is in."""
    root = etree.fromstring(answer.body)
    body = root[0]
    fault = body[0]
    parts = {etree.QName(part).localname: part for part in fault.iter() if part.tag}
    said = {name: (part.text or "") for name, part in parts.items()}
    said["envelope"] = etree.QName(root).namespace or ""
    return said


async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def half_then_reset(request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(http(envelope())[:-20])
    await reset(writer)


async def half_then_close(request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(http(envelope())[:-20])
    writer.close()


async def close(request: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("headers, version", [(SOAP_1_1, V1_1), (SOAP_1_2, V1_2)])
def test_a_stopped_node_is_a_fault_in_the_callers_version(
    make_gateway: MakeGateway, headers: dict[str, str], version: SoapVersion
) -> None:
    with closed_port() as port:
        gateway = make_gateway(
            [Binding("hx", "LabResults", f"http://127.0.0.1:{port}/hx/LabResults")]
        )
        # What the operators were promised: the caller here gives up after two seconds.
        body = lab_call(envelope=version.envelope)
        answer = gateway.post("/hx/LabResults", body, headers, seconds=2)
    assert answer.status == 500
    fault = fault_in(answer)
    assert version in (V1_1, V1_2)
    if version is V1_1:
        assert fault["envelope"] == V1_1.envelope
        assert fault["faultcode"] == "soap:Server"
    else:
        assert fault["envelope"] == V1_2.envelope
        assert fault["Value"] == "soap:Receiver"
    assert "hx 的 LabResults" in answer.text
    assert fault["Hospital"] == "hx"
    assert fault["RequestId"] == answer.header("X-Request-Id")
    assert str(port) not in answer.text  # no inner address
    line = gateway.call_line(answer)
    assert line["fault"] == "SourceUnavailable"
    assert str(port) in line["reason"]
    (route,) = gateway.health()["routes"]
    assert route["faults"] == {"SourceUnavailable": 1}


def test_an_unknown_host_name_is_a_fault(make_gateway: MakeGateway) -> None:
    gateway = make_gateway([Binding("hx", "LabResults", "http://node.invalid/hx/LabResults")])
    answer = gateway.post("/hx/LabResults")
    assert b"<Code>SourceUnavailable</Code>" in answer.body


def test_a_connection_that_nobody_accepts_ends_in_time(make_gateway: MakeGateway) -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # the queue is full: further ones get no answer, as behind a dead gate
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        gateway = make_gateway(
            [Binding("hx", "LabResults", f"http://127.0.0.1:{port}/hx/LabResults")],
            forward={"connect_timeout_seconds": 0.2},
        )
        answer = gateway.post("/hx/LabResults")
    assert b"<Code>SourceUnavailable</Code>" in answer.body
    assert "NotReached" in gateway.call_line(answer)["reason"]


def one_mib_too_many() -> bytes:
    return http(envelope(b"<r>" + b"x" * 2048 + b"</r>"))


HTML = b"<html><body>502 Bad Gateway</body></html>"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "script, code, reason",
    [
        (hang, "SourceTimeout", "TimedOut"),
        (half_then_reset, "SourceUnavailable", "BrokenOff"),
        (half_then_close, "SourceUnavailable", "BrokenOff"),
        (close, "SourceUnavailable", "BrokenOff"),
        (answering(http(HTML, "502 Bad Gateway", "text/html")), "SourceError", "BadAnswer"),
        (answering(http(HTML, "200 OK", "text/xml")), "SourceError", "BadAnswer"),
        (answering(http(HTML, "200 OK", "text/html")), "SourceError", "BadAnswer"),
        (answering(http(b"", "200 OK")), "SourceError", "BadAnswer"),
        (answering(http(envelope()[:-8])), "SourceError", "BadAnswer"),
        (answering(http(b"", "302 Found", extra="Location: /\r\n")), "SourceError", "BadAnswer"),
        (
            answering(http(b"\x1f\x8b..", extra="Content-Encoding: gzip\r\n")),
            "SourceError",
            "BadAnswer",
        ),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "SourceError", "BadAnswer"),
        (answering(one_mib_too_many()), "SourceError", "AnswerTooLarge"),
        (
            answering(CHUNKED + b"800\r\n" + b"x" * 2048 + b"\r\n0\r\n\r\n"),
            "SourceError",
            "AnswerTooLarge",
        ),
    ],
)
def test_a_broken_answer_is_a_fault_and_the_next_call_works(
    make_gateway: MakeGateway, node: ScriptedNode, script: Script, code: str, reason: str
) -> None:
    gateway = make_gateway(
        [lab_results(node)], forward={"timeout_seconds": 0.5, "max_answer_bytes": 1024}
    )
    good, node.script = node.script, script
    answer = gateway.post("/hx/LabResults")
    assert answer.status == 500
    assert fault_in(answer)["faultcode"] == "soap:Server"
    assert f"<Code>{code}</Code>" in answer.text
    assert "hx 的 LabResults" in answer.text
    line = gateway.call_line(answer)
    assert line["reason"].startswith(f"{reason}: ")
    assert len(node.requests) == 1  # a first call on a new connection is never sent twice
    node.script = good
    assert gateway.post("/hx/LabResults").status == 200


def test_a_node_that_comes_back_is_used_again(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode], loop: object
) -> None:
    with closed_port() as port:
        gateway = make_gateway(
            [Binding("hx", "LabResults", f"http://127.0.0.1:{port}/hx/LabResults")]
        )
        assert gateway.post("/hx/LabResults").status == 500
    make_node(port=port)
    assert gateway.post("/hx/LabResults").status == 200


def test_a_redirect_is_not_followed(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    elsewhere, node = make_node(), make_node()
    node.script = answering(
        http(envelope(), "307 Temporary Redirect", extra=f"Location: {elsewhere.url}/\r\n")
    )
    gateway = make_gateway([lab_results(node)])
    answer = gateway.post("/hx/LabResults")
    assert elsewhere.requests == []
    assert answer.header("Location") is None


def test_what_a_patient_is_called_is_in_no_log_line(
    make_gateway: MakeGateway, node: ScriptedNode
) -> None:
    gateway: RunningGateway = make_gateway([lab_results(node)])
    body = lab_call("<PatientId>110101199001011234</PatientId><Name>欧阳震华</Name>")
    gateway.post("/hx/LabResults", body)
    node.script = answering(http(body, "500 Internal Server Error"))
    gateway.post("/hx/LabResults", body)
    gateway.post(
        "/hx/LabResults",
        body,
        {**SOAP_1_1, "SOAPAction": '"urn:x/欧阳震华 1101"'.encode().decode("latin-1")},
    )
    gateway.post("/hx/LabResults", body.replace(b"GetLabResult", "欧阳1101".encode()))
    assert len(gateway.log("call")) == 4
    assert len(node.requests) == 2
    assert "欧阳" not in gateway.log_text.getvalue()
    assert "1101" not in gateway.log_text.getvalue()


def test_a_caller_may_say_how_long_he_waits(make_gateway: MakeGateway, node: ScriptedNode) -> None:
    node.script = hang
    gateway = make_gateway([lab_results(node)], forward={"timeout_seconds": 600})
    answer = gateway.post("/hx/LabResults", headers={**SOAP_1_1, "X-Timeout-Ms": "100"})
    assert "<Code>SourceTimeout</Code>" in answer.text
    assert "0.1 s" in answer.text
    assert all(sent.all("X-Timeout-Ms") == [] for sent in node.requests)
    for wrong in ("0", "-5", "1.5", "1e3", "９", "9" * 10):
        headers = {**SOAP_1_1, "X-Timeout-Ms": wrong.encode().decode("latin-1")}
        assert gateway.post("/hx/LabResults", headers=headers).status == 400
