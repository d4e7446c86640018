"""Connections refused before there is a request: each counted, all on record, no flood of lines."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import turned_away
from gateway.audit.search import Wanted, search
from gateway.audit.verify import verify
from gateway.counters import Counters
from gateway.log import json_log
from gateway.turned_away import MOST_LINES, TurnedAway, Why
from tests.gateway.conftest import BODY, SOAP_1_1, MakeGateway, RunningGateway, lab_results, run
from tests.gateway.conftest import until as wait_until
from tests.gateway.pki import Authority, Certificate
from tests.gateway.scripted_node import ScriptedNode


class Noted:
    """In the trail's place."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.times = 0

    def note(self, fields: dict[str, Any], times: int) -> None:
        self.lines.append(fields)
        self.times += times


def refused(times: int, peers: int) -> tuple[Noted, Counters, str]:
    """What is on record, counted and in the log when so many connections have been refused."""

    async def story() -> tuple[Noted, Counters, str]:
        noted, counters, log = Noted(), Counters(), io.StringIO()
        doors = TurnedAway(counters, json_log(log), noted)  # type: ignore[arg-type]
        for number in range(times):
            reason = "http request" if number % 2 else "certificate has expired"
            doors.add(
                f"10.0.{number % peers // 250}.{number % peers % 250}", Why("tls", "F", reason)
            )
        doors.close()
        return noted, counters, log.getvalue()

    return run(story())


@pytest.mark.parametrize("times, peers", [(1, 1), (15, 15), (21, 21), (5000, 3), (9000, 3000)])
def test_every_refusal_is_in_a_sum_and_the_lines_are_few(times: int, peers: int) -> None:
    noted, counters, log = refused(times, peers)
    assert counters.refusals["connection"] == times
    assert noted.times == sum(line["times"] for line in noted.lines) == times
    assert len(noted.lines) == len(log.splitlines()) <= MOST_LINES + 1
    if times <= MOST_LINES:
        assert [line["times"] for line in noted.lines] == [1] * times
    assert all(line["step"] == "connection" and line["rule"] == "tls" for line in noted.lines)
    rest = [line for line in noted.lines if "peers" in line]
    assert len(rest) == (max(times, peers) > MOST_LINES and peers > 3)
    assert all("peer" not in line for line in rest)


def test_while_it_goes_on_it_is_told_of_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Loop:
        def __init__(self) -> None:
            self.waits: list[tuple[float, Callable[[], None]]] = []

        def call_later(self, seconds: float, what: Callable[[], None]) -> object:
            self.waits.append((seconds, what))
            return what

    loop = Loop()
    monkeypatch.setattr(turned_away.asyncio, "get_running_loop", lambda: loop)
    noted = Noted()
    doors = TurnedAway(Counters(), json_log(io.StringIO()), noted)  # type: ignore[arg-type]
    for _ in range(9):
        doors.add("10.0.0.1", Why("max_connections"))
        loop.waits[-1][1]()
    assert [seconds for seconds, _ in loop.waits] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    loop.waits[-1][1]()  # a minute without one: the next is told of after a second again
    doors.add("10.0.0.1", Why("max_connections"))
    assert (loop.waits[-1][0], len(noted.lines)) == (1, 9)


# --- at the real socket ---------------------------------------------------------------------------


class Refusing:
    """A gateway with TLS and an audit, and all that it takes to be refused there."""

    def __init__(self, gateway: RunningGateway, folder: Path, authority: Authority) -> None:
        self.gateway, self.folder, self.authority = gateway, folder, authority

    def handshake(self, certificate: Certificate | None, **settings: Any) -> None:
        context = self.authority.client_context(certificate)
        for name, value in settings.items():
            setattr(context, name, value)
        with contextlib.suppress(OSError):
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.gateway.tls_port, timeout=30, context=context
            )
            connection.request("POST", "/hx/LabResults", BODY, SOAP_1_1)
            assert connection.getresponse().status != 200

    def plain_http(self) -> None:
        with socket.create_connection(("127.0.0.1", self.gateway.tls_port), 30) as plain:
            plain.sendall(b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\n\r\n")
            with contextlib.suppress(OSError):
                plain.recv(65536)

    def recorded(self) -> list[dict[str, Any]]:
        found = search(self.folder, Wanted(outcome="refused"))
        return [line for line in found if line["k"] == "connection"]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Authority]:
    folder = tmp_path_factory.mktemp("pki")
    return Authority(folder), Authority(folder, "other")


@pytest.fixture
def refusing(
    make_gateway: MakeGateway,
    node: ScriptedNode,
    authorities: tuple[Authority, Authority],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Refusing]:
    monkeypatch.setattr(turned_away, "TELL_SECONDS", 0.05)
    authority, _ = authorities
    server = authority.issued("server", "/CN=gw", address="127.0.0.1")
    tls = {
        "certificate_file": server.file,
        "key_file": server.key,
        "client_ca_file": authority.ca.file,
    }
    gateway = make_gateway(
        [lab_results(node)],
        limits={"max_connections_per_peer": 3},
        sections={"tls": tls, "audit": {"folder": tmp_path / "audit"}},
    )
    yield Refusing(gateway, tmp_path / "audit", authority)
    assert node.requests == []


def test_each_refused_handshake_is_on_record_with_its_reason(
    refusing: Refusing, authorities: tuple[Authority, Authority]
) -> None:
    authority, other = authorities
    expired = authority.issued("expired", "/CN=sq-his", days=-1)
    stranger = other.issued("stranger", "/CN=sq-his")
    shown = [
        (lambda: refusing.handshake(expired), "NotAuthenticated", "certificate has expired"),
        (lambda: refusing.handshake(stranger), "NotAuthenticated", "unable to get local issuer"),
        (refusing.plain_http, "MalformedMessage", "http request"),
        (
            lambda: refusing.handshake(None, maximum_version=ssl.TLSVersion.TLSv1_1),
            *("MalformedMessage", ""),
        ),
    ]
    for number, (attack, fault, reason) in enumerate(shown, 1):
        with pytest.warns(DeprecationWarning) if number == 4 else contextlib.nullcontext():
            attack()
        lines = wait_until(
            lambda number=number: (found := refusing.recorded()) and len(found) == number and found
        )
        line = lines[-1]
        assert (line["peer"], line["step"], line["rule"]) == (
            *("127.0.0.1", "connection"),
            "tls-handshake",
        )
        assert (line["fault"], line["times"]) == (fault, 1)
        assert reason in line["reason"]
        assert line["t"].startswith("20")
    told = refusing.gateway.health()["refusals_by_rule"]["connection"]
    assert told == {"tls-handshake": 4}
    (report,) = verify(refusing.folder, None)
    assert report.whole


def test_connections_beyond_the_limit_are_on_record(refusing: Refusing) -> None:
    with contextlib.ExitStack() as stack:
        address = "127.0.0.1", refusing.gateway.port
        for _ in range(3):
            held = stack.enter_context(socket.create_connection(address, 30))
            held.sendall(b"GET / HTTP/1.1\r\nHost: g\r\n\r\n")
            assert held.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        with socket.create_connection(address, 30) as surplus:
            assert surplus.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 503"
    (line,) = wait_until(refusing.recorded)
    assert (line["rule"], line["fault"]) == ("max_connections_per_peer", "Overloaded")
    assert json.dumps(line)  # and nothing in it that JSON does not know


def test_what_is_left_is_on_record_when_the_gateway_ends(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing.gateway.gateway._turned_away._every = 3600.0
    refusing.plain_http()
    wait_until(lambda: refusing.gateway.health()["refusals"].get("connection") == 1)
    assert refusing.recorded() == []
    refusing.gateway.stop()
    assert [line["times"] for line in refusing.recorded()] == [1]
