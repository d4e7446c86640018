"""What the pages share: the store, what it lists, health, and a thread to ask them in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from registry.config import TrySettings
from registry.errors import UddiError
from registry.failures import described
from registry.store import Store
from registry.web.csrf import Csrf
from registry.web.listing import Listing
from registry.web.rendering import rendered
from registry.web.seams import Compare, HealthBook, Leases, Nothing, State, Versions
from registry.web.seek import Index
from registry.web.tried import KeptCalls

T = TypeVar("T")
View = Callable[[Request], Awaitable[Response]]

log = structlog.get_logger("registry")


@dataclass
class Site:
    """``public_url``: how others reach this registry, "" where that is as they asked."""

    store: Store
    limiter: CapacityLimiter
    public_url: str = ""
    health: HealthBook = field(default_factory=Nothing)
    leases: Leases = field(default_factory=Nothing)
    versions: Versions = field(default_factory=Nothing)
    compare: Compare | None = None
    trying: TrySettings = field(default_factory=TrySettings)

    def __post_init__(self) -> None:
        self.listing = Listing(self.store)
        self.calls = KeptCalls(self.trying.keep_minutes * 60, self.trying.keep)
        self.calls_under_way = 0
        self.csrf = Csrf()
        # Of their own: a call that takes half a minute must not keep the database's waiting.
        self._calling = CapacityLimiter(self.trying.at_once)
        self._index: Index | None = None
        self._counts: Counter[State] = Counter()
        self._counts_until = 0.0

    def index(self) -> Index:
        """The search over the present state."""
        names, offered = self.listing.names(), self.listing.offered()
        index = self._index
        if index is None or index.names is not names or index.offered is not offered:
            # Two threads may both make one; either will do.
            index = self._index = Index(self.listing, names, offered)
        return index

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def call_in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """One of the calls that the console sends."""
        return await to_thread.run_sync(partial(function, *arguments), limiter=self._calling)

    def counts(self) -> Counter[State]:
        """How many services are in each state; where there are many, some seconds old: counting
        them may take a twentieth of the time."""
        started = time.monotonic()
        if started >= self._counts_until:
            counts = Counter(self.health.services())
            # What was never probed, and what is not to be.
            rest = self.listing.service_count() - counts.total()
            counts["unknown"] += max(rest, 0)
            self._counts = counts
            cost = time.monotonic() - started
            self._counts_until = started + max(1.0, 20 * cost)
        return self._counts


class Missing(Exception):
    """There is no such entity: answered by a page that says so, with 404."""


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def in_thread(request: Request, function: Callable[..., T], *arguments: Any) -> T:
    """``function`` in a thread, of which there are as many as the database has connections."""
    return await to_thread.run_sync(partial(function, *arguments), limiter=site_of(request).limiter)


def guarded(view: View) -> View:
    """The view, with a page of words for what is not there and for a database that is away."""

    async def answer(request: Request) -> Response:
        try:
            return await view(request)
        except Missing:
            return missing(request)
        except UddiError as error:
            if error.code != "invalidKeyPassed":
                raise
            return missing(request)
        except SQLAlchemyError as error:
            log.error("page without database", path=request.url.path, error=described(error))
            return rendered(request, "message.html", 503, heading="busy", hint="busy_hint")

    return answer


def missing(request: Request) -> Response:
    return rendered(request, "message.html", 404, heading="not_found", hint="not_found_hint")
