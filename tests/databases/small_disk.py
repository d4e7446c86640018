"""A disk of a few megabytes that a test fills up and clears: a tmpfs, which root may mount."""

from __future__ import annotations

import errno
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases.servers import MariaDB, PostgreSQL, Server


class SmallDisk:
    """Mounted at ``folder``, which belongs to whoever runs the server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Not a byte is left."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (65536, 4096):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error
        assert shutil.disk_usage(self.folder).free == 0

    def clear(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(server: Server, megabytes: int) -> Iterator[SmallDisk]:
    folder = Path(tempfile.mkdtemp(prefix="yilian-disk-"))
    size = f"size={megabytes}m"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        done = None
    if done is None or done.returncode != 0:
        folder.rmdir()
        pytest.skip("a disk that is full needs a mount of its own, and this user may not mount")
    try:
        folder.chmod(0o700)
        if server.user:
            shutil.chown(folder, server.user)
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@contextmanager
def database_on(disk: SmallDisk, server: Server) -> Iterator[str]:
    """A new, empty database whose tables are on that disk; the server's logs are elsewhere."""
    if isinstance(server, PostgreSQL):
        server.do(f"CREATE TABLESPACE small LOCATION '{disk.folder}'")
        name = server.database("TABLESPACE small")
    else:
        assert isinstance(server, MariaDB)
        name = server.database()
        home = server.folder / "data" / name
        moved = shutil.move(home, disk.folder / name)
        home.symlink_to(moved)
        for path in (moved, *moved.iterdir()):
            shutil.chown(path, server.user or None)
    try:
        yield name
    finally:
        disk.clear()
        server.kill_connections()
        force = " WITH (FORCE)" if isinstance(server, PostgreSQL) else ""
        server.do(f"DROP DATABASE {name}{force}")
        if isinstance(server, PostgreSQL):
            server.do("DROP TABLESPACE small")
