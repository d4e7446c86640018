"""Nodes that are killed in the middle of a call: forks of one process that has imported all.

Reads one JSON line per node from standard input: ``config`` (a node's TOML), ``request`` (the
RequestId of the call to die in), ``step`` (at which of its steps, from 1; 0: none) and ``now``
(what its clock says, or empty). Each node is the real one, and writes its steps' names to the file
``steps``. The process answers a line for each node: its pid; and for a line ``{"wait": pid}`` the
signal that ended it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

# What a node would import only once it runs.
from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

from adapters import ADAPTERS
from services.soap.exchange import Endpoint, Reply, Request
from yilian import host
from yilian import node as assembly
from yilian.commands.node import node


class Life:
    """Counts the steps of one call and ends the process at one of them."""

    def __init__(self, request: str, step: int, steps: Path) -> None:
        self._request = request.encode()
        self._step = step
        self._file = steps
        self._count = 0
        self._running = False

    def step(self, name: str) -> None:
        if not self._running:
            return
        self._count += 1
        with self._file.open("a") as file:
            file.write(f"{name}\n")
        if self._count == self._step:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Before and after every statement and every commit, at the request and at the answer."""
        original_call, original_commit = Endpoint.call, DefaultDialect.do_commit

        async def call(endpoint: Endpoint, request: Request) -> Reply:
            self._running = self._request in request.body
            self.step("received")
            reply = await original_call(endpoint, request)
            self.step("before the answer")
            self._running = False
            return reply

        def commit(dialect: Any, connection: Any) -> None:
            self.step("before commit")
            original_commit(dialect, connection)
            self.step("after commit")

        Endpoint.call = call  # type: ignore[method-assign]
        DefaultDialect.do_commit = commit  # type: ignore[method-assign]

        @event.listens_for(Engine, "before_cursor_execute")
        def _before(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            self.step(f"before {statement.split(None, 1)[0]}")

        @event.listens_for(Engine, "after_cursor_execute")
        def _after(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            self.step(f"after {statement.split(None, 1)[0]}")


async def _no_housekeeping(*_: Iterable[Any]) -> None:
    # Its statements would be counted as the call's.
    await asyncio.Event().wait()


def _live(order: dict[str, Any]) -> None:
    Life(order["request"], order["step"], Path(order["steps"])).install()
    host.keep_house = _no_housekeeping
    if order["now"]:
        moment = datetime.fromisoformat(order["now"])
        assembly.ADAPTERS = {  # type: ignore[attr-defined]
            name: partial(kind, clock=lambda: moment) for name, kind in ADAPTERS.items()
        }
    node(Path(order["config"]))


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, flush=True)
            continue
        child = os.fork()
        if child == 0:
            os.close(0)
            try:
                _live(order)
            finally:
                os._exit(1)
        print(child, flush=True)


if __name__ == "__main__":
    main()
