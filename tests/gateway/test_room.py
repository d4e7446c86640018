"""Large bodies that stop half way: they have a part of the memory and no more."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from gateway.room import Room
from gateway_config.limits import Limits
from tests.gateway.conftest import MakeGateway, RunningGateway, lab_call, lab_results, until
from tests.gateway.scripted_node import ScriptedNode

MIB = 1024 * 1024
LARGE = b"<!--" + b"x" * (MIB - 1000)


@pytest.fixture
def gateway(make_gateway: MakeGateway, node: ScriptedNode) -> RunningGateway:
    limits = {"max_body_bytes": MIB, "held_bytes": 4 * MIB}
    return make_gateway([lab_results(node)], limits=limits)


def head(length: int) -> bytes:
    return (
        "POST /hx/LabResults HTTP/1.1\r\nHost: gw\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def stalled(stack: ExitStack, gateway: RunningGateway, peer: str) -> socket.socket:
    """One that has sent nearly all of a body."""
    connection = stack.enter_context(
        socket.create_connection(("127.0.0.1", gateway.port), 20, (peer, 0))
    )
    connection.sendall(head(MIB - 10) + LARGE)
    return connection


def test_bodies_that_stall_leave_room_for_others(gateway: RunningGateway) -> None:
    room = gateway.gateway.connections.room
    with ExitStack() as stack:
        for count in (1, 2):
            stalled(stack, gateway, "127.0.0.3")
            until(lambda count=count: room.taken == count * len(LARGE))
        one_too_many = stalled(stack, gateway, "127.0.0.3")
        assert b"Retry-After: 1" in one_too_many.recv(4096)
        [line] = until(lambda: gateway.log("call"))
        assert (line["step"], line["rule"], line["fault"]) == (
            *("connection", "held_bytes", "Overloaded"),
        )
        assert room.taken == 2 * len(LARGE)
        assert gateway.post("/hx/LabResults").status == 200
        large = lab_call("<TestNo>T1</TestNo>" + "<!--" + "x" * 900_000 + "-->")
        assert gateway.post("/hx/LabResults", large).status == 200  # another address
    until(lambda: room.taken == 0)  # all of them have left


def test_a_body_of_the_size_that_is_allowed_always_has_room_by_itself() -> None:
    room = Room()
    room.go_by(Limits(max_body_bytes=8 * MIB, held_bytes=MIB), frozenset())
    assert room.take("10.0.0.1", 8 * MIB) and not room.take("10.0.0.2", 1)
    room.give_back("10.0.0.1", 8 * MIB)
    assert room.take("10.0.0.2", 1) and room.taken == 1


def test_a_proxy_that_speaks_for_all_has_all_of_it() -> None:
    room = Room()
    room.go_by(Limits(max_body_bytes=MIB, held_bytes=4 * MIB), frozenset({"10.0.0.9"}))
    assert room.take("10.0.0.9", 4 * MIB)
    assert not room.take("10.0.0.9", 1)
