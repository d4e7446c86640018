"""A service's page, and its WSDL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from registry.model import BusinessService
from registry.registered import face_of, wsdl_url
from registry.uddi.soap import EnvelopeError, parse_xml
from registry.web.contracts import (
    all_versions_of,
    documentation_of,
    generated_wsdl,
    versions_of,
)
from registry.web.grid import service_health
from registry.web.listing import ListedHospital, ListedService
from registry.web.parts import Documentation, Told
from registry.web.recipes import recipes
from registry.web.recipes.given import Service
from registry.web.rendering import SECURITY_HEADERS, rendered, wsdl_of
from registry.web.seams import Compare, Version
from registry.web.seek import Place
from registry.web.site import Missing, Site, in_thread, site_of
from registry.web.words.faults import FAULTS
from registry.web.xml_shown import shown
from services import faults
from services.soap.wsdl_diff import Comparison, NotWsdl

#: other hospitals with the same service that are linked
_ELSEWHERE = 30

_SOAP_ADDRESS = "{http://schemas.xmlsoap.org/wsdl/soap/}address"


@dataclass(frozen=True, slots=True)
class Face:
    """One binding, for show."""

    kind: str
    key: str
    address: str
    wsdl: str


@dataclass(frozen=True, slots=True)
class Here:
    """A service and all that a page about it begins with. ``address`` is what callers bind to:
    outside, where there is an outside."""

    hospital: ListedHospital
    service: ListedService
    faces: tuple[Face, ...]
    documentation: Documentation | None

    @property
    def bound(self) -> Face | None:
        outside = [one for one in self.faces if one.kind == "outside"]
        return next(iter((*outside, *self.faces)), None)

    @property
    def address(self) -> str:
        return self.bound.address if self.bound else ""


def here(site: Site, key: str) -> Here:
    """Missing: the registry has no such service."""
    found = site.listing.service(key)
    if found is None:
        raise Missing(key)
    hospital, service = found
    stored: BusinessService = site.store.services([key])[0]
    faces = tuple(
        Face(
            face_of(binding),
            binding.key,
            binding.access_point.value,
            wsdl_of(face_of(binding), binding.access_point.value, wsdl_url(binding)),
        )
        for binding in stored.bindings
        if binding.access_point is not None
    )
    return Here(hospital, service, faces, documentation_of(service, site.versions))


async def service(request: Request) -> Response:
    wanted = request.query_params.get("operation", "")
    values = await in_thread(
        request, _service, site_of(request), request.path_params["key"], wanted
    )
    return rendered(request, "service.html", **values)


def _service(site: Site, key: str, wanted: str) -> dict[str, Any]:
    at = here(site, key)
    operation = _chosen(at.documentation, wanted)
    book = site.health.of([face.key for face in at.faces])
    return {
        "at": at,
        "hospital": at.hospital,
        "service": at.service,
        "documentation": at.documentation,
        "book": book,
        "health": service_health(at.service, book),
        "elsewhere": _elsewhere(site, at),
        "operation": operation,
        "recipes": _recipes(at, operation),
        "versions": _differences(all_versions_of(at.service, site.versions), site.compare),
        "faults": _fault_rows(),
        "lease": site.leases.of([key]).get(key),
        "try_enabled": site.trying.enabled,
    }


def _chosen(documentation: Documentation | None, wanted: str) -> Told | None:
    if documentation is None:
        return None
    named = [one for one in documentation.operations if one.name == wanted and one.callable]
    return named[0] if named else documentation.usual


def _recipes(at: Here, operation: Told | None) -> list[Any]:
    if operation is None or at.bound is None or not at.bound.wsdl:
        return []
    named = Service(at.service.label, at.service.namespace, at.address, at.bound.wsdl)
    return recipes(named, operation)


def _elsewhere(site: Site, at: Here) -> list[Place]:
    offering = site.listing.offering(at.service.label)
    others = (one for one in site.listing.names() if one.key in offering)
    found = (Place(one, offering[one.key][1]) for one in others if one.key != at.hospital.key)
    return list(islice(found, _ELSEWHERE))


def _fault_rows() -> list[tuple[str, int, tuple[str, str, str, str]]]:
    return [(code, getattr(faults, code).legacy_code, words) for code, words in FAULTS.items()]


@dataclass(frozen=True, slots=True)
class Difference:
    """A kept version and how it differs from the one before; ``problem`` where that could not be
    found out."""

    version: Version
    comparison: Comparison | None
    problem: str = ""


def _differences(versions: Sequence[Version], compare: Compare | None) -> list[Difference]:
    """The newest first."""
    found: list[Difference] = []
    for number, version in enumerate(versions):
        if number == 0 or compare is None:
            found.append(Difference(version, None))
            continue
        try:
            compared = compare(versions[number - 1].wsdl, version.wsdl)
        except NotWsdl as error:
            found.append(Difference(version, None, str(error)))
        else:
            found.append(Difference(version, compared))
    return found[::-1]


# --- the WSDL ------------------------------------------------------------------------------------


async def wsdl_page(request: Request) -> Response:
    """The WSDL to read; as a file with ``?download``."""
    key = request.path_params["key"]
    at, document, origin = await in_thread(request, _wsdl, site_of(request), key)
    if document is None:
        return rendered(request, "message.html", 404, heading="no_wsdl", hint="no_wsdl_hint")
    if "download" in request.query_params:
        name = "".join(c for c in at.service.label if c.isascii() and (c.isalnum() or c in "-_"))
        headers = {"Content-Disposition": f'attachment; filename="{name or "service"}.wsdl"'}
        return Response(document, 200, {**SECURITY_HEADERS, **headers}, media_type="text/xml")
    pieces = shown(document)
    count = sum(piece.text.count("\n") for piece in pieces) + 1
    return rendered(
        request, "wsdl.html", at=at, hospital=at.hospital, service=at.service, pieces=pieces,
        count=count, origin=origin,
    )  # fmt: skip


def _wsdl(site: Site, key: str) -> tuple[Here, bytes | None, str]:
    at = here(site, key)
    kept = versions_of(at.service, site.versions)
    if kept:
        return at, _with_address(kept[-1].wsdl, at.address), "wsdl_of_kept"
    return at, generated_wsdl(at.service, at.address), "wsdl_of_generated"


def _with_address(document: bytes, address: str) -> bytes:
    """The document with this service's address: it was kept as its first publisher sent it."""
    try:
        root = parse_xml(document)
    except EnvelopeError:
        return document
    for element in root.iter(_SOAP_ADDRESS):
        element.set("location", address)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")
