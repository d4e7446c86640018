"""A gateway and its scripted nodes on an event loop in a thread; the tests are blocking callers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import uvloop

from gateway.app import Gateway
from gateway.binding import Binding
from gateway.log import json_log
from gateway.server import GatewayServer
from gateway_config.model import GatewayConfig
from services.soap import version as soap
from tests.gateway.configured import open_configuration
from tests.gateway.scripted_node import ScriptedNode

T = TypeVar("T")
ACTION = '"urn:yilian:LabResults:1/GetLabResult"'
SOAP_1_1 = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": ACTION}
SOAP_1_2 = {"Content-Type": f"application/soap+xml; charset=utf-8; action={ACTION}"}


def lab_call(content: str = "<TestNo>T1</TestNo>", envelope: str = soap.SOAP_1_1.envelope) -> bytes:
    """A call of LabResults.GetLabResult."""
    return (
        f'<s:Envelope xmlns:s="{envelope}"><s:Body><GetLabResult xmlns="urn:yilian:LabResults:1">'
        f"{content}</GetLabResult></s:Body></s:Envelope>"
    ).encode()


BODY = lab_call()


def until(condition: Callable[[], T], seconds: float = 20) -> T:
    """The condition's value as soon as it is true; a failure if it never becomes so."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
    return value


@dataclass
class FakeRegistry:
    """What Gateway is given as ``find_bindings``."""

    bindings: list[Binding] = field(default_factory=list)
    error: Exception | None = None
    asked: int = 0
    let_go: threading.Event = field(default_factory=threading.Event)
    hang: bool = False

    def __call__(self) -> list[Binding]:
        self.asked += 1
        if self.hang:
            self.let_go.wait(60)
        if self.error is not None:
            raise self.error
        return list(self.bindings)


def run(story: Coroutine[Any, Any, T]) -> T:
    """A test's own story, on the event loop that the gateway has in production."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(story)


class Loop:
    """An event loop in a thread, of the kind that the gateway has in production."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, awaitable: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(awaited(), self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@dataclass
class Answered:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1
        return found[0] if found else None

    @property
    def text(self) -> str:
        return self.body.decode()


def asked(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Answered:
    """One call on a connection, which stays open if the other side lets it."""
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return Answered(response.status, response.getheaders(), response.read())


def asked_once(
    address: tuple[str, int],
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    seconds: float = 60,
) -> Answered:
    """One call on a connection of its own; by plain HTTP without ``tls``."""
    with contextlib.closing(
        http.client.HTTPConnection(*address, timeout=seconds)
        if tls is None
        else http.client.HTTPSConnection(*address, timeout=seconds, context=tls)
    ) as connection:
        return asked(connection, method, path, body, headers)


def everything_said(port: int, pieces: Sequence[bytes], timeout: float) -> bytes:
    """All that comes back for bytes sent as they are, until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        for piece in pieces:
            connection.sendall(piece)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


class RunningGateway:
    def __init__(self, loop: Loop, config: GatewayConfig, registry: FakeRegistry) -> None:
        self.registry = registry
        self.log_text = io.StringIO()
        self._loop = loop
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.gateway = Gateway(config, registry, log=json_log(self.log_text))
        tls = config.own_tls is not None
        self._tls_socket = socket.create_server(("127.0.0.1", 0)) if tls else None
        self.tls_port = self._tls_socket.getsockname()[1] if self._tls_socket else 0
        self._server = GatewayServer(self.gateway, tls=self._tls_socket, grace=5)
        self._task = asyncio.run_coroutine_threadsafe(
            self._server.serve(sockets=[self._socket]), loop.loop
        )
        until(lambda: self._server.started or self._task.done())
        assert self._server.started

    def end(self) -> None:
        """As SIGTERM does."""
        self._server.should_exit = True

    def drained(self) -> None:
        """End now what listen.drain_seconds gives."""
        self._server._until = 0.0

    def stop(self) -> None:
        self.end()
        self._task.result(30)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        seconds: float = 30,
    ) -> Answered:
        address = "127.0.0.1", self.port
        return asked_once(address, method, path, body, headers, seconds=seconds)

    def post(
        self,
        path: str,
        body: bytes = BODY,
        headers: dict[str, str] | None = None,
        seconds: float = 30,
    ) -> Answered:
        return self.request("POST", path, body, SOAP_1_1 if headers is None else headers, seconds)

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answered:
        return self.request("GET", path, None, headers)

    def raw(self, *pieces: bytes) -> bytes:
        """All that comes back for bytes sent as they are, until the gateway closes."""
        return everything_said(self.port, pieces, timeout=10)

    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = json.loads(self.get("/health").body)
        return health

    def log(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log_text.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]

    def call_line(self, answer: Answered) -> dict[str, Any]:
        """The log line of one call."""
        asked = answer.header("X-Request-Id")
        (line,) = [line for line in self.log("call") if line["request_id"] == asked]
        return line


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses: bound, so that nobody else takes it, and not listening."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    running = Loop()
    yield running
    running.close()


@pytest.fixture
def make_node(loop: Loop) -> Iterator[Callable[..., ScriptedNode]]:
    nodes: list[ScriptedNode] = []

    def make(**settings: Any) -> ScriptedNode:
        node = ScriptedNode(**settings)
        loop.run(node.start())
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        loop.run(node.stop())


@pytest.fixture
def node(make_node: Callable[..., ScriptedNode]) -> ScriptedNode:
    return make_node()


MakeGateway = Callable[..., RunningGateway]


@pytest.fixture
def make_gateway(loop: Loop, tmp_path: Path) -> Iterator[MakeGateway]:
    """``make_gateway(registry, forward={...}, listen={...}, **registry settings)``; open to all
    of this machine, unless ``sections`` gives other callers and policies."""
    running: list[RunningGateway] = []

    def make(
        registry: FakeRegistry | list[Binding],
        *,
        forward: dict[str, Any] | None = None,
        listen: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        sections: dict[str, Any] | None = None,
        **settings: Any,
    ) -> RunningGateway:
        if isinstance(registry, list):
            registry = FakeRegistry(registry)
        settings = {"url": "http://registry.example:8081", "refresh_seconds": 0.5, **settings}
        config = open_configuration(
            registry=settings,
            listen=listen or {},
            forward=forward or {},
            limits=limits or {},
            **(sections or {}),
        )
        gateway = RunningGateway(loop, config, registry)
        running.append(gateway)
        return gateway

    yield make
    for gateway in running:
        gateway.registry.let_go.set()
        gateway.stop()


def lab_results(node: ScriptedNode, hospital: str = "hx") -> Binding:
    return Binding(hospital, "LabResults", f"{node.url}/{hospital}/LabResults")


@pytest.fixture
def gateway(make_gateway: MakeGateway, node: ScriptedNode) -> RunningGateway:
    """A gateway in front of ``node``, which is hx's LabResults."""
    return make_gateway([lab_results(node)])


def shared_by_module(**sections: Any) -> tuple[Any, Any, Any]:
    """The fixtures ``shared``, ``node`` and ``gateway`` of a module whose tests all ask one
    gateway, of these settings, in front of one node, which is hx's LabResults."""

    @pytest.fixture(scope="module")
    def shared(loop: Loop) -> Iterator[tuple[RunningGateway, ScriptedNode]]:
        node = ScriptedNode()
        loop.run(node.start())
        config = open_configuration(**sections)
        gateway = RunningGateway(loop, config, FakeRegistry([lab_results(node)]))
        yield gateway, node
        gateway.stop()
        loop.run(node.stop())

    @pytest.fixture
    def node(shared: tuple[RunningGateway, ScriptedNode]) -> ScriptedNode:
        shared[1].requests.clear()
        return shared[1]

    @pytest.fixture
    def gateway(shared: tuple[RunningGateway, ScriptedNode]) -> RunningGateway:
        return shared[0]

    return shared, node, gateway
