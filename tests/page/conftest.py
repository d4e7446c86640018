"""Registries for the pages' tests: one with the demo's two hospitals, and any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.page import world
from tests.page.client import Client
from tests.page.serving import registry_app, serving

Open = Callable[..., Client]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """A function that runs a registry for the test: businesses, a health book, settings."""
    with ExitStack() as stack:

        def make(businesses: Any = (), health: Any = None, **settings: Any) -> Client:
            folder = tmp_path / f"registry-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            app = registry_app(folder, businesses, health, **settings)
            return Client(app, stack.enter_context(serving(app)))

        yield make


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    app = registry_app(tmp_path_factory.mktemp("two"), world.two(), world.Book())
    with serving(app) as url:
        yield Client(app, url)
