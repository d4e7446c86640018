"""Every test of this folder runs over each adapter that writes and each database it claims."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases.targets import TARGETS, Target
from tests.writes_once.hospital import Hospital, hospital

#: by name, the URL of an empty database
DATABASES: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: _sqlite(folder / "his.db"),
    **{name: lambda folder, name=name: _empty(name) for name in TARGETS},  # type: ignore[misc]
}
ADAPTERS = ("junwei", "bsoft")


def _sqlite(path: Path) -> str:
    path.touch()
    return f"sqlite:///{path}"


def _empty(name: str) -> str:
    target = Target(name)
    return target.url(target.server.database()).render_as_string(hide_password=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a server is in the group full."""
    for item in items:
        if any(name in item.name for name in TARGETS):
            item.add_marker(pytest.mark.full)


#: the drivers' own differences show with one adapter
CASES = [(a, d) for a in ADAPTERS for d in DATABASES if a == ADAPTERS[0] or "pyodbc" not in d]


@pytest.fixture(params=CASES, ids="-".join)
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
