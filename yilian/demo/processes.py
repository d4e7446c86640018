"""The demo's processes: started, waited for by their health, and never left behind.

Each child's standard input is a pipe that this process holds. When it closes, also because this
process was killed, the child ends by itself (``--stop-with-stdin``).
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import requests

from yilian.http_session import straight
from yilian.refused import Refused

#: seconds that a process may take until it answers
START = 45.0
#: seconds that it may take to end when told to
STOP = 8.0


@dataclass(frozen=True)
class Program:
    """``yilian COMMAND CONFIG``, alive when ``health`` is answered with 200."""

    name: str
    command: str
    config: Path
    health: str


class Processes:
    """A context: at its end everything that was started in it has ended."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, program: Program) -> None:
        """Start it, its output going to ``logs``; returns at once."""
        self.logs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-P", "-m", "yilian", program.command, str(program.config)]
        with self._log(program.name).open("wb") as log:
            self._running[program.name] = subprocess.Popen(
                [*command, "--stop-with-stdin"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Not in the terminal's group: on Ctrl-C we end them, in order and in peace.
                start_new_session=True,
                env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
            )

    def wait(self, program: Program) -> None:
        """Until it answers. Refused, with its last words, if it dies or takes too long."""

        def alive() -> bool:
            self.check()
            return healthy(program.health)

        if not until(alive, START):
            raise self._refused(program.name, f"{START:.0f} 秒内没有应答", "did not answer")

    def check(self) -> None:
        """Refused, with its last words, for a process that has ended by itself."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                raise self._refused(name, f"已退出（{code}）", f"ended ({code})")

    def stop(self, name: str | None = None) -> None:
        """End one, or all: by SIGTERM, by SIGKILL where that does not help."""
        names = [name] if name else list(reversed(self._running))
        ending = [self._running.pop(one) for one in names]
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + STOP
        for process in ending:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

    def pids(self) -> dict[str, int]:
        return {name: process.pid for name, process in self._running.items()}

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _refused(self, name: str, zh: str, en: str) -> Refused:
        log = self._log(name)
        words = log.read_text("utf-8", "replace").splitlines()[-12:] if log.exists() else []
        last = "\n".join(f"    {word}" for word in words)
        return Refused(
            f"{name} {zh}，日志 {log} 的最后几行：\n{last}",
            f"{name} {en}; the last lines of {log} are above.",
            exit_code=1,
        )


def healthy(url: str) -> bool:
    """Whether ``url`` is answered with 200 now."""
    try:
        return straight().get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def require_free(ports: Sequence[int], host: str = "127.0.0.1") -> None:
    """Refused, naming those of the ports that cannot be had."""
    taken = [port for port in ports if not _free(host, port)]
    if taken:
        names = "、".join(map(str, taken))
        first = _four_free(host, max(ports) + 1, len(ports))
        raise Refused(
            f"端口 {names} 不可用（被占用或无权限）。请停止占用它的程序，"
            f"或换一个起始端口，例如：./run demo --port {first}",
            f"Port {names.replace('、', ', ')} cannot be had (in use, or not permitted). Stop what"
            f" uses it, or begin at another port, such as: ./run demo --port {first}",
        )


def _four_free(host: str, start: int, count: int) -> int:
    for first in range(start, 65536 - count, count):
        if all(_free(host, first + index) for index in range(count)):
            return first
    return start


def _free(host: str, port: int) -> bool:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True
