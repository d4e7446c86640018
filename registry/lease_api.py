"""``POST /lease``: a node renews what it has published; ``GET /leases``: how the leases stand."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.config import Publisher
from registry.errors import UddiError
from registry.json_api import answered, answering, in_thread, json_of, publisher_of
from registry.keys import fold
from registry.leases import Lease, Leases
from registry.lived_time import epoch

#: keys in one call: a node has some ten, and this is a bound for mistakes
MOST_KEYS = 1000
_MOST_BYTES = 512 * 1024


def routes() -> list[Route]:
    return [
        Route("/lease", renew, methods=["POST"]),
        Route("/leases", leases, methods=["GET"]),
    ]


@answering
async def renew(request: Request) -> Response:
    """``{"renew": [keys], "release": [keys]}``, either may be missing. The answer says how long
    the leases last, and ``unknown``: keys that are not there, to be published again."""
    publisher = await publisher_of(request)
    asked = await json_of(request, _MOST_BYTES)
    wanted, given_up = _keys(asked, "renew"), _keys(asked, "release")
    return answered(await in_thread(request, _renewed, request, publisher, wanted, given_up))


def _renewed(
    request: Request, publisher: Publisher, wanted: list[str], given_up: list[str]
) -> dict[str, Any]:
    book: Leases = request.app.state.leases
    renewal = book.renew(publisher.user, wanted)
    if given_up:
        book.release(publisher.user, given_up)
    with request.app.state.store.engine.connect() as connection:
        word = epoch(connection)
    return {
        "epoch": word,
        "seconds": book.seconds,
        "renewed": list(renewal.renewed),
        "revived": list(renewal.revived),
        "unknown": list(renewal.unknown),
    }


@answering
async def leases(request: Request) -> Response:
    """``?key=`` (several): those entities' leases; without: all hidden ones' keys."""
    book: Leases = request.app.state.leases
    keys = [fold(key) for key in request.query_params.getlist("key")]
    if len(keys) > MOST_KEYS:
        raise UddiError("messageTooLarge", f"key: 1 … {MOST_KEYS}")
    if not keys:
        return answered({"hidden": await in_thread(request, book.hidden)})
    found = await in_thread(request, book.of, keys)
    return answered({"leases": {key: as_json(one) for key, one in found.items()}})


def as_json(lease: Lease) -> dict[str, Any]:
    return {
        "state": lease.state,
        "renewed": lease.renewed.isoformat() if lease.renewed else None,
        "expires": lease.expires.isoformat() if lease.expires else None,
    }


def _keys(asked: dict[str, Any], name: str) -> list[str]:
    found = asked.get(name, [])
    if not isinstance(found, list) or not all(isinstance(key, str) for key in found):
        raise UddiError("fatalError", f"{name} 应是键的列表 / {name} must be a list of keys")
    if len(found) > MOST_KEYS:
        raise UddiError(
            "messageTooLarge", f"一次最多 {MOST_KEYS} 个键 / at most {MOST_KEYS} keys a call"
        )
    return [fold(key) for key in found]
