"""The end of a trail's file is found by its last bytes, whatever was left there."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.audit import files
from gateway.audit.files import End, TrailFile, end_of
from gateway.audit.keeping import compress
from gateway.audit.line import GENESIS, seal


def written(folder: Path, lines: int, torn: bytes, compressed: bool) -> tuple[TrailFile, End]:
    h, parts = GENESIS, []
    for n in range(lines):
        raw, h = seal(h, n, {"k": "call", "t": "x" * (n % 7)})
        parts.append(raw)
    data = b"".join(parts) + torn
    path = folder / f"g-00000001-20261122T000000Z.jsonl{'.gz' if compressed else ''}"
    path.write_bytes(gzip.compress(data) if compressed else data)
    file = TrailFile("g", 1, datetime(2026, 11, 22, tzinfo=UTC), path)
    time = "x" * ((lines - 1) % 7) if lines else ""
    return file, End(lines - 1, h, len(torn), time)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("lines", [0, 1, 2, 50])
@pytest.mark.parametrize(
    "torn",
    [b"", b'{"n":9', b'{"n":9}\n', b"\0" * 3000, b"\n\n", b"a line that is none\n" * 200 + b"\0"],
)
@pytest.mark.parametrize("first", [1, 100, 65_536])
def test_the_last_whole_line_and_what_is_torn_behind_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    compressed: bool,
    lines: int,
    torn: bytes,
    first: int,
) -> None:
    monkeypatch.setattr(files, "_TAIL_BYTES", first)
    file, end = written(tmp_path, lines, torn, compressed)
    assert end_of(file) == end


def test_a_large_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, end = written(tmp_path, 5000, b"torn", compressed=False)
    read: list[int] = []
    find: Any = files._end_in

    def counted(data: bytes, whole: bool) -> End | None:
        read.append(len(data))
        found: End | None = find(data, whole)
        return found

    monkeypatch.setattr(files, "_end_in", counted)
    assert end_of(file) == end
    assert read == [65_536] and file.path.stat().st_size > 500_000


def test_a_file_that_is_compressed_after_it_was_found_is_read(tmp_path: Path) -> None:
    """A gateway keeps house while somebody verifies its trail."""
    file, end = written(tmp_path, 3, b"", compressed=False)
    before = list(file.lines())
    compress(file)
    assert list(file.lines()) == before
    assert end_of(file) == end
