"""The gateway's cost beside proxies that look at nothing: one core, fed by wrk from another.

    python -m bench.gateway [--rounds 5] [--seconds 4] [--only NAME ...] [--save]

All contenders stand in front of the same backend, nginx with a constant answer of 1.5 KB, on the
core that wrk is on. All run at once, each idle while another is fed; rounds are interleaved. Two
messages: 1 KB, and 100 KB of 2,200 elements. CPU microseconds a call are the whole process
group's, from /proc, which a busy machine disturbs far less than calls a second; p99 is taken at a
steady load of about 1,000 calls a second (100 of the large ones), of which the waiting in wrk is
no part. "Everything on": HTTP Basic, message, policy, contract, rate and audit.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from bench.contenders import Contender, Missing, workshop
from bench.feeding import SERVER_CORE, WRK_CORE, feed, resident_bytes
from bench.gateway_contenders import backend_command, contenders
from bench.gateway_worker import PASSWORD, USER
from bench.measure import RESULTS, machine, ratios, save

ACTION = '"urn:yilian:LabResults:1/QueryLabMaster"'
AUTHORIZATION = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
ANSWER = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope '
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    '<QueryLabMasterResponse xmlns="urn:yilian:LabResults:1"><QueryLabMasterResult>'
    + "<LabMaster><TestNo>2026112200017</TestNo><Name>X</Name><Specimen>S</Specimen></LabMaster>"
    * 14
    + "</QueryLabMasterResult></QueryLabMasterResponse></s:Body></s:Envelope>"
)
CONNECTIONS = 32
IDLE = 1000
#: message: bytes, elements of the header that fills it, and the steady load's pause in ms
MESSAGES = {"1 KB": (1024, 8, 31), "100 KB": (102_400, 2_200, 310)}


def message(size: int, elements: int) -> bytes:
    """A call of QueryLabMaster of about ``size`` bytes, in so many elements: what fills it is a
    header that no node has to understand."""
    each = max(1, (size - 420) // elements - len('<f n="0000"></f>'))
    filling = "".join(f'<f n="{n:04}">{"y" * each}</f>' for n in range(elements))
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>'
        f'<fill xmlns="urn:bench">{filling}</fill></s:Header><s:Body>'
        '<QueryLabMaster xmlns="urn:yilian:LabResults:1"><PatientId>P000123</PatientId>'
        "</QueryLabMaster></s:Body></s:Envelope>"
    ).encode()


class Running:
    """A contender that runs and has answered rightly."""

    def __init__(self, contender: Contender, folder: Path) -> None:
        self.name = contender.name
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}{contender.path}"
        self._log = folder / f"{self.port}.log"
        self._process = contender.start(self.port, folder, SERVER_CORE)

    @property
    def group(self) -> int:
        return self._process.pid

    def wait(self, body: bytes) -> None:
        """Missing with its log if it does not run, or answers something else."""
        deadline = time.monotonic() + 60
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": ACTION}
        headers["Authorization"] = AUTHORIZATION
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Missing(f"it does not run:\n{self._log.read_text(errors='replace')[-2000:]}")
            try:
                with urlopen(Request(self.url, body, headers), timeout=30) as reply:
                    if reply.read() != ANSWER.encode():
                        raise Missing("it answers something else")
                return
            except HTTPError as error:
                raise Missing(f"it answers {error.code}: {error.read()[:2000].decode()}") from None
            except (URLError, OSError):
                time.sleep(0.1)

    def megabytes_with_idle_connections(self) -> float:
        """Resident memory while so many askers, each of whom has called once, say nothing."""
        with ExitStack() as stack:
            for _ in range(IDLE):
                asker = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 30))
                asker.sendall(b"GET /health HTTP/1.1\r\nHost: bench\r\n\r\n")
                asker.recv(65536)
            return resident_bytes(self.group) / 1e6

    def end(self) -> None:
        if self._process.poll() is None:
            os.killpg(self.group, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.group, signal.SIGKILL)
                self._process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def run(names: list[str], rounds: int, seconds: float) -> tuple[dict[str, Any], str]:
    for tool in ("wrk", "taskset", "nginx"):
        if shutil.which(tool) is None:
            raise SystemExit(
                f"✗ 缺少 {tool}（./run setup-full）/ {tool} is missing: ./run setup-full"
            )
    raw: dict[str, Any] = {
        "machine": machine(),
        "seconds": seconds,
        "connections": CONNECTIONS,
        "skipped": {},
        "rounds": [],
        "megabytes_with_1000_idle_connections": {"before": {}, "after": {}},
    }
    with workshop() as made:
        folder = Path(made)
        folder.chmod(0o755)  # other servers' workers are other users
        bodies = {name: message(*shape[:2]) for name, shape in MESSAGES.items()}
        for name, body in bodies.items():
            (folder / name).write_bytes(body)
        running: list[Running] = []
        backend_port = _free_port()
        backend = Contender("backend", lambda port, at: backend_command(port, at, ANSWER))
        served = backend.start(backend_port, folder, WRK_CORE)
        try:
            for contender in contenders(backend_port):
                if names and contender.name not in names:
                    continue
                one = None
                try:
                    one = Running(contender, folder)
                    running.append(one)
                    for body in bodies.values():
                        one.wait(body)
                except Missing as missing:
                    raw["skipped"][contender.name] = str(missing)
                    print(f"✗ SKIPPED {contender.name}: {missing}", file=sys.stderr)
                    if one is not None:
                        running.remove(one)
                        one.end()
            for one in running:  # warm: caches, connections
                _turn(one, folder, "1 KB", min(seconds, 2), steady=False)
            weights = raw["megabytes_with_1000_idle_connections"]
            weights["before"] = _weights(running)
            for number in range(rounds):
                for name in MESSAGES:
                    turn = number % len(running)
                    for one in running[turn:] + running[:turn]:
                        figures = _turn(one, folder, name, seconds, steady=False)
                        calm = _turn(one, folder, name, seconds, steady=True)
                        figures["p99_steady_microseconds"] = calm["p99_microseconds"]
                        figures["steady_calls_per_second"] = calm["calls_per_second"]
                        figures["wrong"] += calm["wrong"]
                        figures["failed"] += calm["failed"]
                        about = {"contender": one.name, "message": name, "round": number}
                        raw["rounds"].append(about | figures)
            weights["after"] = _weights(running)
        finally:
            for one in running:
                one.end()
            os.killpg(served.pid, signal.SIGTERM)
            served.wait(20)
    raw["machine"]["load_average_after"] = list(os.getloadavg())
    return raw, table(raw)


def _weights(running: list[Running]) -> dict[str, float]:
    return {
        one.name: one.megabytes_with_idle_connections()
        for one in running
        if one.name.startswith("yilian")
    }


def _turn(
    one: Running, folder: Path, name: str, seconds: float, *, steady: bool
) -> dict[str, float]:
    environment = {
        "BENCH_BODY_FILE": str(folder / name),
        "BENCH_ACTION": ACTION,
        "BENCH_AUTHORIZATION": AUTHORIZATION,
    }
    if steady:
        environment["BENCH_PAUSE"] = str(MESSAGES[name][2])
    return feed(one.url, one.group, CONNECTIONS, seconds, environment)


def table(raw: dict[str, Any]) -> str:
    """Medians, and each contender's CPU over nginx's, round by round."""
    lines = []
    names = list(dict.fromkeys(turn["contender"] for turn in raw["rounds"]))
    for name in MESSAGES:
        of_message = [turn for turn in raw["rounds"] if turn["message"] == name]
        nginx = [t["cpu_microseconds"] for t in of_message if t["contender"] == "nginx plain"]
        lines += [
            f"{name}, {raw['connections']} connections, {raw['seconds']:g} s a turn",
            f"{'':<24}{'CPU µs':>9}{'calls/s':>9}{'p99 ms, steady':>16}{'× nginx, CPU':>24}"
            f"{'errors':>8}",
            f"{'':<58}{'min  median   max':>24}",
        ]
        for contender in names:
            mine = [turn for turn in of_message if turn["contender"] == contender]
            middle = {
                key: statistics.median(turn[key] for turn in mine)
                for key in ("cpu_microseconds", "calls_per_second", "p99_steady_microseconds")
            }
            times = f"{'':>24}"
            if nginx:
                ratio = ratios([turn["cpu_microseconds"] for turn in mine], nginx)
                times = f"{ratio['min']:>10.1f}{ratio['median']:>7.1f}{ratio['max']:>7.1f}"
            errors = sum(turn["wrong"] + turn["failed"] for turn in mine)
            lines.append(
                f"{contender:<24}{middle['cpu_microseconds']:>9.1f}"
                f"{middle['calls_per_second']:>9.0f}"
                f"{middle['p99_steady_microseconds'] / 1000:>16.1f}{times}{errors:>8.0f}"
            )
        lines.append("")
    for when, weights in raw["megabytes_with_1000_idle_connections"].items():
        for contender, weight in weights.items():
            lines.append(
                f"{contender}: {weight:.0f} MB resident with {IDLE} idle connections, "
                f"{when} the load"
            )
    for contender, why in raw["skipped"].items():
        lines.append(f"SKIPPED {contender}: {why.splitlines()[0]}")
    return "\n".join(lines).rstrip()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="a turn of wrk, whole seconds")
    parser.add_argument("--only", nargs="+", default=[], help="contenders by name")
    parser.add_argument("--save", action="store_true", help=f"into {RESULTS}")
    options = parser.parse_args(arguments)
    raw, text = run(options.only, options.rounds, options.seconds)
    print(text)
    if options.save:
        save("gateway", raw, text, RESULTS)


if __name__ == "__main__":
    main()
