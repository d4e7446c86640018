"""The health pages: what is wrong now, and the history of a service's bindings as charts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.web import charts
from registry.web.charts import Chart, chart
from registry.web.grid import Shown, service_health
from registry.web.listing import ListedHospital, ListedService
from registry.web.rendering import rendered
from registry.web.seams import BindingHealth, Probe
from registry.web.service import Face, here
from registry.web.site import Site, in_thread, site_of

#: problems that are listed, failures of a binding that are told, and periods in days
_MOST, _FAILURES, PERIODS = 200, 10, (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Problem:
    hospital: ListedHospital
    service: ListedService
    health: Shown


async def state(request: Request) -> Response:
    return rendered(request, "state.html", **await in_thread(request, _state, site_of(request)))


def _state(site: Site) -> dict[str, Any]:
    troubled = site.health.troubled()
    # The critical first, and the newest of them first: that is where to look.
    found = site.listing.services(troubled[:_MOST])
    listed = [found[key] for key in troubled[:_MOST] if key in found]
    book = site.health.of([key for _, one in listed for key in (*one.outside, *one.inside)])
    problems = [
        Problem(hospital, service, service_health(service, book)) for hospital, service in listed
    ]
    return {"counts": site.counts(), "problems": problems, "total": len(troubled)}


@dataclass(frozen=True, slots=True)
class History:
    face: Face
    health: BindingHealth | None
    chart: Chart
    failures: tuple[Probe, ...]


async def history(request: Request) -> Response:
    asked = request.query_params.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else 1
    values = await in_thread(request, _history, site_of(request), request.path_params["key"], days)
    return rendered(request, "history.html", **values)


def _history(site: Site, key: str, days: int) -> dict[str, Any]:
    at = here(site, key)
    until = site.now()
    since = until - timedelta(days=days)
    book = site.health.of([face.key for face in at.faces])
    histories = []
    for face in at.faces:
        probes = site.health.history(face.key, since)
        failures = tuple(probe for probe in reversed(probes) if not probe.ok)[:_FAILURES]
        drawn = chart(probes, since, until)
        histories.append(History(face, book.get(face.key), drawn, failures))
    return {
        "at": at,
        "hospital": at.hospital,
        "service": at.service,
        "histories": histories,
        "days": days,
        "periods": PERIODS,
        "size": charts,
    }
