"""Every test of this folder runs over each adapter that writes and each database it claims."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.writes_once.hospital import Hospital, hospital

#: by name, the URL of an empty database
DATABASES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: _sqlite(folder / "his.db"),
}
ADAPTERS = ("junwei", "bsoft")


def _sqlite(path: Path) -> str:
    path.touch()
    return f"sqlite:///{path}"


@pytest.fixture(params=[(a, d) for a in ADAPTERS for d in DATABASES], ids="-".join)
def his(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hospital]:
    adapter, database = request.param
    with hospital(adapter, DATABASES[database](tmp_path)) as made:
        yield made


@pytest.fixture(scope="module")
def nursery() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.writes_once.mortal_node"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()
