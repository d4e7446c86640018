"""One node on one core beside other SOAP servers, fed by wrk from another core.

    python -m bench.host [--rounds 5] [--seconds 4] [--connections 16 64] [--only NAME ...] [--save]

Every contender answers getlabmaster with the same five rows, joined in every call. All run at
once, each idle while another is fed; rounds are interleaved. Calls per second, and CPU
microseconds per call of the whole process group, which a busy machine disturbs far less.
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
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench import feeding
from bench.codec import GETLABMASTER
from bench.contenders import CONTENDERS, Contender, Missing, workshop
from bench.feeding import SERVER_CORE
from bench.hospital import legacy_endpoint
from bench.measure import RESULTS, machine, ratios, save
from bench.node import ROWS


class Served:
    """A contender that runs and has answered rightly."""

    def __init__(self, contender: Contender, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.name = contender.name
        self.url = f"http://127.0.0.1:{port}{contender.path}"
        self.log = folder / f"{port}.log"
        self.process = contender.start(port, folder, SERVER_CORE)

    def wait(self, expected: bytes) -> None:
        """Until it answers; Missing with its log if it ends, or answers something else."""
        deadline = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Missing(f"it does not run:\n{self.log.read_text(errors='replace')[-2000:]}")
            try:
                answer = self._ask()
            except (URLError, OSError):
                time.sleep(0.1)
                continue
            if expected not in answer:
                raise Missing(f"it answers something else:\n{answer[:2000].decode()}")
            return

    def _ask(self) -> bytes:
        headers = {
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": '"http://tempuri.org/getlabmaster"',
        }
        with urlopen(Request(self.url, GETLABMASTER, headers), timeout=30) as reply:
            return bytes(reply.read())

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def feed(served: Served, connections: int, seconds: float) -> dict[str, float]:
    """One turn of wrk."""
    body = {"BENCH_BODY": GETLABMASTER.decode()}
    return feeding.feed(served.url, served.process.pid, connections, seconds, body)


def rows() -> bytes:
    """The five rows as every contender must answer them."""
    call = legacy_endpoint(ROWS).call
    from services.soap.exchange import Request as Call

    try:
        call(Call(GETLABMASTER)).send(None)
    except StopIteration as finished:
        body: bytes = finished.value.body
        return body[body.index(b"<str>") + 5 : body.index(b"</str>")]
    raise AssertionError("constant data made the call wait")


def run(
    names: list[str], rounds: int, seconds: float, connections: list[int]
) -> tuple[dict[str, Any], str]:
    raw: dict[str, Any] = {
        "machine": machine(),
        "seconds": seconds,
        "skipped": {},
        "rounds": [],
    }
    if shutil.which("wrk") is None or shutil.which("taskset") is None:
        raise SystemExit(
            "✗ 缺少 wrk（./run setup-full）/ wrk or taskset is missing: ./run setup-full"
        )
    expected = rows()
    with workshop() as folder:
        running: list[Served] = []
        try:
            for contender in CONTENDERS:
                if names and contender.name not in names:
                    continue
                served = None
                try:
                    served = Served(contender, Path(folder))
                    running.append(served)
                    served.wait(expected)
                except Missing as missing:
                    raw["skipped"][contender.name] = str(missing)
                    print(f"✗ SKIPPED {contender.name}: {missing}", file=sys.stderr)
                    if served is not None:
                        running.remove(served)
                        served.end()
            for served in running:  # warm: compilers, caches
                feed(served, connections[0], min(seconds, 2))
            for number in range(rounds):
                for count in connections:
                    turn = number % len(running)
                    for served in running[turn:] + running[:turn]:
                        figures = feed(served, count, seconds)
                        figures |= {"round": number, "connections": count}
                        raw["rounds"].append({"contender": served.name} | figures)
        finally:
            for served in running:
                served.end()
    raw["machine"]["load_average_after"] = list(os.getloadavg())
    return raw, table(raw)


def table(raw: dict[str, Any]) -> str:
    """Medians, and our node's figure over each contender's, round by round."""
    lines = []
    names = list(dict.fromkeys(turn["contender"] for turn in raw["rounds"]))
    for count in dict.fromkeys(turn["connections"] for turn in raw["rounds"]):
        lines += [
            f"{count} connections, {raw['seconds']:g} s a turn",
            f"{'':<20}{'calls/s':>9}{'CPU µs':>9}{'p99 ms':>9}{'yilian, calls/s ×':>25}"
            f"{'yilian, CPU: × as little':>27}{'errors':>8}",
            f"{'':<47}{'min  median   max':>25}{'min  median   max':>27}",
        ]
        for name in names:
            mine, ours = (
                [t for t in raw["rounds"] if t["connections"] == count and t["contender"] == who]
                for who in (name, names[0])
            )
            speed = ratios(
                [t["calls_per_second"] for t in ours], [t["calls_per_second"] for t in mine]
            )
            thrift = ratios(
                [t["cpu_microseconds"] for t in mine], [t["cpu_microseconds"] for t in ours]
            )
            middle = {
                key: statistics.median(turn[key] for turn in mine)
                for key in ("calls_per_second", "cpu_microseconds", "p99_microseconds")
            }
            errors = sum(turn["wrong"] + turn["failed"] for turn in mine)
            lines.append(
                f"{name:<20}{middle['calls_per_second']:>9.0f}{middle['cpu_microseconds']:>9.1f}"
                f"{middle['p99_microseconds'] / 1000:>9.1f}"
                f"{speed['min']:>11.2f}{speed['median']:>7.2f}{speed['max']:>7.2f}"
                f"{thrift['min']:>13.2f}{thrift['median']:>7.2f}{thrift['max']:>7.2f}{errors:>8}"
            )
        lines.append("")
    for name, why in raw["skipped"].items():
        lines.append(f"SKIPPED {name}: {why.splitlines()[0]}")
    return "\n".join(lines).rstrip()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="a turn of wrk, whole seconds")
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--only", nargs="+", default=[], help="contenders by name, ours first")
    parser.add_argument("--save", action="store_true", help=f"into {RESULTS}")
    options = parser.parse_args(arguments)
    raw, text = run(options.only, options.rounds, options.seconds, options.connections)
    print(text)
    if options.save:
        save("host", raw, text, RESULTS)


if __name__ == "__main__":
    main()
