"""/metrics of several workers: merged by the one that is asked, but those that do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from gateway.counters import Counters
from tests.gateway.conftest import run
from yilian import workers_metrics
from yilian.gateway_metrics import GatewayMetrics
from yilian.workers_metrics import WorkersMetrics


def worker(number: int, workers: int, folder: Path | None) -> tuple[WorkersMetrics, Counters]:
    counters = Counters()
    collector = GatewayMetrics(counters, number)
    return WorkersMetrics(collector, worker=number, workers=workers, folder=folder), counters


def shown(families: Iterable[Metric], accept: str = "") -> str:
    return bytes(workers_metrics.answered(families, accept).body).decode()


def test_one_worker_alone_tells_of_itself() -> None:
    metrics, counters = worker(0, 1, None)
    counters.begun("/hx/LabResults")
    text = shown(run(metrics._all()))
    assert 'yilian_gateway_calls_total{path="/hx/LabResults",worker="0"} 1.0' in text
    assert 'yilian_gateway_worker_up{worker="0"} 1.0' in text
    assert text.count("# TYPE process_resident_memory_bytes") == 1


@pytest.mark.parametrize("answer", [None, b"", b"[[", b'[["a"', b"[" * 17_000_000, b"\xff\n"])
def test_a_worker_that_hangs_or_answers_amiss_costs_its_own_samples_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    monkeypatch.setattr(workers_metrics, "PATIENCE", 1.0)

    async def story() -> dict[str, float]:
        async def amiss(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if answer is not None:
                writer.write(answer)
                writer.close()

        async with AsyncExitStack() as stack:
            made = [worker(number, 4, tmp_path) for number in (0, 1)]  # and 3 has ended
            for number, (metrics, counters) in enumerate(made):
                await stack.enter_async_context(metrics.answering())
                for _ in range(number + 1):
                    counters.begun("/hx/LabResults")
            await stack.enter_async_context(
                await asyncio.start_unix_server(amiss, str(tmp_path / "2"))
            )
            told: dict[str, float] = {}
            for family in await made[0][0]._all():
                for sample in family.samples:
                    if sample.name.startswith(("yilian_gateway_calls", "yilian_gateway_worker")):
                        told[f"{sample.name} {sample.labels['worker']}"] = sample.value
            return told

    expected = {
        **{f"yilian_gateway_worker_up {n}": up for n, up in enumerate((1, 1, 0, 0))},
        **{"yilian_gateway_calls_total 0": 1, "yilian_gateway_calls_total 1": 2},
    }
    assert run(story()) == expected


def test_what_is_told_is_what_prometheus_reads(tmp_path: Path) -> None:
    """OpenMetrics too: another worker's families are of the same kind as one's own."""

    async def story() -> list[str]:
        one, other = worker(0, 2, tmp_path)[0], worker(1, 2, tmp_path)[0]
        async with other.answering():
            families = await one._all()
        assert shown(families, "application/openmetrics-text; version=1.0.0").endswith("# EOF\n")
        return [family.name for family in text_string_to_metric_families(shown(families))]

    names = run(story())
    assert len(names) == len(set(names))
    assert {"yilian_gateway_worker_up", "python_info", "process_cpu_seconds"} <= set(names)
