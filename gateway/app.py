"""The gateway as an ASGI application: calls, /health and a page with the routes."""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.binding import origin
from gateway.call import Answer, BodyTooLarge, Call, CallerLeft, CallPath
from gateway.counters import Counters
from gateway.forward import Forwarder
from gateway.gates import Gates, ThroughGates
from gateway.log import Log, json_log
from gateway.routes import FindBindings, Routes
from gateway.upstream import KeptConnections
from gateway_config.model import Forward, GatewayConfig

#: after a refusal, how much of an unread body is still taken off the caller's hands, and for how
#: long: closing at once would reset the connection, and the Fault with it
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_SECONDS = 2.0


def create_app(
    config: GatewayConfig,
    find_bindings: FindBindings,
    *,
    log: Log | None = None,
    make_forwarder: Callable[[Forward], Forwarder] | None = None,
) -> ASGIApp:
    """The gateway. ``find_bindings`` asks the registry for all inside bindings; it may block (it
    runs in a thread of its own) and may raise whatever it likes. ``log``: JSON lines on standard
    output by default. All background work begins and ends with the application's lifespan."""
    gateway = _Gateway(config, find_bindings, log or json_log(), make_forwarder)
    return Starlette(
        routes=[
            Route("/health", gateway.health),
            Route("/", gateway.page),
            Mount("/", app=gateway.call),
        ],
        lifespan=gateway.lifespan,
    )


class _Gateway:
    def __init__(
        self,
        config: GatewayConfig,
        find_bindings: FindBindings,
        log: Log,
        make_forwarder: Callable[[Forward], Forwarder] | None,
    ) -> None:
        self._config = config
        self._log = log
        self._make_forwarder = make_forwarder
        self._counters = Counters()
        self._gates = Gates(config.hospitals)
        listen = config.listen
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        own = [f"http://{host}:{listen.port}", listen.public_url or ""]
        self._routes = Routes(
            find_bindings,
            config.registry,
            log,
            own_origins=[origin(url) for url in own if url],
            gates=self._gates,
        )
        self._path: CallPath | None = None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        forwarder = self._forwarder()
        self._path = CallPath(self._config, self._routes, forwarder, self._counters, self._log)
        try:
            await self._routes.start()
            yield
        finally:
            await self._routes.stop()
            await forwarder.close()
            self._path = None

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
        body: dict[str, Any] = {"status": word, **status, "routes": routes}
        return JSONResponse(body, status_code=503 if word == "down" else 200)

    async def page(self, request: Request) -> HTMLResponse:
        rows = "".join(
            f"<tr><td>{html.escape(b.hospital)}</td><td>{html.escape(b.service)}</td>"
            f'<td><a href="{path}?wsdl">{path}?wsdl</a></td></tr>'
            for path, b in sorted(self._routes.table.items())
        )
        return HTMLResponse(_PAGE.format(rows=rows))

    async def call(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # a WebSocket: nothing here speaks it, and uvicorn refuses it
        if self._path is None:
            raise RuntimeError("the application's lifespan has not begun")
        body = _Body(receive, self._config.limits.body_seconds)
        client = scope.get("client")
        try:
            answer = await self._path(
                Call(
                    method=scope["method"],
                    scheme=scope["scheme"],
                    raw_path=scope["raw_path"],
                    query=scope["query_string"],
                    headers=scope["headers"],
                    read_body=body.read,
                    peer=client[0] if client else "",
                )
            )
        except CallerLeft:
            return
        await _send(answer, body, send)


class _Body:
    """A request's body as ASGI brings it."""

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._ended = False

    async def read(self, limit: int) -> bytes:
        parts = bytearray()
        async with asyncio.timeout(self._seconds):
            while not self._ended:
                parts += await self._part()
                if len(parts) > limit:
                    raise BodyTooLarge
        return bytes(parts)

    async def discard(self) -> None:
        """Read on for a while and throw it away."""
        taken = 0
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while not self._ended and taken < _LINGER_BYTES:
                    taken += len(await self._part())
        except (TimeoutError, CallerLeft):
            return

    async def _part(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise CallerLeft
        self._ended = not message.get("more_body", False)
        part: bytes = message.get("body", b"")
        return part


async def _send(answer: Answer, body: _Body, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    if answer.body_unread:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.body_unread:
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
        await body.discard()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    else:
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})


_PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>医联网关 Yilian gateway</title></head><body>
<h1>医联网关 Yilian gateway</h1>
<table><tr><th>医院 hospital</th><th>服务 service</th><th>服务描述 WSDL</th></tr>{rows}</table>
<p><a href="/health">/health</a></p>
</body></html>
"""
