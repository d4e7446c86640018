"""A fresh registry for each test that asks for one, on each kind of database in turn."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import stores
from registry_server import Running, config, running


@pytest.fixture(scope="session", autouse=True, params=stores.BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Every test of this folder runs on each; what has no store in it runs once. A fixture that
    outlives a test asks for this one by name."""
    stores.use(request.param)
    return str(request.param)


@pytest.fixture
def sqlite() -> None:
    """For a test that is about SQLite's own file, and runs on nothing else."""


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """An empty database."""
    return stores.url_in(tmp_path)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Running]:
    with running(config(tmp_path)) as server:
        yield server


#: names by which a module has a store
_STORED = {"running", "Running", "Store", "store_url"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def kept(item: pytest.Item) -> bool:
        parameters = getattr(item, "callspec", None)
        if parameters is None or parameters.params.get("backend") != "postgresql":
            return True
        if not isinstance(item, pytest.Function) or Path(__file__).parent not in item.path.parents:
            return True
        return "sqlite" not in item.fixturenames and bool(_STORED & vars(item.module).keys())

    items[:] = filter(kept, items)
