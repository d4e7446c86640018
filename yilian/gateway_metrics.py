"""What a gateway's metrics are: calls and faults by route, refusals by step and rule."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.counters import Counters


class GatewayMetrics(Collector):
    """Of one worker process: each answers for itself, so its number is a label."""

    def __init__(self, counters: Counters, worker: int) -> None:
        self._counters = counters
        self._worker = str(worker)

    def collect(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "yilian_gateway_calls", "Calls sent on to a node.", labels=("worker", "path")
        )
        faults = CounterMetricFamily(
            "yilian_gateway_faults",
            "Of these, those that ended in a Fault, by its code.",
            labels=("worker", "path", "code"),
        )
        under_way = GaugeMetricFamily(
            "yilian_gateway_under_way",
            "Calls that a node has not answered yet.",
            labels=("worker", "path"),
        )
        for path, counters in self._counters.by_path():
            calls.add_metric((self._worker, path), counters.calls)
            under_way.add_metric((self._worker, path), counters.under_way)
            for code, count in counters.faults.items():
                faults.add_metric((self._worker, path, code), count)
        refused = CounterMetricFamily(
            "yilian_gateway_refused",
            "Calls that admission refused, by its step and the rule of it.",
            labels=("worker", "step", "rule"),
        )
        for step, rule, count in self._counters.by_rule():
            refused.add_metric((self._worker, step, rule), count)
        yield from (calls, under_way, faults, refused)
