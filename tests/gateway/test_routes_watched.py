"""The routing table, told of changes by a long poll; or asking; held when a registry began anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from gateway import routes as routes_module
from gateway.binding import Binding, Listed
from gateway.routes import CannotWatch
from tests.gateway.conftest import FakeRegistry
from tests.gateway.test_routes import HX, SQ, Table, told


class WatchedRegistry(FakeRegistry):
    """Waits until a test says that something changed."""

    def __init__(self, bindings: list[Binding]) -> None:
        super().__init__(bindings)
        self.news = threading.Semaphore(0)
        self.trouble: Exception | None = None
        self.waits = 0
        self.epoch = "first"

    def __call__(self) -> Listed:  # type: ignore[override]
        return Listed(tuple(super().__call__()), self.epoch)

    def wait(self, seconds: float) -> None:
        self.waits += 1
        if self.trouble is not None:
            raise self.trouble
        self.news.acquire(timeout=min(seconds, 60))


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "MIN_INTERVAL", 0.02)
    monkeypatch.setattr(routes_module, "MAX_WAIT", 0.5)


async def until(condition: Callable[[], Any]) -> None:
    import asyncio

    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def test_a_change_is_followed_at_once_and_nothing_is_asked_meanwhile() -> None:
    registry = WatchedRegistry([HX])
    table = Table(registry, refresh_seconds=3600)

    async def story() -> None:
        await until(lambda: registry.waits == 1)
        asked = registry.asked
        registry.bindings = [HX, SQ]
        registry.news.release()
        await until(lambda: len(table.routes.table) == 2)
        assert registry.asked == asked + 1
        await until(lambda: table.routes.status()["registry"]["watched"])
        registry.news.release()  # so that the thread ends

    told(table, story)


@pytest.mark.parametrize("trouble", [CannotWatch("older"), ConnectionError("busy")])
def test_a_registry_that_cannot_be_watched_is_asked_as_often_as_before(trouble: Exception) -> None:
    registry = WatchedRegistry([HX])
    registry.trouble = trouble
    table = Table(registry, refresh_seconds=0.5)

    async def story() -> None:
        registry.bindings = [HX, SQ]
        await until(lambda: len(table.routes.table) == 2)
        assert not table.routes.status()["registry"]["watched"]

    told(table, story)


def test_a_registry_that_began_anew_with_less_keeps_its_routes_for_a_while() -> None:
    registry = WatchedRegistry([HX, SQ])
    table = Table(registry, empty_grace_seconds=60)

    async def story() -> None:
        registry.bindings, registry.epoch = [HX], "second"  # an older backup
        assert await table.refresh() == {"/hx/LabResults", "/sq/LabResults"}
        assert table.routes.status()["table"]["held_because_registry_is_empty"] == [
            "/sq/LabResults"
        ]
        registry.bindings = [HX, SQ]  # sq's node has published again
        await table.refresh()
        assert table.routes.status()["table"]["held_because_registry_is_empty"] == []
        registry.bindings = [HX]  # and now it truly leaves
        assert await table.refresh() == {"/hx/LabResults"}
        registry.news.release()

    told(table, story)


def test_what_does_not_come_back_is_dropped_when_the_time_is_over() -> None:
    registry = WatchedRegistry([HX, SQ])
    table = Table(registry, empty_grace_seconds=60)

    async def story() -> None:
        registry.bindings, registry.epoch = [HX], "second"
        assert len(await table.refresh()) == 2
        table.clock.ahead += 61
        assert await table.refresh() == {"/hx/LabResults"}
        registry.news.release()

    told(table, story)
