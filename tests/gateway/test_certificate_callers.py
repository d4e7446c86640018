"""Callers who are known by their client certificate alone, end to end: TLS to the audit's line.

The same tests at a gateway that ends TLS itself, and at one behind the real HAProxy. Whoever comes
as far as HTTP is refused by a Fault that is on record; whoever does not gets no connection.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.search import Wanted, search
from gateway.binding import Binding
from tests.gateway.conftest import BODY, SOAP_1_1, Answered, Loop, asked, asked_once, until
from tests.gateway.front import GatewayProcess, free_port, write_table
from tests.gateway.haproxy_process import SECRET, needs_haproxy, perhaps_behind
from tests.gateway.pki import Authority, Certificate
from tests.gateway.scripted_node import ScriptedNode

PATH = "/hx/LabResults"
CONFIGURATION = """
[listen]
port = {port}
[registry]
url = "http://127.0.0.1:1"
table_file = "routes.json"
[tls]
at = "{tls_at}"
host = "127.0.0.1"
port = {tls_port}
certificate_file = "server.pem"
key_file = "server.pem.key"
client_ca_file = "ca.pem"
[hospitals.hx]
[callers.his]
certificate = {{ common_name = "sq-his" }}
[callers.printer]
certificate = {{ sha256 = "{printer}" }}
[callers.both]
certificate = {{ common_name = "both", sha256 = "{both}" }}
[[policies]]
name = "results"
callers = ["his", "both"]
hospitals = ["hx"]
services = ["LabResults"]
operations = ["GetLabResult"]
[[policies]]
name = "printing"
callers = ["printer"]
hospitals = ["hx"]
services = ["LabResults"]
operations = ["MarkLabPrinted"]
[audit]
folder = "audit"
"""
PRINT = BODY.replace(b"GetLabResult", b"MarkLabPrinted")
PRINT_ACTION = {"SOAPAction": '"urn:yilian:LabResults:1/MarkLabPrinted"'}


@dataclass
class Front:
    """Where callers come to. ``certificates`` by name, all of the CA that is trusted."""

    kind: str
    tls_port: int
    plain_port: int
    folder: Path
    authority: Authority
    certificates: dict[str, Certificate]
    gateway: GatewayProcess
    node: ScriptedNode

    def context(self, name: str | None) -> ssl.SSLContext:
        return self.authority.client_context(self.certificates[name] if name else None)

    def call(
        self, name: str | None, body: bytes = BODY, headers: dict[str, str] | None = None
    ) -> Answered:
        """By TLS, with this certificate or none."""
        address, headers = ("127.0.0.1", self.tls_port), SOAP_1_1 | (headers or {})
        return asked_once(address, "POST", PATH, body, headers, tls=self.context(name))

    def on_record(self, answer: Answered) -> dict[str, Any]:
        """The audit's line of an answered call."""
        wanted = Wanted(request_id=answer.header("X-Request-Id") or "none")
        (line,) = search(self.folder / "audit", wanted)
        return line

    def refused(self, answer: Answered, code: str, step: str) -> dict[str, Any]:
        """The audit's line of a call that must have been refused so."""
        assert re.findall(r"<Code>(\w+)</Code>", answer.text) == [code], answer.text
        line = self.on_record(answer)
        assert (line["outcome"], line["fault"], line["step"]) == ("refused", code, step)
        assert self.node.requests == []
        return line


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("haproxy", marks=pytest.mark.full)]
)
def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, loop: Loop
) -> Iterator[Front]:
    kind: str = request.param
    found = needs_haproxy() if kind == "haproxy" else ""
    folder, node = tmp_path_factory.mktemp(f"certificates-{kind}"), ScriptedNode()
    loop.run(node.start())
    authority = Authority(folder)
    authority.issued("server", "/CN=gateway", address="127.0.0.1")
    certificates = {
        "his": authority.issued("his", "/O=双桥/CN=sq-his"),
        "printer": authority.issued("printer", "/CN=printer-3"),
        "both": authority.issued("both", "/CN=both"),
        "both renewed": authority.issued("renewed", "/CN=both"),
        "unknown": authority.issued("unknown", "/CN=stranger"),
        "nameless": authority.issued("nameless", "/O=sq-his"),
        "expired": authority.issued("expired", "/CN=sq-his", days=-1),
    }
    write_table(folder / "routes.json", [Binding("hx", "LabResults", f"{node.url}/hx/LabResults")])
    port, tls_port, file = free_port(), free_port(), folder / "gateway.toml"
    text = CONFIGURATION.format(
        port=port,
        tls_port=tls_port,
        tls_at="proxy" if found else "gateway",
        printer=certificates["printer"].sha256,
        both=certificates["both"].sha256,
    )
    with perhaps_behind(found, file, text, port) as (gateway, port):
        yield Front(kind, tls_port, port, folder, authority, certificates, gateway, node)
    loop.run(node.stop())


@pytest.fixture
def front(shared: Front) -> Front:
    shared.node.requests.clear()
    return shared


@pytest.mark.parametrize(
    "name, body, headers", [("his", BODY, {}), ("printer", PRINT, PRINT_ACTION), ("both", BODY, {})]
)
def test_a_known_caller_is_served_and_named_in_the_audit(
    front: Front, name: str, body: bytes, headers: dict[str, str]
) -> None:
    answer = front.call(name, body, headers)
    assert answer.status == 200 and len(front.node.requests) == 1
    line = front.on_record(answer)
    assert (line["caller"], line["outcome"], line["peer"]) == (name, "ok", "127.0.0.1")
    assert (line["hospital"], line["service"]) == ("hx", "LabResults")


def test_what_another_caller_may_do_is_refused_and_he_is_named(front: Front) -> None:
    for name, body, headers in (("printer", BODY, {}), ("his", PRINT, PRINT_ACTION)):
        line = front.refused(front.call(name, body, headers), "NotAllowed", "policy")
        assert line["caller"] == name


@pytest.mark.parametrize("name", [None, "unknown", "nameless", "both renewed"])
def test_nobody_who_is_known(front: Front, name: str | None) -> None:
    """No certificate, one that no entry names, none with a name, one that is not the pinned one."""
    answer = front.call(name)
    assert answer.status == 403
    assert front.refused(answer, "NotAuthenticated", "caller").get("caller") is None


def test_plain_http_shows_no_certificate(front: Front) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", front.plain_port, timeout=60)
    front.refused(asked(connection, "POST", PATH, BODY, SOAP_1_1), "NotAuthenticated", "caller")


def test_who_shows_what_does_not_hold_gets_no_connection(front: Front, tmp_path: Path) -> None:
    """Ended yesterday; of another CA; signed by himself. All with a known caller's name."""
    stranger = Authority(tmp_path, "stranger")
    front.certificates["foreign"] = stranger.issued("his", "/CN=sq-his")
    front.certificates["self-signed"] = Authority(tmp_path, "sq-his").ca
    for name in ("expired", "foreign", "self-signed"):
        with pytest.raises(OSError):
            front.call(name)
    assert front.node.requests == []
    assert front.call("his").status == 200


# --- identity headers ------------------------------------------------------------------------


def forged(front: Front, name: str) -> dict[str, str]:
    """What HAProxy would say of the caller ``name``, the shared secret included."""
    return {
        "X-Yilian-Proxy": SECRET,
        "X-Yilian-Source": "10.9.9.9",
        "X-Yilian-TLS": "1",
        "X-Yilian-Client-Name": "sq-his" if name == "his" else name,
        "X-Yilian-Client-SHA256": front.certificates[name].sha256,
    }


@pytest.mark.parametrize("name", [None, "unknown"])
def test_forged_identity_headers_make_a_caller_of_nobody(front: Front, name: str | None) -> None:
    for spelled in (str, str.lower, str.upper, lambda one: one.replace("-", "_")):
        headers = {spelled(key): value for key, value in forged(front, "his").items()}
        answer = front.call(name, headers=headers)
        line = front.refused(answer, "NotAuthenticated", "caller")
        assert (line.get("caller"), line["peer"]) == (None, "127.0.0.1")


def test_a_known_caller_cannot_pass_for_another(front: Front) -> None:
    answer = front.call("his", PRINT, PRINT_ACTION | forged(front, "printer"))
    if front.kind == "haproxy":  # the headers are taken off, and he is who he is
        assert front.refused(answer, "NotAllowed", "policy")["caller"] == "his"
    else:
        front.refused(answer, "NotAuthenticated", "caller")


@pytest.mark.parametrize(
    "lines",
    [
        "Connection: close, X-Yilian-Proxy, X-Yilian-Client-SHA256, X-Yilian-Client-Name",
        "Connection: close\r\nX-Yilian-Client-Name : printer-3",
        "Connection: close\r\nX: y\r\n X-Yilian-Client-SHA256: {printer}",
        "Connection: close\r\nX-Yilian-Client-SHA256: {printer}\r\nX-Yilian-Client-SHA256: {his}",
        "Connection: close\r\n\tX-Yilian-Client-SHA256: {printer}",
        "Connection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-Yilian-Client-SHA256",
    ],
)
def test_no_way_of_writing_headers_makes_another_of_a_caller(front: Front, lines: str) -> None:
    """He is himself, or refused; what only another may do is never done."""
    head = "POST /hx/LabResults HTTP/1.1\r\nHost: g\r\n" + lines.format(
        printer=front.certificates["printer"].sha256, his=front.certificates["his"].sha256
    )
    for name, value in (SOAP_1_1 | PRINT_ACTION).items():
        head += f"\r\n{name}: {value}"
    body = PRINT
    if "chunked" in lines:
        told = front.certificates["printer"].sha256.encode()
        body = b"%x\r\n%s\r\n0\r\nX-Yilian-Client-SHA256: %s\r\n\r\n" % (len(PRINT), PRINT, told)
    else:
        head += f"\r\nContent-Length: {len(PRINT)}"
    received = raw(front, front.context("his"), head.encode() + b"\r\n\r\n" + body)[0]
    assert received.startswith((b"HTTP/1.1 4", b"HTTP/1.1 500 ")), received[:300]
    assert front.node.requests == []
    assert front.call("his").status == 200


def raw(
    front: Front, context: ssl.SSLContext, sent: bytes, session: ssl.SSLSession | None = None
) -> tuple[bytes, ssl.SSLSession | None, bool]:
    """The answer; the TLS session, and whether it was one that had been there before."""
    received = b""
    with (
        socket.create_connection(("127.0.0.1", front.tls_port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secured,
    ):
        secured.sendall(sent)
        while not whole(received):
            part = secured.recv(65536)
            assert part, received
            received += part
        return received, secured.session, bool(secured.session_reused)


def whole(received: bytes) -> bool:
    """Whether an answer is here to its last byte."""
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


# --- over time -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_that_is_taken_up_again_is_the_same_callers(
    front: Front, version: ssl.TLSVersion
) -> None:
    """Toolkits do so for every further connection; no certificate is sent in it."""
    context = front.context("his")
    context.minimum_version = context.maximum_version = version
    lines = "".join(f"{name}: {value}\r\n" for name, value in SOAP_1_1.items())
    sent = (
        f"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nConnection: close\r\n{lines}"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    first, session, reused = raw(front, context, sent)
    assert first.startswith(b"HTTP/1.1 200 ") and not reused
    second, _, reused = raw(front, context, sent, session)
    assert reused
    assert second.startswith(b"HTTP/1.1 200 ")
    asked_by = re.search(rb"(?i)x-request-id: (\w+)", second)
    assert asked_by is not None
    (line,) = search(front.folder / "audit", Wanted(request_id=asked_by[1].decode()))
    assert line["caller"] == "his"


def test_a_caller_who_is_taken_out_is_refused_from_the_next_call_on(front: Front) -> None:
    """Also on the connection that he has open; put back, he is served on it again."""
    open_before = http.client.HTTPSConnection(
        "127.0.0.1", front.tls_port, timeout=60, context=front.context("his")
    )
    assert asked(open_before, "POST", PATH, BODY, SOAP_1_1).status == 200
    file = front.folder / "gateway.toml"
    text = file.read_text("utf-8")
    try:
        configure(front, text.replace('common_name = "sq-his"', 'common_name = "sq-his-2"'))
        front.node.requests.clear()
        for answer in (asked(open_before, "POST", PATH, BODY, SOAP_1_1), front.call("his")):
            assert front.refused(answer, "NotAuthenticated", "caller").get("caller") is None
    finally:
        configure(front, text)
    assert asked(open_before, "POST", PATH, BODY, SOAP_1_1).status == 200
    open_before.close()


def configure(front: Front, text: str) -> None:
    """The gateway's file, and SIGHUP."""
    before = len(front.gateway.log("configuration_taken"))
    (front.folder / "gateway.toml").write_text(text, "utf-8")
    front.gateway.reload()
    until(lambda: len(front.gateway.log("configuration_taken")) > before, 60)
