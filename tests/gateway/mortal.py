"""A gateway that is killed and started again on the same folder, and callers who go on asking."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.admission.shared import SharedMemory, shared_name
from tests.gateway.conftest import until

PROJECT = Path(__file__).parents[2]


def gone(process: int) -> bool:
    """Whether it has ended; one that nobody has waited for has, too."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class MortalGateway:
    """``yilian gateway FILE`` with ``workers`` processes, in a group of its own; its log goes on
    over all its lives. ``start`` waits until every worker answers."""

    def __init__(self, file: Path, port: int, workers: int, host: str = "127.0.0.1") -> None:
        self.file, self.host, self.port, self._workers = file, host, port, workers
        self.log_file = file.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "yilian", "gateway", str(self.file)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUTF8": "1"},
            )
        self.until_whole()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def workers(self) -> list[int]:
        """Their process ids; of one worker alone that of the gateway itself."""
        if self._workers == 1:
            return [self.pid]
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def until_whole(self) -> None:
        """Until every worker answers, each by a connection of its own."""
        process, wanted, seen = self._process, set(range(self._workers)), set[int]()
        assert process is not None

        def whole() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                seen.add(self.health()["worker"])
            return process.poll() is not None or seen == wanted

        until(whole, 60)
        assert process.poll() is None, self.log_file.read_text("utf-8", "replace")[-3000:]

    def health(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            told: dict[str, Any] = json.loads(connection.getresponse().read())
            return told
        finally:
            connection.close()

    def kill(self) -> None:
        """The gateway and all its workers, in one moment; nothing where it does not run."""
        if self._process is not None:
            os.killpg(self.pid, signal.SIGKILL)
            self._gone()

    def kill_supervisor(self) -> None:
        """The parent alone: its workers end by themselves, with what they have under way."""
        workers = self.workers()
        os.kill(self.pid, signal.SIGKILL)
        self._gone()
        until(lambda: all(map(gone, workers)), 60)

    def kill_worker(self, worker: int) -> None:
        """One of several; waits until there is another in its place."""
        os.kill(worker, signal.SIGKILL)
        until(lambda: len(set(self.workers()) - {worker}) == self._workers, 60)

    def reload(self) -> None:
        """By SIGHUP; waits until every worker has taken it."""
        taken = b"configuration_taken"
        wanted = self.log_file.read_bytes().count(taken) + self._workers
        os.kill(self.pid, signal.SIGHUP)
        until(lambda: self.log_file.read_bytes().count(taken) >= wanted, 60)

    def forget(self) -> None:
        """What its workers have together, which outlives them."""
        for kind in ("rates", "tokens"):
            SharedMemory(shared_name(kind, f"{self.host}:{self.port}"), 1).remove()

    def end(self) -> None:
        """As an operator ends it."""
        if self._process is not None:
            self._process.terminate()
            self._gone()

    def _gone(self) -> None:
        assert self._process is not None
        self._process.wait(60)
        self._process = None


@dataclass(frozen=True)
class Ask:
    """What a caller sends. ``mark`` stands in its body, and in no other's."""

    kind: str
    method: str
    path: str
    mark: str = ""
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """The head of an answer that a caller has read."""

    ask: Ask
    status: int
    request_id: str


@dataclass
class Callers:
    """``seen``: every answer whose head was read. ``broken``: calls that ended without one."""

    seen: list[Seen] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    wrong: list[BaseException] = field(default_factory=list)

    def until_more(self, answers: int) -> None:
        wanted = len(self.seen) + answers
        until(lambda: len(self.seen) >= wanted or self.wrong, 120)


@contextmanager
def callers(
    port: int, next_ask: Callable[[random.Random], Ask], seed: int, threads: int
) -> Iterator[Callers]:
    """Threads that ask without a pause, on kept connections that each gives up now and then;
    until the context ends. A call that is broken off is not repeated."""
    told, end = Callers(), threading.Event()

    def calls(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            while not end.is_set():
                ask = next_ask(chance)
                try:
                    connection.request(ask.method, ask.path, ask.body, ask.headers)
                    response = connection.getresponse()
                    request_id = response.getheader("X-Request-Id") or ""
                    told.seen.append(Seen(ask, response.status, request_id))
                    response.read()
                except (OSError, http.client.HTTPException) as error:
                    told.broken[type(error).__name__] += 1
                    connection.close()
                    time.sleep(0.01)  # nobody listens there for a while
                if chance.random() < 0.05:
                    connection.close()
        except BaseException as error:
            told.wrong.append(error)
        finally:
            connection.close()

    running = [threading.Thread(target=calls, args=(n,), daemon=True) for n in range(threads)]
    for one in running:
        one.start()
    try:
        yield told
    finally:
        end.set()
        for one in running:
            one.join(90)
        assert not any(one.is_alive() for one in running)
    assert told.wrong == []
