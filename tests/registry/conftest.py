"""A fresh registry for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_server import Running, config, running
from stores import BACKENDS, URLS


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that a registry may stand on."""
    return URLS[request.param](tmp_path)


@pytest.fixture
def registry(store_url: str, tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path, store={"url": store_url})) as server:
        yield server
