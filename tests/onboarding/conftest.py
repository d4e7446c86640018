"""Commands run as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def yilian(tmp_path: Path) -> Run:
    """``yilian("adapter", "check", "third.toml")`` in the test's folder."""

    def run(*words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "yilian", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return run
