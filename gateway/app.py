"""The gateway put together: calls over AskerProtocol, /health and a page with the routes."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from gateway.admission.steps import Admission, Remembered
from gateway.audit.trail import Trail
from gateway.balance import Balance
from gateway.call import CallPath
from gateway.connections import Connections
from gateway.counters import Counters
from gateway.forward import Forwarder
from gateway.gates import Gates, ThroughGates
from gateway.generation import Generation
from gateway.log import Log, json_log
from gateway.loop import via
from gateway.pages import Pages
from gateway.protocol import AskerProtocol, Plane, protocol_of
from gateway.reload import OnSignal, Reread, needs_restart, own_origins
from gateway.routes import FindBindings, Routes
from gateway.tls import Certificates
from gateway.turned_away import TurnedAway
from gateway.upstream import KeptConnections
from gateway.ways import Ways
from gateway_config.model import Forward, GatewayConfig, Tls


class Gateway:
    """One worker's gateway. ``app`` answers the pages, and all background work begins and ends
    with its lifespan; ``protocol`` is what uvicorn takes as ``http=`` and what brings the calls.

    ``find_bindings`` asks the registry for all inside bindings; it may block (it runs in a thread
    of its own) and may raise whatever it likes. ``log``: JSON lines on standard output by
    default. ``reread`` gives the configuration anew at SIGHUP; see gateway/reload.py. ``worker``
    numbers the processes of one gateway, from 0. ``more_pages`` are answered beside /health;
    ``counters`` is what the gateway counts in, for a page that shows it; ``beside`` is entered
    while it serves."""

    def __init__(
        self,
        config: GatewayConfig,
        find_bindings: FindBindings,
        *,
        log: Log | None = None,
        make_forwarder: Callable[[Forward], Forwarder] | None = None,
        reread: Reread | None = None,
        worker: int = 0,
        counters: Counters | None = None,
        more_pages: Sequence[Route] = (),
        beside: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
    ) -> None:
        self._config = config
        self._log = log or json_log()
        self._make_forwarder = make_forwarder
        self._counters = counters or Counters()
        self._remembered = Remembered(config)
        audit = config.audit
        stream = f"-{config.listen.port}" + (f"-{worker}" if worker else "")
        self._trail = Trail(audit, audit.name + stream, self._log) if audit else None
        self._routes = Routes(
            find_bindings,
            config.registry,
            self._log,
            own_origins=own_origins(config),
            gates=Gates(config.hospitals),
        )
        pages = [Route("/health", self.health), Route("/", self.page), *more_pages]
        self.app = Starlette(routes=pages, lifespan=self.lifespan)
        self._worker = worker
        self._beside = beside
        self._turned_away = TurnedAway(self._counters, self._log, self._trail)
        self.connections = Connections(config, self._turned_away)
        tls = _shown(config)
        #: what the TLS listeners show; None where there are none
        self.certificates = Certificates(tls, self._log) if tls is not None else None
        self._plane = Plane(
            self.connections,
            Pages(self.app, [page.path for page in pages], config),
        )
        self.protocol: type[AskerProtocol] = protocol_of(self._plane)
        self._opened: Ways | None = None
        self._generation: Generation | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._reload = OnSignal(reread, self.reload, self._log)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        straight = self._straight(self._config)
        ways = self._opened = await Ways.open(
            self._config,
            straight,
            self._log,
            self._turned_away,
            certificates=self.certificates,
            worker=self._worker,
        )
        self._generation = self._made(self._config, ways)
        self._plane.path = self._generation.path
        try:
            if self._trail is not None:
                await self._trail.start()
            await self._routes.start()
            if self.certificates is not None:
                self.certificates.start()
            with self._reload:
                async with self._beside():
                    yield
        finally:
            if self.certificates is not None:
                await self.certificates.stop()
            await self._routes.stop()
            for task in self._retiring:
                task.cancel()
            await asyncio.gather(*self._retiring, return_exceptions=True)
            self._plane.path = None
            await self._generation.close()
            await ways.close()
            self._turned_away.close()
            if self._trail is not None:
                await self._trail.stop()
            self._remembered.close()

    def reload(self, config: GatewayConfig, find_bindings: FindBindings) -> tuple[str, ...]:
        """Go by another configuration from the next call on; on the event loop. Calls under way
        end by the old one. Returns the keys that have changed and count after a restart only;
        raises, and changes nothing, where the new one is no use."""
        old, opened = self._generation, self._opened
        if old is None or opened is None:
            raise RuntimeError("the application's lifespan has not begun")
        tls = _shown(config)
        if self.certificates is not None and tls is not None:
            self.certificates.take(tls)
        ways = opened.over(config, self._straight(config))
        new = self._made(config, ways, needs_restart(self._config, config))
        self._routes.reconfigure(
            find_bindings,
            config.registry,
            own_origins=own_origins(config),
            gates=Gates(config.hospitals),
        )
        self.connections.take(config)
        self._plane.pages.take(config)
        opened.take(config)
        self._generation = new
        self._plane.path = new.path
        task = asyncio.get_running_loop().create_task(self._retire(old), name="gateway retire")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        return new.needs_restart

    async def _retire(self, old: Generation) -> None:
        try:
            await old.path.ended()
        finally:
            await old.close()

    def _made(self, config: GatewayConfig, ways: Ways, restart: tuple[str, ...] = ()) -> Generation:
        balance = Balance(
            ways,
            config.forward,
            self._log,
            unprobed=frozenset(
                code for code, one in config.hospitals.items() if one.mode in ("reverse", "ferry")
            ),
        )
        admission = Admission(config, self._remembered)
        path = CallPath(
            config, admission, self._routes, balance, self._counters, self._log, self._trail
        )
        return Generation(config, path, ways, balance, admission, restart)

    def _straight(self, config: GatewayConfig) -> Forwarder:
        settings, gates = config.forward, Gates(config.hospitals)
        if self._make_forwarder is not None:
            return ThroughGates(self._make_forwarder(settings), gates)
        kept = KeptConnections(
            settings,
            idle_seconds=lambda one: gates.idle_seconds(one, settings.idle_seconds),
            networks=lambda one: gates.networks(one, settings.networks),
            via=via(config),
        )
        return ThroughGates(kept, gates)

    def drain(self) -> float:
        """The end is near: /health says so, and each connection closes with its next answer. The
        seconds for which calls are to be served like that."""
        seconds = self._config.drain_seconds
        self._plane.draining = seconds > 0
        return seconds

    async def health(self, request: Request) -> JSONResponse:
        """200 while calls can be served; ``degraded`` says that someone should have a look."""
        status, generation = self._routes.status(), self._generation
        table, registry = status["table"], status["registry"]
        worries = (
            not registry["reachable"],
            table["held_because_registry_is_empty"],
            not table["file_usable"],
            table["refused"],
            self._reload.refused,
            self.certificates is not None and not self.certificates.usable,
        )
        word = "degraded" if any(worries) else "ok"
        if not table["routes"] and not registry["reachable"]:
            word = "down"
        if self._plane.draining:
            word = "draining"
        routes = [
            {
                "path": path,
                "hospital": route.hospital,
                "service": route.service,
                **self._counters.as_json(path),
                "bindings": generation.balance.status(route) if generation is not None else [],
            }
            for path, route in sorted(self._routes.table.items())
        ]
        body: dict[str, Any] = {
            "status": word,
            **status,
            "configuration": self._reload.status(generation),
            "worker": self._worker,
            "connections": len(self.connections),
            "refusals": dict(self._counters.refusals),
            "refusals_by_rule": self._counters.refusals_by_rule(),
            "audit": self._trail.status() if self._trail is not None else None,
            "routes": routes,
            "ways": generation.ways.status() if generation is not None else {},
        }
        return JSONResponse(body, status_code=503 if word in ("down", "draining") else 200)

    async def page(self, request: Request) -> HTMLResponse:
        rows = "".join(
            f"<tr><td>{html.escape(b.hospital)}</td><td>{html.escape(b.service)}</td>"
            f'<td><a href="{path}?wsdl">{path}?wsdl</a></td></tr>'
            for path, b in sorted(self._routes.table.items())
        )
        return HTMLResponse(_PAGE.format(rows=rows))


def _shown(config: GatewayConfig) -> Tls | None:
    """Whose certificates this process itself shows: to askers, or to nodes that dial in."""
    dialled = config.dialled is not None and config.dialled.tls
    return config.tls if dialled else config.own_tls


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>医联网关 Yilian gateway</title></head><body>
<h1>医联网关 Yilian gateway</h1>
<table><tr><th>医院 hospital</th><th>服务 service</th><th>服务描述 WSDL</th></tr>{rows}</table>
<p><a href="/health">/health</a></p>
</body></html>
"""
