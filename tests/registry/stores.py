"""Where the registry's tests keep their entities: SQLite always, PostgreSQL in the full group."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest

BACKENDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.full))


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/registry.db"


def postgresql_url(_folder: Path) -> str:
    """A new registry's database on the tests' own server, which is started where none runs. It is
    a copy of one that was upgraded and seeded once, which is quicker than doing so each time."""
    from registry.store import Store
    from tests.databases.servers import USER
    from tests.databases.targets import Target

    target = Target("postgresql+psycopg")

    def url(database: str) -> str:
        return target.url(database).render_as_string(hide_password=False)

    if not _Current.template:
        template = target.server.database()
        Store(url(template)).close()
        _Current.template = template
    name = f"registry{next(_numbers)}"
    target.server.do(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {_Current.template}")
    return url(name)


def empty_url(folder: Path) -> str:
    """A database without any table."""
    if _Current.backend == "sqlite":
        return sqlite_url(folder)
    from tests.databases.targets import Target

    target = Target("postgresql+psycopg")
    return target.url(target.server.database()).render_as_string(hide_password=False)


_numbers = count()


URLS: dict[str, Callable[[Path], str]] = {"sqlite": sqlite_url, "postgresql": postgresql_url}


class _Current:
    """What the tests that run now stand on; conftest.py changes it."""

    backend = "sqlite"
    template = ""
    urls: ClassVar[dict[tuple[str, Path], str]] = {}


def use(backend: str) -> None:
    _Current.backend = backend


def url_in(folder: Path) -> str:
    """The database that belongs to this folder, the same each time."""
    key = (_Current.backend, folder)
    if key not in _Current.urls:
        _Current.urls[key] = URLS[_Current.backend](folder)
    return _Current.urls[key]
