"""/metrics of a gateway: what it counts, as Prometheus reads it."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.counters import Counters
from yilian.gateway_metrics import GatewayMetrics


def test_what_is_counted_is_told() -> None:
    counters = Counters()
    counters.begun("/hx/LabResults").ended("NotFound")
    counters.begun("/hx/LabResults")
    counters.refused("message", "limits.depth")
    counters.refused("message", "limits.depth")
    registry = CollectorRegistry()
    registry.register(GatewayMetrics(counters, 1))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"yilian_gateway_{name}", {"worker": "1", **labels})

    assert value("calls_total", path="/hx/LabResults") == 2
    assert value("under_way", path="/hx/LabResults") == 1
    assert value("faults_total", path="/hx/LabResults", code="NotFound") == 1
    assert value("refused_total", step="message", rule="limits.depth") == 2
    document = (Path(__file__).parents[2] / "docs/metrics.md").read_text("utf-8")
    for family in registry.collect():
        for sample in family.samples:
            labels = ", ".join(sample.labels)
            assert f"| `{sample.name}` | {labels} |" in document
