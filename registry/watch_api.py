"""``GET /watch``: wait for changes; ``/bindings``: what gateways route by; ``/history``: who
changed what."""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.changes import change, last_index
from registry.errors import UddiError
from registry.json_api import answered, answering, in_thread, number_of
from registry.keys import fold
from registry.lived_time import epoch
from registry.reading import read
from registry.registered import hospital_key, registered_bindings
from registry.tables import entity
from registry.watch import Seen, Watch, as_json

#: seconds that a watcher may ask to wait, and waits where it does not say
LONGEST_WAIT, USUAL_WAIT = 300.0, 30.0
#: hospitals in one answer of /bindings
HOSPITALS = 200
_MOST_LINES = 1000
_WAIT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?", re.ASCII)
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}


def routes() -> list[Route]:
    return [
        Route("/watch", watch, methods=["GET"]),
        Route("/bindings", bindings, methods=["GET"]),
        Route("/history", history, methods=["GET"]),
    ]


@answering
async def watch(request: Request) -> Response:
    """``?index=N&epoch=E&wait=30s``: the changes behind N, as soon as there are any, or none when
    the time is up. ``reset``: N is of another database, or too old: read everything anew."""
    hub: Watch = request.app.state.watch
    index = number_of(request, "index", -1, 0, 10**18 - 1)
    seen = None if index < 0 else Seen(index, request.query_params.get("epoch", ""))
    wait = _seconds(request.query_params.get("wait", ""))
    # As Consul does it: up to a sixteenth more, so that those who came together part.
    wait += random.uniform(0, wait / 16)
    waiting = asyncio.create_task(hub.after(seen, wait))
    left = asyncio.create_task(_left(request))
    try:
        await asyncio.wait((waiting, left), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            return Response(status_code=400)  # nobody is there to read it
        return Response(
            await waiting, media_type="application/json", headers={"Cache-Control": "no-store"}
        )
    finally:
        for task in (waiting, left):
            task.cancel()


async def _left(request: Request) -> None:
    """Returns when the asker has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _seconds(text: str) -> float:
    if not text:
        return USUAL_WAIT
    match = _WAIT.fullmatch(text)
    if match is None:
        raise UddiError("fatalError", "wait 应如 30、30s、5m / wait: such as 30, 30s or 5m")
    return min(float(match[1]) * _UNIT[match[2]], LONGEST_WAIT)


@answering
async def bindings(request: Request) -> Response:
    """Every face of every hospital's services that is not hidden. ``?hospital=`` (several):
    these alone; ``?after=``: the next page. ``index``: what the answer is at least as new as."""
    codes = request.query_params.getlist("hospital")
    if len(codes) > HOSPITALS:
        raise UddiError("messageTooLarge", f"hospital: 1 … {HOSPITALS}")
    after = fold(request.query_params.get("after", ""))
    return answered(await in_thread(request, _bindings, request, codes, after))


def _bindings(request: Request, codes: list[str], after: str) -> dict[str, Any]:
    first = hospital_key("")
    with request.app.state.store.engine.connect() as connection:
        # The number before the content: what changes meanwhile is told again, never missed.
        known = {"epoch": epoch(connection), "index": last_index(connection)}
        query = select(entity.c.key).where(entity.c.kind == "business").order_by(entity.c.key)
        if codes:
            query = query.where(entity.c.key.in_([hospital_key(code) for code in codes]))
        else:
            query = query.where(entity.c.key > (after or first), entity.c.key < f"{first}\x7f")
        keys = list(connection.execute(query.limit(HOSPITALS)).scalars())
        found = registered_bindings(read(connection, "business", keys, 2, hidden=False))
    more = not codes and len(keys) == HOSPITALS
    return {**known, "next": keys[-1] if more else None, "bindings": [asdict(b) for b in found]}


@answering
async def history(request: Request) -> Response:
    """The change log, the newest first: ``?key=`` of one entity, ``?publisher=``, ``?before=`` a
    number to go back further from, ``?limit=``."""
    limit = number_of(request, "limit", 100, 1, _MOST_LINES)
    before = number_of(request, "before", 10**18 - 1, 1, 10**18 - 1)
    key, publisher = request.query_params.get("key"), request.query_params.get("publisher")
    query = select(change).where(change.c.index < before)
    if key:
        query = query.where(change.c.key == fold(key))
    if publisher:
        query = query.where(change.c.publisher == publisher)
    query = query.order_by(change.c.index.desc()).limit(limit)

    def lines() -> list[dict[str, object]]:
        with request.app.state.store.engine.connect() as connection:
            rows = connection.execute(query).all()
        return [as_json(row) for row in rows]

    return answered({"changes": await in_thread(request, lines)})
