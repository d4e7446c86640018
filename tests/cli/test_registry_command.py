"""``yilian registry``: what it does with databases that are old, new, or not to be had."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_commands import refusal, yilian
from tests.conftest import PROJECT

BEFORE_MIGRATIONS = PROJECT / "tests/registry/data/registry_0001.sql"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "registry.toml"
    made.write_text('[store]\nurl = "sqlite:///registry.db"\n')
    return made


def test_migrate_only_upgrades_and_ends(file: Path) -> None:
    with sqlite3.connect(file.with_suffix(".db")) as connection:
        connection.executescript(BEFORE_MIGRATIONS.read_text("utf-8"))
    connection.close()
    first = yilian("registry", str(file), "--migrate-only", timeout=60)
    assert (first.returncode, first.stderr) == (0, "")
    assert "0001 → 0" in first.stdout
    second = yilian("registry", str(file), "--migrate-only", timeout=60)
    assert second.returncode == 0
    assert "already" in second.stdout


@pytest.mark.parametrize("options", [(), ("--migrate-only",)])
def test_a_newer_database_is_refused_in_one_sentence(file: Path, options: tuple[str, ...]) -> None:
    with sqlite3.connect(file.with_suffix(".db")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    connection.close()
    said = refusal(yilian("registry", str(file), *options, timeout=60), 1)
    assert "9999" in said and "newer program" in said


def test_a_database_that_cannot_be_opened_is_one_sentence_without_its_password(
    file: Path,
) -> None:
    url = "postgresql+psycopg://yilian:secret@127.0.0.1:1/registry"
    file.write_text(f'[store]\nurl = "{url}"\n')
    said = refusal(yilian("registry", str(file), timeout=60), 1)
    assert "127.0.0.1:1/registry" in said and "secret" not in said
    file.write_text('[store]\nurl = "sqlite:////nowhere/at/all/registry.db"\n')
    said = refusal(yilian("registry", str(file), timeout=60), 1)
    assert "unable to open database file" in said
