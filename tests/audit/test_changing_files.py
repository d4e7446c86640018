"""While the writer's thread changes from one file to the next, nothing slips past the record."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from gateway.audit import journal
from gateway.audit.anchors import load_key
from gateway.audit.files import files_in
from gateway.audit.verify import verify
from tests.audit.conftest import OpenTrail, call


def ids_in(folder: Path) -> set[str]:
    """Of the calls that are in the files now."""
    lines = [json.loads(line) for file in files_in(folder) for line in file.open().readlines()]
    return {line["id"] for line in lines if line["k"] == "call"}


def test_a_call_that_comes_while_a_file_is_changed_is_on_record_too(
    open_trail: OpenTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "audit"
    changing, go_on = threading.Event(), threading.Event()
    sync_folder = journal.sync_folder

    def slow(path: Path) -> None:
        """The disk takes its time with the new file."""
        changing.set()
        assert go_on.wait(60)
        sync_folder(path)

    async def scene() -> None:
        async with open_trail(sync="fsync", rotate_bytes=64 * 1024) as trail:
            monkeypatch.setattr(journal, "sync_folder", slow)
            first = [asyncio.ensure_future(trail.record(call(number))) for number in range(300)]
            await asyncio.to_thread(changing.wait, 60)
            assert changing.is_set()
            during = asyncio.ensure_future(trail.record(call(300)))
            try:
                done, _ = await asyncio.wait([during], timeout=0.05)
                assert not done  # it would be answered, and its line may be lost
            finally:
                go_on.set()
            await asyncio.gather(*first, during)
            assert "request-300" in ids_in(folder)

    asyncio.run(scene())
    assert len(ids_in(folder)) == 301
    [report] = verify(folder, load_key(folder / "audit.key"))
    assert report.whole and report.files == 2


def test_the_file_that_is_open_is_never_an_earlier_one(
    open_trail: OpenTrail, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier file is compressed and then removed: of an open one that would lose lines."""
    seen: list[bool] = []

    async def scene() -> None:
        async with open_trail(rotate_bytes=64 * 1024) as trail:
            begin = journal.os.open

            def at_the_moment_of_opening(path: object, *arguments: int) -> int:
                made = begin(path, *arguments)  # type: ignore[call-overload]
                seen.append(path in [file.path for file in trail._journal.earlier_files()])
                return int(made)

            with monkeypatch.context() as patched:
                patched.setattr(journal.os, "open", at_the_moment_of_opening)
                await asyncio.gather(*(trail.record(call(number)) for number in range(300)))

    asyncio.run(scene())
    assert seen == [False]
