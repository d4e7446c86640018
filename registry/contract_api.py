"""``/contracts``: the WSDLs that were published, by service and version; a node sends its own."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.errors import UddiError
from registry.json_api import (
    answered,
    answering,
    body_of,
    in_thread,
    number_of,
    publisher_of,
)
from registry.keys import fold
from registry.uddi.wsdl_mapping import read_names
from registry.versions import Breaks, Version, Versions
from services.soap.wsdl_diff import Change, NotWsdl, compare

log = structlog.get_logger("registry")

#: bytes; the largest of ours has 60,000
LARGEST_WSDL = 2 * 1024 * 1024


def routes() -> list[Route]:
    return [
        Route("/contracts", every, methods=["GET"]),
        Route("/contracts/{service}", versions, methods=["GET"]),
        Route("/contracts/{service}/diff", differences, methods=["GET"]),
        Route("/contracts/{service}/{number:int}", document, methods=["GET"]),
        Route("/contracts/{hospital}/{service}", publish, methods=["PUT"]),
    ]


@answering
async def publish(request: Request) -> Response:
    """The body is the WSDL. 409 with ``breaks``, a list, where it breaks a published version."""
    publisher = await publisher_of(request)
    hospital, service = request.path_params["hospital"], request.path_params["service"]
    if not publisher.may_speak_for(hospital):
        raise UddiError(
            "valueNotAllowed",
            f"发布者 {publisher.user} 不能代表医院 {hospital} / publisher {publisher.user} may not "
            f"publish for hospital {hospital}",
        )
    wsdl = await body_of(request, LARGEST_WSDL)
    book: Versions = request.app.state.versions
    try:
        if fold(read_names(wsdl).service) != fold(service):
            raise NotWsdl(f"WSDL 描述的不是 {service} / the WSDL does not describe {service}")
        version, new = await in_thread(request, book.publish, publisher.user, hospital, wsdl)
    except NotWsdl as error:
        raise UddiError("fatalError", str(error)) from error
    except Breaks as error:
        lines = [_line(change) for change in error.changes]
        log.warning(
            "contract refused", service=service, hospital=hospital, publisher=publisher.user,
            breaks=len(lines),
        )  # fmt: skip
        body = {"error": {"code": "contractBreaks", "message": error.message, "breaks": lines}}
        return answered(body, 409)
    if new:
        log.info("contract published", service=service, version=version.id, hospital=hospital,
                 publisher=publisher.user)  # fmt: skip
    return answered({"new": new, **_as_json(version)}, 201 if new else 200)


@answering
async def every(request: Request) -> Response:
    """The names of all services that have a version."""
    return answered({"services": await in_thread(request, request.app.state.versions.services)})


@answering
async def versions(request: Request) -> Response:
    """A service's versions, the oldest first, and which hospital has which."""
    service = request.path_params["service"]
    book: Versions = request.app.state.versions
    found = await in_thread(request, book.of, service)
    if not found:
        raise _unknown(service)
    used = await in_thread(request, book.in_use, service)
    hospitals: dict[int, list[str]] = {}
    for one in used:
        hospitals.setdefault(one.version_id, []).append(one.hospital)
    return answered(
        {
            "service": found[0].service,
            "versions": [
                {**_as_json(version), "hospitals": hospitals.get(version.id, [])}
                for version in found
            ],
        }
    )


@answering
async def document(request: Request) -> Response:
    """A version's WSDL, as its first publisher sent it."""
    version = await _version(request, request.path_params["number"])
    return Response(version.wsdl, media_type="text/xml")


@answering
async def differences(request: Request) -> Response:
    """``?old=1&new=2``: what breaks, and what does not, between two versions."""
    old = await _version(request, number_of(request, "old", 0, 1, 10**12))
    new = await _version(request, number_of(request, "new", 0, 1, 10**12))
    found = await in_thread(request, compare, old.wsdl, new.wsdl)
    return answered(
        {
            "breaking": [_change(change) for change in found.breaking],
            "compatible": [_change(change) for change in found.compatible],
        }
    )


async def _version(request: Request, number: int) -> Version:
    service = request.path_params["service"]
    for version in await in_thread(request, request.app.state.versions.of, service):
        if version.id == number:
            found: Version = version
            return found
    raise _unknown(f"{service}/{number}")


def _unknown(what: str) -> UddiError:
    return UddiError("invalidKeyPassed", f"没有这个契约 / no such contract: {what}")


def _as_json(version: Version) -> dict[str, Any]:
    return {
        "version": version.id,
        "namespace": version.namespace,
        "published": version.published.isoformat(),
        "publisher": version.publisher,
    }


def _change(change: Change) -> dict[str, str]:
    return {"where": change.where, "zh": change.zh, "en": change.en}


def _line(change: Change) -> str:
    return f"{change.where}：{change.zh} / {change.en}"
