"""A rush: many callers on few slots through one node, again and again until the time is over.

    python -m bench.rush [--url postgresql://user:password@host/empty] [--seconds 60]

Each round opens a new session of 20 slots; 1,000 callers ask for a number at once, over HTTP on
loopback, each under a RequestId of its own; the next round begins when the last one is answered,
until a minute is over. Reported: p50 and p99 of those who got a number and of those who were
refused, the most connections that the node had at the server (seen there, by a connection of the
benchmark's own), the most calls that ran at once, and whether as many slots were sold as there
were. Without --url the hospital is a SQLite file, whose connections nobody counts.

Every round, every winner's time and every refusal's (counted by millisecond) go to
bench/results/rush.json, a table of them to bench/results/rush.txt.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import Engine, insert, make_url, select, text

from adapters.bsoft import tables as b
from adapters.drivers import DRIVERS, with_driver
from adapters.drivers.limits import Limits

RESULTS = Path(__file__).parent / "results"
#: between two looks at the server's list of connections, in seconds
LOOK_SECONDS = 0.02
#: by database: the connections to it, and the number of one's own
CONNECTIONS = {
    "postgresql": (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()",
        "SELECT pg_backend_pid()",
    ),
    "mariadb": (
        "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE()",
        "SELECT CONNECTION_ID()",
    ),
}
CONNECTIONS["mysql"] = CONNECTIONS["mariadb"]


class Observer:
    """Looks again and again which connections the server has, and counts those that are not the
    benchmark's. ``counts``: every look; empty where the database has no such list."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.counts: list[int] = []
        self._over = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While the body lasts. The engine's connections are made before, so that all others are
        the node's."""
        if self._engine.dialect.name not in CONNECTIONS:
            yield
            return
        seen, own = CONNECTIONS[self._engine.dialect.name]
        with self._engine.connect() as looks, self._engine.connect() as other:
            ours = {int(one.execute(text(own)).scalar_one()) for one in (looks, other)}
            other.close()  # back to the pool, for the rounds

            def look() -> None:
                while not self._over.wait(LOOK_SECONDS):
                    found = {int(row[0]) for row in looks.execute(text(seen))}
                    looks.rollback()
                    self.counts.append(len(found - ours))

            thread = threading.Thread(target=look)
            thread.start()
            try:
                yield
            finally:
                self._over.set()
                thread.join()


def engine_of(url: str) -> Engine:
    full = with_driver(make_url(url))
    return DRIVERS[full.drivername].engine(Limits(full, 2, 60, 10, False))


def build(engine: Engine, callers: int) -> None:
    """Patients, a department and a doctor; sessions come with the rounds."""
    with engine.begin() as connection:
        b.METADATA.create_all(connection)
        department = {"KSDM": "0301", "KSMC": "心内科", "GHF": 1, "ZLF": 25, "ZJMZ": 1}
        connection.execute(insert(b.MS_GHKS).values(department))
        connection.execute(insert(b.GY_YGDM).values(YGDM="1001", YGXM="王建国", KSDM="0301"))
        people = [
            {"BRID": n, "MZHM": f"{n:010d}", "BRXM": f"病人{n}", "BRXB": 1}
            for n in range(1, callers + 1)
        ]
        connection.execute(insert(b.MS_BRDA), people)


def open_session(engine: Engine, day: date, slots: int) -> str:
    row = {"GZRQ": datetime.combine(day, clock()), "KSDM": "0301", "YSDM": "1001", "ZBLB": 1}
    counters = {"GHXE": slots, "YGRS": 0, "JZXH": 1, "TGBZ": 0}
    with engine.begin() as connection:
        connection.execute(insert(b.MS_YSPB).values({**row, **counters}))
    return f"Y-{day:%Y%m%d}-0301-1001-1"


def sold(engine: Engine, day: date) -> int:
    c = b.MS_YSPB.c
    with engine.connect() as connection:
        chosen = select(c.YGRS).where(datetime.combine(day, clock()) == c.GZRQ)
        return int(connection.scalar(chosen) or 0)


async def one(
    http: aiohttp.ClientSession, address: str, schedule: str, n: int
) -> tuple[str, float]:
    """How the call ended, and how many seconds it took."""
    arguments = {
        "RequestId": f"{schedule}.{n}",
        "ScheduleId": schedule,
        "PatientId": f"{n:010d}",
    }
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in arguments.items())
    body = (
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        f'<LockNumber xmlns="urn:yilian:Registration:1">{inner}</LockNumber></Body></Envelope>'
    )
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    begin = time.perf_counter()
    async with http.post(f"{address}/hx/Registration", data=body, headers=headers) as answer:
        text = await answer.text()
    seconds = time.perf_counter() - begin
    if "<SequenceNo>" in text or ":SequenceNo>" in text:
        return "sold", seconds
    for code in ("Overloaded", "Conflict", "SourceTimeout", "SourceUnavailable", "SourceError"):
        if code in text:
            return code, seconds
    return f"HTTP {answer.status}", seconds


async def watch(http: aiohttp.ClientSession, address: str, seen: list[tuple[int, int]]) -> None:
    """What /health says while it lasts: calls running and waiting."""
    while True:
        async with http.get(f"{address}/health") as answer:
            state = (await answer.json())["sources"]["his"]
        seen.append((state["running"], state["queued"]))
        await asyncio.sleep(0.05)


def percentiles(seconds: list[float]) -> dict[str, float | int]:
    ordered = sorted(seconds)
    if not ordered:
        return {"calls": 0}
    return {
        "calls": len(ordered),
        "p50_ms": round(1000 * ordered[len(ordered) // 2], 1),
        "p99_ms": round(1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 1),
        "max_ms": round(1000 * ordered[-1], 1),
    }


async def rush(address: str, engine: Engine, options: argparse.Namespace) -> dict[str, Any]:
    winners: list[float] = []
    refused: list[float] = []
    codes: Counter[str] = Counter()
    rounds: list[dict[str, Any]] = []
    seen: list[tuple[int, int]] = []
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        watcher = asyncio.create_task(watch(http, address, seen))
        begin = time.monotonic()
        day = date.today()
        while time.monotonic() < begin + options.seconds:
            day += timedelta(days=1)
            schedule = open_session(engine, day, options.slots)
            started = time.monotonic() - begin
            calls = (one(http, address, schedule, n) for n in range(1, options.callers + 1))
            outcomes = await asyncio.gather(*calls)
            won = [seconds for code, seconds in outcomes if code == "sold"]
            lost = [seconds for code, seconds in outcomes if code != "sold"]
            counted = Counter(code for code, _ in outcomes)
            codes += counted
            winners += won
            refused += lost
            rounds.append(
                {
                    **{"at_s": round(started, 2), "sold": sold(engine, day)},
                    **{"outcomes": dict(counted), "winners": percentiles(won)},
                    "refused": percentiles(lost),
                }
            )
        lasted = time.monotonic() - begin
        watcher.cancel()
    return {
        "lasted_s": round(lasted, 1),
        "winners": percentiles(winners),
        "refused": percentiles(refused),
        "outcomes": dict(codes),
        "rounds": len(rounds),
        "sold_in_each_round": sorted({one["sold"] for one in rounds}),
        "answered_in_each_round": sorted({one["outcomes"].get("sold", 0) for one in rounds}),
        "most_running": max((running for running, _ in seen), default=0),
        "most_waiting": max((waiting for _, waiting in seen), default=0),
        "raw": {
            "rounds": rounds,
            "winners_ms": [round(1000 * seconds, 1) for seconds in sorted(winners)],
            "refused_by_ms": dict(sorted(Counter(int(1000 * s) for s in refused).items())),
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="an empty database; default: a SQLite file")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--callers", type=int, default=1000)
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--pool", type=int, default=8)
    parser.add_argument("--queue", type=int, default=64)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        folder = Path(name)
        url = options.url or f"sqlite:///{folder / 'his.db'}"
        if not options.url:
            (folder / "his.db").touch()
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        engine = engine_of(url)
        build(engine, options.callers)
        observer = Observer(engine)
        address = f"http://127.0.0.1:{port}"
        (folder / "node.toml").write_text(
            f"""
            [hospital]
            code = "hx"
            name = "华夏"
            name_en = "Huaxia"
            [listen]
            port = {port}
            public_url = "{address}"
            [sources.his]
            adapter = "bsoft"
            url = {json.dumps(url)}
            offers = ["Registration", "NumberSource"]
            read_only = false
            pool_size = {options.pool}
            queue_length = {options.queue}
            """,
            "utf-8",
        )
        command = [sys.executable, "-m", "yilian", "node", str(folder / "node.toml")]
        with (folder / "log").open("wb") as log:
            node = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(port, node, folder / "log")
            with observer.looking():
                result = asyncio.run(rush(address, engine, options))
        finally:
            node.terminate()
            node.wait(30)
            engine.dispose()
    given = {"callers": options.callers, "slots": options.slots, "pool": options.pool}
    backend = make_url(url).get_backend_name()
    machine = {"python": platform.python_version(), "cpus": os.cpu_count()}
    seen = {"most": max(observer.counts), "looks": len(observer.counts)} if observer.counts else {}
    report = {
        **{"database": backend, "seconds": options.seconds, **given, "queue": options.queue},
        **{"machine": machine, "load": os.getloadavg(), "connections_at_server": seen, **result},
    }
    kept = save(options.results, backend, report)
    print(table(kept))
    assert result["sold_in_each_round"] == [options.slots], "not as many sold as there were"
    assert result["answered_in_each_round"] == [options.slots], "not as many told as were sold"
    assert result["most_running"] <= options.pool, "more ran at once than the pool has"
    assert seen.get("most", 0) <= options.pool, "the server saw more connections than the pool has"


def save(folder: Path, backend: str, report: dict[str, Any]) -> dict[str, Any]:
    """Beside what was measured on other databases; all of it."""
    file = folder / "rush.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    kept[backend] = report
    folder.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(one)}" for name, one in kept.items())
    file.write_text(f"{{\n{lines}\n}}\n", "utf-8")
    (folder / "rush.txt").write_text(table(kept) + "\n", "utf-8")
    return kept


def table(kept: dict[str, Any]) -> str:
    """A line for each database."""
    head = (
        f"{'database':<11}{'s':>6}{'rounds':>8}{'sold':>7}{'winners p50':>13}{'p99':>9}"
        f"{'refused p50':>13}{'p99':>9}{'pool':>6}{'at server':>11}"
    )
    lines = [head + "   (ms)"]
    for name, one in kept.items():
        won, lost, seen = one["winners"], one["refused"], one.get("connections_at_server", {})
        lines.append(
            f"{name:<11}{one['seconds']:>6g}{one['rounds']:>8}{won['calls']:>7}"
            f"{won.get('p50_ms', '-'):>13}{won.get('p99_ms', '-'):>9}"
            f"{lost.get('p50_ms', '-'):>13}{lost.get('p99_ms', '-'):>9}"
            f"{one['pool']:>6}{seen.get('most', '-'):>11}"
        )
    return "\n".join(lines)


def wait_for(port: int, node: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 30
    while True:
        assert node.poll() is None and time.monotonic() < end, log.read_text("utf-8")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
