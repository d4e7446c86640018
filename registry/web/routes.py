"""The pages' addresses. Nothing is changed by a GET."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from registry.web import changes, overview, service, state, trying
from registry.web.site import View, guarded


class _Static(StaticFiles):
    """Files beside the pages: asked for again only by their ETag, never taken for another type."""

    def file_response(self, *given: Any, **more: Any) -> Response:
        response = super().file_response(*given, **more)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-cache"
        return response


_STATIC = Path(__file__).parent / "static"


def routes() -> list[BaseRoute]:
    """What a browser asks for. The app's state must have a ``Site`` as ``site``."""
    return [
        _get("/", overview.overview),
        _get("/search", overview.search),
        _get("/hospital/{key:path}", overview.hospital),
        _get("/service/{key:path}", service.service),
        _get("/wsdl/{key:path}", service.wsdl_page),
        _get("/try/{key:path}", trying.form),
        _post("/try/{key:path}", trying.send),
        _get("/tried/{name}", trying.tried),
        _post("/tried/{name}/delete", trying.drop),
        _get("/state", state.state),
        _get("/state/{key:path}", state.history),
        _get("/changes", changes.changes),
        Mount("/static", _Static(directory=_STATIC)),
    ]


def _get(path: str, view: View) -> Route:
    return Route(path, guarded(view), methods=["GET"])


def _post(path: str, view: View) -> Route:
    return Route(path, guarded(view), methods=["POST"])
