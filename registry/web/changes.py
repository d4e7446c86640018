"""The history of changes: who saved or deleted what, and when, from the registry's own log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from registry.changes import Change
from registry.web.listing import ListedHospital, ListedService
from registry.web.rendering import rendered
from registry.web.site import Site, in_thread, site_of
from services.soap.values import LOCAL

#: lines of the log on a page, and the most that the log is asked for to fill it
_PER_PAGE = 300
_RANK = {"business": 0, "service": 1, "tmodel": 2, "binding": 3}


@dataclass(frozen=True, slots=True)
class Group:
    """What one publisher did to one kind of thing at one moment: ``first`` stands for all
    ``count``. ``title`` and ``path``: the name and the page of what still stands."""

    first: Change
    last_index: int
    at: datetime
    count: int
    title: str
    path: tuple[str, str]


async def changes(request: Request) -> Response:
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else 0
    values = await in_thread(request, _changes, site_of(request), before)
    return rendered(request, "changes.html", **values)


def _changes(site: Site, before: int) -> dict[str, Any]:
    first, last = site.store.first_change(), site.store.last_index()
    end = min(before - 1, last) if before else last
    start = max(end - _PER_PAGE, 0)
    lines = [one for one in site.store.changes(start, _PER_PAGE) if one.index <= end]
    groups = _grouped(lines)
    services = site.listing.services([_service_of(_first(one)) for one in groups])
    return {
        "groups": [_shown(site, group, services) for group in groups][::-1],
        "older": start + 1 if first is not None and first.index <= start else 0,
        "paged": bool(before),
    }


def _grouped(lines: list[Change]) -> list[list[Change]]:
    """A node publishes all its entries at once: they are one row, by publisher and transaction."""
    groups: list[list[Change]] = []
    for line in lines:
        last = groups[-1][0] if groups else None
        same = last is not None and (last.publisher, last.moment, last.action) == (
            line.publisher,
            line.moment,
            line.action,
        )
        if same:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _first(group: list[Change]) -> Change:
    return min(group, key=lambda one: _RANK.get(one.kind, 9))


def _service_of(line: Change) -> str:
    """The key of the service that it is, or is in; "" where that is none."""
    return {"service": line.key, "binding": line.parent_key or ""}.get(line.kind, "")


def _shown(
    site: Site, group: list[Change], services: Mapping[str, tuple[ListedHospital, ListedService]]
) -> Group:
    first = _first(group)
    title, path = "", ("", "")
    if first.kind == "business":
        hospital = site.listing.name(first.key)
        if hospital is not None:
            title, path = hospital.zh or hospital.en, ("hospital", first.key)
    elif _service_of(first) in services:
        of, service = services[_service_of(first)]
        title = f"{of.zh or of.en} · {service.label}"
        path = ("service", service.key)
    at = datetime.fromtimestamp(first.moment / 1000, LOCAL)
    return Group(first, max(one.index for one in group), at, len(group), title, path)
