"""A disk that is really full: a file system of 1 MB, as root."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.audit.anchors import load_key
from gateway.audit.search import Wanted, search
from gateway.audit.verify import verify
from services.faults import SourceUnavailable
from tests.audit.conftest import OpenTrail, call
from tests.audit.test_trail import until

pytestmark = pytest.mark.full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("需要 root 挂载文件系统 / mounting a file system needs root")
    folder = tmp_path / "audit"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"mount: {done.stderr}")
    assert done.returncode == 0, done.stderr
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("sync", ["write", "fsync"])
def test_calls_are_refused_until_there_is_space(
    open_trail: OpenTrail, small_disk: Path, sync: str
) -> None:
    ballast = small_disk / "ballast"

    async def scene() -> int:
        accepted = 0
        async with open_trail(sync=sync) as trail:
            ballast.write_bytes(b"x" * 900_000)
            with pytest.raises(SourceUnavailable):
                while True:
                    trail.ready()
                    await trail.record(call(accepted))
                    accepted += 1
            with pytest.raises(SourceUnavailable, match="was not forwarded"):
                trail.ready()
            ballast.unlink()
            await until(lambda: trail.status()["writable"])
            trail.ready()
            await trail.record(call(accepted))
        return accepted

    accepted = asyncio.run(scene())
    assert accepted > 20
    ids = [line["id"] for line in search(small_disk, Wanted())]
    assert ids == [f"request-{number}" for number in range(accepted + 1)]
    [report] = verify(small_disk, load_key(small_disk / "audit.key"))
    assert report.whole, report.findings
