"""What a node's metrics are: its calls, its sources, its images and its entry in the registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from adapters.bulkhead import Bulkhead
from adapters.database import Source
from adapters.latencies import BOUNDS, Histogram
from yilian.node import Node

_SOURCE = ("hospital", "source")
_STATES = ("closed", "open", "half-open")


class NodeMetrics(Collector):
    """Of one node. ``publication`` is the state that /health tells of it."""

    def __init__(self, node: Node, publication: Callable[[], dict[str, Any]]) -> None:
        self._node = node
        self._publication = publication

    def collect(self) -> Iterator[Metric]:
        yield self._calls()
        yield from self._sources()
        yield from self._images()
        yield from self._registry()

    def _calls(self) -> Metric:
        calls = CounterMetricFamily(
            "yilian_calls",
            "Calls answered, by outcome: ok, abandoned (the caller left), or a fault's code.",
            labels=("hospital", "service", "operation", "outcome"),
        )
        for endpoint in self._node.endpoints.values():
            service = endpoint.hospital, endpoint.interface.name
            for (operation, outcome), count in endpoint.calls.items():
                calls.add_metric((*service, operation, outcome), count)
        return calls

    def _sources(self) -> Iterator[Metric]:
        gauges = {
            name: GaugeMetricFamily(f"yilian_source_{name}", text, labels=_SOURCE)
            for name, text in (
                ("pool_size", "Calls that may run in the source at once."),
                ("running", "Calls that run in the source now."),
                ("queue_length", "Calls that may wait for the source."),
                ("queued", "Calls that wait for the source now."),
                ("failing", "1: the last call that reached the source ended in a server's fault."),
                ("breaker_failures", "Failures in a row that the circuit breaker has counted."),
            )
        }
        connections = GaugeMetricFamily(
            "yilian_source_connections", "Connections to the database.", labels=_SOURCE
        )
        state = GaugeMetricFamily(
            "yilian_source_breaker_state",
            "1 for the state that the circuit breaker is in.",
            labels=(*_SOURCE, "state"),
        )
        opened = CounterMetricFamily(
            "yilian_source_breaker_opened", "Times the breaker opened.", labels=_SOURCE
        )
        refused = CounterMetricFamily(
            "yilian_source_refused",
            "Calls refused without asking the source: the queue was full, they waited in it too "
            "long, the pool had no connection, the breaker was open.",
            labels=(*_SOURCE, "reason"),
        )
        shared = CounterMetricFamily(
            "yilian_source_shared",
            "Calls answered with what another one had asked: at the same time (flight), or just "
            "before (cache).",
            labels=(*_SOURCE, "by"),
        )
        waits = HistogramMetricFamily(
            "yilian_source_wait_seconds", "Time in the source's queue.", labels=_SOURCE
        )
        queries = HistogramMetricFamily(
            "yilian_source_query_seconds",
            "Time in the source, from the queue's end to the answer or the fault.",
            labels=(*_SOURCE, "operation"),
        )
        for source in self._node.sources.values():
            labels = source.hospital, source.name
            told = source.state()
            breaker = told["breaker"]
            for name, gauge in gauges.items():
                value = breaker["failures"] if name == "breaker_failures" else told[name]
                gauge.add_metric(labels, value)
            if isinstance(source, Source):
                connections.add_metric(labels, source.connections())
            for one in _STATES:
                state.add_metric((*labels, one), breaker["state"] == one)
            opened.add_metric(labels, breaker["opened"])
            for reason, count in source.refusals().items():
                refused.add_metric((*labels, reason), count)
            _shared(shared, labels, source)
            for histogram in source.waits.read().values():
                _add(waits, labels, histogram)
            for operation, histogram in source.queries.read().items():
                _add(queries, (*labels, operation), histogram)
        yield from (*gauges.values(), connections, state, opened, refused, shared, waits, queries)

    def _images(self) -> Iterator[Metric]:
        if self._node.images is None:
            return
        reports = CounterMetricFamily(
            "yilian_image_reports",
            "Examination reports for which the archive was asked: completed, or left without.",
            labels=(*_SOURCE, "outcome"),
        )
        hospital = self._node.config.hospital.code
        for name, told in self._node.images.state().items():
            reports.add_metric((hospital, name, "completed"), told["completed"])
            reports.add_metric((hospital, name, "without_images"), told["without_images"])
        yield reports

    def _registry(self) -> Iterator[Metric]:
        told = self._publication()
        if told["configured"]:
            published = GaugeMetricFamily(
                "yilian_published",
                "1: the last time it tried, the node could publish itself in the registry.",
                labels=("hospital",),
            )
            there = told["published_at"] is not None and not told["problem"]
            published.add_metric((self._node.config.hospital.code,), there)
            yield published


def _shared(family: CounterMetricFamily, labels: tuple[str, str], source: Bulkhead) -> None:
    family.add_metric((*labels, "cache"), source.cached)
    family.add_metric((*labels, "flight"), source.shared - source.cached)


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram) -> None:
    ends = [*map(str, BOUNDS), "+Inf"]
    buckets = list(zip(ends, map(float, accumulate(histogram.counts)), strict=True))
    family.add_metric(labels, buckets, histogram.seconds)
