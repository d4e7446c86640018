"""SIGKILL under load: every call that was answered is on record, and the trail is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gateway.audit.anchors import load_key
from gateway.audit.search import Wanted, search
from gateway.audit.verify import verify

PROJECT = Path(__file__).parents[2]


def test_no_answered_call_is_missing_after_three_kills(tmp_path: Path) -> None:
    answered: set[str] = set()
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.writer", str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        assert process.stdout is not None
        seen = b""
        while seen.count(b"\n") < 1000:
            chunk = os.read(process.stdout.fileno(), 65536)
            assert chunk, "the writer ended by itself"
            seen += chunk
        process.kill()
        seen += process.stdout.read()
        process.wait()
        process.stdout.close()
        answered |= set(seen.decode().splitlines())
    on_record = {str(line["id"]) for line in search(tmp_path, Wanted())}
    assert len(answered) >= 1000
    assert answered <= on_record
    [report] = verify(tmp_path, load_key(tmp_path / "audit.key"))
    assert report.whole, report.findings
    assert report.files >= 6  # three starts, and rotated on the way
