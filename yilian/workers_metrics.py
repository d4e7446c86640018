"""``/metrics`` of several workers of one program: whichever is asked tells of all of them.

Prometheus reaches one worker by chance at each scrape. That one asks the others, each at a Unix
socket in a folder that nobody else can open, and tells of all: each sample has its worker's number.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yilian.metrics import PATH, answered, registry_of

#: how long another worker is waited for, seconds; one that hangs is told of as not up
PATIENCE = 2.0
_MOST_BYTES = 16 * 1024 * 1024
_log = logging.getLogger("yilian")


class WorkersMetrics:
    """Of worker ``worker`` of ``workers``. ``folder``: the same for all of them, and theirs alone;
    None where there is one worker. ``collectors`` as in metrics_route."""

    def __init__(self, *collectors: Collector, worker: int, workers: int, folder: Path | None):
        self._registry = registry_of(*collectors)
        self._worker = worker
        self._workers = workers
        self._folder = folder

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Within it the others are answered; on the event loop."""
        if self._folder is None:
            yield
            return
        try:
            server = await asyncio.start_unix_server(self._tell, self._socket(self._worker))
        except OSError as error:  # calls do not depend on it, and the scrape shows it
            _log.error(
                "工作进程 %d 不能向其他进程报告指标 / worker %d cannot tell the others: %s",
                *(self._worker, self._worker, error),
            )
            yield
            return
        try:
            yield
        finally:
            server.close()

    def route(self) -> Route:
        """The page."""

        async def metrics(http: Request) -> Response:
            return answered(await self._all(), http.headers.get("accept", ""))

        return Route(PATH, metrics, methods=["GET"])

    async def _all(self) -> Iterable[Metric]:
        numbers = range(self._workers)
        told = await asyncio.gather(*[self._of(number) for number in numbers])
        up = GaugeMetricFamily(
            "yilian_gateway_worker_up",
            "1: this worker has told what it counts; 0: it has ended, or hangs.",
            labels=("worker",),
        )
        for number, families in zip(numbers, told, strict=True):
            up.add_metric((str(number),), float(families is not None))
        merged: dict[str, Metric] = {"": up}
        for number, families in zip(numbers, told, strict=True):
            for family in families or ():
                into = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    labels = {"worker": str(number), **sample.labels}
                    into.add_sample(sample.name, labels, sample.value)
        return merged.values()

    async def _of(self, number: int) -> list[Metric] | None:
        """What a worker counts; None where it does not say."""
        if number == self._worker:
            return list(self._registry.collect())
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_unix_connection(
                    self._socket(number), limit=_MOST_BYTES
                )
                try:
                    return list(_read(await reader.readline()))
                finally:
                    writer.close()
        except (OSError, TimeoutError, ValueError):
            return None

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # who asked has gone: there is nobody to tell
            writer.write(_written(self._registry.collect()))
            await writer.drain()
        writer.close()

    def _socket(self, number: int) -> str:
        assert self._folder is not None
        return str(self._folder / str(number))


def _written(families: Iterable[Metric]) -> bytes:
    told = [
        [one.name, one.documentation, one.type, [[s.name, s.labels, s.value] for s in one.samples]]
        for one in families
    ]
    return json.dumps(told).encode() + b"\n"


def _read(text: bytes) -> Iterator[Metric]:
    """ValueError where it is cut off."""
    told: list[tuple[str, str, str, list[tuple[str, dict[str, str], Any]]]] = json.loads(text)
    for name, documentation, kind, samples in told:
        family = Metric(name, documentation, kind)
        for sample in samples:
            family.add_sample(*sample)
        yield family
