"""Every older database becomes today's, without loss; a newer one is left alone."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, select, text
from stores import empty_url

import registry
from registry.model import Find, LangText, TModel
from registry.store import Store
from registry.tables import entity, metadata, open_engine
from registry.upgrading import MIGRATIONS, NewerDatabase, upgrade

#: written by the registry as it was before it had migrations
BEFORE_MIGRATIONS = Path(__file__).parent / "data" / "registry_0001.sql"


def revisions() -> list[str]:
    """The oldest first."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    return [script.revision for script in scripts.walk_revisions()][::-1]


HEAD = revisions()[-1]


@pytest.fixture
def empty(tmp_path: Path, backend: str) -> str:
    return empty_url(tmp_path)


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    made = open_engine(empty)
    yield made
    made.dispose()


def every_table() -> None:
    """Tables stand in modules of their own; all of them are known once all are imported."""
    for module in pkgutil.walk_packages(registry.__path__, "registry."):
        if not module.name.startswith("registry.migrations"):
            importlib.import_module(module.name)


def test_the_migrations_make_the_tables_that_the_program_has(engine):
    every_table()
    assert upgrade(engine).after == HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_there_is_one_way_and_it_goes_up(engine):
    for number, revision in enumerate(revisions(), 1):
        assert revision == f"{number:04}"
        assert upgrade(engine, revision).after == revision
    assert upgrade(engine).before == HEAD


@pytest.fixture
def old_url(tmp_path: Path, sqlite: None) -> str:
    """A registry from before there were migrations, with two hospitals in it."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(BEFORE_MIGRATIONS.read_text("utf-8"))
    connection.close()
    return f"sqlite:///{path}"


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Everything that the first tables held, in the columns that they had."""
    engine = open_engine(url)
    columns = {
        "entity": "key, kind, parent_key, position, publisher, created, modified, "
        "modified_including_children, hidden, body",
        "name": "entity_key, kind, lang, value, folded",
        "keyed_reference": "entity_key, bag, tmodel_key, key_name, key_value, folded",
        "instance_info": "entity_key, tmodel_key",
        "token": "digest, publisher, expires",
    }
    with engine.connect() as connection:
        found = {
            table: sorted(map(tuple, connection.execute(text(f"SELECT {c} FROM {table}"))), key=str)
            for table, c in columns.items()
        }
    engine.dispose()
    return found


@pytest.mark.parametrize("stop", revisions())
def test_a_registry_of_before_loses_nothing(old_url, stop):
    before = rows(old_url)
    assert len(before["entity"]) == 22 and len(before["token"]) == 1
    engine = open_engine(old_url)
    assert upgrade(engine, stop).before == "0001"
    assert upgrade(engine).after == HEAD
    engine.dispose()
    assert rows(old_url) == before


def test_a_registry_of_before_is_opened_found_in_and_written(old_url):
    store = Store(old_url)
    found = store.find("business", Find(names=(LangText("华夏中心医院"),)), depth=2)
    [hospital] = found.entities
    assert [len(service.bindings) for service in hospital.services] == [2]
    assert store.find("service", Find(names=(LangText("检验结果查询"),))).actual == 1
    assert store.tmodels(["uddi:yilian:gone"])[0].deleted
    assert store.last_index() == 0
    store.save("sq", [TModel(key="uddi:yilian:new", name=LangText("new"))])
    assert store.last_index() == 1
    store.delete("hx", "business", [hospital.key])
    store.close()
    left = rows(old_url)
    assert not [row for row in left["keyed_reference"] if str(row[0]).startswith(hospital.key)]


def test_what_an_upgrade_writes_is_what_saving_writes(old_url):
    """Saved again as it stands, a hospital has the same rows in every table that finds search;
    only its bindings, which come in the order of their saving, are sorted by another moment."""
    tables = ("name", "keyed_reference", "instance_info", "grouped_reference", "discovery_url")
    store = Store(old_url)

    def found_by(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
        columns = {t: [c for c in metadata.tables[t].c if c.name != "id"] for t in tables}
        written = {
            t: [tuple(row) for row in connection.execute(select(*columns[t]))] for t in tables
        }
        entities = select(entity.c.key, entity.c.v2_key, entity.c.sort_folded, entity.c.info)
        written["entity"] = [tuple(row) for row in connection.execute(entities)]
        sorts = set(
            connection.execute(
                select(entity.c.sort_name).where(entity.c.kind == "binding")
            ).scalars()
        )
        return {
            table: sorted(
                (tuple("saved" if value in sorts else value for value in row) for row in rows),
                key=str,
            )
            for table, rows in written.items()
        }

    with store.engine.connect() as connection:
        upgraded = found_by(connection)
    assert len(upgraded["instance_info"]) == 5
    store.save("hx", store.businesses(["uddi:yilian:hospital:hx"]))
    store.save("hx", store.tmodels(["uddi:yilian:labresults:porttype-v1"]))
    with store.engine.connect() as connection:
        assert found_by(connection) == upgraded
    store.close()


def test_a_database_of_before_on_any_server_is_recognised(engine):
    upgrade(engine, "0001")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    done = upgrade(engine)
    assert (done.before, done.after) == ("0001", HEAD)


def test_foreign_keys_hold_after_an_upgrade(old_url):
    engine = open_engine(old_url)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_a_newer_database_is_refused_and_not_touched(engine):
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DROP TABLE token"))
    with pytest.raises(NewerDatabase, match=r"修订 9999.*revision 9999"):
        upgrade(engine)
    with engine.connect() as connection:
        assert not inspect(connection).has_table("token")


def test_an_upgrade_that_fails_leaves_everything_as_it_was(old_url):
    engine = open_engine(old_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE change (in_the_way INTEGER)"))
    before = rows(old_url)
    with pytest.raises(Exception, match="already exists"):
        upgrade(engine)
    with engine.connect() as connection:
        assert not inspect(connection).has_table("alembic_version")
    assert rows(old_url) == before
    engine.dispose()


def test_registries_that_start_at_one_time_upgrade_once(empty):
    """All of them on one empty database."""
    together = threading.Barrier(4)
    opened: list[Store] = []
    failures: list[BaseException] = []

    def open_store() -> None:
        together.wait(30)
        try:
            opened.append(Store(empty))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=open_store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not failures
    assert len(opened) == 4
    for store in opened:
        store.check()
        store.close()
