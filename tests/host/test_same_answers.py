"""The calls' own path and the app beneath it: the same raw bytes, the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.soap.bounds import Limits
from tests.host.running import Running, answers, post, running
from tests.interop.constant import constant_node
from yilian.host import app_of, call_paths

HIS = "/hx/HisService.asmx"
XML = "Content-Type: text/xml; charset=utf-8"
ACTION = 'SOAPAction: "http://tempuri.org/getlabmaster"'
CLOSE = "Connection: close"
LIMIT = 20_000


def envelope(content: str, ns: str = "http://schemas.xmlsoap.org/soap/envelope/") -> str:
    return f'<s:Envelope xmlns:s="{ns}"><s:Body>{content}</s:Body></s:Envelope>'


def lab(patient: str) -> str:
    return envelope(
        f'<getlabmaster xmlns="http://tempuri.org/"><PatientId>{patient}</PatientId></getlabmaster>'
    )


LAB = lab("0000000001")
SOAP12 = envelope(
    '<getlabmaster xmlns="http://tempuri.org/"><PatientId>1</PatientId></getlabmaster>',
    "http://www.w3.org/2003/05/soap-envelope",
)
SLOTS = envelope(
    '<QueryNumberSource xmlns="urn:yilian:NumberSource:1"><ScheduleDate>2026-11-21</ScheduleDate>'
    "</QueryNumberSource>"
)
GOOD = post(HIS, LAB, XML, ACTION)
LAST = post(HIS, LAB, XML, ACTION, CLOSE)


def chunked(*chunks: bytes) -> bytes:
    head = (
        f"POST {HIS} HTTP/1.1\r\nHost: n\r\n{XML}\r\n{CLOSE}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head.encode() + body


def raw(text: str, body: str = "") -> bytes:
    return text.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode()


CASES: dict[str, tuple[bytes, ...]] = {
    "call": (LAST,),
    "typed call": (post("/hx/NumberSource", SLOTS, XML, CLOSE),),
    "no content type": (post(HIS, LAB, CLOSE),),
    "two content types": (post(HIS, LAB, XML, "Content-Type: text/xml; charset=gbk", CLOSE),),
    "GBK": (post(HIS, lab("回声喆").encode("gbk"), "Content-Type: text/xml; charset=gbk", CLOSE),),
    "latin-1 in a header": (post(HIS, LAB, XML, "SOAPAction: \xe9", CLOSE),),
    "no such operation": (post(HIS, envelope("<nope/>"), XML, CLOSE),),
    "SOAPAction of another": (post(HIS, LAB, XML, "SOAPAction: getlabresult", CLOSE),),
    "SOAP 1.2": (post(HIS, SOAP12, "Content-Type: application/soap+xml", CLOSE),),
    "SOAP 1.2 address": (post(f"{HIS}/soap12", SOAP12, XML, CLOSE),),
    "empty": (post(HIS, "", XML, CLOSE),),
    "no length": (post(HIS, "", XML, CLOSE, length=False),),
    "not XML": (post(HIS, "hello", XML, CLOSE),),
    "header names in any case": (post(HIS, LAB, XML.upper(), ACTION.lower(), "connection: CLOSE"),),
    "kept and pipelined": (GOOD + GOOD + post(HIS, "bad", XML) + LAST,),
    "pages and calls mixed": (
        GOOD + raw(f"GET {HIS}?wsdl HTTP/1.1\nHost: n") + GOOD + post("/hx/Nope", LAB) + LAST,
    ),
    "one byte at a time": tuple(bytes([byte]) for byte in LAST),
    "chunked": (chunked(LAB[:100].encode(), LAB[100:].encode(), b""),),
    "chunk of no size": (chunked(b"abc")[:-8] + b"zz\r\nabc\r\n",),
    "HTTP/1.0": (post(HIS, LAB, XML, version="1.0"),),
    "HTTP/1.0 kept": (post(HIS, LAB, XML, "Connection: keep-alive", version="1.0"),),
    "expected": (post(HIS, LAB, XML, CLOSE, "Expect: 100-continue"),),
    "gzip": (post(HIS, LAB, XML, CLOSE, "Content-Encoding: GZip"),),
    "identity": (post(HIS, LAB, XML, CLOSE, "Content-Encoding: identity"),),
    "empty encoding": (post(HIS, LAB, XML, CLOSE, "Content-Encoding: "),),
    "too large by its length": (
        raw(f"POST {HIS} HTTP/1.1\nHost: n\n{XML}\n{CLOSE}\nContent-Length: {LIMIT + 1}"),
    ),
    "expected and too large": (
        raw(f"POST {HIS} HTTP/1.1\n{XML}\n{CLOSE}\nExpect: 100-continue\nContent-Length: 99999"),
    ),
    "too large and kept": (post(HIS, "x" * (LIMIT + 1), XML) + LAST,),
    "too large in chunks": (chunked(b"x" * LIMIT, b"y"),),
    "two equal lengths": (post(HIS, LAB, XML, f"Content-Length: {len(LAB.encode())}", CLOSE),),
    "two lengths": (post(HIS, LAB, XML, "Content-Length: 3", CLOSE),),
    "length and chunks": (post(HIS, LAB, XML, "Transfer-Encoding: chunked", CLOSE),),
    "length of letters": (raw(f"POST {HIS} HTTP/1.1\nHost: n\nContent-Length: ten"),),
    "negative length": (raw(f"POST {HIS} HTTP/1.1\nHost: n\nContent-Length: -1"),),
    "folded header": (raw(f"POST {HIS} HTTP/1.1\nHost: n\nX: a\n b\nContent-Length: 0\n{CLOSE}"),),
    "space before the colon": (raw(f"POST {HIS} HTTP/1.1\nHost: n\nX : a\nContent-Length: 0"),),
    "upgrade that nobody wants": (
        post(HIS, LAB, XML, "Connection: Upgrade, close", "Upgrade: h2c", "HTTP2-Settings: A"),
    ),
    "unknown path": (post("/hx/Nope", LAB, XML, CLOSE),),
    "path with a query": (post(f"{HIS}?op=getlabmaster", LAB, XML, CLOSE),),
    "path with a fragment": (post(f"{HIS}#x", LAB, XML, CLOSE),),
    "path in percent": (post("/hx/His%53ervice.asmx", LAB, XML, CLOSE),),
    "path with two slashes": (post("//hx/HisService.asmx", LAB, XML, CLOSE),),
    "whole URL": (post(f"http://node{HIS}", LAB, XML, CLOSE),),
    "GET": (raw(f"GET {HIS}?wsdl HTTP/1.1\nHost: n\n{CLOSE}"),),
    "HEAD": (raw(f"HEAD {HIS} HTTP/1.1\nHost: n\n{CLOSE}"),),
    "PUT": (raw(f"PUT {HIS} HTTP/1.1\nHost: n\n{CLOSE}\nContent-Length: 0"),),
    "health": (raw(f"GET /health HTTP/1.1\nHost: n\n{CLOSE}"),),
    "no HTTP": (b"hello\r\n\r\n",),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 40,),
}


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Running, Running]]:
    node = constant_node("http://127.0.0.1:1")
    for endpoint in node.endpoints.values():
        endpoint.limits = Limits(size=LIMIT)
    with running(app_of(node), call_paths(node)) as own, running(app_of(node), None) as app:
        yield own, app


@pytest.mark.parametrize("parts", CASES.values(), ids=CASES)
def test_same_answers(both: tuple[Running, Running], parts: tuple[bytes, ...]) -> None:
    own, app = (server.exchange(*parts) for server in both)
    assert own == app
    assert own


def test_the_cases_are_what_their_names_say(both: tuple[Running, Running]) -> None:
    def statuses(name: str) -> list[int]:
        return [status for status, _, _ in answers(both[0].exchange(*CASES[name]))]

    assert statuses("kept and pipelined") == [200, 200, 500, 200]
    assert statuses("pages and calls mixed") == [200, 200, 200, 404, 200]
    assert statuses("too large by its length") == statuses("too large in chunks") == [413]
    assert statuses("too large and kept") == [413, 200]
    assert statuses("expected") == [100, 200]
    assert statuses("expected and too large") == [413]
    assert statuses("gzip") == [415]
    assert statuses("two lengths") == statuses("length and chunks") == [400]
    assert statuses("chunked") == statuses("HTTP/1.0") == statuses("SOAP 1.2 address") == [200]
    for name in CASES:
        for status, headers, body in answers(both[0].exchange(*CASES[name])):
            assert status == 100 or name == "HEAD" or int(headers["content-length"]) == len(body)
