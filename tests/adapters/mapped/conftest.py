"""The third hospital's database, fresh for each test."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.mapped import Mapped
from tests.onboarding.third_hospital import files, open_mapped

Open = Callable[..., Mapped]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files(tmp_path)
    return tmp_path


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    """``opened(text, offers, **changes)``: an adapter, closed after the test."""
    made: list[Mapped] = []

    def one(text: str | None = None, offers: list[str] | None = None, **changes: Any) -> Mapped:
        made.append(open_mapped(folder, text, offers, **changes))
        return made[-1]

    yield one
    for adapter in made:
        adapter.source.close()


@pytest.fixture
def execute(folder: Path) -> Callable[..., list[Any]]:
    """Run a statement on the hospital's database, as its own programs do."""

    def run(sql: str, *values: Any) -> list[Any]:
        connection = sqlite3.connect(folder / "his.db")
        try:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()

    return run
