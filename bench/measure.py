"""Interleaved rounds: every contender a little, again and again, so that a noisy machine is
noisy for all of them alike; and what machine it was."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def interleaved(
    contenders: Mapping[str, Callable[[], object]], rounds: int, seconds: float
) -> dict[str, list[float]]:
    """Microseconds of CPU time per call, one figure a round. Each contender runs about
    ``seconds`` in a round, at least once."""
    counts = {name: _calls_within(run, seconds) for name, run in contenders.items()}
    figures: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:  # nobody is always first
            run, count = contenders[name], counts[name]
            started = time.process_time()
            for _ in range(count):
                run()
            figures[name].append((time.process_time() - started) / count * 1e6)
    return figures


def _calls_within(run: Callable[[], object], seconds: float) -> int:
    run()
    count = 1
    while True:
        started = time.process_time()
        for _ in range(count):
            run()
        spent = time.process_time() - started
        if spent >= seconds / 4 or count > 10_000_000:
            return max(1, int(count * seconds / spent))
        count *= 4


def ratios(over: Sequence[float], under: Sequence[float]) -> dict[str, float]:
    """Round by round, so that both sides of a ratio met the same noise."""
    each = [a / b for a, b in zip(over, under, strict=True)]
    return {"min": min(each), "median": statistics.median(each), "max": max(each)}


def machine() -> dict[str, Any]:
    """What the figures were taken on, and what else ran."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _text("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {
            name: version(name) for name in ("lxml", "spyne", "uvicorn", "httptools", "uvloop")
        },
        "load_average": list(os.getloadavg()),
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def save(name: str, raw: Mapping[str, Any], table: str, folder: Path) -> None:
    """``name``.json with every figure and ``name``.txt with the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(raw, ensure_ascii=False, indent=1) + "\n"
    (folder / f"{name}.json").write_text(text, "utf-8")
    (folder / f"{name}.txt").write_text(table + "\n", "utf-8")
