"""Verify finds what was done to a trail: changed, missing, reordered, cut off, rewritten."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.audit import verify as verify_module
from gateway.audit.anchors import load_key, read_anchors
from gateway.audit.files import TrailFile, files_in
from gateway.audit.journal import Journal
from gateway.audit.keeping import compress, expired, remove
from gateway.audit.line import seal
from gateway.audit.verify import StreamReport, verify
from tests.audit.conftest import OpenTrail, call


@pytest.fixture
def folder(open_trail: OpenTrail, tmp_path: Path) -> Path:
    """Two files: 30 calls and then 5."""

    async def scene() -> None:
        for numbers in (range(30), range(30, 35)):
            async with open_trail() as trail:
                for number in numbers:
                    await trail.record(call(number))

    asyncio.run(scene())
    return tmp_path / "audit"


def the_report(folder: Path) -> StreamReport:
    [report] = verify(folder, load_key(folder / "audit.key"))
    return report


def broken(report: StreamReport) -> list[str]:
    return [found.en for found in report.findings if found.severity == "broken"]


Lines = list[bytes]


def changed(lines: Lines) -> Lines:
    lines[10] = lines[10].replace(b'"sq-his"', b'"xx-his"')
    return lines


def removed(lines: Lines) -> Lines:
    del lines[10:13]
    return lines


def swapped(lines: Lines) -> Lines:
    lines[10], lines[11] = lines[11], lines[10]
    return lines


def repeated(lines: Lines) -> Lines:
    lines.insert(11, lines[10])
    return lines


def garbled(lines: Lines) -> Lines:
    lines[10] = b"\x00" * len(lines[10][:-1]) + b"\n"
    return lines


def cut_off(lines: Lines) -> Lines:
    return lines[:20]


def first_gone(lines: Lines) -> Lines:
    return lines[1:]


def rewritten(lines: Lines) -> Lines:
    """As somebody does who knows how: one line other, every hash after it anew."""
    made, h = [], "0" * 64
    for n, line in enumerate(changed(lines)):
        fields = json.loads(line)
        del fields["h"], fields["n"]
        raw, h = seal(h, n, fields)
        made.append(raw)
    return made


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (changed, "was changed"),
        (removed, "are missing (3 lines)"),
        (swapped, "repeated or reordered"),
        (repeated, "repeated or reordered"),
        (garbled, "not a whole audit line"),
        (cut_off, "are missing"),
        (first_gone, "no line says that they were removed by rule"),
        (rewritten, "rewritten"),
    ],
)
def test_what_was_done_to_a_file_is_found(
    folder: Path, done: Callable[[Lines], Lines], said: str
) -> None:
    assert the_report(folder).whole
    path = files_in(folder)[0].path
    path.write_bytes(b"".join(done(path.read_bytes().splitlines(keepends=True))))
    assert any(said in text for text in broken(the_report(folder))), broken(the_report(folder))


def test_a_file_that_is_gone_is_found(folder: Path) -> None:
    files_in(folder)[0].path.unlink()
    assert any("no line says" in text for text in broken(the_report(folder)))


def test_the_end_cut_off_is_found_by_the_anchors(folder: Path) -> None:
    path = files_in(folder)[-1].path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))
    assert any("the end was cut off" in text for text in broken(the_report(folder)))


def test_a_last_file_that_is_gone_is_found_by_the_anchors(folder: Path) -> None:
    files_in(folder)[-1].path.unlink()
    assert any("the end was cut off" in text for text in broken(the_report(folder)))


def test_anchors_from_a_log_elsewhere_find_what_those_beside_were_changed_to_hide(
    folder: Path, tmp_path: Path
) -> None:
    log = tmp_path / "gateway.log"
    [anchors] = folder.glob("*.anchors")
    log.write_text(
        "".join(
            f"Nov 21 23:00:00 gw yilian[7]: {line}\n" for line in anchors.read_text().splitlines()
        )
        + 'another line\n{"event": "audit anchor", torn'
    )
    anchors.unlink()
    for file in files_in(folder):
        file.path.unlink()
    assert verify(folder, load_key(folder / "audit.key")) == []
    [report] = verify(folder, load_key(folder / "audit.key"), read_anchors(log))
    assert any("the end was cut off" in text for text in broken(report))


def test_an_anchor_under_another_key_is_found(folder: Path) -> None:
    [path] = folder.glob("*.anchors")
    line = json.loads(path.read_text().splitlines()[0])
    path.write_text(json.dumps({**line, "mac": "0" * 64}) + "\n")
    assert any("not made with this key" in text for text in broken(the_report(folder)))


def test_compressed_files_are_read_too(folder: Path) -> None:
    before = the_report(folder)
    for file in files_in(folder):
        compress(file)
    assert all(file.compressed for file in files_in(folder))
    assert the_report(folder) == before


def test_a_compressed_file_that_was_cut_is_found(folder: Path) -> None:
    packed = compress(files_in(folder)[0])
    packed.write_bytes(packed.read_bytes()[:-30])
    assert any("cannot be read to its end" in text for text in broken(the_report(folder)))


def test_what_goes_by_rule_is_no_breach(folder: Path, open_trail: OpenTrail) -> None:
    """Removed by housekeeping: noted, and whole."""
    later = datetime.now(UTC) + timedelta(days=300)

    async def scene() -> None:
        async with open_trail(clock=later.timestamp, keep_days=200) as trail:
            await trail.record(call(99))
            await trail._keep_house()

    asyncio.run(scene())
    report = the_report(folder)
    assert report.files == 1 and report.calls == 1
    assert report.whole
    [note] = report.findings
    assert note.en.startswith("the 39 lines before were removed at ")
    assert f"the first one left is of {later.date()}" in note.en


def test_only_the_oldest_files_go(tmp_path: Path) -> None:
    ticks = itertools.count(1_790_000_000, 100_000)
    journal = Journal(tmp_path, "gw", clock=lambda: next(ticks), rotate_bytes=1)
    journal.open()
    for _ in range(3):
        journal.write([{"k": "call"}])
    earlier = journal.earlier_files()
    assert len(earlier) == 3
    now = earlier[0].path.stat().st_mtime
    old, kept = expired(earlier, now - 10)
    assert (len(old), len(kept)) == (0, 3)
    old, kept = expired(earlier, now + 10)
    assert (len(old), len(kept)) == (3, 0)
    remove(old[0])
    assert [file.number for file in journal.earlier_files()] == [2, 3]
    journal.close()


def test_a_file_grows_no_larger_than_told_and_no_older_than_a_day(tmp_path: Path) -> None:
    now = [1_790_000_000.0]
    journal = Journal(tmp_path, "gw", clock=lambda: now[0], rotate_bytes=2000)
    journal.open()
    for number in range(40):
        journal.write([{"k": "call", "id": f"request-{number:06d}"}])
    files = files_in(tmp_path)
    assert len(files) > 2
    assert all(file.path.stat().st_size < 3000 for file in files)
    now[0] += 86400
    journal.write([{"k": "call"}])
    journal.write([{"k": "call"}])
    assert len(files_in(tmp_path)) == len(files) + 1
    journal.close()
    [report] = verify(tmp_path, None)
    assert report.whole and report.calls == 42


def test_both_a_plain_file_and_its_compressed_twin_count_once(folder: Path) -> None:
    """A crash between the last two steps of compressing leaves both."""
    first: TrailFile = files_in(folder)[0]
    data = first.path.read_bytes()
    compress(first)
    first.path.write_bytes(data)
    assert the_report(folder).whole and the_report(folder).files == 2


def test_a_file_whose_date_was_set_back_is_not_removed(folder: Path) -> None:
    """Else a mere touch would have the gateway itself remove the evidence."""
    files = files_in(folder)
    for file in files:
        os.utime(file.path, (1, 1))
    compress(files[0])
    files = files_in(folder)
    old, kept = expired(files, time.time() - 200 * 86400)
    assert not old and kept == files


def beside(name: str, data: bytes) -> Callable[[Path], None]:
    def done(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return done


def behind(line: bytes) -> Callable[[Path], None]:
    def done(folder: Path) -> None:
        path = files_in(folder)[-1].path
        path.write_bytes(path.read_bytes() + line + b',"h":"' + b"0" * 64 + b'"}\n')

    return done


def spoilt_stream(folder: Path) -> None:
    packed = compress(files_in(folder)[0])
    data = packed.read_bytes()
    packed.write_bytes(data[:40] + b"\xff" * 40 + data[80:])


_ANCHOR = b'{"event": "audit anchor", "stream": "gw.w0", "h": "", '


@pytest.mark.parametrize(
    ("done", "whole"),
    [
        (beside("gw.w0-00000003-20261399T000000Z.jsonl", b""), True),
        (beside("gw.w0.anchors", _ANCHOR + b'"n": 1e999, "mac": ""}\n'), True),
        (beside("gw.w0.anchors", _ANCHOR + b'"n": 1, "mac": "\\u00e9\\ud800"}\n'), False),
        (beside("gw.w0.anchors", b'audit anchor {"event": ' + b"[" * 100_000 + b"\n"), True),
        (behind(b'{"n":' + b"[" * 100_000), True),  # no line of ours: as a torn one
        (behind(b'{"n":40,"k":"removed","last":"x","hash":[1]'), False),
        (behind(b'{"n":true'), True),
        (spoilt_stream, False),
    ],
)
def test_whatever_was_put_there_is_told_and_ends_nothing(
    folder: Path, open_trail: OpenTrail, done: Callable[[Path], None], whole: bool
) -> None:
    done(folder)
    assert the_report(folder).whole is whole

    async def gateway_starts() -> None:
        async with open_trail():
            pass

    asyncio.run(gateway_starts())


def test_a_file_that_is_compressed_while_it_is_being_verified_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that runs keeps house meanwhile."""

    def listed_and_then_compressed(folder: Path) -> list[TrailFile]:
        listed = files_in(folder)
        compress(listed[0])
        return listed

    monkeypatch.setattr(verify_module, "files_in", listed_and_then_compressed)
    report = the_report(folder)
    assert report.whole and report.calls == 35
