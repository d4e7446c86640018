"""``/metrics`` in Prometheus' format, for node, registry and gateway alike.

A process counts in plain numbers of its own, which cost a call nothing to speak of; a collector
puts them into metrics when somebody asks. docs/metrics.md lists them all.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/metrics"


def metrics_route(*collectors: Collector) -> Route:
    """The route that answers what these collectors say, beside the process's own memory,
    descriptors and CPU time. Collectors run in the event loop, one request at a time, so what the
    loop counts needs no lock; they must not wait for anything."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)

    async def metrics(http: Request) -> Response:
        encode, content_type = choose_encoder(http.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return Route(PATH, metrics, methods=["GET"])
