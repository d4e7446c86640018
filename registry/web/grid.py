"""The overview's grid: which services are its columns, and what each cell says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from registry.web.listing import ListedHospital, ListedService, Listing, Offered
from registry.web.seams import BindingHealth, HealthBook, State
from services import his_service
from services.catalogue import CONTRACTS

#: more services than that, and the rest share the last column
MOST_COLUMNS = 16

_SEVERITY: dict[State, int] = {"critical": 3, "warning": 2, "unknown": 1, "passing": 0}


@dataclass(frozen=True, slots=True)
class Shown:
    """A service's health, for one cell. ``zh`` and ``en`` say why."""

    state: State
    latency_ms: float | None = None
    checked: datetime | None = None
    since: datetime | None = None
    zh: str = ""
    en: str = ""

    def why(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True, slots=True)
class Cell:
    service: ListedService
    health: Shown


@dataclass(frozen=True, slots=True)
class Column:
    """``label``: the WSDL service's name, by which cells are found; ``zh`` for people."""

    label: str
    zh: str


@dataclass(frozen=True, slots=True)
class Row:
    """``cells`` by column, None where the hospital does not offer the service; ``others`` are
    those that have no column."""

    hospital: ListedHospital
    cells: tuple[Cell | None, ...]
    others: tuple[Cell, ...]


def columns_of(listing: Listing) -> tuple[Column, ...]:
    """Ours first, as the catalogue has them, then the most frequent ones of others."""
    places: dict[str, list[Offered]] = {}
    for one in listing.offered():
        places.setdefault(one.label, []).append(one)
    ours = [name for name in (*CONTRACTS, his_service.NAME) if name in places]
    others = sorted(
        (-sum(one.count for one in those), label)
        for label, those in places.items()
        if label not in ours
    )
    labels = (*ours, *(label for _, label in others))[:MOST_COLUMNS]
    known = {name: contract.contract_zh for name, contract in CONTRACTS.items()}
    known[his_service.NAME] = his_service.ZH.partition("（")[0]
    named = listing.named([places[label][0] for label in labels if label not in known])
    known |= {label: zh for (label, _), (zh, _) in named.items()}
    return tuple(Column(label, known[label]) for label in labels)


def rows_of(
    hospitals: Sequence[ListedHospital], columns: Sequence[Column], book: HealthBook
) -> tuple[Row, ...]:
    health = health_of(hospitals, book)
    labels = [column.label for column in columns]
    rows = []
    for hospital in hospitals:
        cells = {
            label: Cell(service, health[service.key]) for label, service in hospital.by_name.items()
        }
        shown = {id(cells[label].service) for label in labels if label in cells}
        others = tuple(
            Cell(service, health[service.key])
            for service in hospital.services
            if id(service) not in shown
        )
        rows.append(Row(hospital, tuple(cells.get(label) for label in labels), others))
    return tuple(rows)


def health_of(hospitals: Sequence[ListedHospital], book: HealthBook) -> dict[str, Shown]:
    """By service key."""
    services = [service for hospital in hospitals for service in hospital.services]
    found = book.of([key for one in services for key in (*one.outside, *one.inside)])
    return {service.key: service_health(service, found) for service in services}


def service_health(service: ListedService, found: Mapping[str, BindingHealth]) -> Shown:
    """Of its bindings that are probed the worst: a node that answers and a gateway that does not
    are of no use to a caller, and the other way round."""
    worst: BindingHealth | None = None
    for key in (*service.outside, *service.inside):
        one = found.get(key)
        if one is None or (one.state == "unknown" and one.checked is None):
            continue
        if worst is None or _SEVERITY[one.state] > _SEVERITY[worst.state]:
            worst = one
    if worst is None:
        return Shown("unknown")
    return Shown(worst.state, worst.latency_ms, worst.checked, worst.since, worst.zh, worst.en)
