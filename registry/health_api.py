"""``GET /health/bindings``: what is known of bindings' health; ``/health/history``: its history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.errors import UddiError
from registry.health import BindingHealth, HealthBook
from registry.json_api import answered, answering, in_thread, number_of
from registry.keys import fold

_MOST_KEYS = 1000


def routes() -> list[Route]:
    return [
        Route("/health/bindings", bindings, methods=["GET"]),
        Route("/health/history", history, methods=["GET"]),
    ]


@answering
async def bindings(request: Request) -> Response:
    """``?key=`` (several): these bindings; without: all that were ever probed, and
    ``?state=critical``: those of them in that state."""
    book: HealthBook = request.app.state.health
    keys = [fold(key) for key in request.query_params.getlist("key")]
    if len(keys) > _MOST_KEYS:
        raise UddiError("messageTooLarge", f"key: 1 … {_MOST_KEYS}")
    state = request.query_params.get("state")

    def found() -> list[dict[str, Any]]:
        known = book.of(keys or book.known())
        return [as_json(one) for one in known.values() if state in (None, "", one.state)]

    return answered({"bindings": await in_thread(request, found)})


@answering
async def history(request: Request) -> Response:
    """``?key=``: one binding's probes of the last ``?hours=`` (24), the oldest first."""
    key = fold(request.query_params.get("key", ""))
    hours = number_of(request, "hours", 24, 1, 24 * 31)
    since = datetime.now(UTC) - timedelta(hours=hours)
    probes = await in_thread(request, request.app.state.health.history, key, since)
    return answered(
        {
            "key": key,
            "probes": [
                {
                    "moment": probe.moment.isoformat(),
                    "ok": probe.ok,
                    "latency_ms": round(probe.latency_ms, 1),
                    "fault": probe.fault,
                }
                for probe in probes
            ],
        }
    )


def as_json(health: BindingHealth) -> dict[str, Any]:
    return {
        "key": health.binding_key,
        "state": health.state,
        "since": health.since.isoformat() if health.since else None,
        "checked": health.checked.isoformat() if health.checked else None,
        "latency_ms": None if health.latency_ms is None else round(health.latency_ms, 1),
        "zh": health.zh,
        "en": health.en,
    }
