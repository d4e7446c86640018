"""Reverse connections: the node dials out, calls go back; cuts, crowds, strangers."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import tls
from services.passwords import hash_password
from tests.databases.proxy import Proxy
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import Loop, MakeGateway, RunningGateway, until
from tests.gateway.inside import BINDING, HEADERS, PATH, Inside, envelope, name_in
from tests.gateway.test_reload import reload
from tests.host.running import Running, running
from yilian.config import Reverse
from yilian.dialling import Dialling
from yilian.refused import Refused

TOKEN = "a token that nobody guesses"
TOKEN_HASH = hash_password(TOKEN)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def dialled_gateway(make_gateway: MakeGateway) -> Callable[..., tuple[RunningGateway, int]]:
    def make(**more: Any) -> tuple[RunningGateway, int]:
        port = free_port()
        reverse = {"token_hash": TOKEN_HASH, "connections": 2, **more.pop("reverse", {})}
        sections = {
            "dialled": {"port": port, **more.pop("dialled", {})},
            "hospitals": {"hx": {"mode": "reverse", "reverse": reverse}},
            **more.pop("sections", {}),
        }
        return make_gateway([BINDING], sections=sections, **more), port

    return make


@pytest.fixture
def dial(tmp_path: Path) -> Iterator[Callable[..., tuple[Inside, Running, Dialling]]]:
    """``dial(port)``: a node that dials the gateway there."""
    with ExitStack() as stack:

        def start(
            *ports: int, token: str = TOKEN, scheme: str = "http", **more: Any
        ) -> tuple[Inside, Running, Dialling]:
            file = tmp_path / "hx.token"
            file.write_text(token)
            inside = Inside()

            def describe(request: Request) -> Response:
                address = f"http://{request.headers['host']}{PATH}"
                return Response(inside.endpoint.wsdl(address), media_type="text/xml")

            app = Starlette(
                routes=[Route("/alive", lambda _: Response("ok")), Route(PATH, describe)]
            )
            node = stack.enter_context(running(app, {PATH: inside.endpoint}, grace=5))
            urls = tuple(f"{scheme}://127.0.0.1:{port}" for port in ports)
            settings = Reverse(urls=urls, token_file=file, **{"connections": 2, **more})
            dialling = Dialling("hx", settings)
            node.loop.call_soon_threadsafe(dialling.start, node.server)
            stack.callback(
                lambda: asyncio.run_coroutine_threadsafe(dialling.stop(), node.loop).result(20)
            )
            return inside, node, dialling

        yield start


def connected(gateway: RunningGateway, count: int) -> bool:
    return bool(gateway.health()["ways"]["hx"]["connections"] == count)


def ask(gateway: RunningGateway, name: str, seconds: float = 30) -> str:
    return name_in(gateway.post(PATH, envelope(name), HEADERS, seconds).body)


def test_a_call_goes_back_over_what_the_node_has_dialled(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway()
    assert "SourceUnavailable" in ask(gateway, "1")  # and never tried at its own address
    inside, _, dialling = dial(port)
    until(lambda: connected(gateway, 2))
    answer = gateway.post(PATH, envelope("2"), HEADERS)
    assert answer.status == 200 and name_in(answer.body) == "2"
    assert len(ask(gateway, "big")) == 3_000_000
    wsdl = gateway.get(f"{PATH}?wsdl")
    assert wsdl.status == 200
    assert f"http://127.0.0.1:{gateway.port}{PATH}" in wsdl.text
    assert "192.168.77.77" not in wsdl.text
    assert inside.asked == ["2", "big"]
    [state] = dialling.state().values()
    assert state == {"connections": 2, "wanted": 2, "trouble": None}


def test_many_callers_share_few_connections(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway()
    inside, _, _ = dial(port)
    until(lambda: connected(gateway, 2))
    with ThreadPoolExecutor(30) as pool:
        names = [f"{number}" for number in range(300)]
        assert list(pool.map(lambda name: ask(gateway, name), names)) == names
    assert sorted(inside.asked) == sorted(names)
    assert connected(gateway, 2)


def test_beyond_the_queue_is_overloaded(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway(reverse={"connections": 1, "queue": 1, "wait_seconds": 60})
    inside, node, _ = dial(port, connections=1)
    until(lambda: connected(gateway, 1))
    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(ask, gateway, name, 60) for name in ("w1", "w2")]
        until(lambda: gateway.health()["ways"]["hx"]["waiting"] == 1)
        assert "<Code>Overloaded</Code>" in ask(gateway, "3")
        node.loop.call_soon_threadsafe(inside.go.set)
        assert sorted(one.result() for one in slow) == ["w1", "w2"]


def test_whoever_waited_too_long_takes_no_connection_along(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway(reverse={"connections": 1, "wait_seconds": 0.2})
    inside, node, _ = dial(port, connections=1)
    until(lambda: connected(gateway, 1))
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, gateway, "w1", 60)
        until(lambda: inside.asked == ["w1"])
        assert "<Code>Overloaded</Code>" in ask(gateway, "2")
        node.loop.call_soon_threadsafe(inside.go.set)
        assert slow.result() == "w1"
    assert ask(gateway, "3") == "3"


@pytest.mark.parametrize(
    "hello",
    [
        b"GET /hx HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n\r\n",
        b"GET /hx HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n"
        b"Authorization: Bearer wrong\r\n\r\n",
        b"GET /other HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n"
        b"Authorization: Bearer a token that nobody guesses\r\n\r\n",
        b"GET /hx HTTP/1.1\r\nAuthorization: Bearer a token that nobody guesses\r\n\r\n",
        b"GET /hx HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n"
        b"Authorization: Bearer wrong\r\n"
        b"Authorization: Bearer a token that nobody guesses\r\n\r\n",
        b"POST /hx/Sample HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"\r\n\r\n",
        b"x" * 9000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 300 + b"\r\n\r\n",
    ],
)
def test_strangers_are_not_let_in(dialled_gateway: Any, hello: bytes) -> None:
    gateway, port = dialled_gateway()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stranger:
        stranger.sendall(hello)
        received = b""
        try:
            while part := stranger.recv(4096):
                received += part
        except ConnectionResetError:
            pass
    assert received[:12] in (b"HTTP/1.1 403", b"HTTP/1.1 400", b"")
    assert connected(gateway, 0)


def test_the_right_hello_is_let_in(dialled_gateway: Any) -> None:
    """The control of the test above."""
    gateway, port = dialled_gateway()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as node:
        node.sendall(
            b"GET /hx HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
        assert node.recv(4096).startswith(b"HTTP/1.1 101 ")
        until(lambda: connected(gateway, 1))
    until(lambda: connected(gateway, 0))


def heard(connection: socket.socket) -> bytes:
    connection.settimeout(20)
    try:
        return connection.recv(200)
    except ConnectionResetError:
        return b""


def hello(token: str) -> bytes:
    return (
        "GET /hx HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: yilian-reverse\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def test_a_crowd_that_says_nothing_keeps_no_node_out(dialled_gateway: Any) -> None:
    _, port = dialled_gateway()
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(80)
        ]
        assert heard(crowd[-1]) == b""  # one too many of its address
        node = stack.enter_context(
            socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        )
        node.sendall(hello(TOKEN))
        assert b"101" in heard(node)


def test_a_crowd_that_guesses_tokens_keeps_no_node_waiting(dialled_gateway: Any) -> None:
    gateway, port = dialled_gateway()
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(60)
        ]
        for number, guess in enumerate(crowd):
            guess.sendall(hello(f"guess {number}"))
        node = stack.enter_context(
            socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0))
        )
        node.sendall(hello(TOKEN))
        assert b"101" in heard(node)
        said = [heard(guess)[9:12] for guess in crowd]
        assert set(said) == {b"403", b"503"}  # a few at a time are looked at
        with socket.create_connection(("127.0.0.1", port)) as again:
            again.sendall(hello("guess 0"))
            assert heard(again)[9:12] in (b"403", b"503")
    assert gateway.health()["refusals_by_rule"]["connection"]["dialled"] == 61
    assert len(gateway.log("connections_refused")) < 10


def test_a_node_with_a_wrong_token_keeps_saying_so(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway()
    _, _, dialling = dial(port, token="another")
    until(lambda: all(state["trouble"] for state in dialling.state().values()))
    [state] = dialling.state().values()
    assert "403" in str(state["trouble"]) and state["connections"] == 0
    told = until(lambda: gateway.log("connections_refused"))[0]
    assert (told["rule"], told["reason"]) == ("dialled", "hx: wrong token")
    assert gateway.health()["refusals_by_rule"]["connection"]["dialled"] >= 1


def test_a_gateway_that_comes_later_and_one_that_comes_back(
    dialled_gateway: Any, dial: Any, make_gateway: MakeGateway
) -> None:
    port = free_port()
    inside, _, dialling = dial(port)
    until(lambda: all(state["trouble"] for state in dialling.state().values()))
    for name in ("1", "2"):
        gateway, _ = dialled_gateway(dialled={"port": port})
        until(lambda gateway=gateway: connected(gateway, 2), 60)
        assert ask(gateway, name) == name
        gateway.stop()
    assert inside.asked == ["1", "2"]


def test_a_reset_connection_is_dialled_anew(dialled_gateway: Any, dial: Any) -> None:
    gateway, port = dialled_gateway()
    with closing(Proxy(port)) as wire:
        inside, _, _ = dial(wire.port)
        until(lambda: connected(gateway, 2))
        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(ask, gateway, "w", 60)
            until(lambda: inside.asked == ["w"])
            wire.drop()
            assert "it may have been carried out" in slow.result()
        until(lambda: connected(gateway, 2), 60)
        assert ask(gateway, "2") == "2"


def test_a_silent_cut_is_noticed_and_healed(dialled_gateway: Any, dial: Any) -> None:
    """As a gate does: no FIN, no RST, the bytes just stop."""
    gateway, port = dialled_gateway(dialled={"ping_seconds": 0.5})
    with closing(Proxy(port)) as wire:
        _, _, dialling = dial(wire.port)
        until(lambda: connected(gateway, 2))
        wire.cut()
        until(lambda: connected(gateway, 0), 60)
        assert gateway.log("reverse connection dead")
        # the node has noticed by itself, too: what it dialled is closed at its end
        until(lambda: all(one["connections"] == 0 for one in dialling.state().values()), 60)
        wire.mend()
        until(lambda: connected(gateway, 2), 90)
        assert ask(gateway, "2") == "2"


def test_by_tls_with_a_certificate_of_its_own(
    dialled_gateway: Any, dial: Any, tmp_path: Path
) -> None:
    server, node, other = (certificate(tmp_path, name) for name in ("server", "node", "other"))
    ca = tmp_path / "ca.pem"
    ca.write_bytes(b"".join(pair[0].read_bytes() for pair in (node, other)))
    section = {"certificate_file": server[0], "key_file": server[1], "client_ca_file": ca}
    gateway, port = dialled_gateway(
        dialled={"tls": True},
        reverse={"token_hash": None, "certificate": shown_as(node)},
        sections={"tls": {"port": free_port(), **section}},
    )
    _, _, wrong = dial(
        port, scheme="https", ca_file=server[0], certificate_file=other[0], key_file=other[1]
    )
    until(lambda: all(state["trouble"] for state in wrong.state().values()))
    assert "403" in str(wrong.state().popitem()[1]["trouble"])
    dial(port, scheme="https", ca_file=server[0], certificate_file=node[0], key_file=node[1])
    until(lambda: connected(gateway, 2))
    assert ask(gateway, "1") == "1"


def test_certificates_of_both_ends_are_renewed_without_a_restart(
    dialled_gateway: Any, dial: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr("yilian.dialling._LONGEST", 0.5)
    names = ("server", "renewed", "node", "expected")
    server, renewed, node, expected = (certificate(tmp_path, name) for name in names)
    ca, trusted = tmp_path / "ca.pem", tmp_path / "trusted.pem"
    ca.write_bytes(b"".join(pair[0].read_bytes() for pair in (node, expected)))
    trusted.write_bytes(b"".join(pair[0].read_bytes() for pair in (server, renewed)))
    section = {"certificate_file": server[0], "key_file": server[1], "client_ca_file": ca}
    gateway, port = dialled_gateway(
        dialled={"tls": True},
        reverse={"token_hash": None, "certificate": shown_as(expected)},
        sections={"tls": {"port": free_port(), **section}},
    )
    _, _, dialling = dial(
        port, scheme="https", ca_file=trusted, certificate_file=node[0], key_file=node[1]
    )
    until(lambda: all(state["trouble"] for state in dialling.state().values()))

    # the node's: half a renewal changes nothing, and is told
    node[0].write_bytes(expected[0].read_bytes())
    until(lambda: "certificate file" in str(dialling.state()))
    node[1].write_bytes(expected[1].read_bytes())
    until(lambda: connected(gateway, 2))
    assert ask(gateway, "1") == "1"

    # the gateway's: who dials from now on is shown the new one, and what stands stays
    def seen() -> str:
        trusting = ssl.create_default_context(cafile=trusted)
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            return sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()

    before = seen()
    server[0].write_bytes(renewed[0].read_bytes())
    server[1].write_bytes(renewed[1].read_bytes())
    until(lambda: seen() == shown_as(renewed) != before)
    assert connected(gateway, 2)
    assert ask(gateway, "2") == "2"


def test_another_token_counts_from_a_reload_on(
    dialled_gateway: Any, dial: Any, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yilian.dialling._LONGEST", 0.5)
    gateway, port = dialled_gateway()
    _, _, old = dial(port)
    until(lambda: connected(gateway, 2))
    _, _, new = dial(port, token="the next one")
    until(lambda: all(state["trouble"] for state in new.state().values()))
    reverse = {"token_hash": hash_password("the next one"), "connections": 4}
    config = open_configuration(
        dialled={"port": port}, hospitals={"hx": {"mode": "reverse", "reverse": reverse}}
    )
    assert reload(gateway, loop, config) == ()  # nothing waits for a restart
    until(lambda: connected(gateway, 4))  # what stands stays
    assert [state["trouble"] for state in new.state().values()] == [None]
    assert [state["connections"] for state in old.state().values()] == [2]
    assert ask(gateway, "1") == "1"


def shown_as(pair: tuple[Path, Path]) -> str:
    return sha256(ssl.PEM_cert_to_DER_cert(pair[0].read_text())).hexdigest()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    command = f"""openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2
        -subj /CN={name} -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {cert}"""
    subprocess.run(command.split(), check=True, capture_output=True)
    return cert, key


def test_a_certificate_file_that_is_none_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca").write_text("no certificate")
    settings = Reverse(
        urls=("https://127.0.0.1:1",), token_file=tmp_path / "token", ca_file=tmp_path / "ca"
    )
    with pytest.raises(Refused, match="certificate file"):
        Dialling("hx", settings)
