"""The change log's end: lines that are old, and that nobody is still to be told of, are dropped."""

from __future__ import annotations

from sqlalchemy import case, delete, func, select
from sqlalchemy.engine import Connection

from registry.changes import change, last_index
from registry.subscriptions import subscription

#: Lines dropped in one transaction; the next minute goes on.
AT_ONCE = 5000


def prune(connection: Connection, before: int, now: int) -> int:
    """Drop the oldest lines that were written before that moment, some of them, and answer how
    many. Kept are, however old, what a subscription is still to be told of, and the last line.
    Only ever the log's beginning goes, so that numbers stay without gaps, and who asks for what
    comes behind a dropped one learns that it is gone. ``before``, ``now``: milliseconds, UTC."""
    end = min(_needed(connection, now), last_index(connection) - 1)
    oldest = select(change.c.index, change.c.moment).order_by(change.c.index).limit(AT_ONCE)
    cut = 0
    # Not by the moments alone: a clock that was set back leaves older ones behind newer ones.
    for index, moment in connection.execute(oldest).all():
        if index > end or moment >= before:
            break
        cut = index
    if not cut:
        return 0
    return connection.execute(delete(change).where(change.c.index <= cut)).rowcount


def _needed(connection: Connection, now: int) -> int:
    """The number of the last change that every subscription has taken into account."""
    # Who has no listener asks by time, which the log is not read for.
    seen, told, due = subscription.c.seen, subscription.c.told_index, subscription.c.due
    known = case((due.is_(None) | (seen < told), seen), else_=told)
    found = select(func.min(known)).where(subscription.c.expires > now)
    least: int | None = connection.execute(found).scalar()
    return 10**18 if least is None else least
