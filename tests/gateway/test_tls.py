"""TLS at the gateway: versions, client certificates, renewal without a restart, slow handshakes."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import tls
from gateway.call import Answer, Call
from gateway.certificate import PeerCertificate
from tests.gateway.conftest import (
    BODY,
    SOAP_1_1,
    MakeGateway,
    RunningGateway,
    lab_call,
    lab_results,
    until,
)
from tests.gateway.pki import Authority, Certificate
from tests.gateway.scripted_node import ScriptedNode


class Pki:
    """A CA with a server and a client, and a stranger's CA with a client of its own."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.server = self.authority.issued("server", "/CN=gw", address="127.0.0.1")
        self.renewed = self.authority.issued("renewed", "/CN=gw", address="127.0.0.1")
        self.client = self.authority.issued("client", "/O=石桥/CN=sq-his")
        self.stranger = Authority(folder, "other").issued("stranger", "/CN=sq-his")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def in_use(pki: Pki, tmp_path: Path) -> Certificate:
    """The server's certificate at a place of its own, where a test may replace it."""
    files = tmp_path / "gw.pem", tmp_path / "gw.key"
    shutil.copy(pki.server.file, files[0])
    shutil.copy(pki.server.key, files[1])
    return Certificate(*files)


@pytest.fixture
def gateway(
    make_gateway: MakeGateway,
    node: ScriptedNode,
    pki: Pki,
    in_use: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[RunningGateway]:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.05)
    section = {
        "certificate_file": in_use.file,
        "key_file": in_use.key,
        "client_ca_file": pki.authority.ca.file,
    }
    limits = {"head_seconds": 1.0}
    yield make_gateway([lab_results(node)], limits=limits, sections={"tls": section})


def post(gateway: RunningGateway, context: ssl.SSLContext) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", gateway.tls_port, timeout=30, context=context
    )
    connection.request("POST", "/hx/LabResults", BODY, SOAP_1_1)
    return connection.getresponse()


def calls_of(gateway: RunningGateway) -> list[Call]:
    """What reaches the calls' way from now on."""
    plane: Any = gateway.gateway._plane
    path, seen = plane.path, []

    async def watched(call: Call) -> Answer:
        seen.append(call)
        answer: Answer = await path(call)
        return answer

    plane.path = watched
    return seen


def test_a_call_over_tls_with_and_without_a_certificate(gateway: RunningGateway, pki: Pki) -> None:
    seen = calls_of(gateway)
    assert post(gateway, pki.authority.client_context()).status == 200
    assert post(gateway, pki.authority.client_context(pki.client)).status == 200
    assert gateway.post("/hx/LabResults").status == 200
    assert [call.tls for call in seen] == [True, True, False]
    assert [call.scheme for call in seen] == ["https", "https", "http"]
    assert [call.certificate for call in seen] == [
        None,
        PeerCertificate("sq-his", pki.client.sha256),
        None,
    ]


def test_a_certificate_of_another_authority_is_refused_and_counted(
    gateway: RunningGateway, pki: Pki, node: ScriptedNode
) -> None:
    with pytest.raises(OSError):
        post(gateway, pki.authority.client_context(pki.stranger))
    (told,) = until(lambda: gateway.log("connections_refused"))
    assert (told["rule"], told["step"]) == ("tls-handshake", "connection")
    assert gateway.health()["refusals"]["connection"] == 1
    assert node.requests == []


def test_old_versions_of_tls_are_refused(gateway: RunningGateway, pki: Pki) -> None:
    context = pki.authority.client_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        post(gateway, context)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = pki.authority.client_context()
        context.minimum_version = context.maximum_version = version
        assert post(gateway, context).status == 200


def test_plain_http_at_the_tls_port_and_tls_at_the_plain_one_are_refused(
    gateway: RunningGateway, pki: Pki, node: ScriptedNode
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.tls_port), timeout=30) as connection:
        connection.sendall(b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\n\r\n")
        try:
            received = connection.recv(65536)
        except ConnectionResetError:
            received = b""
    assert b"HTTP/1.1 200" not in received
    gateway.tls_port = gateway.port
    with pytest.raises(OSError):
        post(gateway, pki.authority.client_context())
    assert node.requests == []


def test_a_slow_handshake_is_cut_off(gateway: RunningGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.tls_port), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(65536) == b""
    (told,) = until(lambda: gateway.log("connections_refused"))
    assert (told["rule"], told["reason"]) == ("tls-handshake", "not made in time")


def test_a_handshake_that_is_broken_off_is_told_as_that(gateway: RunningGateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.tls_port), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01")
    (told,) = until(lambda: gateway.log("connections_refused"))
    assert (told["rule"], told["reason"]) == ("tls-handshake", "broken off")


def test_a_renewed_certificate_is_taken_without_a_restart(
    gateway: RunningGateway, pki: Pki, in_use: Certificate
) -> None:
    context = pki.authority.client_context()

    def shown() -> bytes | None:
        address = ("127.0.0.1", gateway.tls_port)
        with (
            socket.create_connection(address, timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            return secured.getpeercert(binary_form=True)

    open_before = http.client.HTTPSConnection("127.0.0.1", gateway.tls_port, context=context)
    open_before.request("POST", "/hx/LabResults", BODY, SOAP_1_1)
    assert open_before.getresponse().read()
    old = shown()
    in_use.file.write_bytes(pki.renewed.file.read_bytes())  # and the key does not fit any more
    until(lambda: gateway.log("certificates_unusable"))
    assert gateway.health()["status"] == "degraded"
    assert shown() == old
    in_use.key.write_bytes(pki.renewed.key.read_bytes())
    until(lambda: gateway.log("certificates_renewed"))
    assert shown() == ssl.PEM_cert_to_DER_cert(pki.renewed.file.read_text()) != old
    assert gateway.health()["status"] == "ok"
    assert len(gateway.log("certificates_unusable")) == 1
    open_before.request("POST", "/hx/LabResults", BODY, SOAP_1_1)  # the old connection lives on
    assert open_before.getresponse().status == 200


def test_where_a_certificate_is_required_nobody_comes_in_without(
    make_gateway: MakeGateway, node: ScriptedNode, pki: Pki
) -> None:
    section = {
        "certificate_file": pki.server.file,
        "key_file": pki.server.key,
        "client_ca_file": pki.authority.ca.file,
        "require_client_certificate": True,
    }
    gateway = make_gateway([lab_results(node)], sections={"tls": section})
    with pytest.raises(OSError):
        post(gateway, pki.authority.client_context())
    assert post(gateway, pki.authority.client_context(pki.client)).status == 200
    assert len(node.requests) == 1


def test_a_large_call_and_answer_over_tls(gateway: RunningGateway, pki: Pki) -> None:
    connection = http.client.HTTPSConnection(
        "127.0.0.1", gateway.tls_port, timeout=30, context=pki.authority.client_context()
    )
    body = lab_call("<a>" + "y" * 3_000_000 + "</a>")
    connection.request("POST", "/hx/LabResults", body, SOAP_1_1)
    answer = connection.getresponse()
    assert (answer.status, body in answer.read()) == (200, True)
