"""Gateways that collect into one database at the same time, and runs of one that overlap."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select

from gateway.audit import collected
from gateway.audit.collected import collect, trail
from gateway.audit.files import TrailFile
from tests.audit.conftest import OpenTrail, call
from tests.databases.targets import Target

CALLS = 5000


def recorded(
    open_trail: OpenTrail, stream: str, folder: Path, calls: int = CALLS, **settings: Any
) -> Path:
    async def scene() -> None:
        async with open_trail(stream, folder=folder, **settings) as opened:
            for first in range(0, calls, 100):
                numbers = range(first, min(first + 100, calls))
                await asyncio.gather(*(opened.record(call(number)) for number in numbers))

    asyncio.run(scene())
    return folder


def lines_in(engine: Engine) -> dict[str, int]:
    query = select(trail.c.stream, func.count()).group_by(trail.c.stream)
    with engine.connect() as connection:
        return {str(stream): int(count) for stream, count in connection.execute(query)}


def test_a_run_that_overlaps_another_copies_what_is_left(
    open_trail: OpenTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has looked for the end before the other one has copied."""
    engine = create_engine(f"sqlite:///{tmp_path / 'all.db'}")
    folder = recorded(open_trail, "gw.w0", tmp_path / "audit", 10)
    assert collect(folder, engine) == {"gw.w0": 12}
    recorded(open_trail, "gw.w0", folder, 5)
    looked = collected._last_copied
    answers: list[Any] = [lambda *_: -1]

    def outdated(*arguments: Any) -> int:
        found: int = (answers.pop() if answers else looked)(*arguments)
        return found

    monkeypatch.setattr(collected, "_last_copied", outdated)
    assert collect(folder, engine) == {"gw.w0": 7}
    assert lines_in(engine) == {"gw.w0": 19}


def test_what_was_copied_to_its_end_is_not_read_again(
    open_trail: OpenTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run from a timer, and there are half a year's files."""
    engine = create_engine(f"sqlite:///{tmp_path / 'all.db'}")
    folder = recorded(open_trail, "gw.w0", tmp_path / "audit", 1000, rotate_bytes=64 * 1024)
    assert collect(folder, engine)["gw.w0"] > 1000
    recorded(open_trail, "gw.w0", folder, 10)
    read: Counter[str] = Counter()
    lines = TrailFile.lines

    def counted(file: TrailFile) -> Iterator[bytes]:
        for raw in lines(file):
            read[file.name] += 1
            yield raw

    monkeypatch.setattr(TrailFile, "lines", counted)
    assert collect(folder, engine) == {"gw.w0": 12}
    *earlier, last_before, new = sorted(read)
    assert len(earlier) >= 2 and {read[name] for name in earlier} == {1}
    assert read[last_before] == 1 and read[new] > 10


@pytest.mark.full
@pytest.mark.parametrize("folders", ["ab", "aa"])
def test_all_of_them_may_begin_at_the_same_time(
    open_trail: OpenTrail, tmp_path: Path, folders: str
) -> None:
    """Into an empty database of PostgreSQL: each wants to make the table."""
    database = Target("postgresql+psycopg")
    url = database.url(database.server.database())
    for name in set(folders):
        recorded(open_trail, f"gateway-{name}", tmp_path / name)
    start, wrong = threading.Barrier(len(folders)), []

    def run(name: str) -> None:
        engine = create_engine(url)
        start.wait(60)
        try:
            collect(tmp_path / name, engine)
        except Exception as error:
            wrong.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=run, args=(name,)) for name in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    engine = create_engine(url)
    assert lines_in(engine) == {f"gateway-{name}": CALLS + 2 for name in set(folders)}
    engine.dispose()
