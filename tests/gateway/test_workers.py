"""Several workers as real processes: one dies, all end, the parent dies; and what one weighs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.gateway.conftest import BODY, SOAP_1_1, Loop, lab_results, until
from tests.gateway.front import LOCAL, OPEN_POLICY
from tests.gateway.mortal import gone
from tests.gateway.scripted_node import Received, ScriptedNode, echo

PROJECT = Path(__file__).parents[2]
CONFIGURATION = (
    """
[listen]
port = {port}
workers = {workers}
drain_seconds = {drain}
[registry]
url = "http://127.0.0.1:9"
table_file = "routes.json"
"""
    + LOCAL
    + OPEN_POLICY
)


@dataclass
class Process:
    """``yilian gateway`` with some workers."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def workers(self) -> list[int]:
        """The process ids of the workers, or of the one process that there is."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def health(self) -> dict[str, object]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as reply:
            found: dict[str, object] = json.loads(reply.read())
        return found

    def seen(self) -> set[object]:
        """The numbers of workers that answer, by a few connections."""
        found = set()
        for _ in range(8):
            with contextlib.suppress(OSError):
                found.add(self.health()["worker"])
        return found

    def call(self) -> int:
        url = f"http://127.0.0.1:{self.port}/hx/LabResults"
        with urllib.request.urlopen(urllib.request.Request(url, BODY, SOAP_1_1), timeout=30) as got:
            status: int = got.status
        return status


@pytest.fixture
def start(loop: Loop, node: ScriptedNode, tmp_path: Path) -> Iterator[object]:
    running: list[Process] = []

    def start(workers: int, drain: int = 0) -> Process:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        file = tmp_path / "gateway.toml"
        file.write_text(CONFIGURATION.format(port=port, workers=workers, drain=drain))
        binding = lab_results(node)
        known = [{"hospital": "hx", "service": "LabResults", "access_point": binding.access_point}]
        table = {"version": 1, "saved": "2026-11-22T00:00:00Z", "bindings": known}
        (tmp_path / "routes.json").write_text(json.dumps(table))
        log = tmp_path / "gateway.log"
        process = subprocess.Popen(
            [sys.executable, "-m", "yilian", "gateway", str(file)],
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log.open("wb"),
        )
        made = Process(process, port, log)
        running.append(made)
        wanted = set(range(workers))
        until(lambda: process.poll() is not None or made.seen() == wanted, 60)
        assert process.poll() is None, log.read_text()
        return made

    yield start
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait(30)


def test_a_worker_that_dies_is_started_again_while_the_others_serve(start: object) -> None:
    gateway: Process = start(2)  # type: ignore[operator]
    first, second = gateway.workers()
    os.kill(first, signal.SIGKILL)
    until(lambda: gone(first))
    answered = 0
    for _ in range(10):  # those that reach the dead one's socket wait there for its successor
        answered += gateway.call() == 200
    assert answered == 10
    workers = until(lambda: gateway.workers() if len(gateway.workers()) == 2 else [])
    assert second in workers
    assert first not in workers
    until(lambda: gateway.seen() == {0, 1})
    assert "ended: signal 9; started again" in gateway.log.read_text()


def test_sigterm_lets_calls_finish_and_frees_the_port(
    start: object, node: ScriptedNode, loop: Loop
) -> None:
    gateway: Process = start(2)  # type: ignore[operator]
    workers = gateway.workers()

    async def end_meanwhile(request: Received, writer: object) -> None:
        gateway.process.terminate()
        until(lambda: refused(gateway.port))
        await echo(request, writer)  # type: ignore[arg-type]

    node.script = end_meanwhile
    assert gateway.call() == 200
    assert gateway.process.wait(30) == 0
    assert all(gone(worker) for worker in workers)


def test_all_workers_serve_on_while_health_says_that_they_end(start: object) -> None:
    gateway: Process = start(2, 4)  # type: ignore[operator]
    gateway.process.terminate()

    def draining() -> bool:
        try:
            gateway.health()
        except urllib.error.HTTPError as error:
            return error.code == 503 and json.load(error)["status"] == "draining"
        return False

    until(draining)
    assert {gateway.call() for _ in range(8)} == {200}
    assert gateway.process.wait(60) == 0
    assert refused(gateway.port)


def refused(port: int) -> bool:
    with socket.socket() as asker:
        asker.settimeout(5)
        return asker.connect_ex(("127.0.0.1", port)) != 0


def scraped(gateway: Process) -> dict[str, dict[str, float]]:
    """What one scrape tells: by sample name, and by worker."""
    url = f"http://127.0.0.1:{gateway.port}/metrics"
    found: dict[str, dict[str, float]] = {}
    with urllib.request.urlopen(url, timeout=5) as reply:
        for family in text_string_to_metric_families(reply.read().decode()):
            for sample in family.samples:
                of = found.setdefault(sample.name, {})
                worker = sample.labels["worker"]
                of[worker] = of.get(worker, 0) + sample.value
    return found


def test_one_scrape_tells_of_all_workers(start: object) -> None:
    gateway: Process = start(2)  # type: ignore[operator]
    for calls in range(1, 9):
        assert gateway.call() == 200
        told = scraped(gateway)  # whichever worker it reaches
        assert sum(told["yilian_gateway_calls_total"].values()) == calls
        assert told["yilian_gateway_worker_up"] == {"0": 1, "1": 1}
        assert set(told["process_resident_memory_bytes"]) == {"0", "1"}

    first, _ = gateway.workers()
    os.kill(first, signal.SIGSTOP)  # it hangs: the other one says so
    try:

        def told_by_the_other() -> bool:
            try:
                return scraped(gateway)["yilian_gateway_worker_up"] == {"0": 0, "1": 1}
            except OSError:  # this scrape has reached the one that hangs
                return False

        until(told_by_the_other, 60)
    finally:
        os.kill(first, signal.SIGCONT)
    os.kill(first, signal.SIGKILL)  # and its successor is there again

    def both() -> bool:
        with contextlib.suppress(OSError):
            now = gateway.workers()
            return len(now) == 2 and first not in now and scraped(gateway)[up] == {"0": 1, "1": 1}
        return False

    up = "yilian_gateway_worker_up"
    until(both, 60)


def test_workers_end_when_their_parent_is_killed(start: object) -> None:
    gateway: Process = start(2)  # type: ignore[operator]
    workers = gateway.workers()
    gateway.process.kill()
    gateway.process.wait(30)
    until(lambda: all(gone(worker) for worker in workers), 30)
    until(lambda: refused(gateway.port))


def test_sighup_reaches_every_worker_and_none_ends(start: object) -> None:
    gateway: Process = start(2)  # type: ignore[operator]
    workers = gateway.workers()
    before = {str(gateway.health()["configuration"]) for _ in range(8)}
    gateway.process.send_signal(signal.SIGHUP)

    def reread() -> bool:
        return not {str(gateway.health()["configuration"]) for _ in range(8)} & before

    until(reread, 30)
    assert gateway.workers() == workers


def test_two_gateways_do_not_share_a_port_by_mistake(start: object, tmp_path: Path) -> None:
    start(2)  # type: ignore[operator]
    done = subprocess.run(
        [sys.executable, "-m", "yilian", "gateway", str(tmp_path / "gateway.toml")],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "is in use" in done.stdout + done.stderr


def test_a_worker_with_a_thousand_idle_connections_stays_small(start: object) -> None:
    gateway: Process = start(1)  # type: ignore[operator]
    with contextlib.ExitStack() as stack:
        for _ in range(900):  # [limits] max_connections_per_peer is 1000
            idle = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), 30))
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: g\r\n\r\n")
            assert idle.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        assert gateway.health()["connections"] == 901
        status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    # Loose: bench/gateway.py measures it. What this holds is that neither spyne nor a database
    # library has crept into the gateway, which is some 30 MB.
    assert int(line.split()[1]) / 1024 < 100


def test_the_gateway_loads_neither_spyne_nor_a_database_library() -> None:
    heavy = ("spyne", "sqlalchemy", "zeep", "adapters", "jinja2", "aiohttp")
    asked = f"import sys, yilian.gateway_process; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
