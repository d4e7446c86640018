"""Where the registry's tests keep their entities: SQLite always, PostgreSQL in the full group."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.full))


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/registry.db"


def postgresql_url(_folder: Path) -> str:
    """A new, empty database on the tests' own server, which is started where none runs."""
    from tests.databases.targets import Target

    target = Target("postgresql+psycopg")
    return target.url(target.server.database()).render_as_string(hide_password=False)


URLS: dict[str, Callable[[Path], str]] = {"sqlite": sqlite_url, "postgresql": postgresql_url}
