"""The change log: one numbered line for every entity saved, deleted or hidden, written in the
transaction of the change itself.

A reader that has seen number N has seen every number up to N: a number is given out under a row
lock that is held until the commit, so that numbers become visible in their order. A sequence
would not do: it gives 7 to one transaction and 8 to another, and 8 may commit first.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection

from registry.tables import metadata

change = Table(
    "change",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("moment", BigInteger, nullable=False),
    Column("publisher", String(255), nullable=False),
    Column("action", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("key", String(255), nullable=False),
    Column("parent_key", String(255)),
    Column("content", Text),
    Index("change_by_key", "key", "index"),
    Index("change_by_moment", "moment"),
)

#: One row: the last number that was given out. Its lock is what keeps the numbers in order.
change_head = Table(
    "change_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be noted. ``action`` is save, delete, hide or what a part of the registry calls
    its own; ``kind`` one of the model's, or another part's. ``content`` is the entity as it last
    stood, encoded as in ``entity.body``, where it is gone or hidden now: who asked to be told of
    such entities must still be able to see that it was one."""

    action: str
    kind: str
    key: str
    parent_key: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the log. ``moment``: milliseconds since 1970, UTC."""

    index: int
    moment: int
    publisher: str
    action: str
    kind: str
    key: str
    parent_key: str | None = None
    content: str | None = None


def record(connection: Connection, publisher: str, entries: Iterable[Entry]) -> int:
    """Note these in this order, and answer the last number. The last thing that a transaction
    does: from here to its commit no other change can be made."""
    noted = list(entries)
    if not noted:
        return last_index(connection)
    moved = update(change_head).where(change_head.c.id == 1)
    last = connection.execute(
        moved.values(last=change_head.c.last + len(noted)).returning(change_head.c.last)
    ).scalar_one()
    moment = time.time_ns() // 1_000_000
    first = last - len(noted) + 1
    connection.execute(
        insert(change),
        [
            {
                "index": first + number,
                "moment": moment,
                "publisher": publisher,
                "action": entry.action,
                "kind": entry.kind,
                "key": entry.key,
                "parent_key": entry.parent_key,
                "content": entry.content,
            }
            for number, entry in enumerate(noted)
        ],
    )
    return int(last)


def last_index(connection: Connection) -> int:
    """The last number given out; 0 where nothing ever changed."""
    return int(connection.execute(select(change_head.c.last)).scalar() or 0)


def changes_after(connection: Connection, after: int, limit: int) -> list[Change]:
    query = select(change).where(change.c.index > after).order_by(change.c.index).limit(limit)
    return [Change(*row) for row in connection.execute(query)]


def changes_of(connection: Connection, keys: Sequence[str], limit: int) -> list[Change]:
    """The latest changes of these entities, the newest first."""
    query = select(change).where(change.c.key.in_(keys)).order_by(change.c.index.desc())
    return [Change(*row) for row in connection.execute(query.limit(limit))]
