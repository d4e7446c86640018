"""The routing table: where it comes from, how long it is trusted, what is refused."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import routes as routes_module
from gateway import table_file
from gateway.binding import Binding, Route
from gateway.log import json_log
from gateway.routes import Routes
from gateway_config.model import Registry
from tests.gateway.conftest import FakeRegistry

HX = Binding("hx", "LabResults", "http://10.0.0.1:8082/hx/LabResults")
SQ = Binding("sq", "LabResults", "http://10.0.0.2:8083/sq/LabResults")


class Clock:
    """A clock that a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


class Table:
    """Routes over a fake registry that are refreshed only when a test says so."""

    def __init__(self, registry: FakeRegistry, **settings: Any) -> None:
        self.registry = registry
        self.clock = Clock()
        self.text = io.StringIO()
        values = {"url": "http://r.example", "refresh_seconds": 3600, **settings}
        self.routes = Routes(
            registry,
            Registry.model_validate(values),
            json_log(self.text),
            own_origins=["http://gw.example:80"],
            clock=self.clock,
        )

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.text.getvalue().splitlines()]

    async def refresh(self) -> set[str]:
        await self.routes.refresh()
        return set(self.routes.table)


def told(table: Table, story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await table.routes.start()
        try:
            await story()
        finally:
            table.registry.let_go.set()
            await table.routes.stop()

    asyncio.run(whole())


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "MIN_INTERVAL", 0.02)
    monkeypatch.setattr(routes_module, "MAX_WAIT", 0.3)


def test_the_table_is_read_at_the_start_and_follows_the_registry() -> None:
    table = Table(FakeRegistry([HX, SQ]))

    async def story() -> None:
        assert set(table.routes.table) == {"/hx/LabResults", "/sq/LabResults"}
        moved = Binding("hx", "LabResults", "http://10.0.0.9:8082/hx/LabResults")
        table.registry.bindings = [moved]
        await table.refresh()
        assert table.routes.table == {"/hx/LabResults": Route.to([moved])}
        assert {"route_added", "route_moved", "route_dropped"} <= set(table.events())

    told(table, story)


def test_the_table_is_read_again_every_so_often() -> None:
    table = Table(FakeRegistry([HX]), refresh_seconds=0.5)

    async def story() -> None:
        table.registry.bindings = [HX, SQ]
        while len(table.routes.table) < 2:
            await asyncio.sleep(0.01)

    told(table, story)


def test_an_unknown_path_asks_the_registry_and_a_known_one_never_does() -> None:
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        asked = table.registry.asked
        assert await table.routes.find("/hx/LabResults") == Route.to([HX])
        assert table.registry.asked == asked
        table.registry.bindings = [HX, SQ]
        assert await table.routes.find("/sq/LabResults") == Route.to([SQ])
        assert table.registry.asked == asked + 1
        assert await table.routes.find("/zz/LabResults") is None

    told(table, story)


def test_a_crowd_at_unknown_paths_is_one_question_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        asked = table.registry.asked
        crowd = [table.routes.find(f"/hx/Unknown{n}") for n in range(200)]
        assert set(await asyncio.gather(*crowd)) == {None}
        assert table.registry.asked <= asked + 2

    told(table, story)


def test_questions_are_apart_by_the_least_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_module, "MIN_INTERVAL", 0.1)
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        begun, asked = asyncio.get_running_loop().time(), table.registry.asked
        for n in range(4):
            await table.routes.find(f"/hx/Unknown{n}")
        took = asyncio.get_running_loop().time() - begun
        assert (table.registry.asked - asked - 1) * 0.1 <= took

    told(table, story)


def test_a_registry_that_fails_leaves_the_table_as_it_was() -> None:
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        table.registry.error = ConnectionRefusedError("http://10.9.9.9:8081 refused")
        assert await table.refresh() == {"/hx/LabResults"}
        assert table.routes.registry_trouble == "ConnectionRefusedError"
        assert "10.9.9.9" not in json.dumps(table.routes.status())
        assert table.events().count("registry_unreachable") == 1
        await table.refresh()
        assert table.events().count("registry_unreachable") == 1  # once, not every time
        table.registry.error = None
        await table.refresh()
        assert table.routes.registry_trouble is None
        assert table.events()[-1] == "registry_reached"

    told(table, story)


def test_an_answer_of_another_shape_is_a_failure_like_any_other() -> None:
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        table.registry.bindings = [object()]  # type: ignore[list-item]
        assert await table.refresh() == {"/hx/LabResults"}
        assert table.routes.registry_trouble == "AttributeError"

    told(table, story)


def test_a_registry_that_hangs_holds_up_neither_start_nor_end_nor_known_calls() -> None:
    table = Table(FakeRegistry([HX], hang=True))

    async def story() -> None:
        assert table.routes.table == {}
        assert await table.routes.find("/hx/LabResults") is None
        assert "registry_slow" in table.events()
        table.clock.ahead += 10
        assert "秒未答复" in (table.routes.registry_trouble or "")
        assert table.registry.asked == 1  # not asked again while it has not answered
        table.registry.let_go.set()
        while not table.routes.table:  # what it says in the end is used
            await asyncio.sleep(0.01)

    told(table, story)


def test_an_entry_that_left_is_dropped_at_once_while_others_stay() -> None:
    table = Table(FakeRegistry([HX, SQ]))

    async def story() -> None:
        table.registry.bindings = [SQ]
        assert await table.refresh() == {"/sq/LabResults"}

    told(table, story)


def test_a_registry_found_empty_does_not_cut_off_the_alliance() -> None:
    table = Table(FakeRegistry([HX, SQ]), empty_grace_seconds=600)

    def held() -> list[str]:
        found: list[str] = table.routes.status()["table"]["held_because_registry_is_empty"]
        return found

    async def story() -> None:
        both = {"/hx/LabResults", "/sq/LabResults"}
        table.registry.bindings = []
        assert await table.refresh() == both
        assert held() == sorted(both)
        assert table.events().count("registry_empty_routes_held") == 1
        table.clock.ahead += 300
        assert await table.refresh() == both
        assert table.events().count("registry_empty_routes_held") == 2  # still, and still loud
        # The first node has published again; the other is held on to.
        table.registry.bindings = [HX]
        assert await table.refresh() == both
        assert held() == ["/sq/LabResults"]
        table.clock.ahead += 301
        assert await table.refresh() == {"/hx/LabResults"}
        assert held() == []
        assert "held_routes_dropped" in table.events()

    told(table, story)


def test_a_registry_that_fills_again_ends_the_holding() -> None:
    table = Table(FakeRegistry([HX, SQ]))

    async def story() -> None:
        table.registry.bindings = []
        await table.refresh()
        table.registry.bindings = [HX, SQ]
        await table.refresh()
        assert "registry_filled_again" in table.events()
        table.registry.bindings = [HX]  # from now on a departure is a departure
        assert await table.refresh() == {"/hx/LabResults"}

    told(table, story)


def test_without_grace_an_empty_registry_empties_the_table() -> None:
    table = Table(FakeRegistry([HX]), empty_grace_seconds=0)

    async def story() -> None:
        table.registry.bindings = []
        assert await table.refresh() == set()

    told(table, story)


def test_another_configuration_keeps_every_address_though_the_registry_is_away() -> None:
    second = Binding("hx", "LabResults", "http://10.0.0.7:8082/hx/LabResults")
    registry = FakeRegistry([HX, second])
    table = Table(registry)

    async def story() -> None:
        before = dict(table.routes.table)
        assert len(before["/hx/LabResults"].bindings) == 2
        registry.error = OSError("away")
        table.routes.reconfigure(
            registry, table.routes._settings, own_origins=(), gates=table.routes._gates
        )
        assert table.routes.table == before
        assert "route_moved" not in table.events()

    told(table, story)


def test_a_soap_1_2_address_has_no_further_one() -> None:
    table = Table(FakeRegistry([HX]))

    async def story() -> None:
        assert await table.routes.find("/hx/LabResults/soap12")
        assert await table.routes.find("/hx/LabResults/soap12/soap12") is None

    told(table, story)


def test_bindings_that_are_not_fit_are_refused_and_named_once() -> None:
    stolen = Binding("sq", "LabResults", "http://10.6.6.6/hx/LabResults")
    circle = Binding("hx", "Ring", "http://gw.example/hx/Ring")
    other = Binding("hx", "NotLabResults", "http://10.0.0.7:8082/hx/LabResults")
    table = Table(FakeRegistry([stolen, other, HX, circle]))

    async def story() -> None:
        assert table.routes.table == {"/hx/LabResults": Route.to([HX])}
        refused = table.routes.status()["table"]["refused"]
        assert len(refused) == 3
        assert "10.6.6.6" not in json.dumps(refused)
        await table.refresh()
        assert table.events().count("binding_refused") == 3

    told(table, story)


def test_a_service_at_several_addresses_is_one_route(tmp_path: Path) -> None:
    second = Binding("hx", "LabResults", "http://10.0.0.7:8082/hx/LabResults")
    settings = {"table_file": tmp_path / "routes.json"}

    async def story() -> None:
        assert table.routes.table == {"/hx/LabResults": Route.to([HX, second])}
        found = await table.routes.find("/hx/LabResults/soap12")
        assert found is not None
        assert [one.access_point for one in found.bindings] == [
            f"{one.access_point}/soap12" for one in (HX, second)
        ]

    table = Table(FakeRegistry([second, HX, second]), **settings)
    told(table, story)
    table = Table(FakeRegistry(error=OSError()), **settings)  # the file has both
    told(table, story)


def test_the_last_good_table_is_used_at_a_start_without_registry(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    told(Table(FakeRegistry([HX, SQ]), table_file=file), _nothing)
    table = Table(FakeRegistry(error=OSError("down")), table_file=file)

    async def story() -> None:
        assert set(table.routes.table) == {"/hx/LabResults", "/sq/LabResults"}
        assert await table.routes.find("/hx/LabResults") == Route.to([HX])
        assert table.routes.status()["table"]["read_from_file_of"]
        assert table.routes.status()["table"]["confirmed"] is None

    told(table, story)


def test_a_start_with_an_empty_registry_holds_the_table_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    table_file.save(file, [HX])
    table = Table(FakeRegistry([]), table_file=file)

    async def story() -> None:
        assert set(table.routes.table) == {"/hx/LabResults"}
        assert "registry_empty_routes_held" in table.events()

    told(table, story)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe\x00",
        b'{"version": 2, "saved": "2026-01-01T00:00:00Z", "bindings": []}',
        b'{"version": 1, "saved": "yesterday", "bindings": []}',
        b'{"version": 1, "saved": "2026-01-01T00:00:00Z", "bindings": [{"hospital": "hx"}]}',
        b'{"version": 1, "saved": "2026-01-01T00:00:00Z", "bindings": [], "more": 1}',
    ],
)
def test_a_damaged_table_file_is_said_aloud_and_replaced(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "routes.json"
    file.write_bytes(text)
    table = Table(FakeRegistry(error=OSError("down")), table_file=file)

    async def story() -> None:
        assert table.routes.table == {}
        assert "table_file_unusable" in table.events()
        assert table.routes.status()["table"]["file_usable"] is False
        table.registry.error, table.registry.bindings = None, [HX]
        await table.refresh()
        assert table.routes.status()["table"]["file_usable"] is True
        loaded = table_file.load(file)
        assert loaded is not None
        assert loaded[0] == [HX]

    told(table, story)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "vast"])
def test_what_is_no_table_file_does_not_hold_up_the_start(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "routes.json"
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
        case "folder":
            file.mkdir()
        case "vast":
            with file.open("wb") as stream:
                stream.truncate(1 << 40)
    with pytest.raises(table_file.TableFileError):
        table_file.load(file)


def test_an_access_point_out_of_the_file_is_checked_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    table_file.save(file, [HX, Binding("sq", "LabResults", "http://10.6.6.6/hx/LabResults")])
    table = Table(FakeRegistry(error=OSError("down")), table_file=file)

    async def story() -> None:
        assert table.routes.table == {"/hx/LabResults": Route.to([HX])}

    told(table, story)


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    table = Table(FakeRegistry([HX]), table_file=tmp_path / "file" / "routes.json")

    async def story() -> None:
        assert set(table.routes.table) == {"/hx/LabResults"}
        assert "table_file_unusable" in table.events()
        assert table.routes.status()["table"]["file_usable"] is False

    told(table, story)


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "routes.json"
    table_file.save(file, [HX])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(table_file.TableFileError, match="No space left"):
        table_file.save(file, [HX, SQ])
    loaded = table_file.load(file)
    assert loaded is not None
    assert loaded[0] == [HX]
    assert list(tmp_path.iterdir()) == [file]


def test_an_unchanged_table_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "routes.json"
    table = Table(FakeRegistry([HX]), table_file=file)

    async def story() -> None:
        inode = file.stat().st_ino
        await table.refresh()
        assert file.stat().st_ino == inode
        table.registry.bindings = [HX, SQ]
        await table.refresh()
        assert file.stat().st_ino != inode

    told(table, story)


async def _nothing() -> None:
    return None
