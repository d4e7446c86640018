"""Memory that the workers of one gateway share, so that a limit holds for all of them together.

A file of fixed size, mapped by each worker of the same listening address on the same machine; what
is in it is guarded by record locks, which the system gives back when a process dies. One worker
alone has plain memory and no locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SharedMemory:
    """``size`` zero bytes at first. ``name`` None: of this process alone. OSError where the file
    cannot be made, or belongs to somebody else."""

    def __init__(self, name: str | None, size: int) -> None:
        self.path = None if name is None else _folder() / name
        self._file = None if self.path is None else _open(self.path, size)
        self.alone = self._file is None  # then there is nothing to lock
        self.bytes = mmap.mmap(-1 if self._file is None else self._file, size)

    @contextmanager
    def locked(self, offset: int, size: int) -> Iterator[None]:
        """Alone with ``size`` bytes from ``offset``. Do nothing slow in it."""
        file = self._file
        if file is None:
            yield
            return
        fcntl.lockf(file, fcntl.LOCK_EX, size, offset)
        try:
            yield
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN, size, offset)

    def remove(self) -> None:
        """Close, and leave no file."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        self.bytes.close()
        if self._file is not None:
            os.close(self._file)
            self._file = None


def shared_name(kind: str, address: str) -> str:
    """The name of what the workers that listen on ``address`` share."""
    return f"yilian-{os.geteuid()}-{hashlib.sha256(address.encode()).hexdigest()[:16]}.{kind}"


def _folder() -> Path:
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


def _open(path: Path, size: int) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, stat.S_IRUSR | stat.S_IWUSR)
    try:
        found = os.fstat(file)
        if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
            raise PermissionError(f"{path} 属于别人 / belongs to somebody else")
        if found.st_size != size:
            os.ftruncate(file, size)
    except BaseException:
        os.close(file)
        raise
    return file
