"""The overview, the search and a hospital's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from registry.registered import face_of, wsdl_url
from registry.web.grid import columns_of, health_of, rows_of
from registry.web.listing import ListedHospital
from registry.web.rendering import SECURITY_HEADERS, language, rendered, to
from registry.web.seams import Lease
from registry.web.seek import LONGEST, Found, Hit, Place, matching, words_of
from registry.web.site import Missing, Site, in_thread, site_of

PER_PAGE = 40
#: answers to what is typed, and on the page of results
QUICK, FULL = 6, 50


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the registry is to be seen."""

    query: str = ""
    letter: str = ""
    service: str = ""
    problems: bool = False
    page: int = 1

    def parameters(self) -> dict[str, str | int]:
        return {
            "q": self.query,
            "letter": self.letter,
            "service": self.service,
            "only": "problems" if self.problems else "",
        }


def filters_of(request: Request) -> Filters:
    """A value that makes no sense is taken as missing."""
    given = request.query_params
    number = given.get("page", "")
    # int() takes more than ASCII digits, and 1000 digits too.
    sane = number.isascii() and number.isdigit() and len(number) < 7
    letter = given.get("letter", "").upper()
    return Filters(
        given.get("q", "").strip()[:LONGEST],
        letter if len(letter) == 1 and (letter == "#" or "A" <= letter <= "Z") else "",
        given.get("service", "")[:255],
        given.get("only") == "problems",
        max(int(number), 1) if sane else 1,
    )


async def overview(request: Request) -> Response:
    filters = filters_of(request)
    values = await in_thread(request, _overview, site_of(request), filters)
    return rendered(request, "overview.html", **values)


def _overview(site: Site, filters: Filters) -> dict[str, Any]:
    everything = site.listing.names()
    columns = columns_of(site.listing)
    found = site.index().seek(filters.query, FULL) if filters.query else None
    chosen = matching(everything, words_of(filters.query)) if found else list(everything)
    if filters.service:
        offering = site.listing.offering(filters.service)
        chosen = [one for one in chosen if one.key in offering]
    if filters.problems:
        troubled = site.listing.hospitals_of(site.health.troubled())
        chosen = [one for one in chosen if one.key in troubled]
    letters = Counter(one.letter for one in chosen)
    if filters.letter:
        chosen = [one for one in chosen if one.letter == filters.letter]
    pages = max(-(-len(chosen) // PER_PAGE), 1)
    number = min(filters.page, pages)
    keys = [one.key for one in chosen[(number - 1) * PER_PAGE : number * PER_PAGE]]
    shown = site.listing.hospitals(keys)
    return {
        "q": filters.query,
        "filters": filters,
        "empty": not everything,
        "columns": columns,
        "rows": rows_of(shown, columns, site.health),
        "leases": leases_of(site, shown),
        "total": len(chosen),
        "hospital_total": len(everything),
        "counts": site.counts(),
        "letters": sorted(letters.items(), key=lambda pair: (pair[0] == "#", pair[0])),
        "number": number,
        "pages": pages,
        "found": found,
        "place_of": place_of,
    }


_WORSE = ("none", "alive", "expired", "hidden")


def leases_of(site: Site, hospitals: Sequence[ListedHospital]) -> dict[str, Lease]:
    """By hospital's key the worst lease of what it has: a node renews its services' leases."""
    keys = {one.key: [one.key, *(s.key for s in one.services)] for one in hospitals}
    found = site.leases.of([key for inside in keys.values() for key in inside])
    worst: dict[str, Lease] = {}
    for key, inside in keys.items():
        held = [found[one] for one in inside if one in found]
        if held:
            worst[key] = max(held, key=lambda lease: _WORSE.index(lease.state))
    return worst


def place_of(hit: Hit, place: Place) -> str:
    """Where at that hospital the entry is to be read."""
    anchor = f"#op-{quote(hit.entry.operation)}" if hit.entry.operation else ""
    return to("service", place.service_key) + anchor


async def search(request: Request) -> Response:
    """What is typed so far, answered as JSON: {"hospitals": [...], "entries": [...]}."""
    query = request.query_params.get("q", "")
    found = await in_thread(request, lambda: site_of(request).index().seek(query, QUICK))
    return JSONResponse(_quick(found, language(request)), headers=SECURITY_HEADERS)


def _quick(found: Found, lang: str) -> dict[str, Any]:
    hospitals = [
        {
            "title": one.title(lang),
            "about": " · ".join(filter(None, (one.code, one.other(lang)))),
            "href": to("hospital", one.key),
        }
        for one in found.hospitals
    ]
    entries = [
        {
            "kind": hit.entry.kind,
            "title": hit.entry.name,
            "about": hit.entry.zh if lang == "zh" else hit.entry.en or hit.entry.zh,
            "within": " · ".join(dict.fromkeys(filter(None, _within(hit)))),
            "hospital": hit.places[0].hospital.title(lang),
            "total": hit.total,
            "href": place_of(hit, hit.places[0]),
        }
        for hit in found.entries
    ]
    return {
        "hospitals": hospitals,
        "hospital_total": found.hospital_total,
        "entries": entries,
        "entry_total": found.entry_total,
    }


def _within(hit: Hit) -> tuple[str, ...]:
    if hit.entry.kind == "service":
        return ()
    return (hit.entry.service, hit.entry.operation if hit.entry.kind == "field" else "")


async def hospital(request: Request) -> Response:
    values = await in_thread(request, _hospital, site_of(request), request.path_params["key"])
    return rendered(request, "hospital.html", **values)


def _hospital(site: Site, key: str) -> dict[str, Any]:
    listed = site.listing.hospital(key)
    if listed is None:
        raise Missing(key)
    business = site.store.businesses([key])[0]
    info = site.store.operational_infos([key])[0]
    health = health_of([listed], site.health)
    faces = {
        service.key: [
            (face_of(binding), binding.access_point.value, wsdl_url(binding))
            for binding in service.bindings
            if binding.access_point is not None
        ]
        for service in business.services
    }
    return {
        "hospital": listed,
        "descriptions": [one.value for one in business.descriptions],
        "health": health,
        "faces": faces,
        "lease": leases_of(site, [listed]).get(key),
        "info": info,
    }
