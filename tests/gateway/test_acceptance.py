"""What a security officer signs for, at a gateway by itself and at the same one behind HAProxy.

The same tests, by what an asker sees and what reaches the node. Both are real processes; where
HAProxy answers in the gateway's place it must do so no less strictly.
"""

from __future__ import annotations

import gzip
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.binding import Binding
from services.passwords import hash_password
from tests.gateway.conftest import (
    BODY,
    SOAP_1_1,
    SOAP_1_2,
    Answered,
    Loop,
    asked_once,
    closed_port,
    everything_said,
    until,
)
from tests.gateway.front import (
    LOCAL,
    GatewayProcess,
    fetch,
    free_port,
    write_table,
)
from tests.gateway.haproxy_process import SECRET, needs_haproxy, perhaps_behind
from tests.gateway.pki import Authority, Certificate
from tests.gateway.scripted_node import ScriptedNode, answering, echo
from tests.gateway.scripted_node import http as http_answer
from tests.gateway.test_wsdl import DOCUMENT, locations

INNER = "192.168.1.8:8088"


@dataclass
class Front:
    """Where askers come to, the gateway process behind it, and the node behind that."""

    kind: str
    port: int
    tls_port: int
    authority: Authority
    gateway: GatewayProcess
    node: ScriptedNode

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Answered:
        port = self.port if tls is None else self.tls_port
        return asked_once(("127.0.0.1", port), method, path, body, headers, tls=tls)

    def post(self, path: str = "/hx/LabResults", body: bytes = BODY, **headers: str) -> Answered:
        return self.ask("POST", path, body, SOAP_1_1 | headers)

    def caller_of(self, answer: Answered) -> str | None:
        """Whom the gateway's log line says an answered call came from."""
        asked = answer.header("X-Request-Id")
        (line,) = until(
            lambda: [one for one in self.gateway.log("call") if one["request_id"] == asked]
        )
        caller: str | None = line["caller"]
        return caller

    def raw(self, *pieces: bytes) -> bytes:
        """All that comes back until the other side closes."""
        return everything_said(self.port, pieces, timeout=60)


CONFIGURATION = """
[listen]
port = {port}
drain_seconds = 0
[registry]
url = "http://127.0.0.1:1"
table_file = "routes.json"
[limits]
max_body_bytes = 65536
head_seconds = 2
body_seconds = 4
max_head_bytes = 8192
max_headers = 32
[forward]
timeout_seconds = 2
[tls]
at = "{tls_at}"
host = "127.0.0.1"
port = {tls_port}
certificate_file = "server.pem"
key_file = "server.pem.key"
client_ca_file = "ca.pem"
[sides.here]
networks = ["127.0.0.1/32"]
base_url = "http://172.20.0.5:8080"
[sides.there]
base_url = "https://10.2.0.1"
[hospitals.hx]
mode = "map"
[[hospitals.hx.map]]
outer = "127.0.0.1:{node}"
inner = "192.168.1.8:8088"
[hospitals.sq]
[hospitals.away]
{callers}
[callers.sq-his]
certificate = {{ common_name = "双桥社区 HIS" }}
side = "there"
[callers.printer]
certificate = {{ sha256 = "{printer}" }}
[callers.page]
basic = {{ user = "page", password_hash = "{password}" }}
[[policies]]
name = "orders of nobody"
callers = ["*"]
hospitals = ["*"]
services = ["Ordering"]
operations = ["*"]
allow = false
[[policies]]
name = "results of sq"
callers = ["sq-his", "printer", "page"]
hospitals = ["sq"]
services = ["LabResults"]
operations = ["GetLabResult"]
[[policies]]
name = "everything else"
callers = ["*"]
hospitals = ["hx", "away"]
services = ["*"]
operations = ["*"]
"""


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("haproxy", marks=pytest.mark.full)]
)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, loop: Loop
) -> Iterator[Front]:
    kind: str = request.param
    found = needs_haproxy() if kind == "haproxy" else ""
    folder = tmp_path_factory.mktemp(kind)
    node = ScriptedNode()
    loop.run(node.start())
    port = free_port()
    with ExitStack() as running:
        away = running.enter_context(closed_port())
        write_table(
            folder / "routes.json",
            [
                Binding("hx", "LabResults", f"http://{INNER}/hx/LabResults"),
                Binding("hx", "Ordering", f"http://{INNER}/hx/Ordering"),
                Binding("sq", "LabResults", f"{node.url}/sq/LabResults"),
                Binding("away", "LabResults", f"http://127.0.0.1:{away}/away/LabResults"),
            ],
        )
        file = folder / "gateway.toml"
        authority = Authority(folder)
        authority.issued("server", "/CN=gateway", address="127.0.0.1")
        tls_port = free_port()
        text = CONFIGURATION.format(
            port=port,
            node=node.port,
            callers=LOCAL,
            tls_port=tls_port,
            tls_at="proxy" if found else "gateway",
            printer=authority.issued("printer", "/CN=a/CN=b").sha256,
            password=hash_password("correct horse"),
        )
        gateway, port = running.enter_context(perhaps_behind(found, file, text, port))
        yield Front(kind, port, tls_port, authority, gateway, node)
    loop.run(node.stop())


@pytest.fixture
def front(shared: Front) -> Front:
    shared.node.requests.clear()
    shared.node.script = echo
    return shared


def fault(answer: Answered) -> str:
    """The code of a Fault, which every refusal must be."""
    assert "Envelope" in answer.text and "Fault>" in answer.text, answer.text[:500]
    found = re.search(r"<Code>(\w+)</Code>", answer.text)
    assert found is not None
    return found[1]


# --- what passes -----------------------------------------------------------------------------


def test_a_call_reaches_the_node_as_it_was_sent(front: Front) -> None:
    answer = front.post()
    assert answer.status == 200 and BODY in answer.body
    (request,) = front.node.requests
    assert request.line == "POST /hx/LabResults HTTP/1.1"
    assert request.body == BODY
    assert request.all("Content-Length") == [str(len(BODY))]
    asked = answer.header("X-Request-Id")
    assert request.all("X-Request-Id") == [asked]
    (line,) = until(
        lambda: [one for one in front.gateway.log("call") if one["request_id"] == asked]
    )
    assert line["peer"] == "127.0.0.1"
    assert not [name for name, _ in request.headers if name.lower().startswith("x-yilian")]


def test_several_calls_go_over_one_connection(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=60)
    for _ in range(3):
        connection.request("POST", "/hx/LabResults", BODY, SOAP_1_1)
        response = connection.getresponse()
        assert (response.status, BODY in response.read()) == (200, True)
    connection.close()


def test_a_chunked_call_reaches_the_node_with_a_length(front: Front) -> None:
    head = b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
    head += b"".join(f"{name}: {value}\r\n".encode() for name, value in SOAP_1_1.items())
    received = front.raw(
        head + b"Transfer-Encoding: chunked\r\n\r\n",
        b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY),
    )
    assert received.startswith(b"HTTP/1.1 200 ")
    (request,) = front.node.requests
    assert request.body == BODY and request.all("Content-Length") == [str(len(BODY))]


def test_the_wsdl_has_the_address_of_the_askers_own_side(front: Front) -> None:
    front.node.script = answering(
        http_answer(DOCUMENT.replace(b"192.168.7.7:8088", INNER.encode()))
    )
    answer = front.ask("GET", "/hx/LabResults?wsdl", headers={"Host": "elsewhere.example"})
    assert locations(answer.body) == ["http://172.20.0.5:8080/hx/LabResults"]


def test_the_inner_address_is_in_no_answer(front: Front) -> None:
    for path in ("/", "/health", "/hx/LabResults", "/hx/Unknown", "/hx/LabResults?wsdl"):
        assert "192.168." not in front.ask("GET", path).text, path
    assert "192.168." not in front.post().text


# --- what does not ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/hx//LabResults", "/hx/./LabResults", "/hx/%4CabResults", "/hx/x/../LabResults",
     "/hx/LabResults;x", "/hx/LabResults/", "//hx/LabResults", "/hx\\LabResults"],
)  # fmt: skip
def test_a_path_that_can_be_read_in_two_ways(front: Front, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: g\r\nConnection: close\r\nContent-Length: {len(BODY)}"
    received = front.raw(f"{head}\r\nContent-Type: text/xml\r\n\r\n".encode() + BODY)
    assert received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 500 "))
    assert b"Fault>" in received
    assert front.node.requests == []


@pytest.mark.parametrize(
    "lines",
    [
        b'SOAPAction: "a"\r\nSOAPAction: "b"\r\n',
        b"Content-Type: text/xml\r\nContent-Type: text/xml\r\n",
        b"Authorization: Basic YTpi\r\nAuthorization: Basic YTpj\r\n",
        b"Host: other\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Length: 1\r\n",
        b"Content-Length: +5\r\n",
        b"Bad Header: x\r\n",
        b"X: \x00\r\n",
    ],
)
def test_a_head_that_can_be_read_in_two_ways(front: Front, lines: bytes) -> None:
    head = b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
    if b"Content-Length" not in lines:
        head += b"Content-Length: %d\r\n" % len(BODY)
    else:
        head += b"Content-Length: 7\r\n"
    received = front.raw(head + lines + b"\r\n" + BODY)
    assert received.startswith(b"HTTP/1.1 4"), received[:200]
    # what HAProxy cannot read as HTTP it answers with a page of its own, whatever is configured
    assert b"Fault>" in received or (front.kind == "haproxy" and b"Bad request" in received)
    assert front.node.requests == []


def test_a_folded_header_is_refused_or_unfolded(front: Front) -> None:
    """HAProxy writes it as one line, as RFC 9112 allows; nobody behind it can read it as two."""
    received = front.raw(
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
        b"Content-Type: text/xml;\r\n SOAPAction: x\r\nContent-Length: %d\r\n\r\n"
        % len(BODY)
        + BODY
    )
    if front.kind == "embedded":
        assert received.startswith(b"HTTP/1.1 400 ")
        assert front.node.requests == []
    for request in front.node.requests:
        assert request.all("SOAPAction") == []


@pytest.mark.parametrize(
    "lines, body",
    [
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\nPOST /sq/LabResults "),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"zz\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\nabc\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffffff\r\n"),
    ],
)
def test_a_second_request_cannot_be_smuggled_in(front: Front, lines: bytes, body: bytes) -> None:
    head = b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
    received = front.raw(head + b"Content-Type: text/xml\r\n" + lines + b"\r\n" + body)
    assert received.count(b"HTTP/1.1 ") == 1
    if front.kind == "embedded":
        assert received.startswith(b"HTTP/1.1 4")
        assert front.node.requests == []
    # HAProxy frames a request anew: it may take one of two lengths, and passes on that one alone
    assert [one.body for one in front.node.requests] in ([], [b""])


def test_a_compressed_body(front: Front) -> None:
    answer = front.post(body=gzip.compress(BODY), **{"Content-Encoding": "gzip"})
    assert (answer.status, fault(answer)) == (415, "MalformedMessage")
    assert front.node.requests == []


@pytest.mark.parametrize("headers", [SOAP_1_1, SOAP_1_2], ids=["1.1", "1.2"])
def test_a_body_that_is_too_large(front: Front, headers: dict[str, str]) -> None:
    answer = front.ask("POST", "/hx/LabResults", b"x" * 65537, headers)
    assert (answer.status, fault(answer)) == (413, "MalformedMessage")
    assert front.node.requests == []


def test_a_head_that_is_too_large_or_has_too_many_lines(front: Front) -> None:
    many = b"".join(b"X-%d: x\r\n" % number for number in range(60))
    for lines in (b"X: " + b"x" * 60_000 + b"\r\n", many):
        received = front.raw(
            b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n"
            b"Content-Length: 0\r\n" + lines + b"\r\n"
        )
        assert received.startswith(b"HTTP/1.1 4")
        assert b"Fault>" in received or front.kind == "haproxy"
    assert front.node.requests == []


def test_a_head_or_body_that_does_not_come_is_given_up(front: Front) -> None:
    assert front.raw(b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\n").startswith(b"HTTP/1.1 408 ")
    received = front.raw(
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Type: text/xml\r\n"
        b"Content-Length: 100\r\n\r\nhalf"
    )
    assert received.startswith(b"HTTP/1.1 408 ")
    assert front.node.requests == []


def test_services_that_are_not_there(front: Front) -> None:
    answer = front.post("/hx/Unknown")
    assert fault(answer) in ("UnknownService", "SourceUnavailable")
    answer = front.ask("PUT", "/hx/LabResults")
    assert answer.status == 405


def test_a_node_that_is_away_or_silent(front: Front) -> None:
    answer = front.post("/away/LabResults")
    assert fault(answer) == "SourceUnavailable" and "127.0.0.1" not in answer.text
    assert answer.header("X-Request-Id") in answer.text

    front.node.script = lambda request, writer: silence()  # type: ignore[assignment, return-value]
    answer = front.post()
    assert fault(answer) == "SourceTimeout"
    asked = answer.header("X-Request-Id")
    assert [one for one in front.gateway.log("call") if one["request_id"] == asked]


async def silence() -> None:
    """Says nothing, and takes the next request when it comes."""


def test_identity_headers_of_an_asker_make_nobody_of_him(front: Front) -> None:
    """Behind HAProxy they are taken off; by the gateway itself they are refused."""
    forged = {
        "X-Yilian-Proxy": SECRET,
        "X-Yilian-Source": "10.9.9.9",
        "X-Yilian-Client-Name": "sq-his",
        "X-Yilian-Client-SHA256": front.authority.ca.sha256,
        "X-Yilian-TLS": "1",
    }
    for tls in (None, front.authority.client_context()):
        answer = front.ask("POST", "/sq/LabResults", BODY, SOAP_1_1 | forged, tls)
        assert fault(answer) in ("NotAllowed", "NotAuthenticated")
        (line,) = until(
            lambda a=answer: [
                one
                for one in front.gateway.log("call")
                if one["request_id"] == a.header("X-Request-Id")
            ]
        )
        assert line["peer"] == "127.0.0.1" and line["caller"] in ("local", None)
    assert front.node.requests == []


def test_identity_headers_at_a_worker_need_the_proxys_secret(front: Front) -> None:
    """Past HAProxy, at the gateway's own port, as whoever is on the proxy's machine could."""
    forged = {
        "X-Yilian-Proxy": SECRET + "x",
        "X-Yilian-Source": "10.9.9.9",
        "X-Yilian-Client-Name": "printer",
        "X-Yilian-Client-SHA256": "0" * 64,
    }
    status, body = fetch(front.gateway.port, "POST", "/sq/LabResults", BODY, **SOAP_1_1, **forged)
    assert status == 403 and b"X-Yilian" in body
    assert front.node.requests == []


# --- who asks --------------------------------------------------------------------------------


def test_what_no_policy_allows_is_refused(front: Front) -> None:
    for method, path in (
        ("POST", "/sq/LabResults"),
        ("GET", "/sq/LabResults?wsdl"),
        ("GET", "/hx/Ordering?wsdl"),
    ):
        answer = front.ask(method, path, BODY if method == "POST" else None, SOAP_1_1)
        assert fault(answer) == "NotAllowed"
        assert front.caller_of(answer) == "local"
    assert front.node.requests == []


@pytest.mark.parametrize(
    "name, subject, caller",
    [("his", "/CN=双桥社区 HIS", "sq-his"), ("printer", "/CN=a/CN=b", "printer")],
)
def test_a_client_certificate_says_who_asks(
    front: Front, name: str, subject: str, caller: str
) -> None:
    folder = front.authority.ca.file.parent
    certificate = Certificate(folder / f"{name}.pem", folder / f"{name}.pem.key")
    if not certificate.file.exists():
        front.authority.issued(name, subject)
    tls = front.authority.client_context(certificate)
    answer = front.ask("POST", "/sq/LabResults", BODY, SOAP_1_1, tls)
    assert answer.status == 200, answer.text
    assert front.caller_of(answer) == caller


def test_the_wsdl_of_a_caller_has_the_address_of_his_side(front: Front) -> None:
    certificate = front.authority.issued("his2", "/CN=双桥社区 HIS")
    tls = front.authority.client_context(certificate)
    front.node.script = answering(http_answer(DOCUMENT.replace(b"/hx/", b"/sq/")))
    answer = front.ask("GET", "/sq/LabResults?wsdl", tls=tls)
    assert locations(answer.body) == ["https://10.2.0.1/sq/LabResults"]


@pytest.mark.parametrize("subject", [None, "/CN=stranger", "/CN=双桥社区 HIS/CN=x", "/O=no name"])
def test_other_certificates_say_nothing(front: Front, subject: str | None) -> None:
    shown = front.authority.issued("other", subject) if subject else None
    tls = front.authority.client_context(shown)
    answer = front.ask("POST", "/sq/LabResults", BODY, SOAP_1_1, tls)
    assert fault(answer) == "NotAllowed"
    assert front.caller_of(answer) == "local"
    assert front.node.requests == []


def test_a_certificate_of_another_ca_gets_no_connection(front: Front, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").issued("his", "/CN=双桥社区 HIS")
    tls = front.authority.client_context(stranger)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask("POST", "/sq/LabResults", BODY, SOAP_1_1, tls)
    assert front.node.requests == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_tls_older_than_1_2_gets_no_connection(front: Front) -> None:
    tls = front.authority.client_context()
    tls.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        front.ask("POST", "/sq/LabResults", BODY, SOAP_1_1, tls)


def test_a_password_says_who_asks(front: Front) -> None:
    basic = {"Authorization": "Basic cGFnZTpjb3JyZWN0IGhvcnNl"}
    answer = front.post("/sq/LabResults", **basic)
    assert answer.status == 200, answer.text
    assert front.caller_of(answer) == "page"
    assert front.node.requests[-1].all("Authorization") == []
    wrong = front.post("/sq/LabResults", Authorization="Basic cGFnZTp3cm9uZw==")
    assert fault(wrong) in ("NotAuthenticated", "NotAllowed")
    assert len(front.node.requests) == 1
