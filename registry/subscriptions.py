"""Subscriptions as they are kept: who wants to know of what, until when, and what matched so far.

``subscription_member`` holds every entity that has matched a subscription, so that it can still
be told of one that is deleted, or changed into something else. Times are milliseconds since 1970,
UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection

from registry.changed import Period
from registry.changes import change, last_index
from registry.errors import UddiError
from registry.model import Kind
from registry.reading import chunks
from registry.rows import no_such_key
from registry.tables import entity, metadata

_KEY = String(255)

subscription = Table(
    "subscription",
    metadata,
    Column("key", _KEY, primary_key=True),
    Column("publisher", _KEY, nullable=False, index=True),
    # the subscription element, as it was adopted
    Column("body", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    # the number of the last change that its members take into account
    Column("seen", BigInteger, nullable=False),
    # until when, and up to which change, its listener knows everything; when it is to hear again,
    # NULL without a listener
    Column("told", BigInteger, nullable=False),
    Column("told_index", BigInteger, nullable=False),
    Column("due", BigInteger, index=True),
    Column("failures", Integer, nullable=False),
)

subscription_member = Table(
    "subscription_member",
    metadata,
    Column(
        "subscription_key",
        _KEY,
        ForeignKey("subscription.key", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("entity_key", _KEY, primary_key=True),
    # when, and by which change at the latest, it stopped matching; NULL while it does
    Column("gone", BigInteger),
    Column("gone_index", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    key: str
    publisher: str
    body: str
    expires: int
    seen: int
    told: int
    told_index: int
    due: int | None
    failures: int


def put(connection: Connection, new: Subscription, now: int) -> None:
    """Save or renew it. E_userMismatch where the key is another publisher's."""
    forget_expired(connection, now)
    row = connection.execute(select(subscription).where(subscription.c.key == new.key)).first()
    values = {
        "publisher": new.publisher,
        "body": new.body,
        "expires": new.expires,
        "seen": new.seen,
        "told": new.told,
        "told_index": new.told_index,
        "due": new.due,
        "failures": 0,
    }
    if row is None:
        connection.execute(insert(subscription).values(key=new.key, **values))
        return
    if row.publisher != new.publisher:
        raise UddiError(
            "userMismatch",
            f"{new.key} 属于另一发布者 / {new.key} belongs to another publisher",
        )
    connection.execute(update(subscription).where(subscription.c.key == new.key).values(values))
    connection.execute(
        delete(subscription_member).where(subscription_member.c.subscription_key == new.key)
    )


def of_publisher(connection: Connection, publisher: str, now: int) -> list[Subscription]:
    """Those that have not expired, in the order of their keys."""
    query = select(subscription).where(
        subscription.c.publisher == publisher, subscription.c.expires > now
    )
    return [Subscription(*row) for row in connection.execute(query.order_by(subscription.c.key))]


def one(connection: Connection, publisher: str, key: str, now: int) -> Subscription:
    """E_invalidKeyPassed where there is none or it has expired, E_userMismatch where it is
    another publisher's."""
    query = select(subscription).where(subscription.c.key == key, subscription.c.expires > now)
    row = connection.execute(query).first()
    if row is None:
        raise no_such_key(key)
    if row.publisher != publisher:
        raise UddiError(
            "userMismatch", f"{key} 属于另一发布者 / belongs to another publisher: {key}"
        )
    return Subscription(*row)


def remove(connection: Connection, publisher: str, keys: Sequence[str], now: int) -> None:
    """All or none; errors as for ``one``."""
    for key in keys:
        one(connection, publisher, key, now)
    for part in chunks(list(keys)):
        connection.execute(delete(subscription).where(subscription.c.key.in_(part)))


def forget_expired(connection: Connection, now: int) -> None:
    connection.execute(delete(subscription).where(subscription.c.expires <= now))


# --- telling listeners -----------------------------------------------------------------------


def claim_due(connection: Connection, now: int, until: int, limit: int) -> list[Subscription]:
    """Those whose listeners are to hear now, put off ``until`` so that nobody else, in another
    registry on the same database, tells them too."""
    forget_expired(connection, now)
    query = select(subscription).where(subscription.c.due <= now).order_by(subscription.c.due)
    claimed = []
    for row in connection.execute(query.limit(limit)).all():
        mine = update(subscription).where(
            subscription.c.key == row.key, subscription.c.due == row.due
        )
        if connection.execute(mine.values(due=until)).rowcount == 1:
            claimed.append(Subscription(*row))
    return claimed


def next_due(connection: Connection) -> int | None:
    due: int | None = connection.execute(select(func.min(subscription.c.due))).scalar()
    return due


def put_off(
    connection: Connection, key: str, told: tuple[int, int] | None, due: int, failures: int
) -> None:
    """``told``: until when and up to which change the listener knows everything now; None where
    it could not be told."""
    values: dict[str, Any] = {"due": due, "failures": failures}
    if told is not None:
        values["told"], values["told_index"] = told
    connection.execute(update(subscription).where(subscription.c.key == key).values(values))


# --- members ---------------------------------------------------------------------------------


def renew_members(
    connection: Connection, key: str, kind: Kind, matching: Sequence[str], changed: Sequence[str]
) -> None:
    """``changed``: what has changed since the last time and is still there; ``matching``: those
    of it that match now. What is gone is in the change log."""
    table = subscription_member.c
    before, last = seen(connection, key), last_index(connection)
    now_ms = _moment_of(connection, last)
    members: dict[str, int | None] = {}
    for part in chunks(list(dict.fromkeys([*matching, *changed]))):
        query = select(table.entity_key, table.gone)
        for row in connection.execute(
            query.where(table.subscription_key == key, table.entity_key.in_(part))
        ):
            members[row.entity_key] = row.gone
    new = [m for m in dict.fromkeys(matching) if m not in members]
    if new:
        connection.execute(
            insert(subscription_member),
            [{"subscription_key": key, "entity_key": m, "gone": None} for m in new],
        )
    back = [m for m in matching if members.get(m) is not None]
    _set_gone(connection, key, back, None, None)
    now_others = [m for m in changed if m in members and m not in set(matching)]
    _set_gone(connection, key, [m for m in now_others if members[m] is None], now_ms, last)
    deleted = connection.execute(
        select(
            change.c.key,
            func.max(change.c.moment).label("moment"),
            func.max(change.c.index).label("last"),
        )
        .where(change.c.index > before, change.c.index <= last, change.c.kind == kind)
        .where(change.c.action.in_(("delete", "hide")))
        .where(change.c.key.not_in(select(entity.c.key).where(entity.c.hidden.is_(False))))
        .group_by(change.c.key)
    ).all()
    for line in deleted:
        _set_gone(connection, key, [line.key], line.moment, line.last)
    connection.execute(update(subscription).where(subscription.c.key == key).values(seen=last))


def seen(connection: Connection, key: str) -> int:
    """The number of the last change that its members take into account."""
    query = select(subscription.c.seen).where(subscription.c.key == key)
    return int(connection.execute(query).scalar_one())


def _moment_of(connection: Connection, index: int) -> int:
    return int(
        connection.execute(select(change.c.moment).where(change.c.index == index)).scalar() or 0
    )


def _set_gone(
    connection: Connection, key: str, keys: Sequence[str], gone: int | None, index: int | None
) -> None:
    table = subscription_member.c
    for part in chunks(list(keys)):
        chosen = update(subscription_member).where(
            table.subscription_key == key, table.entity_key.in_(part)
        )
        # Once gone, gone since then: a second look does not make it later.
        still = table.gone.is_(None) if gone is not None else table.gone.is_not(None)
        connection.execute(chosen.where(still).values(gone=gone, gone_index=index))


def gone_between(connection: Connection, key: str, period: Period) -> list[str]:
    """The members that stopped matching in this time, in the order of their keys."""
    table = subscription_member.c
    query = select(table.entity_key).where(table.subscription_key == key)
    if period.last_index is None:
        query = query.where(table.gone >= period.start, table.gone <= period.end)
    else:
        query = query.where(
            table.gone_index > period.after_index, table.gone_index <= period.last_index
        )
    return list(connection.execute(query.order_by(table.entity_key)).scalars())


def count_members(connection: Connection, key: str) -> int:
    table = subscription_member.c
    query = select(func.count()).where(table.subscription_key == key)
    return int(connection.execute(query).scalar_one())
