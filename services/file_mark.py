"""Whether a file has been replaced or written: certificates are renewed while a process runs."""

from __future__ import annotations

from pathlib import Path

#: time of the last change, ns; size; inode
Mark = tuple[int, int, int]


def mark_of(file: Path) -> Mark | None:
    """Another one after each change of the file; None where it cannot be looked at."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
