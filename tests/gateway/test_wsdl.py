"""WSDLs through the gateway: the address is the asker's, and nothing else changes."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest
from lxml import etree

from gateway.wsdl_address import NotAWsdl, readdressed
from services.lab_results import LabResults
from services.soap.interface import typed_interface
from services.soap.version import SOAP_1_1, SOAP_1_2
from services.soap.wsdl import wsdl
from tests.gateway.conftest import MakeGateway, RunningGateway, closed_port, lab_results
from tests.gateway.scripted_node import Received, ScriptedNode, answering, http

INNER = "http://192.168.7.7:8088/hx/LabResults"
DOCUMENT = wsdl(typed_interface(LabResults), INNER)


def c14n(document: bytes) -> bytes:
    out = io.BytesIO()
    etree.ElementTree(etree.fromstring(document)).write_c14n(out)
    return out.getvalue()


def locations(document: bytes) -> list[str]:
    return [str(found) for found in etree.fromstring(document).xpath("//@location")]


@pytest.mark.parametrize("version", [SOAP_1_1, SOAP_1_2], ids=["1.1", "1.2"])
def test_nothing_but_the_address_changes(version: object) -> None:
    assert version in (SOAP_1_1, SOAP_1_2)
    chosen = SOAP_1_1 if version is SOAP_1_1 else SOAP_1_2
    document = wsdl(typed_interface(LabResults), INNER, chosen)
    asked: list[str] = []

    def address_of(path: str) -> str:
        asked.append(path)
        return "https://gw.example/hx/LabResults"

    changed = readdressed(document, address_of)
    assert asked == ["/hx/LabResults"]
    assert locations(changed) == ["https://gw.example/hx/LabResults"]
    assert c14n(changed) == c14n(document).replace(
        INNER.encode(), b"https://gw.example/hx/LabResults"
    )
    assert changed == readdressed(document, address_of)
    assert c14n(readdressed(document, lambda path: INNER)) == c14n(document)


def test_every_port_comments_encodings_and_odd_prefixes_are_kept() -> None:
    document = """<?xml version="1.0" encoding="gb2312"?><!-- 一 --><w:definitions
      xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:q="http://schemas.xmlsoap.org/wsdl/soap/"
      xmlns:r="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:h="http://schemas.xmlsoap.org/wsdl/http/">
      <w:documentation><![CDATA[化验 <b>]]></w:documentation>
      <w:service name="S"><w:port name="a" binding="x"><q:address location="http://10.1.1.1/hx/S"/></w:port>
      <w:port name="b" binding="y"><r:address location="http://10.1.1.1/hx/T"/></w:port>
      <w:port name="c" binding="z"><h:address location="http://[::"/></w:port></w:service>
      </w:definitions><!-- 二 -->""".encode("gb2312")
    changed = readdressed(document, lambda path: f"http://gw{path or '/none'}")
    assert locations(changed) == ["http://gw/hx/S", "http://gw/hx/T", "http://gw/none"]
    text = changed.decode("gb2312")
    assert "<![CDATA[化验 <b>]]>" in text
    assert "<!-- 一 -->" in text
    assert "<!-- 二 -->" in text
    assert "10.1.1.1" not in text


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html/>",
        b"<definitions/>",
        b"not xml",
        b'<!DOCTYPE d [<!ENTITY e "x">]>'
        b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/">&e;</definitions>',
    ],
)
def test_what_is_no_wsdl_is_not_passed_on(document: bytes) -> None:
    with pytest.raises(NotAWsdl):
        readdressed(document, lambda path: path)


@pytest.fixture
def wsdl_node(node: ScriptedNode) -> ScriptedNode:
    node.script = answering(http(DOCUMENT))
    return node


@pytest.mark.parametrize(
    "query", ["wsdl", "WSDL", "Wsdl", "wsdl=", "WSDL=", "singleWsdl", "singlewsdl", "SINGLEWSDL="]
)
def test_every_spelling_brings_the_wsdl_with_the_askers_address(
    gateway: RunningGateway, wsdl_node: ScriptedNode, query: str
) -> None:
    answer = gateway.get(f"/hx/LabResults?{query}", {"Host": "gw.alliance.example:18080"})
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/xml; charset=utf-8"
    assert locations(answer.body) == ["http://gw.alliance.example:18080/hx/LabResults"]
    assert b"192.168.7.7" not in answer.body
    assert wsdl_node.requests[0].line == "GET /hx/LabResults?wsdl HTTP/1.1"


@pytest.mark.parametrize("host", ["gw", "10.0.0.1:80", "[::1]:8080", "a-b.example.", "GW.example"])
def test_the_hosts_that_an_asker_may_name(
    gateway: RunningGateway, wsdl_node: ScriptedNode, host: str
) -> None:
    answer = gateway.get("/hx/LabResults?wsdl", {"Host": host})
    assert locations(answer.body) == [f"http://{host}/hx/LabResults"]


def test_a_configured_address_outranks_the_host_header(
    make_gateway: MakeGateway, wsdl_node: ScriptedNode
) -> None:
    gateway = make_gateway(
        [lab_results(wsdl_node)], listen={"public_url": "https://soap.example/union/"}
    )
    answer = gateway.get("/hx/LabResults?wsdl", {"Host": "evil.example"})
    assert locations(answer.body) == ["https://soap.example/union/hx/LabResults"]


def test_an_asker_without_host_gets_no_guessed_address(
    gateway: RunningGateway, wsdl_node: ScriptedNode
) -> None:
    received = gateway.raw(b"GET /hx/LabResults?wsdl HTTP/1.0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")


def test_a_head_request_is_answered_without_body(
    gateway: RunningGateway, wsdl_node: ScriptedNode
) -> None:
    answer = gateway.request("HEAD", "/hx/LabResults?wsdl")
    assert (answer.status, answer.body) == (200, b"")


def test_a_changed_wsdl_is_never_answered_from_the_old_ones_cache(
    gateway: RunningGateway, wsdl_node: ScriptedNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.get("/hx/LabResults?wsdl")
    gateway.get("/hx/LabResults?wsdl")
    assert len(wsdl_node.requests) == 1  # the second one came out of the short cache
    monkeypatch.setattr("gateway.wsdls.FRESH", 0.0)
    wsdl_node.script = answering(http(DOCUMENT.replace(b"GetLabResult", b"GetLabOutcome")))
    assert b"GetLabOutcome" in gateway.get("/hx/LabResults?wsdl").body


@pytest.mark.parametrize(
    "raw", [http(b"<html/>"), http(b"gone", "404 Not Found"), http(DOCUMENT, "500 Oops"), b"x\r\n"]
)
def test_what_is_no_wsdl_is_a_fault_502(
    gateway: RunningGateway, node: ScriptedNode, raw: bytes
) -> None:
    node.script = answering(raw)
    answer = gateway.get("/hx/LabResults?wsdl")
    assert answer.status == 502
    assert "<Code>SourceError</Code>" in answer.text


def test_a_stopped_node_is_a_fault_502_and_a_silent_one_504(
    make_gateway: MakeGateway, make_node: Callable[..., ScriptedNode]
) -> None:
    async def hang(request: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    silent = make_node(script=hang)
    with closed_port() as port:
        stopped = ScriptedNode(port=port)
        gateway = make_gateway(
            [lab_results(silent), lab_results(stopped, "sq")], forward={"timeout_seconds": 0.3}
        )
        assert gateway.get("/sq/LabResults?wsdl").status == 502
        assert gateway.get("/hx/LabResults?wsdl").status == 504
        assert gateway.get("/zz/LabResults?wsdl").status == 404
