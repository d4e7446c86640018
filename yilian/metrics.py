"""``/metrics`` in Prometheus' format, for node, registry and gateway alike.

A process counts in plain numbers of its own, which cost a call nothing to speak of; a collector
puts them into metrics when somebody asks. docs/metrics.md lists them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/metrics"


def metrics_route(*collectors: Collector) -> Route:
    """The route that answers what these collectors say, beside the process's own memory,
    descriptors and CPU time. Collectors run in the event loop, one request at a time, so what the
    loop counts needs no lock; they must not wait for anything."""
    registry = registry_of(*collectors)

    async def metrics(http: Request) -> Response:
        return answered(registry.collect(), http.headers.get("accept", ""))

    return Route(PATH, metrics, methods=["GET"])


def registry_of(*collectors: Collector) -> CollectorRegistry:
    """These, and what is told of every process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return registry


def answered(families: Iterable[Metric], accept: str) -> Response:
    """In the format that the request's Accept asks for."""
    registry = CollectorRegistry()
    registry.register(_Told(families))
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"content-type": content_type})


class _Told(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = list(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families
