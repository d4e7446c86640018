"""What somebody does to the files while the gateway writes them: no call goes on unrecorded."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.audit.anchors import load_key
from gateway.audit.files import files_in
from gateway.audit.journal import Journal
from gateway.audit.verify import verify
from services.faults import SourceUnavailable
from tests.audit.conftest import Heard, OpenTrail, call
from tests.audit.test_trail import calls_in, until


def removed(folder: Path) -> None:
    [file] = files_in(folder)
    file.path.unlink()


def moved(folder: Path) -> None:
    [file] = files_in(folder)
    file.path.rename(folder.parent / "elsewhere")


def replaced(folder: Path) -> None:
    [file] = files_in(folder)
    copy = folder / "copy"
    shutil.copy(file.path, copy)
    copy.replace(file.path)


def made_a_link(folder: Path) -> None:
    [file] = files_in(folder)
    elsewhere = folder.parent / "elsewhere"
    file.path.rename(elsewhere)
    file.path.symlink_to(elsewhere)


def cut(folder: Path) -> None:
    [file] = files_in(folder)
    os.truncate(file.path, 400)


def folder_made_anew(folder: Path) -> None:
    shutil.copy(folder / "audit.key", folder.parent / "kept.key")
    shutil.rmtree(folder)
    folder.mkdir()
    shutil.copy(folder.parent / "kept.key", folder / "audit.key")


@pytest.mark.parametrize(
    "done", [removed, moved, replaced, made_a_link, cut, folder_made_anew], ids=lambda d: d.__name__
)
def test_it_is_noticed_said_and_goes_on_in_a_file_that_is_there(
    open_trail: OpenTrail, tmp_path: Path, heard: Heard, done: Callable[[Path], None]
) -> None:
    folder = tmp_path / "audit"

    async def scene() -> None:
        async with open_trail() as trail:
            for number in range(10):
                await trail.record(call(number))
            done(folder)
            await until(lambda: not trail.status()["writable"])
            with pytest.raises(SourceUnavailable, match="was not forwarded"):
                trail.ready()
            await until(lambda: trail.status()["writable"])
            await trail.record(call(99))

    asyncio.run(scene())
    assert "audit unavailable" in heard.names() and "audit writable again" in heard.names()
    assert "request-99" in [line["id"] for line in calls_in(folder)]
    [report] = verify(folder, load_key(folder / "audit.key"))
    found = [one.en for one in report.findings if one.severity == "broken"]
    if done in (removed, moved, folder_made_anew):  # its numbers go on, so the hole shows
        assert any("numbers 0 to 10 are gone" in text for text in found)
    elif done is cut:
        assert any("are missing" in text for text in found)


def test_a_new_file_does_not_begin_the_numbers_anew_where_the_old_one_has_gone(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, "gw", clock=lambda: 1_790_000_000.0, rotate_bytes=65536)
    journal.open()
    journal.write([{"k": "call"}] * 3)
    [file] = files_in(tmp_path)
    file.path.unlink()
    journal.rotate()
    journal.close()
    [file] = files_in(tmp_path)
    assert file.number == 2
    [report] = verify(tmp_path, None)
    assert [one.line for one in report.findings if one.severity == "broken"] == [1]


def test_another_process_that_took_the_stream_meanwhile_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    ours, theirs = (
        Journal(folder, "gw", clock=lambda: 1_790_000_000.0, rotate_bytes=65536) for _ in range(2)
    )
    ours.open()
    shutil.rmtree(folder)
    theirs.open()
    with pytest.raises(OSError, match="removed, replaced or cut"):
        ours.look()
    with pytest.raises(OSError, match="another process"):
        ours.recover()
    theirs.close()
    ours.recover()
    ours.close()
