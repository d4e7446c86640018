"""The gateway put together: calls over AskerProtocol, /health and a page with the routes."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from gateway.binding import origin
from gateway.call import CallPath
from gateway.connections import Connections
from gateway.counters import Counters
from gateway.forward import Forwarder
from gateway.gates import Gates, ThroughGates
from gateway.log import Log, json_log
from gateway.pages import Pages
from gateway.protocol import AskerProtocol, Plane, protocol_of
from gateway.routes import FindBindings, Routes
from gateway.upstream import KeptConnections
from gateway.ways import Ways
from gateway_config.model import Forward, GatewayConfig


class Gateway:
    """One worker's gateway. ``app`` answers the pages, and all background work begins and ends
    with its lifespan; ``protocol`` is what uvicorn takes as ``http=`` and what brings the calls.

    ``find_bindings`` asks the registry for all inside bindings; it may block (it runs in a thread
    of its own) and may raise whatever it likes. ``log``: JSON lines on standard output by
    default."""

    def __init__(
        self,
        config: GatewayConfig,
        find_bindings: FindBindings,
        *,
        log: Log | None = None,
        make_forwarder: Callable[[Forward], Forwarder] | None = None,
    ) -> None:
        self._config = config
        self._log = log or json_log()
        self._make_forwarder = make_forwarder
        self._counters = Counters()
        self._gates = Gates(config.hospitals)
        listen = config.listen
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        own = [f"http://{host}:{listen.port}", listen.public_url or ""]
        self._routes = Routes(
            find_bindings,
            config.registry,
            self._log,
            own_origins=[origin(url) for url in own if url],
            gates=self._gates,
        )
        pages = [Route("/health", self.health), Route("/", self.page)]
        self.app = Starlette(routes=pages, lifespan=self.lifespan)
        self._plane = Plane(
            Connections(config, self._counters, self._log),
            Pages(self.app, [page.path for page in pages]),
        )
        self.protocol: type[AskerProtocol] = protocol_of(self._plane)
        self._ways: Ways | None = None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        forwarder = self._ways = await Ways.open(self._config, self._forwarder(), self._log)
        self._plane.path = CallPath(
            self._config, self._routes, forwarder, self._counters, self._log
        )
        try:
            await self._routes.start()
            yield
        finally:
            await self._routes.stop()
            await forwarder.close()
            self._plane.path = None

    def _forwarder(self) -> Forwarder:
        settings, gates = self._config.forward, self._gates
        if self._make_forwarder is not None:
            return ThroughGates(self._make_forwarder(settings), gates)
        kept = KeptConnections(
            settings, idle_seconds=lambda one: gates.idle_seconds(one, settings.idle_seconds)
        )
        return ThroughGates(kept, gates)

    async def health(self, request: Request) -> JSONResponse:
        """200 while calls can be served; ``degraded`` says that someone should have a look."""
        status = self._routes.status()
        table, registry = status["table"], status["registry"]
        worries = (
            not registry["reachable"],
            table["held_because_registry_is_empty"],
            not table["file_usable"],
            table["refused"],
        )
        word = "degraded" if any(worries) else "ok"
        if not table["routes"] and not registry["reachable"]:
            word = "down"
        routes = [
            {
                "path": path,
                "hospital": binding.hospital,
                "service": binding.service,
                **self._counters.as_json(path),
            }
            for path, binding in sorted(self._routes.table.items())
        ]
        body: dict[str, Any] = {
            "status": word,
            **status,
            "connections": len(self._plane.connections),
            "refusals": dict(self._counters.refusals),
            "routes": routes,
            "ways": self._ways.status() if self._ways is not None else {},
        }
        return JSONResponse(body, status_code=503 if word == "down" else 200)

    async def page(self, request: Request) -> HTMLResponse:
        rows = "".join(
            f"<tr><td>{html.escape(b.hospital)}</td><td>{html.escape(b.service)}</td>"
            f'<td><a href="{path}?wsdl">{path}?wsdl</a></td></tr>'
            for path, b in sorted(self._routes.table.items())
        )
        return HTMLResponse(_PAGE.format(rows=rows))


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>医联网关 Yilian gateway</title></head><body>
<h1>医联网关 Yilian gateway</h1>
<table><tr><th>医院 hospital</th><th>服务 service</th><th>服务描述 WSDL</th></tr>{rows}</table>
<p><a href="/health">/health</a></p>
</body></html>
"""
