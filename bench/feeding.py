"""Load from wrk on a core of its own, and what the fed processes spent meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_FIGURES = re.compile(r"FIGURES (\d+) (\d+) (\d+) (\d+)\nLATENCY (\d+) (\d+)")
SERVER_CORE, WRK_CORE = 0, 1


def cpu_seconds(group: int) -> float:
    """User and system time of a process group: its processes, their threads and ended children."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            total += sum(map(int, fields[11:15]))
    return total / _TICK


def resident_bytes(group: int) -> int:
    """Resident memory of a process group, shared pages counted in each process."""
    page, total = os.sysconf("SC_PAGE_SIZE"), 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            total += int(fields[21]) * page
    return total


def feed(
    url: str, group: int, connections: int, seconds: float, environment: Mapping[str, str]
) -> dict[str, float]:
    """One turn of wrk. ``environment``: what bench/wrk.lua takes."""
    command = ["taskset", "-c", str(WRK_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s"]
    before = cpu_seconds(group)
    done = subprocess.run(
        [*command, "-s", str(Path(__file__).parent / "wrk.lua"), url],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
        check=True,
    )
    spent = cpu_seconds(group) - before
    found = _FIGURES.search(done.stdout)
    assert found is not None, done.stdout
    calls, microseconds, wrong, failed, median, late = map(int, found.groups())
    return {
        "calls_per_second": calls / microseconds * 1e6,
        "cpu_microseconds": spent / max(calls, 1) * 1e6,
        "wrong": wrong,
        "failed": failed,
        "p50_microseconds": median,
        "p99_microseconds": late,
        "load_average": os.getloadavg()[0],
    }
