"""Memory: what a call has used is free when it ends, without Python's collector of cycles."""

from __future__ import annotations

import gc
import socket

import pytest

from tests.gateway.conftest import BODY, MakeGateway, lab_results
from tests.gateway.scripted_node import ScriptedNode

#: gateway/memory.py has the collector look seldom, because there is nothing to find
CALLS = 40


@pytest.mark.parametrize("body", [BODY, b"<not-soap/>", b"<"], ids=["ok", "refused", "malformed"])
def test_a_call_leaves_no_cycles(
    make_gateway: MakeGateway, node: ScriptedNode, body: bytes
) -> None:
    gateway = make_gateway([lab_results(node)])
    head = (
        b"POST /hx/LabResults HTTP/1.1\r\nHost: g\r\nContent-Type: text/xml\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:

        def calls(times: int) -> None:
            for _ in range(times):
                connection.sendall(head + body)
                answer = b""
                while b"Envelope>" not in answer:
                    answer += connection.recv(65536)

        calls(3)
        gc.collect()
        gc.disable()
        try:
            calls(CALLS)
            found = gc.collect()
        finally:
            gc.enable()
    assert found < CALLS  # what the test's own node leaves is less than an object a call
