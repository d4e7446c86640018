"""Hospitals written row by row, and a small build of the demo's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters import ADAPTERS, Adapter, bsoft, junwei
from adapters.config import SourceConfig
from adapters.database import Source
from yilian.demo_data import DemoHospitals, build
from yilian.demo_data.rows import create_tables

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoHospitals:
    return build(tmp_path_factory.mktemp("demo"), today=TODAY, scale=0.02)


class Database:
    """A SQLite file that a test fills."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path)
        self._connection.execute("PRAGMA synchronous = OFF")

    def script(self, sql: str) -> None:
        self._connection.executescript(sql)

    def create(self, metadata: Any) -> None:
        create_tables(self._connection, metadata)
        self._connection.commit()

    def insert(self, table: str, **values: Any) -> None:
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        self._connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(values.values())
        )
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


Opener = Callable[..., Any]


@pytest.fixture
def opened() -> Iterator[Opener]:
    """``opened(path, "junwei", **settings)``: an adapter over a file; closed after the test."""
    sources: list[Source] = []

    def open_adapter(
        path: Path, adapter: str, config: dict[str, Any] | None = None, **settings: Any
    ) -> Adapter:
        offers = ["LabResults"] if adapter == "bsoft_lis" else ["NumberSource"]
        if adapter == "junwei":
            offers.append("LabResults")
        given = {"adapter": adapter, "url": f"sqlite:///{path}", "offers": offers}
        checked = SourceConfig.model_validate({**given, "settings": settings, **(config or {})})
        source = Source("his", "hx", checked)
        sources.append(source)
        return ADAPTERS[adapter](source, checked.settings)

    yield open_adapter
    for source in sources:
        source.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "test.db")
    yield made
    made.close()


@pytest.fixture
def junwei_database(database: Database) -> Database:
    database.create(junwei.tables.METADATA)
    return database


@pytest.fixture
def bsoft_database(database: Database) -> Database:
    database.create(bsoft.tables.METADATA)
    return database
