"""Brings a registry's database to this program's tables, whatever older ones it has.

All in one transaction: it is upgraded, or it is as it was. Two registries that start at one time
on one database take turns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection, Engine

from registry.tables import LOCK_MILLISECONDS, metadata

log = structlog.get_logger("registry")

MIGRATIONS = Path(__file__).with_name("migrations")

#: What a registry's tables were before there were migrations.
_BEFORE_MIGRATIONS = "0001"

#: PostgreSQL's lock on upgrading, a number that nobody else in the same database uses.
_LOCK = 0x5949_4C49_414E


#: How long another registry's upgrade may take; PostgreSQL is waited for without end.
_PATIENCE_MILLISECONDS = 600_000


class NewerDatabase(Exception):
    """The database was upgraded by a newer program than this one. ``zh``, ``en``."""

    def __init__(self, found: str, known: str) -> None:
        self.zh = (
            f"注册中心数据库是较新版本的程序建立的（修订 {found}，本程序只到 {known}）。"
            "请用较新的程序，或用升级之前的备份。"
        )
        self.en = (
            f"The registry's database was made by a newer program (revision {found}; this one "
            f"knows {known}). Run the newer program, or restore the backup from before."
        )
        super().__init__(f"{self.zh} / {self.en}")


@dataclass(frozen=True, slots=True)
class Upgraded:
    """Revisions; ``before`` is "" where the database was empty."""

    before: str
    after: str


def upgrade(engine: Engine, to: str = "head") -> Upgraded:
    """Run the revisions that are due. NewerDatabase; SQLAlchemyError where the database cannot
    be had. ``to`` is a revision, for tests of the way from there."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with engine.connect().execution_options(writes=True) as connection:
        _foreign_keys(connection, on=False)
        _wait_for_locks(connection, _PATIENCE_MILLISECONDS)
        try:
            with connection.begin():
                done = _upgrade(connection, config, scripts, to)
        finally:
            _foreign_keys(connection, on=True)
            _wait_for_locks(connection, LOCK_MILLISECONDS)
    if done.before not in ("", done.after):
        log.info("registry store upgraded", before=done.before, after=done.after)
    return done


def _upgrade(connection: Connection, config: Config, scripts: ScriptDirectory, to: str) -> Upgraded:
    if connection.dialect.name == "postgresql":
        # However long another registry's upgrade, or an index of this one, may take.
        for limit in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"SET LOCAL {limit} = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    before = _revision(connection)
    if before and before not in {script.revision for script in scripts.walk_revisions()}:
        raise NewerDatabase(before, scripts.get_current_head() or "-")
    config.attributes.update(connection=connection, metadata=metadata)
    if before == _BEFORE_MIGRATIONS:
        command.stamp(config, before)
    command.upgrade(config, to)
    if connection.dialect.name == "sqlite":
        # They were off while tables were made anew.
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise RuntimeError(f"the upgrade left a row without its entity: {tuple(broken)}")
    return Upgraded(before, _revision(connection))


def _revision(connection: Connection) -> str:
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None and inspect(connection).has_table("entity"):
        return _BEFORE_MIGRATIONS
    return found or ""


def _foreign_keys(connection: Connection, *, on: bool) -> None:
    """Only outside a transaction: with them on, dropping the old copy of a table would delete
    what refers to it."""
    _pragma(connection, f"foreign_keys = {'ON' if on else 'OFF'}")


def _wait_for_locks(connection: Connection, milliseconds: int) -> None:
    _pragma(connection, f"busy_timeout = {milliseconds}")


def _pragma(connection: Connection, text: str) -> None:
    """Of SQLite alone; elsewhere nothing."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.dbapi_connection
        assert driver is not None
        cursor = driver.cursor()
        cursor.execute(f"PRAGMA {text}")
        cursor.close()
