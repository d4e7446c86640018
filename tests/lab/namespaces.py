"""Network namespaces: made, entered by a thread, and taken away."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace: str) -> None:
    """The calling thread's sockets and interfaces are that namespace's from now on. OSError."""
    with open(f"/run/netns/{namespace}") as file:  # noqa: PTH123
        if _libc.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


def inside(namespace: str, function: Callable[[], T]) -> T:
    """What ``function`` returns or raises, run in a thread that is in the namespace."""
    outcome: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            enter(namespace)
            outcome.append(function())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return outcome[0]


def run(command: str) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def make(namespace: str) -> None:
    run(f"ip netns add {namespace}")
    run(f"ip -n {namespace} link set lo up")


def remove(namespace: str) -> None:
    if os.path.exists(f"/run/netns/{namespace}"):  # noqa: PTH110
        run(f"ip netns del {namespace}")
