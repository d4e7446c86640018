"""The store: reads entities by key, saves and deletes them whole, each call one transaction.

Every public method is synchronous and safe to call from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from registry import search
from registry.assertions import forget_businesses
from registry.changes import Change, changes_after, changes_of, last_index, record
from registry.config import OPERATOR
from registry.infos import Info, business_infos, infos
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    Entity,
    Find,
    Kind,
    OperationalInfo,
    TModel,
)
from registry.projections import forget_projections
from registry.reading import chunks, read, require, rows_where
from registry.rows import kind_of
from registry.saving import (
    check_owner,
    descendants,
    insert_entities,
    now,
    removed,
    save_tree,
    touch,
    with_keys,
)
from registry.subscribers import Subscribers
from registry.tables import entity, one_moment, one_writer, open_engine
from registry.uddi.wellknown import WELL_KNOWN
from registry.upgrading import upgrade


@dataclass(frozen=True, slots=True)
class Listed:
    """One page, and what is shown of each that is on it."""

    page: search.Page
    infos: list[Info]


T = TypeVar("T")
E = TypeVar("E", bound=Entity)

_DEPTH: dict[Kind, int] = {"business": 2, "service": 1, "binding": 0, "tmodel": 0}


class Store:
    """The registry's data behind one SQLAlchemy URL. Opening it makes or upgrades its tables and
    seeds the well-known tModels. NewerDatabase; SQLAlchemyError where it cannot be had."""

    def __init__(
        self,
        url: str,
        *,
        max_rows: int = 1000,
        find_all: bool = False,
        default_rows: int = 100,
    ) -> None:
        self.engine = open_engine(url)
        upgrade(self.engine)
        self._writing = self.engine.execution_options(writes=True)
        self._finding = one_moment(self.engine)
        self._limits = search.Limits(max_rows, find_all, min(default_rows, max_rows))
        self._subscribers = Subscribers(self.last_index)
        self._seed()

    def close(self) -> None:
        self._subscribers.close()
        self.engine.dispose()

    def check(self) -> None:
        """Raise SQLAlchemyError where the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    # --- reading -----------------------------------------------------------------------------

    def get(self, kind: Kind, keys: Sequence[str]) -> list[Any]:
        """The entities in the order of their keys, with everything inside them.
        E_invalidKeyPassed names the first key that is none of this kind."""
        with self.engine.connect() as connection:
            return read(connection, kind, keys, _DEPTH[kind])

    def businesses(self, keys: Sequence[str]) -> list[BusinessEntity]:
        return self.get("business", keys)

    def services(self, keys: Sequence[str]) -> list[BusinessService]:
        return self.get("service", keys)

    def bindings(self, keys: Sequence[str]) -> list[BindingTemplate]:
        return self.get("binding", keys)

    def tmodels(self, keys: Sequence[str]) -> list[TModel]:
        return self.get("tmodel", keys)

    def find(self, kind: Kind, find: Find, *, depth: int = 0) -> search.Page:
        """What matches, one page of it, each entity with children down to ``depth`` levels."""
        with self._finding.connect() as connection:
            page = search.find_keys(connection, kind, find, self._limits)
            found = read(connection, kind, page.keys, depth, hidden=False)
            return replace(page, entities=tuple(found))

    def listed(self, kind: Kind, find: Find, *, projected: bool = True) -> Listed:
        """What matches, one page of it, no more of each than a list shows. ``projected``: the
        services of a business that are another's too."""
        with self._finding.connect() as connection:
            page = search.find_keys(connection, kind, find, self._limits)
            if kind == "business":
                return Listed(page, business_infos(connection, page.keys, projected=projected))
            return Listed(page, infos(connection, page.keys))

    def conditions(self, connection: Connection, kind: Kind, find: Find) -> list[Any] | None:
        """What a find asks for, as conditions on the table ``entity``; None: it finds nothing."""
        return search.conditions(connection, kind, find, self._limits)

    def owned(
        self, publisher: str, most: int = 100_000
    ) -> tuple[list[BusinessEntity], list[TModel], bool]:
        """What a publisher owns: businesses with their services' names, and tModels, the hidden
        ones too; and whether there is more than ``most`` of both."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(entity.c.kind, entity.c.key)
                .where(entity.c.publisher == publisher, entity.c.parent_key.is_(None))
                .order_by(entity.c.sort_name, entity.c.key)
                .limit(most + 1)
            ).all()
            more, rows = len(rows) > most, rows[:most]
            keys = {kind: [r.key for r in rows if r.kind == kind] for kind in _DEPTH}
            return (
                read(connection, "business", keys["business"], 1),
                read(connection, "tmodel", keys["tmodel"], 0),
                more,
            )

    def operational_infos(self, keys: Sequence[str]) -> list[OperationalInfo]:
        """E_invalidKeyPassed names the first key that is not there."""
        with self.engine.connect() as connection:
            rows = {row.key: row for row in rows_where(connection, entity.c.key, keys)}
        require(keys, rows)
        return [
            OperationalInfo(k, r.created, r.modified, r.modified_including_children, r.publisher)
            for k in keys
            for r in [rows[k]]
        ]

    # --- publishing --------------------------------------------------------------------------

    def save(
        self,
        publisher: str,
        items: Sequence[E],
        check: Callable[[Connection, Sequence[str]], None] | None = None,
    ) -> list[E]:
        """Save entities of one kind, all or none, each replacing what stood under its key with
        everything inside it. An empty key is given a new one. Answers them as they now stand.
        ``check`` sees the transaction and the saved keys before the end, and may raise.

        E_userMismatch: it, or what it stands in, is another publisher's. E_keyUnavailable: the
        key is in use for something else, or in another's partition. E_invalidKeyPassed: a key
        that it refers to is not there.
        """
        if not items:
            return []
        kind = kind_of(items[0])

        def work(connection: Connection) -> list[E]:
            keyed = [with_keys(item) for item in items]
            changed = [e for item in keyed for e in save_tree(connection, publisher, item)]
            keys = [item.key for item in keyed]
            if check is not None:
                check(connection, keys)
            saved = read(connection, kind, keys, _DEPTH[kind])
            record(connection, publisher, changed)
            return saved

        return self.write(work)

    def delete(self, publisher: str, kind: Kind, keys: Sequence[str]) -> None:
        """Delete entities with everything inside them, all or none; a tModel is only hidden.
        E_invalidKeyPassed, E_userMismatch."""

        def work(connection: Connection) -> None:
            rows = {row.key: row for row in rows_where(connection, entity.c.key, keys, kind)}
            require(keys, rows)
            inside = descendants(connection, list(rows))
            for row in rows.values():
                check_owner(row, publisher)
                touch(connection, row.parent_key, now())
            for part in chunks(list(rows)):
                chosen = entity.c.key.in_(part)
                if kind == "tmodel":
                    hide = update(entity).where(chosen).values(hidden=True, modified=now())
                    connection.execute(hide)
                else:
                    connection.execute(delete(entity).where(chosen))
            if kind == "business":
                forget_businesses(connection, list(rows))
                forget_projections(connection, list(rows))
            gone = {row.key: row for row in (*inside, *rows.values())}
            action = "hide" if kind == "tmodel" else "delete"
            record(connection, publisher, [removed(row, action) for row in gone.values()])

        self.write(work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one writing transaction, and tell who subscribed where it changed
        something (``registry.changes.record``, as its last step). It may be run a second time
        from the beginning, after a rollback: it must have no effect but in the database."""
        try:
            with self._writing.begin() as connection:
                one_writer(connection)
                result = work(connection)
        except IntegrityError:
            # Somebody saved the same key first; on a second look it is there and says whose.
            with self._writing.begin() as connection:
                one_writer(connection)
                result = work(connection)
        self._subscribers.look()
        return result

    # --- the change log ----------------------------------------------------------------------

    def changes(self, after: int, limit: int) -> list[Change]:
        """The changes behind number ``after``, the oldest first, at most ``limit``. None is ever
        skipped: what has a number behind the last one here was not yet visible. Where the first
        one is not number ``after`` + 1, the log no longer goes back so far."""
        with self.engine.connect() as connection:
            return changes_after(connection, after, limit)

    def changes_of(self, keys: Sequence[str], limit: int) -> list[Change]:
        """The latest changes of these entities, the newest first."""
        with self.engine.connect() as connection:
            return changes_of(connection, keys, limit)

    def first_change(self) -> Change | None:
        """The oldest one that is still in the log."""
        with self.engine.connect() as connection:
            return next(iter(changes_after(connection, 0, 1)), None)

    def last_index(self) -> int:
        """The number of the last change; 0 where there was none."""
        with self.engine.connect() as connection:
            return last_index(connection)

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call ``callback(last index)`` after every commit that changed something, in whatever
        thread; also, within a second, for what another registry on the same database committed.
        It must be quick, is never called twice at one time, and is not told what changed:
        ``changes`` says. Answers the function that ends it."""
        return self._subscribers.add(callback)

    def _seed(self) -> None:
        def work(connection: Connection) -> None:
            there = {
                r.key for r in rows_where(connection, entity.c.key, [t.key for t in WELL_KNOWN])
            }
            moment = now()
            for tmodel in WELL_KNOWN:
                if tmodel.key not in there:
                    insert_entities(connection, OPERATOR, tmodel, None, 0, moment, {})

        self.write(work)
