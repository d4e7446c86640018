"""A connection's last head is known: what must count anew with every call does all the same."""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from services.passwords import hash_password
from tests.gateway.configured import open_configuration
from tests.gateway.conftest import BODY, SOAP_1_1, Loop, MakeGateway, RunningGateway, lab_results
from tests.gateway.scripted_node import ScriptedNode
from tests.gateway.test_reload import reload

HASH = {user: hash_password(user) for user in ("one", "two")}


def of_callers(*users: str) -> dict[str, Any]:
    """The sections that let these users call everything, each with his name as the password."""
    everything = {"hospitals": ["*"], "services": ["*"], "operations": ["*"]}
    return {
        "callers": {user: {"basic": {"user": user, "password_hash": HASH[user]}} for user in users},
        "policies": [{"name": "open", "callers": list(users), **everything}],
    }


@pytest.fixture
def gateway(make_gateway: MakeGateway, node: ScriptedNode) -> RunningGateway:
    return make_gateway([lab_results(node)], sections=of_callers("one", "two"))


@pytest.fixture
def connection(gateway: RunningGateway) -> Iterator[http.client.HTTPConnection]:
    kept = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    yield kept
    kept.close()


def call(
    connection: http.client.HTTPConnection,
    user: str = "one",
    password: str | None = None,
    body: bytes = BODY,
    path: str = "/hx/LabResults",
    **more: str,
) -> tuple[int, str]:
    """Status and body of one call on that connection, which stays open."""
    shown = b64encode(f"{user}:{password or user}".encode()).decode()
    headers = {**SOAP_1_1, "Authorization": f"Basic {shown}", **more}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def callers(gateway: RunningGateway) -> list[str | None]:
    return [line["caller"] for line in gateway.log("call")]


def test_each_call_of_a_connection_is_its_own_callers(
    gateway: RunningGateway, connection: http.client.HTTPConnection
) -> None:
    """As behind a proxy, which sends the calls of many over one connection."""
    for user in ("one", "one", "two", "two", "one"):
        assert call(connection, user)[0] == 200
    assert callers(gateway) == ["one", "one", "two", "two", "one"]


def test_a_wrong_password_is_refused_after_a_right_one(
    gateway: RunningGateway, connection: http.client.HTTPConnection
) -> None:
    assert call(connection)[0] == 200
    assert call(connection, password="wrong")[0] == 401
    assert call(connection)[0] == 200
    assert callers(gateway) == ["one", None, "one"]


def test_a_caller_who_is_taken_out_is_refused_on_his_open_connection(
    gateway: RunningGateway, connection: http.client.HTTPConnection, loop: Loop
) -> None:
    assert [call(connection)[0] for _ in range(2)] == [200, 200]
    reload(gateway, loop, open_configuration(**of_callers("two")))
    assert call(connection)[0] == 401
    reload(gateway, loop, open_configuration(**of_callers("one")))
    assert call(connection)[0] == 200


def test_path_and_headers_are_read_anew_where_they_differ(
    gateway: RunningGateway, connection: http.client.HTTPConnection, node: ScriptedNode
) -> None:
    assert call(connection)[0] == 200
    assert "UnknownService" in call(connection, path="/hx/Nothing")[1]
    assert "SOAPAction" in call(connection, SOAPAction='"urn:x/Other"')[1]
    assert call(connection, **{"User-Agent": "PB9"})[0] == 200
    assert node.requests[-1].all("User-Agent") == ["PB9"]
    assert call(connection, **{"Content-Encoding": "gzip"})[0] == 415


def test_a_body_of_another_length_is_read_to_its_own_end(
    gateway: RunningGateway, connection: http.client.HTTPConnection, node: ScriptedNode
) -> None:
    longer = BODY + b" " * 100
    for body in (BODY, longer, BODY):
        assert call(connection, body=body)[0] == 200
    assert [len(one.body) for one in node.requests] == [len(BODY), len(longer), len(BODY)]


def test_a_body_too_large_is_refused_after_one_that_was_not(
    gateway: RunningGateway, connection: http.client.HTTPConnection, loop: Loop
) -> None:
    limits = {"max_body_bytes": 1024}
    reload(gateway, loop, open_configuration(**of_callers("one"), limits=limits))
    assert call(connection)[0] == 200
    assert call(connection, body=BODY + b" " * 2000)[0] == 413


def test_a_refused_head_is_not_remembered(
    gateway: RunningGateway, connection: http.client.HTTPConnection
) -> None:
    forged = {"X-Yilian-Source": "10.0.0.1"}
    assert [call(connection, **forged)[0] for _ in range(2)] == [403, 403]
    assert call(connection)[0] == 200
