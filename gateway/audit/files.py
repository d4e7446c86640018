"""The files of a trail: their names, their order, their last line.

``{stream}-{number}-{opened}.jsonl``, ``.gz`` behind it once compressed. A stream is what one
process writes; its files are numbered from 1 and never written again once the next one is open.
"""

from __future__ import annotations

import errno
import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple, cast

from gateway.audit.line import GENESIS, NotALine, read_line

_NAME = re.compile(
    r"(?P<stream>[A-Za-z0-9_.-]{1,80})-(?P<number>\d{8})-(?P<opened>\d{8}T\d{6}Z)\.jsonl"
    r"(?P<gz>\.gz)?\Z"
)
_STREAM = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z")
_OPENED = "%Y%m%dT%H%M%SZ"
#: how much of a file's end is looked at first, and how many times as much after that
_TAIL_BYTES = 65_536
_TAIL_GROWS = 16


class TrailFile(NamedTuple):
    stream: str
    number: int
    opened: datetime
    path: Path

    @property
    def compressed(self) -> bool:
        return self.path.suffix == ".gz"

    @property
    def name(self) -> str:
        return self.path.name

    def open(self) -> IO[bytes]:
        """OSError. One that has been compressed since it was found is opened as what it is now."""
        if self.compressed:
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        try:
            return self.path.open("rb")
        except FileNotFoundError:
            now = self.path.with_name(self.path.name + ".gz")
            if not now.exists():
                raise
            return cast("IO[bytes]", gzip.open(now, "rb"))

    def lines(self) -> Iterator[bytes]:
        """As it stood when the first was read: of one that is being written, the last may be half
        a line, and no other. OSError: it cannot be read to its end."""
        with self.open() as stream:
            packed = isinstance(stream, gzip.GzipFile)
            left = sys.maxsize if packed else os.fstat(stream.fileno()).st_size
            try:
                for raw in stream:
                    yield raw[:left]
                    left -= len(raw)
                    if left <= 0:
                        return
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise _damaged(self, error) from error


class End(NamedTuple):
    """The end of a stream as it stands on disk: the last whole line, and what is torn behind it."""

    n: int  # of the last line; -1: there is none
    h: str
    torn: int  # bytes
    time: str = ""  # that the last line says


def stream_name(text: str) -> str:
    """ValueError where a stream cannot be called so."""
    if not _STREAM.match(text):
        raise ValueError(f"不能作为审计流的名字 / no name for an audit stream: {text!r}")
    return text


def name_of(stream: str, number: int, opened: datetime) -> str:
    return f"{stream}-{number:08d}-{opened.astimezone(UTC).strftime(_OPENED)}.jsonl"


def files_in(folder: Path, stream: str | None = None) -> list[TrailFile]:
    """By stream and number. Where a file is there both plain and compressed (a compression that
    was cut short after its last step but one), the plain one counts."""
    found: dict[tuple[str, int], TrailFile] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.match(path.name)
        if match is None or (stream is not None and match["stream"] != stream):
            continue
        try:
            opened = datetime.strptime(match["opened"], _OPENED).replace(tzinfo=UTC)
        except ValueError:  # a thirteenth month: no name that we gave
            continue
        key = match["stream"], int(match["number"])
        if key not in found or not match["gz"]:
            found[key] = TrailFile(*key, opened, path)
    return [found[key] for key in sorted(found)]


def end_of(file: TrailFile) -> End:
    """The end of a file that was perhaps left in the middle of a line. Only as much of it is read
    and kept as holds its last whole line. OSError."""
    size = _TAIL_BYTES
    while True:
        data, whole = _tail(file, size)
        end = _end_in(data, whole)
        if end is not None:
            return end
        size *= _TAIL_GROWS


def _end_in(data: bytes, whole: bool) -> End | None:
    """The end, by the last bytes of a file. ``whole``: they are all of it; else None where there
    is no line that has surely begun in them."""
    end = data.rfind(b"\n") + 1
    # The last line that is one: a disk may have given back less than it took.
    while end:
        begin = data.rfind(b"\n", 0, end - 1) + 1
        if not begin and not whole:
            return None
        try:
            line = read_line(data[begin:end], GENESIS)
        except NotALine:
            end = begin
        else:
            return End(line.n, line.h, len(data) - end, str(line.fields.get("t", "")))
    return End(-1, GENESIS, len(data)) if whole else None


def _tail(file: TrailFile, size: int) -> tuple[bytes, bool]:
    """The last ``size`` bytes of what the file holds, and whether that is all of it."""
    with file.open() as stream:
        if not isinstance(stream, gzip.GzipFile):
            length = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, length - size))
            return stream.read(), length <= size
        data, length = b"", 0
        try:
            while part := stream.read(_TAIL_BYTES):
                length += len(part)
                data = (data + part)[-size:]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(file, error) from error
        return data, length <= size


def _damaged(file: TrailFile, error: Exception) -> OSError:
    """A compressed file that was cut or changed, as any other that cannot be read."""
    return OSError(
        errno.EIO, f"压缩文件已损坏 / the compressed file is damaged: {error}", file.path
    )
