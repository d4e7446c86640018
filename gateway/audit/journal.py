"""One stream of the trail on disk: opened, appended to, rotated. Synchronous; one process a stream.

A file is only ever appended to. What a crash or a full disk left torn at the end of one stays as it
is; the next file's first line goes on from the last whole line, whose call was not answered before
it was there.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from gateway.audit.entry import moment
from gateway.audit.files import TrailFile, end_of, files_in, name_of, stream_name
from gateway.audit.line import GENESIS, seal
from gateway.durable import sync_folder


class StreamInUse(Exception):
    """Another process writes this stream."""


class Journal:
    """``sync``: a line counts as written once the disk has it (fsync), not once the kernel has it:
    that outlives a power cut too, and costs a disk's time per group of lines."""

    def __init__(
        self,
        folder: Path,
        stream: str,
        *,
        clock: Callable[[], float],
        rotate_bytes: int,
        sync: bool = False,
    ) -> None:
        self.folder = folder
        self.stream = stream_name(stream)
        self._clock = clock
        self._rotate_bytes = rotate_bytes
        self._sync = sync
        self._lock = -1
        self._file = -1
        self._size = 0
        self._number = 0  # of the file that is open
        self._day = ""
        self.path: Path | None = None
        #: of the last line that is safe
        self.n, self.h = -1, GENESIS
        #: where a line has been lost: the next write begins a new file
        self.broken = False

    def open(self) -> None:
        """Go on where the stream ended. OSError; StreamInUse."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._begin_file("start")
        except OSError:
            self._close_lock()
            raise

    def close(self) -> None:
        """OSError where the last line could not be written; everything is closed all the same."""
        try:
            if self._file >= 0 and not self.broken:
                self._append([{"k": "close", "t": moment(self._clock()), "why": "stop"}])
        finally:
            self._close_file()
            self._close_lock()

    def write(self, records: Sequence[dict[str, Any] | msgspec.Struct]) -> None:
        """All of them are safe, or OSError: then some may be there, and none counts as written."""
        if self.broken or self._file < 0:
            raise OSError("the audit stream is broken off")
        self._append(records)
        if self._size >= self._rotate_bytes or self._today() != self._day:
            self.rotate()

    def rotate(self) -> None:
        """Go on in a new file. OSError."""
        self._append([{"k": "close", "t": moment(self._clock()), "why": "rotate"}])
        self._begin_file("rotate")

    def recover(self) -> None:
        """After an OSError: go on in a new file, after what is on disk; or after what was, where
        something has been taken away, which then shows. OSError where it still fails."""
        if self._lock < 0 or not _is_open_as(self._lock, self._lock_path):
            self._close_lock()
            try:
                self._take_lock()
            except StreamInUse:
                text = f"别的进程在写此流 / another process writes {self.stream}"
                raise OSError(errno.EBUSY, text) from None
        self._begin_file("recover")

    def look(self) -> None:
        """OSError where the file is not there any more as it was left: writing goes on working
        then, and nobody would ever find what is written."""
        if self.broken or self._file < 0 or self.path is None:
            return
        if not _is_open_as(self._file, self.path) or os.fstat(self._file).st_size < self._size:
            self.broken = True
            raise OSError(
                errno.ESTALE,
                "审计文件被移走、替换或截短 / the audit file was removed, replaced or cut",
                self.path,
            )

    @property
    def lines(self) -> int:
        return self.n + 1

    def earlier_files(self) -> list[TrailFile]:
        """This stream's files but the one that is open."""
        return [file for file in files_in(self.folder, self.stream) if file.path != self.path]

    # -----------------------------------------------------------------------------------------

    def _append(self, records: Sequence[dict[str, Any] | msgspec.Struct]) -> None:
        n, h, parts = self.n, self.h, []
        for record in records:
            n += 1
            raw, h = seal(h, n, record)
            parts.append(raw)
        data = b"".join(parts)
        try:
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
            if self._sync:
                os.fdatasync(self._file)
        except OSError:
            self.broken = True
            raise
        self.n, self.h = n, h
        self._size += len(data)

    def _begin_file(self, why: str) -> None:
        self._close_file()
        self.broken = True
        number, torn = self._find_end()
        now = datetime.fromtimestamp(self._clock(), UTC)
        # Said before it is there: another thread may ask for the earlier files in between.
        self.path = path = self.folder / name_of(self.stream, number, now)
        self._file = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        self._size, self._day, self._number = 0, self._today(), number
        # ``after`` repeats the hash that this line is chained to, for the day when the files
        # before are gone.
        record: dict[str, Any] = {
            "k": "open",
            "t": moment(self._clock()),
            "why": why,
            "stream": self.stream,
            "after": self.h,
        }
        if torn:
            record["torn"] = torn
        self._append([record])
        if self._sync:
            sync_folder(self.folder)
        self.broken = False

    def _find_end(self) -> tuple[int, int]:
        """The next file's number, and how much is torn at the stream's end."""
        known, torn = (self.n, self.h), 0
        files = files_in(self.folder, self.stream)
        number = max(files[-1].number if files else 0, self._number) + 1
        self.n, self.h = -1, GENESIS
        for file in reversed(files):
            end = end_of(file)
            torn += end.torn
            if end.n >= 0:
                self.n, self.h = end.n, end.h
                break
        if known[0] >= self.n:  # what has been on disk is not there, or is not what it was
            self.n, self.h = known
        return number, torn

    @property
    def _lock_path(self) -> Path:
        return self.folder / f"{self.stream}.lock"

    def _take_lock(self) -> None:
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._close_lock()
            raise StreamInUse(self.stream) from None

    def _today(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).date().isoformat()

    def _close_file(self) -> None:
        if self._file >= 0:
            with contextlib.suppress(OSError):  # everything that counts was written before
                os.close(self._file)
            self._file = -1

    def _close_lock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _is_open_as(descriptor: int, path: Path) -> bool:
    """Whether an open file is still what stands at ``path``. OSError."""
    try:
        there = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))
