"""The constant node and a gateway in front of it, on real sockets, as ``yilian.serve`` has them."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from gateway.app import Gateway
from gateway.binding import Binding
from gateway.log import json_log
from tests.gateway.configured import open_configuration
from tests.interop.constant import CODE, constant_node
from yilian.host import app_of, call_paths
from yilian.http_protocol import call_protocol
from yilian.serve import listening


@dataclass(frozen=True)
class Served:
    """Two ways to one node."""

    node: int
    gateway: int

    def port(self, way: str) -> int:
        return {"node": self.node, "gateway": self.gateway}[way]


@contextmanager
def served() -> Iterator[Served]:
    node_socket, gateway_socket = listening("127.0.0.1", 0), listening("127.0.0.1", 0)
    inside = f"http://127.0.0.1:{node_socket.getsockname()[1]}"
    node = constant_node(inside)
    bindings = [
        Binding(CODE, endpoint.interface.name, inside + path)
        for path, endpoint in node.endpoints.items()
    ]
    config = open_configuration()
    gateway = Gateway(config, lambda: bindings, log=json_log(io.StringIO()))
    with (
        node_socket,
        gateway_socket,
        _running(app_of(node), node_socket, call_protocol(call_paths(node))),
        _running(gateway.app, gateway_socket, gateway.protocol),
    ):
        yield Served(node_socket.getsockname()[1], gateway_socket.getsockname()[1])


@contextmanager
def _running(app: Any, sock: socket.socket, protocol: Any) -> Iterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=protocol,
        )
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[sock])), daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(30)
