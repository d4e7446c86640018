"""A trail in a folder of its own, and what its log said."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.entry import Entry, moment
from gateway.audit.trail import Trail
from gateway_config.audit import Audit


class Heard:
    """A log that remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.events.append((event, fields))

    warning = error = info

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


@pytest.fixture
def heard() -> Heard:
    return Heard()


OpenTrail = Callable[..., AbstractAsyncContextManager[Trail]]


@pytest.fixture
def open_trail(tmp_path: Path, heard: Heard) -> OpenTrail:
    @asynccontextmanager
    async def opened(stream: str = "gw.w0", **settings: Any) -> AsyncIterator[Trail]:
        values = {"folder": tmp_path / "audit", "min_free_bytes": 0, **settings}
        clock = values.pop("clock", None)
        more = {"clock": clock} if clock else {}
        trail = Trail(Audit(**values), stream, heard, **more)
        await trail.start()
        try:
            yield trail
        finally:
            await trail.stop()

    return opened


def call(number: int, **fields: Any) -> Entry:
    values: dict[str, Any] = {
        "caller": "sq-his",
        "hospital": "hx",
        "service": "LabResults",
        "operation": "QueryLabMaster",
        "patient": f"{number:010d}",
        "request_bytes": 700,
        "answer_bytes": 1500,
        "ms": 3.25,
        "node": "http://10.1.2.3:8082/hx/LabResults",
        **fields,
    }
    return Entry(moment(1_790_000_000.0 + number), f"request-{number}", **values)
