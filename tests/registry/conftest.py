"""A fresh registry for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_server import Running, config, running


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path)) as server:
        yield server
