"""Every test of this folder runs over each adapter, on each database, through each driver.

The hospitals are a small build of the demo's, copied table by table; what SQLite answers of the
original is the measure for all of them. SQLite runs always, the servers in the group ``full``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters import ADAPTERS
from adapters.config import SourceConfig
from adapters.database import Source
from tests.compliance.copying import copied
from tests.databases.targets import TARGETS, Target
from yilian.demo_data import build

TODAY = date(2026, 11, 21)

#: contracts that each demo source offers, and those that its tables can answer besides
OFFERS = {
    ("hx", "his"): ["NumberSource", "Ordering", "LabResults", "ExamResults", "Patients"],
    ("sq", "his"): ["NumberSource", "Patients"],
    ("sq", "lis"): ["LabResults"],
}
#: the names of a database's tables in lower case, as of a HIS that created them without quotes
LOWER = "postgresql+psycopg in lower case"
DATABASES = ("sqlite", *TARGETS, LOWER)


@dataclass
class Offered:
    """One source on one database. ``original``: the adapter over the SQLite file that it was
    copied from."""

    adapter: Any
    original: Any
    offers: list[str]
    source: Source
    config: dict[str, Any]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    made = build(tmp_path_factory.mktemp("compliance"), today=TODAY, scale=0.01)
    return {
        (hospital, name): {**source, "offers": OFFERS[hospital, name], "read_only": False}
        for hospital, sources in made.sources.items()
        for name, source in sources.items()
    }


def opened(hospital: str, name: str, config: dict[str, Any]) -> Any:
    checked = SourceConfig.model_validate(config)
    source = Source(name, hospital, checked)
    return ADAPTERS[checked.adapter](source, checked.settings)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test marked ``contract`` runs over the sources that offer it, any other over all."""
    if "offered" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("contract")
    cases = [
        pytest.param(
            (database, *key),
            id="-".join((database, *key)),
            marks=[] if database == "sqlite" else [pytest.mark.full],
        )
        for database in DATABASES
        for key, offers in OFFERS.items()
        if marker is None or marker.args[0] in offers
    ]
    metafunc.parametrize("offered", cases, indirect=True, scope="session")


@pytest.fixture(scope="session")
def offered(
    request: pytest.FixtureRequest,
    demo: dict[tuple[str, str], dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Offered]:
    database, hospital, name = request.param
    given = demo[hospital, name]
    file = Path(given["url"].removeprefix("sqlite:///"))
    if database == "sqlite":
        path = tmp_path_factory.mktemp("copy") / "his.db"
        path.touch()
        url: Any = f"sqlite:///{path}"
    else:
        target = Target(database.partition(" ")[0])
        url = target.url(target.server.database())
    config = {**given, "url": url}
    copied(file, url, lower=database == LOWER)
    adapter, original = opened(hospital, name, config), opened(hospital, name, given)
    yield Offered(adapter, original, given["offers"], adapter.source, config)
    adapter.source.close()
    original.source.close()
