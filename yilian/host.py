"""The host: one ASGI app per hospital node: its endpoints, their WSDLs, /health and /metrics."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.faults import UnknownService
from services.soap.exchange import Endpoint, Reply, Request, fault_reply, version_of
from services.soap.version import SOAP_1_1, SOAP_1_2
from yilian.config import NodeConfig
from yilian.dialling import Dialling
from yilian.ferrying import Ferrying
from yilian.housekeeping import keep_house
from yilian.http_faults import compressed, too_large
from yilian.metrics import metrics_route
from yilian.node import Node, assemble
from yilian.node_metrics import NodeMetrics
from yilian.publishing import Publication

SOAP12 = SOAP_1_2.path_suffix
_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")


def create_app(config: NodeConfig) -> Starlette:
    """The app of the node that a configuration describes."""
    return app_of(assemble(config))


def app_of(node: Node, dialling: Dialling | None = None) -> Starlette:
    """The node's app. It publishes itself while it runs, where a registry is configured.
    ``dialling``, whose state is shown, is whoever serves the app's to start."""
    config = node.config
    publication = Publication(node)
    ferrying = None
    if config.ferry is not None:
        ferrying = Ferrying(config.ferry, call_paths(node), config.listen.public_url)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(publication.keep()),
            asyncio.create_task(keep_house(node.adapters, node.archives)),
        ]
        if ferrying is not None:
            tasks.append(asyncio.create_task(ferrying.keep()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await node.close()

    async def call(http: HttpRequest) -> Response:
        path = http.url.path
        content_type = http.headers.get("content-type")
        endpoint = node.endpoints.get(path.removesuffix(SOAP12))
        if endpoint is None:
            return _answer(_unknown(node, path, content_type))
        refused = compressed(
            http.headers.get("content-encoding", "identity"), endpoint, content_type
        )
        if refused is not None:
            return _answer(refused)
        body = await _body(http, endpoint.limits.size)
        if body is None:
            return _answer(too_large(endpoint, content_type))
        request = Request(body, content_type, http.headers.get("soapaction"))
        return _answer(await endpoint.call(request))

    async def describe(http: HttpRequest) -> Response:
        path = http.url.path
        endpoint = node.endpoints.get(path.removesuffix(SOAP12))
        if endpoint is None:
            raise HTTPException(404, f"没有服务 {path} / no service {path}; 见 see /health")
        address = _origin(http, config) + path
        if not {"wsdl", "singlewsdl"} & {key.lower() for key in http.query_params}:
            return PlainTextResponse(
                f"{endpoint.interface.zh} {endpoint.interface.name}\n"
                f"WSDL: {address}?wsdl\n请用 POST 调用 / call it by POST\n"
            )
        version = SOAP_1_2 if path.endswith(SOAP12) else SOAP_1_1
        return Response(endpoint.wsdl(address, version), media_type="text/xml; charset=utf-8")

    async def health(http: HttpRequest) -> Response:
        sources = {name: source.state() for name, source in node.sources.items()}
        registry = publication.state()
        images = node.images.state() if node.images else {}
        dialled = dialling.state() if dialling else {}
        worries = [
            registry["problem"],
            *(gateway["connections"] == 0 for gateway in dialled.values()),
            *(state["failing"] for state in (*sources.values(), *images.values())),
        ]
        return JSONResponse(
            {
                "status": "degraded" if any(worries) else "ok",  # the node itself answers calls
                "hospital": config.hospital.code,
                "services": sorted(node.endpoints),
                "sources": sources,
                "images": images,
                "registry": registry,
                "dialled": dialled,
                "ferry": ferrying.state() if ferrying else None,
            }
        )

    async def alive(http: HttpRequest) -> Response:
        """What a gateway asks over connections that the node has dialled."""
        return PlainTextResponse("ok")

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/alive", alive),
            metrics_route(NodeMetrics(node, publication.state)),
            Route("/{path:path}", call, methods=["POST"]),
            Route("/{path:path}", describe),
        ],
        lifespan=lifespan,
    )


def call_paths(node: Node) -> dict[str, Endpoint]:
    """Every path at which a call is answered, as yilian/http_protocol.py takes them."""
    return {
        path + suffix: endpoint
        for path, endpoint in node.endpoints.items()
        for suffix in ("", SOAP12)
    }


def _answer(reply: Reply) -> Response:
    return Response(reply.body, reply.status, media_type=reply.content_type)


async def _body(http: HttpRequest, limit: int) -> bytes | None:
    """The body, or None as soon as it exceeds the limit."""
    length = http.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        return None
    parts: list[bytes] = []
    size = 0
    async for part in http.stream():
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
    return b"".join(parts)


def _unknown(node: Node, path: str, content_type: str | None) -> Reply:
    known = "、".join(sorted(node.endpoints))
    fault = UnknownService(
        f"本节点没有服务 {path}，可用：{known}",
        f"this node has no service {path}; it has {known}",
        hospital=node.config.hospital.code,
    )
    return fault_reply(fault, version_of(content_type), status=404)


def _origin(http: HttpRequest, config: NodeConfig) -> str:
    """Scheme, host and port by which this asker reaches the node: what it has just used."""
    public = urlsplit(config.listen.public_url)
    host = http.headers.get("host", "")
    return f"{public.scheme}://{host if _HOST.fullmatch(host) else public.netloc}"
