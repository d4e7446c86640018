"""What the registry's metrics are: its bindings' health, its leases, its watchers, its log."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.datastructures import State

from registry.housekeeping import Housekeeping
from registry.probing import Prober
from registry.watch import Watch

_HEALTH = ("unknown", "passing", "warning", "critical")
_LEASES = ("alive", "expired", "hidden")


class RegistryMetrics(Collector):
    """Of one registry process; ``state`` is its application's."""

    def __init__(self, state: State) -> None:
        self._watch: Watch = state.watch
        self._prober: Prober = state.prober
        self._housekeeping: Housekeeping = state.housekeeping

    def collect(self) -> Iterator[Metric]:
        health = GaugeMetricFamily(
            "yilian_registry_bindings", "Bindings that are probed, by state.", labels=("state",)
        )
        counted = self._prober.counts()
        for word in _HEALTH:
            health.add_metric((word,), counted.get(word, 0))
        yield health
        yield CounterMetricFamily(
            "yilian_registry_probes", "Probes of bindings so far.", value=self._prober.probes
        )
        leases = GaugeMetricFamily(
            "yilian_registry_leases", "Leases, by state, a minute old at most.", labels=("state",)
        )
        for word in _LEASES:
            leases.add_metric((word,), self._housekeeping.leases.get(word, 0))
        yield leases
        yield GaugeMetricFamily(
            "yilian_registry_watchers", "Who waits for changes now.", value=self._watch.waiting
        )
        yield CounterMetricFamily(
            "yilian_registry_changes", "The number of the last change.", value=self._watch.last
        )
