"""Search as you type: hospitals, and services, operations and fields of the known contracts, by
Chinese or English names, pinyin or its initials. Every answer is bounded.

Each word of the query must match; one hospital's word and one operation's together find the
operation at that hospital: ``hx getlab``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from registry.pinyin import keys_of
from registry.web.listing import HospitalName, Listing, Offered
from services.catalogue import CONTRACTS
from services.contract import Field, ListOf, RecordType, Type
from services.his_service import OPERATIONS
from services.soap.interface import Interface, his_service_interface, typed_interface

#: characters and words of a query that are looked at
LONGEST, MOST_WORDS = 100, 6

#: where something is told: whose name has the word within it, and whose name begins with it
_WEIGHT = {"service": (2, 0), "operation": (3, 1), "field": (5, 4)}

EntryKind = Literal["service", "operation", "field"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a contract. ``names`` is folded, one name a line, its own; ``text`` has its
    surroundings' names too."""

    kind: EntryKind
    service: str
    namespace: str
    operation: str
    name: str
    zh: str
    en: str
    names: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A hospital and its service that an entry is of."""

    hospital: HospitalName
    service_key: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry that was found; ``places`` are the first of ``total`` hospitals that offer it."""

    entry: Entry
    places: tuple[Place, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Found:
    """``hospital_total``: how many match in all."""

    hospitals: tuple[HospitalName, ...]
    hospital_total: int
    entries: tuple[Hit, ...]
    entry_total: int


def words_of(query: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(query[:LONGEST].casefold().split()))[:MOST_WORDS]


def matching(hospitals: Sequence[HospitalName], words: Iterable[str]) -> list[HospitalName]:
    """Those whose names hold every word, the better matches first, otherwise in order."""
    words = tuple(words)
    return sorted(_having(hospitals, words), key=lambda one: not _begins(one.text, words))


def _having(hospitals: Sequence[HospitalName], words: Iterable[str]) -> Sequence[HospitalName]:
    for word in words:
        hospitals = [one for one in hospitals if word in one.text]
    return hospitals


class Index:
    """A search over one state of the registry: its ``names`` and what is ``offered``."""

    def __init__(
        self, listing: Listing, names: tuple[HospitalName, ...], offered: tuple[Offered, ...]
    ) -> None:
        self.names = names
        self.offered = offered
        self._listing = listing
        self._all_entries = (*_entries(), *_foreign(listing, offered))

    def _offering(
        self, entry: Entry, among: Sequence[HospitalName], each: int
    ) -> tuple[tuple[Place, ...], int]:
        """The first of these hospitals that offer such a service, and how many do."""
        found = self._listing.offering_among(entry.service, [one.key for one in among])
        nowhere = (None, "")
        offering = [one for one in among if found.get(one.key, nowhere)[0] == entry.namespace]
        places = tuple(Place(one, found[one.key][1]) for one in offering[:each])
        return places, len(offering)

    def seek(self, query: str, limit: int, each: int = 3) -> Found:
        """At most ``limit`` hospitals and as many entries, each with at most ``each`` hospitals."""
        words = words_of(query)
        if not words:
            return Found((), 0, (), 0)
        here = matching(self.names, words)
        ranked = []
        for number, entry in enumerate(self._all_entries):
            own = frozenset(word for word in words if word in entry.text)
            # An operation is not found by its service's name alone: the service is.
            if any(word in entry.names for word in own):
                rest = frozenset(words) - own
                weight = _WEIGHT[entry.kind][_begins(entry.names, own)]
                ranked.append((weight, number, entry, rest))
        ranked.sort(key=lambda one: one[:2])
        told: set[tuple[str, str, str]] = set()
        among: dict[frozenset[str], Sequence[HospitalName]] = {frozenset(): self.names}
        offered: dict[tuple[frozenset[str], str, str], tuple[tuple[Place, ...], int]] = {}
        hits: list[Hit] = []
        total = 0
        for *_, entry, rest in ranked:
            at_place = (rest, entry.service, entry.namespace)
            if at_place not in offered:
                if rest not in among:
                    among[rest] = _having(self.names, rest)
                offered[at_place] = self._offering(entry, among[rest], each)
            places, count = offered[at_place]
            # A field that many operations of a service have is told at the first of them.
            same = (entry.service, entry.namespace, entry.kind + entry.name)
            if places and same not in told:
                told.add(same)
                total += 1
                if len(hits) < limit:
                    hits.append(Hit(entry, places, count))
        return Found(tuple(here[:limit]), len(here), tuple(hits), total)


def _begins(text: str, words: Iterable[str]) -> bool:
    lines = text.split("\n")
    return any(line.startswith(word) for word in words for line in lines)


# --- what there is to be found -----------------------------------------------------------------


@cache
def _entries() -> tuple[Entry, ...]:
    """Of the contracts that we know, which every registry of this release knows alike."""
    found: list[Entry] = []
    for contract in CONTRACTS.values():
        found += _of_interface(typed_interface(contract))
    found += _of_interface(his_service_interface())
    return tuple(found)


def _of_interface(interface: Interface) -> Iterable[Entry]:
    name, namespace = interface.name, interface.namespace
    above = _names(name, interface.zh)
    yield Entry("service", name, namespace, "", name, interface.zh, "", above, above)
    columns = {one.name: one.columns for one in OPERATIONS} if interface.lenient else {}
    for operation in interface.operations:
        own = _names(operation.name, operation.zh)
        text = f"{own}\n{above}"
        yield Entry(
            "operation",
            name,
            namespace,
            operation.name,
            operation.name,
            operation.zh,
            "",
            own,
            text,
        )
        fields = [*_fields(operation.request), *_fields(operation.response)]
        fields += [column.field for column in columns.get(operation.name, ())]
        for field in {one.name: one for one in fields}.values():
            names = _names(field.name, field.doc.zh, field.doc.en)
            yield Entry(
                *("field", name, namespace, operation.name, field.name),
                *(field.doc.zh, field.doc.en, names, f"{names}\n{text}"),
            )


def _fields(fields: Iterable[Field]) -> Iterable[Field]:
    for field in fields:
        yield field
        yield from _inside(field.type)


def _inside(kind: Type) -> Iterable[Field]:
    if isinstance(kind, ListOf):
        kind = kind.item
    if isinstance(kind, RecordType):
        yield from _fields(kind.fields)


def _foreign(listing: Listing, offered: Iterable[Offered]) -> list[Entry]:
    """Services that no contract of ours describes, by the names that they were published with."""
    known = {(entry.service, entry.namespace) for entry in _entries() if entry.kind == "service"}
    found = listing.named([one for one in offered if (one.label, one.namespace) not in known])
    return [
        Entry("service", label, namespace, "", label, zh, en, names, names)
        for (label, namespace), (zh, en) in found.items()
        for names in [_names(label, zh, en)]
    ]


@cache
def _pinyin(zh: str) -> tuple[str, str]:
    return keys_of(zh)


def _names(*names: str) -> str:
    pinyin = [key for name in names for key in _pinyin(name)]
    return "\n".join(one for one in (*names, *pinyin) if one).casefold()
