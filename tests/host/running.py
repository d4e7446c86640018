"""A node's app on a real socket, with or without the calls' own path, and raw bytes to it."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from services.soap.exchange import Endpoint
from yilian.http_protocol import CallProtocol, call_protocol
from yilian.serve import listening


@dataclass
class Running:
    """``server`` runs on ``loop``, which belongs to another thread."""

    port: int
    server: uvicorn.Server
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    protocol: type[CallProtocol] | None

    def connect(self, *, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(20)
        client.connect(("127.0.0.1", self.port))
        return client

    def exchange(self, *parts: bytes) -> bytes:
        """Everything that is answered until the server closes, without what the clock decides."""
        with self.connect() as client:
            for part in parts:
                client.sendall(part)
            return DATE.sub(b"date: now", until_closed(client))


DATE = re.compile(rb"date: [^\r]+")


@contextmanager
def running(
    app: Any, calls: Mapping[str, Endpoint] | None, grace: int | None = None
) -> Iterator[Running]:
    sock = listening("127.0.0.1", 0)
    protocol = call_protocol(calls) if calls is not None else None
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=protocol or "httptools",
        timeout_graceful_shutdown=grace,
    )
    server = uvicorn.Server(config)
    loop = config.get_loop_factory()()  # type: ignore[misc]

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.serve(sockets=[sock]))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until(lambda: server.started)
    try:
        yield Running(sock.getsockname()[1], server, loop, thread, protocol)
    finally:
        server.should_exit = True
        thread.join(30)
        sock.close()
        assert not thread.is_alive()


def until(true: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def until_closed(client: socket.socket) -> bytes:
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        parts.append(b"<reset>")
    return b"".join(parts)


def answers(raw: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Status, headers and body of each answer; 100 Continue counts as one."""
    found = []
    while raw:
        head, raw = raw.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        found.append((int(first.split()[1]), headers, raw[:length]))
        raw = raw[length:]
    return found


def post(
    path: str, body: bytes | str, *headers: str, version: str = "1.1", length: bool = True
) -> bytes:
    raw = body.encode() if isinstance(body, str) else body
    lines = [f"POST {path} HTTP/{version}", "Host: node", *headers]
    if length:
        lines.append(f"Content-Length: {len(raw)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + raw
