"""The demo from start to end: data, processes, the walk, and then staying up."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from yilian.demo import closing
from yilian.demo.data import build
from yilian.demo.plan import Plan
from yilian.demo.processes import Processes, require_free
from yilian.demo.walk import Walk
from yilian.screen import Screen


class Told(BaseException):
    """A signal told the demo to end."""


def run(
    folder: Path,
    port: int,
    *,
    once: bool = False,
    fresh: bool = False,
    seed: int | None = None,
    scale: float = 1.0,
) -> int:
    """The exit status: 0, or 1 if a step of the walk failed with ``once``."""
    screen = Screen()
    try:
        with _told_by_signals(), Processes(folder / "logs") as processes:
            closing.greet(screen)
            require_free(Plan(folder, port).ports)
            hospitals = build(folder, screen, fresh=fresh, seed=seed, scale=scale)
            plan = Plan(folder, port, hospitals)
            plan.write()
            _start(plan, processes, screen)
            failed = Walk(plan, screen, date.today()).all_steps()
            closing.verdict(screen, failed)
            if once:
                return 1 if failed else 0
            closing.what_to_try(screen, plan)
            _stay(processes)
    except Told:
        screen.line("")
        screen.line("✓ 已停止 / stopped", style="green")
    return 0


def _start(plan: Plan, processes: Processes, screen: Screen) -> None:
    programs = [
        (plan.registry_program(), "注册中心 registry", plan.registry),
        *(
            (plan.node_program(one), f"节点 node {one.code}", plan.node(one))
            for one in plan.hospitals
        ),
        (plan.gateway_program(), "网关 gateway", plan.gateway),
    ]
    with screen.progress() as progress:
        task = progress.add_task("启动 / starting", total=len(programs))
        # The nodes side by side; the gateway last, so that its first look finds them.
        for group in (programs[:1], programs[1:-1], programs[-1:]):
            for program, _, _ in group:
                processes.start(program)
            for program, _, _ in group:
                processes.wait(program)
                progress.advance(task)
    pids = processes.pids()
    for program, name, url in programs:
        screen.pair(f"✓ {name}", f"{url}   pid {pids[program.name]}")


def _stay(processes: Processes) -> None:
    """Until a signal says otherwise. Refused when a process dies."""
    while True:
        processes.check()
        _TICK.wait(0.5)


_TICK = threading.Event()


@contextmanager
def _told_by_signals() -> Iterator[None]:
    """SIGINT and SIGTERM as an exception, once: the second one must not break the ending."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def tell(number: int, frame: Any) -> None:
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        raise Told

    before = {number: signal.signal(number, tell) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
