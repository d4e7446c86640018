"""The registry as the pages list it. Every hospital's name is in memory, some 10 MB for 10,000 of
them, and kept up to date by the change log; services are read for those that are shown.

What is counted over all services is counted once for each state of the registry.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.engine import Connection

from registry.listed import listed_business, listed_service, only
from registry.model import BusinessEntity, BusinessService, Contact
from registry.reading import chunks
from registry.registered import category, hospital_code, name_in
from registry.remembered import Remembered
from registry.rows import decode
from registry.store import Store
from registry.tables import entity
from registry.uddi.wellknown import FACE_INSIDE, XML_LOCALNAME, XML_NAMESPACE

#: changes after which all names are read again, instead of those that changed
_TOO_MANY = 2000

#: hospitals that are asked for by their keys, and not with all others
_FEW = 200

#: names of services that are looked up at one time: three parameters each
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Person:
    """A contact: ``role`` is the useType, ``owner`` and ``on-call`` being ours."""

    role: str
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedService:
    """``name`` is the WSDL service's, or "" where the entry has none; ``zh`` and ``en`` are its
    names. ``outside`` and ``inside`` are binding keys."""

    key: str
    name: str
    zh: str
    en: str
    namespace: str
    outside: tuple[str, ...]
    inside: tuple[str, ...]

    @property
    def label(self) -> str:
        return self.name or self.zh or self.key

    def title(self, lang: str) -> str:
        return (self.zh if lang == "zh" else self.name or self.en) or self.label


@dataclass(frozen=True, slots=True)
class Named:
    """Any business; ``code`` is "" where it is no hospital of ours."""

    key: str
    code: str
    zh: str
    en: str

    def title(self, lang: str) -> str:
        return (self.zh if lang == "zh" else self.en) or self.zh or self.en or self.key

    def other(self, lang: str) -> str:
        """The name in the other language, where it differs."""
        other = self.en if lang == "zh" else self.zh
        return other if other != self.title(lang) else ""


@dataclass(frozen=True, slots=True)
class HospitalName(Named):
    """What all hospitals are listed and searched by: registry/listed.py."""

    letter: str
    pinyin: str
    text: str

    @property
    def order(self) -> tuple[str, str, str]:
        return (self.letter, self.pinyin, self.key)


@dataclass(frozen=True)
class ListedHospital(Named):
    people: tuple[Person, ...]
    services: tuple[ListedService, ...]

    def person(self, role: str) -> Person | None:
        return next((one for one in self.people if one.role == role), None)

    @cached_property
    def by_name(self) -> dict[str, ListedService]:
        return {service.label: service for service in reversed(self.services)}


@dataclass(frozen=True, slots=True)
class Offered:
    """Services that go by one name; ``first`` is a hospital that has one."""

    label: str
    namespace: str
    count: int
    first: str


class Listing:
    """Safe from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._index = -1
        self._by_key: dict[str, HospitalName] = {}
        self._ordered: tuple[HospitalName, ...] = ()
        self._remembered = Remembered()

    # --- all of them -------------------------------------------------------------------------

    def names(self) -> tuple[HospitalName, ...]:
        """Every hospital, in order of pinyin; the same tuple until one of them changes."""
        with self._lock:
            self._refresh()
            return self._ordered

    def name(self, key: str) -> HospitalName | None:
        with self._lock:
            self._refresh()
            return self._by_key.get(key)

    def _refresh(self) -> None:
        last = self._store.last_index()
        if last == self._index:
            return
        changed = self._changed_businesses(last)
        if changed is None:
            self._by_key = self._read_names(None)
        else:
            for key in changed:
                self._by_key.pop(key, None)
            self._by_key |= self._read_names(list(changed))
        # The number was read first: what changes meanwhile is read again the next time.
        self._index = last
        if changed is None or changed:
            self._ordered = tuple(sorted(self._by_key.values(), key=lambda one: one.order))

    def _changed_businesses(self, last: int) -> set[str] | None:
        """None: everything has to be read."""
        if self._index < 0 or not 0 <= last - self._index <= _TOO_MANY:
            return None
        changes = self._store.changes(self._index, _TOO_MANY)
        if not changes or changes[0].index != self._index + 1:
            return None  # the log no longer goes back so far
        return {change.key for change in changes if change.kind == "business"}

    def _read_names(self, keys: list[str] | None) -> dict[str, HospitalName]:
        table = listed_business.c
        query = select(
            table.entity_key, table.code, table.zh, table.en, table.letter, table.pinyin, table.text
        )
        with self._store.engine.connect() as connection:
            if keys is None:
                return {row[0]: HospitalName(*row) for row in connection.execute(query).all()}
            return {
                row[0]: HospitalName(*row)
                for part in chunks(keys)
                for row in connection.execute(query.where(table.entity_key.in_(part))).all()
            }

    def offered(self) -> tuple[Offered, ...]:
        """Every name that services go by, with their namespaces."""
        with self._store.engine.connect() as connection:
            now = self._remembered.now(connection)
            return now.of("offered", lambda: self._count_offered(connection))

    def _count_offered(self, connection: Connection) -> tuple[Offered, ...]:
        table = listed_service.c
        query = select(table.label, table.namespace, func.count(), func.min(table.business_key))
        rows = connection.execute(query.group_by(table.label, table.namespace)).all()
        return tuple(Offered(*row) for row in rows)

    def named(self, places: Sequence[Offered]) -> dict[tuple[str, str], tuple[str, str]]:
        """By label and namespace the Chinese and English name of one such service."""
        table = listed_service.c
        found: dict[tuple[str, str], tuple[str, str]] = {}
        with self._store.engine.connect() as connection:
            for start in range(0, len(places), _AT_ONCE):
                wanted = [
                    (one.label, one.namespace, one.first)
                    for one in places[start : start + _AT_ONCE]
                ]
                these = tuple_(table.label, table.namespace, table.business_key).in_(wanted)
                query = select(table.label, table.namespace, table.zh, table.en).where(these)
                for label, namespace, zh, en in connection.execute(query).all():
                    found.setdefault((label, namespace), (zh, en))
        return found

    def offering(self, label: str) -> dict[str, tuple[str, str]]:
        """By the key of each hospital that offers a service of this name: its namespace and its
        key; of several, the first one's."""
        with self._store.engine.connect() as connection:
            now = self._remembered.now(connection)
            return now.of(("offering", label), lambda: self._read_offering(connection, label))

    def offering_among(self, label: str, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
        """The same of these hospitals alone; of many it is quicker to know of all."""
        if len(keys) > _FEW:
            return self.offering(label)
        with self._store.engine.connect() as connection:
            return self._read_offering(connection, label, listed_service.c.business_key.in_(keys))

    def _read_offering(
        self, connection: Connection, label: str, *among: Any
    ) -> dict[str, tuple[str, str]]:
        table = listed_service.c
        columns = (table.business_key, table.position, table.entity_key, table.namespace)
        rows = connection.execute(select(*columns).where(table.label == label, *among)).all()
        first: dict[str, tuple[int, str, str]] = {}
        for business, *found in rows:
            one = tuple(found)
            if business not in first or one < first[business]:
                first[business] = one
        return {business: (namespace, key) for business, (_, key, namespace) in first.items()}

    def service_count(self) -> int:
        return sum(one.count for one in self.offered())

    def hospitals_of(self, service_keys: Sequence[str]) -> set[str]:
        """The keys of the hospitals that these services belong to."""
        table = listed_service.c
        with self._store.engine.connect() as connection:
            return {
                key
                for part in chunks(service_keys)
                for key in connection.execute(
                    select(table.business_key).where(table.entity_key.in_(part))
                ).scalars()
            }

    # --- some of them ------------------------------------------------------------------------

    def hospital(self, key: str) -> ListedHospital | None:
        return next(iter(self.hospitals([key])), None)

    def hospitals(self, keys: Sequence[str]) -> list[ListedHospital]:
        """With their services, in the order of the keys; what is gone is left out."""
        with self._store.engine.connect() as connection:
            found = _read(connection, keys)
        return [found[key] for key in keys if key in found]

    def service(self, key: str) -> tuple[ListedHospital, ListedService] | None:
        return self.services([key]).get(key)

    def services(self, keys: Sequence[str]) -> dict[str, tuple[ListedHospital, ListedService]]:
        """By their keys, each with its hospital."""
        wanted = set(keys)
        return {
            service.key: (hospital, service)
            for hospital in self.hospitals(sorted(self.hospitals_of(keys)))
            for service in hospital.services
            if service.key in wanted
        }


def _read(connection: Connection, keys: Sequence[str]) -> dict[str, ListedHospital]:
    businesses = _rows(connection, "business", entity.c.key, keys)
    services = _rows(connection, "service", entity.c.parent_key, [row.key for row in businesses])
    bindings = _rows(connection, "binding", entity.c.parent_key, [row.key for row in services])
    faces: dict[str, tuple[list[str], list[str]]] = {}
    for row in bindings:
        # Looking for the mark spares decoding the bodies.
        inside = f'"{FACE_INSIDE}"' in row.body
        faces.setdefault(row.parent_key, ([], []))[inside].append(row.key)
    offered: dict[str, list[ListedService]] = {}
    for row in services:
        listed = _service(decode(row), faces.get(row.key, ([], [])))
        offered.setdefault(row.parent_key, []).append(listed)
    return {row.key: _hospital(decode(row), offered.get(row.key, ())) for row in businesses}


def _rows(connection: Connection, kind: str, column: Any, keys: Sequence[str]) -> list[Any]:
    query = select(
        *(entity.c[name] for name in ("key", "parent_key", "position", "kind", "body", "hidden"))
    )
    rows: list[Any] = []
    for part in chunks(list(keys)):
        rows += connection.execute(query.where(column.in_(part))).all()
    # Not in SQL: by a condition on the kind, SQLite would go through all of that kind instead.
    rows = [row for row in rows if row.kind == kind]
    return sorted(rows, key=lambda row: (row.position, row.key))


def _service(service: BusinessService, faces: tuple[Sequence[str], Sequence[str]]) -> ListedService:
    return ListedService(
        service.key,
        category(service, XML_LOCALNAME),
        name_in(service.names, "zh"),
        only(service.names, "en"),
        category(service, XML_NAMESPACE),
        tuple(faces[0]),
        tuple(faces[1]),
    )


def _hospital(business: BusinessEntity, services: Iterable[ListedService]) -> ListedHospital:
    return ListedHospital(
        business.key,
        hospital_code(business) or "",
        name_in(business.names, "zh"),
        only(business.names, "en"),
        tuple(map(_person, business.contacts)),
        tuple(services),
    )


def _person(contact: Contact) -> Person:
    return Person(
        contact.use_type,
        name_in(contact.person_names, "zh"),
        tuple(phone.value for phone in contact.phones),
        tuple(email.value for email in contact.emails),
    )
