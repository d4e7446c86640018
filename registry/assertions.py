"""Publisher assertions: two businesses say that they are related, and how.

An assertion counts once both businesses' owners have made it alike; until then one side is
missing. Whoever owns both makes both sides at once. A side that was made by somebody who no
longer owns that business does not count.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, Column, String, Table, delete, insert, or_, select, update
from sqlalchemy.engine import Connection

from registry.errors import UddiError
from registry.model import KeyedReference
from registry.reading import rows_where
from registry.rows import no_such_key
from registry.tables import entity, metadata

_KEY = String(255)

# No foreign keys: saving a business again takes its row out and puts it in.
publisher_assertion = Table(
    "publisher_assertion",
    metadata,
    # of everything that makes two assertions alike
    Column("digest", String(64), primary_key=True),
    Column("from_key", _KEY, nullable=False, index=True),
    Column("to_key", _KEY, nullable=False, index=True),
    Column("tmodel_key", _KEY, nullable=False),
    Column("key_name", _KEY, nullable=False),
    Column("key_value", _KEY, nullable=False),
    # who made which side; "" while nobody has
    Column("from_publisher", _KEY, nullable=False, index=True),
    Column("to_publisher", _KEY, nullable=False, index=True),
    Column("modified", BigInteger, nullable=False),  # milliseconds since 1970
)

Status = Literal[
    "status:complete", "status:fromKey_incomplete", "status:toKey_incomplete",
    "status:both_incomplete",
]  # fmt: skip
STATUSES: frozenset[str] = frozenset(
    {"status:complete", "status:fromKey_incomplete", "status:toKey_incomplete"}
)


@dataclass(frozen=True, slots=True)
class Assertion:
    from_key: str
    to_key: str
    reference: KeyedReference

    @property
    def digest(self) -> str:
        r = self.reference
        parts = [self.from_key, self.to_key, r.tmodel_key, r.key_name, r.key_value]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AssertionItem:
    """An assertion with its status. ``owned``: which of its two businesses are the asker's."""

    assertion: Assertion
    status: Status
    owned: tuple[str, ...]
    modified: int


Check = Callable[[Connection], None]


def add(connection: Connection, publisher: str, assertions: Sequence[Assertion]) -> None:
    """Make the publisher's sides of these. E_invalidKeyPassed: no such business or tModel;
    E_userMismatch: neither business is the publisher's."""
    for assertion in assertions:
        sides = _sides(connection, publisher, assertion)
        row = _row(connection, assertion)
        made = {f"{side}_publisher": publisher for side in sides}
        moment = time.time_ns() // 1_000_000
        if row is None:
            values = {"from_publisher": "", "to_publisher": "", **made}
            reference = assertion.reference
            connection.execute(
                insert(publisher_assertion).values(
                    digest=assertion.digest,
                    from_key=assertion.from_key,
                    to_key=assertion.to_key,
                    tmodel_key=reference.tmodel_key,
                    key_name=reference.key_name,
                    key_value=reference.key_value,
                    modified=moment,
                    **values,
                )
            )
        elif any(getattr(row, column) != value for column, value in made.items()):
            chosen = publisher_assertion.c.digest == assertion.digest
            connection.execute(
                update(publisher_assertion).where(chosen).values(modified=moment, **made)
            )


def remove(connection: Connection, publisher: str, assertions: Iterable[Assertion]) -> None:
    """Take the publisher's sides of these back. E_assertionNotFound for one that it never made;
    then none is taken back."""
    for assertion in assertions:
        row = _row(connection, assertion)
        if row is None or publisher not in (row.from_publisher, row.to_publisher):
            raise UddiError(
                "assertionNotFound",
                f"没有此断言：{assertion.from_key} → {assertion.to_key} / no such assertion of "
                f"this publisher: {assertion.from_key} to {assertion.to_key}, "
                f"{assertion.reference.key_value!r}",
            )
        _unmake(connection, publisher, row)


def replace_all(connection: Connection, publisher: str, assertions: Sequence[Assertion]) -> None:
    """Let these be all that the publisher asserts. Errors as for ``add``."""
    kept = {assertion.digest for assertion in assertions}
    for row in connection.execute(select(publisher_assertion).where(_made_by(publisher))).all():
        if row.digest not in kept:
            _unmake(connection, publisher, row)
    add(connection, publisher, assertions)


def made_by(connection: Connection, publisher: str) -> list[Assertion]:
    """Everything that the publisher asserts, in a stable order."""
    query = select(publisher_assertion).where(_made_by(publisher))
    return [_assertion(row) for row in connection.execute(query.order_by(*_ORDER))]


def report(connection: Connection, publisher: str, status: str = "") -> list[AssertionItem]:
    """Every assertion that touches a business of this publisher, of one status or of all.
    E_invalidCompletionStatus for a status that there is not."""
    if status and status not in STATUSES:
        raise UddiError(
            "invalidCompletionStatus",
            f"没有这种状态 / no such completionStatus: {status!r}; {', '.join(sorted(STATUSES))}",
        )
    own = select(entity.c.key).where(entity.c.kind == "business", entity.c.publisher == publisher)
    table = publisher_assertion.c
    query = select(publisher_assertion).where(or_(table.from_key.in_(own), table.to_key.in_(own)))
    rows = connection.execute(query.order_by(*_ORDER)).all()
    owners = _owners(connection, rows)
    items = []
    for row in rows:
        found = _status(row, owners)
        if status in ("", found) and row.from_key in owners and row.to_key in owners:
            keys = (row.from_key, row.to_key)
            owned = tuple(key for key in dict.fromkeys(keys) if owners[key] == publisher)
            items.append(AssertionItem(_assertion(row), found, owned, row.modified))
    return items


def complete_for(
    connection: Connection, *, any_key: str = "", from_key: str = "", to_key: str = ""
) -> list[tuple[Assertion, int]]:
    """The complete assertions of one business, from either side or from the one named, each with
    when it last changed."""
    table = publisher_assertion.c
    if any_key:
        touches = or_(table.from_key == any_key, table.to_key == any_key)
    else:
        touches = table.from_key == from_key if from_key else table.to_key == to_key
    query = select(publisher_assertion).where(
        touches, table.from_publisher != "", table.to_publisher != ""
    )
    rows = connection.execute(query.order_by(*_ORDER)).all()
    owners = _owners(connection, rows)
    return [
        (_assertion(row), row.modified) for row in rows if _status(row, owners) == "status:complete"
    ]


def count_made_by(connection: Connection, publisher: str) -> int:
    return len(made_by(connection, publisher))


def forget_businesses(connection: Connection, keys: Sequence[str]) -> None:
    """What was said of businesses that are deleted now."""
    table = publisher_assertion.c
    for key in keys:
        connection.execute(
            delete(publisher_assertion).where(or_(table.from_key == key, table.to_key == key))
        )


_ORDER = (
    publisher_assertion.c.from_key,
    publisher_assertion.c.to_key,
    publisher_assertion.c.digest,
)


def _made_by(publisher: str) -> Any:
    table = publisher_assertion.c
    return or_(table.from_publisher == publisher, table.to_publisher == publisher)


def _sides(connection: Connection, publisher: str, assertion: Assertion) -> list[str]:
    keys = {"from": assertion.from_key, "to": assertion.to_key}
    rows = {
        row.key: row
        for row in rows_where(connection, entity.c.key, list(keys.values()), "business")
    }
    for key in keys.values():
        if key not in rows:
            raise no_such_key(key)
    if not rows_where(connection, entity.c.key, [assertion.reference.tmodel_key], "tmodel"):
        raise no_such_key(assertion.reference.tmodel_key)
    sides = [side for side, key in keys.items() if rows[key].publisher == publisher]
    if not sides:
        raise UddiError(
            "userMismatch",
            f"{assertion.from_key} 与 {assertion.to_key} 都不属于本发布者 / neither "
            f"{assertion.from_key} nor {assertion.to_key} is this publisher's",
        )
    return sides


def _row(connection: Connection, assertion: Assertion) -> Any:
    chosen = publisher_assertion.c.digest == assertion.digest
    return connection.execute(select(publisher_assertion).where(chosen)).one_or_none()


def _unmake(connection: Connection, publisher: str, row: Any) -> None:
    chosen = publisher_assertion.c.digest == row.digest
    left = {
        side: "" if getattr(row, side) == publisher else getattr(row, side)
        for side in ("from_publisher", "to_publisher")
    }
    if any(left.values()):
        moment = time.time_ns() // 1_000_000
        changed = update(publisher_assertion).where(chosen).values(modified=moment, **left)
        connection.execute(changed)
    else:
        connection.execute(delete(publisher_assertion).where(chosen))


def _assertion(row: Any) -> Assertion:
    reference = KeyedReference(row.tmodel_key, row.key_value, row.key_name)
    return Assertion(row.from_key, row.to_key, reference)


def _owners(connection: Connection, rows: Sequence[Any]) -> dict[str, str]:
    keys = sorted({key for row in rows for key in (row.from_key, row.to_key)})
    found = rows_where(connection, entity.c.key, keys, "business")
    return {row.key: row.publisher for row in found}


def _status(row: Any, owners: dict[str, str]) -> Status:
    made_from = row.from_publisher != "" and row.from_publisher == owners.get(row.from_key)
    made_to = row.to_publisher != "" and row.to_publisher == owners.get(row.to_key)
    if made_from and made_to:
        return "status:complete"
    if made_to:
        return "status:fromKey_incomplete"
    return "status:toKey_incomplete" if made_from else "status:both_incomplete"
