"""The registry as the pages list it: every hospital and service, small and in memory, kept up to
date by the change log.

10,000 hospitals with 13 services each take some seconds and about 100 MB the first time; after
that only what changed is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import select

from registry.model import BusinessEntity, BusinessService, Contact, LangText
from registry.reading import chunks
from registry.registered import category, hospital_code, name_in
from registry.rows import decode
from registry.store import Store
from registry.tables import entity
from registry.uddi.wellknown import FACE_INSIDE, XML_LOCALNAME, XML_NAMESPACE
from registry.web.pinyin import keys_of, letter_of

#: changes after which everything is read again, instead of one business after the other
_TOO_MANY = 2000


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


@dataclass(frozen=True)
class ListedHospital:
    """Any business; ``code`` is "" where it is no hospital of ours. ``text`` is what a search
    looks at, folded: names, code, pinyin, initials."""

    key: str
    code: str
    zh: str
    en: str
    people: tuple[Person, ...]
    services: tuple[ListedService, ...]

    def title(self, lang: str) -> str:
        return (self.zh if lang == "zh" else self.en) or self.zh or self.en or self.key

    def other(self, lang: str) -> str:
        """The name in the other language, where it differs."""
        other = self.en if lang == "zh" else self.zh
        return other if other != self.title(lang) else ""

    def person(self, role: str) -> Person | None:
        return next((one for one in self.people if one.role == role), None)

    @cached_property
    def text(self) -> str:
        pinyin, initials = keys_of(self.zh)
        return "\n".join((self.zh, self.en, self.code, pinyin, initials)).casefold()

    @cached_property
    def letter(self) -> str:
        return letter_of(self.zh or self.en)

    @cached_property
    def order(self) -> tuple[str, str, str]:
        return (self.letter, keys_of(self.zh)[0] or self.en.casefold(), self.key)

    @cached_property
    def by_name(self) -> dict[str, ListedService]:
        return {service.label: service for service in reversed(self.services)}


class Snapshot:
    """``hospitals()`` is the present list, in order of pinyin. Safe from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._index = -1
        self._by_key: dict[str, ListedHospital] = {}
        self._ordered: tuple[ListedHospital, ...] = ()
        self._services: dict[str, tuple[ListedHospital, ListedService]] = {}
        self._bindings: dict[str, str] = {}  # to the hospital's key

    def hospitals(self) -> tuple[ListedHospital, ...]:
        self._refresh()
        return self._ordered

    def hospital(self, key: str) -> ListedHospital | None:
        self._refresh()
        return self._by_key.get(key)

    def service(self, key: str) -> tuple[ListedHospital, ListedService] | None:
        self._refresh()
        return self._services.get(key)

    def _refresh(self) -> None:
        with self._lock:
            last = self._store.last_index()
            if last == self._index:
                return
            changed = self._changed_businesses(last)
            if changed is None:
                self._by_key = self._read(None)
            else:
                for key in changed:
                    self._by_key.pop(key, None)
                self._by_key |= self._read(list(changed))
            # The number was read first: what changes meanwhile is read again the next time.
            self._index = last
            self._ordered = tuple(sorted(self._by_key.values(), key=lambda one: one.order))
            self._services = {
                service.key: (hospital, service)
                for hospital in self._ordered
                for service in hospital.services
            }
            self._bindings = {
                key: hospital.key
                for hospital, service in self._services.values()
                for key in (*service.outside, *service.inside)
            }

    def _changed_businesses(self, last: int) -> set[str] | None:
        """None: everything has to be read."""
        if self._index < 0 or last - self._index > _TOO_MANY or last < self._index:
            return None
        owners = {one.key: hospital.key for hospital, one in self._services.values()}
        changed: set[str] = set()
        for change in self._store.changes(self._index, _TOO_MANY):
            if change.kind == "business":
                changed.add(change.key)
            elif change.kind == "service":
                # It may have been moved here from elsewhere.
                changed |= {owners.get(change.key, ""), change.parent_key or ""}
                owners[change.key] = change.parent_key or ""
            elif change.kind == "binding":
                changed |= {
                    owners.get(change.parent_key or "", ""),
                    self._bindings.get(change.key, ""),
                }
        return changed - {""}

    def _read(self, keys: list[str] | None) -> dict[str, ListedHospital]:
        with self._store.engine.connect() as connection:
            businesses = self._rows(connection, "business", entity.c.key, keys)
            found = None if keys is None else [row.key for row in businesses]
            services = self._rows(connection, "service", entity.c.parent_key, found)
            below = None if keys is None else [row.key for row in services]
            bindings = self._rows(connection, "binding", entity.c.parent_key, below)
        faces: dict[str, tuple[list[str], list[str]]] = {}
        for row in bindings:
            # Looking for the mark spares decoding 130,000 bodies of JSON.
            inside = f'"{FACE_INSIDE}"' in row.body
            faces.setdefault(row.parent_key, ([], []))[inside].append(row.key)
        offered: dict[str, list[ListedService]] = {}
        for row in services:
            listed = _service(decode(row), faces.get(row.key, ([], [])))
            offered.setdefault(row.parent_key, []).append(listed)
        return {row.key: _hospital(decode(row), offered.get(row.key, ())) for row in businesses}

    def _rows(self, connection: Any, kind: str, column: Any, keys: list[str] | None) -> list[Any]:
        query = (
            select(entity.c.key, entity.c.parent_key, entity.c.kind, entity.c.body, entity.c.hidden)
            .where(entity.c.kind == kind)
            .order_by(entity.c.position, entity.c.key)
        )
        if keys is None:
            return list(connection.execute(query))
        rows: list[Any] = []
        for part in chunks(keys):
            rows += connection.execute(query.where(column.in_(part)))
        return rows


def _service(service: BusinessService, faces: tuple[Sequence[str], Sequence[str]]) -> ListedService:
    return ListedService(
        service.key,
        category(service, XML_LOCALNAME),
        name_in(service.names, "zh"),
        _only(service.names, "en"),
        category(service, XML_NAMESPACE),
        tuple(faces[0]),
        tuple(faces[1]),
    )


def _hospital(business: BusinessEntity, services: Iterable[ListedService]) -> ListedHospital:
    return ListedHospital(
        business.key,
        hospital_code(business) or "",
        name_in(business.names, "zh"),
        _only(business.names, "en"),
        tuple(map(_person, business.contacts)),
        tuple(services),
    )


def _only(names: Iterable[LangText], lang: str) -> str:
    return next((one.value for one in names if one.lang.lower().partition("-")[0] == lang), "")


def _person(contact: Contact) -> Person:
    return Person(
        contact.use_type,
        name_in(contact.person_names, "zh"),
        tuple(phone.value for phone in contact.phones),
        tuple(email.value for email in contact.emails),
    )
