"""A gateway as a process of its own, by its configuration file; its registry is a table file."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.binding import Binding
from tests.gateway.conftest import until

PROJECT = Path(__file__).parents[2]
OPEN_POLICY = """
[[policies]]
name = "open"
callers = ["*"]
hospitals = ["*"]
services = ["*"]
operations = ["*"]
"""
LOCAL = """
[callers.local]
networks = ["127.0.0.0/8"]
"""


_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to connections: one of
    those could be taken by any of the calls under way. Never the same twice."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port


def write_table(file: Path, bindings: Iterable[Binding]) -> None:
    """What the gateway starts with while its registry is away."""
    rows = [
        {"hospital": one.hospital, "service": one.service, "access_point": one.access_point}
        for one in bindings
    ]
    file.write_text(json.dumps({"saved": "2026-11-21T08:00:00Z", "bindings": rows}))


@dataclass
class GatewayProcess:
    process: subprocess.Popen[bytes]
    port: int
    log_file: Path

    def log(self, event: str) -> list[dict[str, Any]]:
        whole = self.log_file.read_bytes().rpartition(b"\n")[0]  # the last may still be written
        told = [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]
        return [line for line in told if line.get("event") == event]

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(fetch(self.port, "GET", "/health")[1])
        return told


def fetch(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@contextmanager
def gateway_process(file: Path, port: int) -> Iterator[GatewayProcess]:
    """``yilian gateway FILE``, from when it answers until it has ended by SIGTERM."""
    log_file = file.with_suffix(".log")
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "yilian", "gateway", str(file)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1"},
        )
    try:
        until(lambda: process.poll() is not None or _answers(port), 60)
        assert process.poll() is None, log_file.read_text("utf-8")
        yield GatewayProcess(process, port, log_file)
    finally:
        process.terminate()
        assert process.wait(30) in (0, -signal.SIGTERM)


def _answers(port: int) -> bool:
    try:
        fetch(port, "GET", "/health")
    except OSError:
        return False
    return True


@dataclass
class Load:
    """What callers that ask without a pause have met so far."""

    statuses: list[int]
    errors: list[OSError]

    def until_more(self, calls: int) -> None:
        """Wait until so many more have been answered."""
        wanted = len(self.statuses) + calls
        until(lambda: len(self.statuses) >= wanted or self.errors, 60)


@contextmanager
def under_load(call: Callable[[], int], callers: int = 4) -> Iterator[Load]:
    """``call`` gives a status; it is made again and again, in several threads, and has ended when
    the context does."""
    load, end = Load([], []), threading.Event()

    def calls() -> None:
        while not end.is_set() and not load.errors:
            try:
                load.statuses.append(call())
            except OSError as error:
                load.errors.append(error)

    threads = [threading.Thread(target=calls, daemon=True) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        end.set()
        for thread in threads:
            thread.join(60)
