"""What the tests run against: a server together with a driver, by the beginning of its URL."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import URL

from adapters.config import SourceConfig
from adapters.database import Source
from tests.databases.servers import PASSWORD, USER, MariaDB, NotInstalled, PostgreSQL, Server

SERVERS: dict[str, type[Server]] = {"postgresql": PostgreSQL, "mariadb": MariaDB}
TARGETS = ("postgresql+psycopg", "postgresql+pyodbc", "mariadb+pymysql", "mariadb+pyodbc")
_ODBC = {"postgresql+pyodbc": "PostgreSQL Unicode", "mariadb+pyodbc": "MariaDB Unicode"}

_running: dict[str, Server] = {}


def missing(what: str) -> None:
    """Skips the test and says why; in CI, where all was installed, it fails."""
    text = f"{what} is not installed; ./run setup-full installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)


def server(name: str) -> Server:
    """The one server of that name for the whole run."""
    if name not in _running:
        try:
            _running[name] = SERVERS[name]()
        except NotInstalled as lacking:
            missing(str(lacking))
    return _running[name]


def remove_servers() -> None:
    while _running:
        _running.popitem()[1].remove()


atexit.register(remove_servers)


class Target:
    """A server and a driver to it."""

    def __init__(self, drivername: str) -> None:
        self.drivername = drivername
        self.server = server(drivername.partition("+")[0])
        driver = _ODBC.get(drivername)
        if driver is not None:
            import pyodbc

            if driver not in pyodbc.drivers():
                missing(f"the ODBC driver {driver}")

    @property
    def is_postgresql(self) -> bool:
        return self.drivername.startswith("postgresql")

    def url(self, database: str, port: int | None = None) -> URL:
        """The plain URL that an operator writes."""
        return URL.create(
            self.drivername, USER, PASSWORD, "127.0.0.1", port or self.server.port, database
        )

    @contextmanager
    def source(self, database: str, port: int | None = None, **config: Any) -> Iterator[Source]:
        given = {"adapter": "junwei", "offers": ["NumberSource"], "read_only": False, **config}
        checked = SourceConfig.model_validate({"url": self.url(database, port), **given})
        made = Source("his", "hx", checked)
        try:
            yield made
        finally:
            made.close()
