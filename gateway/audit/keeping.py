"""Keeping the trail: closed files are compressed, and removed once they are old enough."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gateway.audit.files import End, TrailFile, end_of


class Expired(NamedTuple):
    """A file that is old enough to go, and its last line."""

    path: Path
    n: int
    h: str

    @property
    def file(self) -> str:
        return self.path.name


def expired(files: Sequence[TrailFile], before: float) -> tuple[list[Expired], list[TrailFile]]:
    """Of one stream's closed files, oldest first: those whose last line was written before
    ``before`` (seconds since 1970), from the oldest on and never one in between; and the others.
    OSError.

    A file's own date may be set by anybody who may write in the folder, and would have us remove
    what tells against him: it only saves looking into the young ones. What counts is what the last
    line says, which the chain holds."""
    old: list[Expired] = []
    remaining = list(files)
    while remaining and remaining[0].path.stat().st_mtime < before:
        end = end_of(remaining[0])
        if _written(remaining[0], end) >= before:
            break
        oldest = remaining.pop(0)
        old.append(Expired(oldest.path, end.n, end.h))
    return old, remaining


def _written(file: TrailFile, end: End) -> float:
    """When a file's last line was written, by what it says, or else when the file was opened."""
    try:
        return datetime.fromisoformat(end.time).timestamp()
    except ValueError:
        return file.opened.timestamp()


def remove(old: Expired) -> None:
    """OSError."""
    plain = old.path.with_name(old.path.name.removesuffix(".gz"))
    for path in (plain, plain.with_name(plain.name + ".gz")):
        path.unlink(missing_ok=True)


def compress(file: TrailFile) -> Path:
    """The file as ``.gz``, whole before the plain one goes; its time is kept. OSError."""
    target = file.path.with_name(file.path.name + ".gz")
    temporary = target.with_name(target.name + ".part")
    stat = file.path.stat()
    with file.path.open("rb") as source, temporary.open("wb") as raw:
        os.fchmod(raw.fileno(), 0o600)
        with gzip.GzipFile(file.path.name, "wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
            shutil.copyfileobj(source, packed, 1024 * 1024)
        raw.flush()
        os.fsync(raw.fileno())
    os.utime(temporary, (stat.st_atime, stat.st_mtime))
    temporary.replace(target)
    file.path.unlink()
    return target
