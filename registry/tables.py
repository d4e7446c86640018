"""The tables: each entity is one row with its content, and rows that it is found by.

``entity.body`` holds an entity's content without its children, as JSON; ``name``,
``keyed_reference`` and ``instance_info`` repeat what find_* searches for, with indexes. All of
an entity's rows are written and deleted together, the latter by ON DELETE CASCADE.
"""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    TableClause,
    Text,
    column,
    create_engine,
    event,
)
from sqlalchemy import table as light_table
from sqlalchemy.engine import Connection, Engine, make_url

#: The most database work at one time; callers wait for a turn outside the database.
POOL_SIZE = 8

#: How long a statement waits for somebody else's lock, and how long it may take at all, before its
#: caller is told that the database is busy. Shorter than callers wait for an answer.
LOCK_MILLISECONDS = 5_000
STATEMENT_MILLISECONDS = 30_000

# Code point order everywhere: it is UDDI's binarySort, and prefix ranges rely on it.
_Words = String(255).with_variant(String(255, collation="C"), "postgresql")
_Key = String(255)
_Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _owner(**options: Any) -> Column[Any]:
    to = ForeignKey("entity.key", ondelete="CASCADE")
    return Column("entity_key", _Key, to, nullable=False, **options)


# What an entity is sorted by: its first name; for a binding, which has none, when it was saved and
# where it stands in its service, as text that sorts so.
def _sort(name: str, **options: Any) -> Column[Any]:
    return Column(name, _Words, **options)


entity = Table(
    "entity",
    metadata,
    Column("key", _Key, primary_key=True),
    Column("kind", String(8), nullable=False),
    # what UDDI 2 and 1 call it: registry/older_keys.py
    Column("v2_key", String(36), nullable=False, index=True),
    Column("parent_key", _Key, ForeignKey("entity.key", ondelete="CASCADE")),
    Column("position", Integer, nullable=False),
    Column("publisher", String(255), nullable=False, index=True),
    Column("created", BigInteger, nullable=False),
    Column("modified", BigInteger, nullable=False),
    Column("modified_including_children", BigInteger, nullable=False),
    Column("hidden", Boolean, nullable=False),
    _sort("sort_name", nullable=False),
    _sort("sort_folded", nullable=False),
    # what a list of UDDI 3 shows of it, as XML: registry.rows.info_of
    Column("info", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("entity_by_name", "kind", "sort_name", "key"),
    Index("entity_by_folded", "kind", "sort_folded", "sort_name", "key"),
    Index("entity_by_date", "kind", "modified", "sort_name", "key"),
    Index("entity_by_parent", "parent_key", "sort_name", "key"),
)
Index(
    "entity_hidden",
    entity.c.key,
    sqlite_where=entity.c.hidden.is_(True),
    postgresql_where=entity.c.hidden.is_(True),
)

# The tables that finds search. Each row repeats what its entity is sorted by, and has it in the
# index behind what is searched for: whoever wants the first hundred of ten thousand matches, in
# order, reads a hundred entries of the index and nothing else. What a binding or service is found
# by also finds what it stands in, so that those keys and their order are repeated too. All of it
# stays true because saving an entity writes everything inside it anew.

name = Table(
    "name",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner(index=True),
    Column("kind", String(8), nullable=False),
    Column("lang", String(26), nullable=False),
    Column("value", _Words, nullable=False),
    # casefold() may make a string three times as long
    Column("folded", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    _sort("sort_name", nullable=False),
    Index("name_by_value", "kind", "value", "sort_name", "entity_key"),
    Index("name_by_folded", "kind", "folded", "sort_name", "entity_key"),
)

keyed_reference = Table(
    "keyed_reference",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner(index=True),
    Column("kind", String(8), nullable=False),
    Column("bag", String(10), nullable=False),
    Column("tmodel_key", _Key, nullable=False),
    Column("key_name", _Words, nullable=False),
    Column("key_value", _Words, nullable=False),
    Column("folded", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False),
    _sort("sort_name", nullable=False),
    Column("service_key", _Key),
    _sort("service_sort"),
    Column("business_key", _Key),
    _sort("business_sort"),
    Index(
        "reference_by_value", "tmodel_key", "key_value", "bag", "kind", "sort_name", "entity_key"
    ),
    Index("reference_by_folded", "tmodel_key", "folded", "bag", "kind", "sort_name", "entity_key"),
    Index(
        "reference_in_service",
        *("tmodel_key", "key_value", "bag", "kind", "service_sort", "service_key"),
    ),
    Index(
        "reference_in_business",
        *("tmodel_key", "key_value", "bag", "kind", "business_sort", "business_key"),
    ),
)

instance_info = Table(
    "instance_info",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner(),
    Column("tmodel_key", _Key, nullable=False),
    _sort("sort_name", nullable=False),
    Column("service_key", _Key, nullable=False),
    _sort("service_sort", nullable=False),
    Column("business_key", _Key, nullable=False),
    _sort("business_sort", nullable=False),
    Index("instance_of_binding", "entity_key", "tmodel_key"),
    Index("instance_by_binding", "tmodel_key", "sort_name", "entity_key"),
    Index("instance_by_service", "tmodel_key", "service_sort", "service_key", "entity_key"),
    Index("instance_by_business", "tmodel_key", "business_sort", "business_key", "entity_key"),
)

token = Table(
    "token",
    metadata,
    # SHA-256 of the token: a copy of the database is not a bunch of keys
    Column("digest", String(64), primary_key=True),
    Column("publisher", String(255), nullable=False),
    Column("expires", BigInteger, nullable=False),
)


def light(table: Table) -> TableClause:
    """The same table for queries that need many aliases of it, each of which takes a tenth of a
    millisecond to make of the whole one, and a third of that to make of this."""
    return light_table(table.name, *(column(each.name, each.type) for each in table.c))


def open_engine(url: str) -> Engine:
    """An engine; what tables there are is registry.upgrading's matter."""
    options: dict[str, Any] = {}
    if make_url(url).get_backend_name() == "postgresql":
        limits = {
            "lock_timeout": LOCK_MILLISECONDS,
            "statement_timeout": STATEMENT_MILLISECONDS,
            # A registry whose machine is gone must not hold up the others for ever.
            "idle_in_transaction_session_timeout": 2 * STATEMENT_MILLISECONDS,
        }
        said = " ".join(f"-c {name}={value}" for name, value in limits.items())
        options["connect_args"] = {"options": said, "connect_timeout": 10}
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=2, pool_pre_ping=True, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


#: PostgreSQL's lock on writing, a number that nobody else in the same database uses
_WRITER = 0x5949_4C49_414F


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # None: sqlite3 starts no transactions of its own; _begin_sqlite does, and says which kind.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {LOCK_MILLISECONDS}")
    _write_ahead(connection)
    for pragma in (
        "synchronous = FULL",
        "foreign_keys = ON",
        "case_sensitive_like = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """The one switch for which SQLite does not wait by itself while somebody else makes it."""
    deadline = time.monotonic() + LOCK_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another one wrote in
    # between; IMMEDIATE makes the second writer wait at the start instead.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def one_moment(engine: Engine) -> Engine:
    """The engine for transactions that see the database as it was when they began, however many
    statements they have. SQLite's are so anyway."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def one_writer(connection: Connection) -> None:
    """Until the transaction's end nobody else saves: what replaces an entity deletes and inserts
    it, and of two at once on PostgreSQL the second would neither see the first one's rows nor be
    let in beside them. SQLite's transactions that write take turns from their beginning."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
