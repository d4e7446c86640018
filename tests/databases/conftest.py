"""Servers for the whole run, and each test's own empty database."""

from __future__ import annotations

import pytest

from tests.databases.servers import until
from tests.databases.targets import TARGETS, Target


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    """One driver and its server, on which nobody is connected: these tests count connections,
    and what ran before them in the same session keeps some in its pools."""
    made = Target(request.param)
    made.server.kill_connections()
    until(lambda: made.server.connections() == 0)
    return made


@pytest.fixture
def database(target: Target) -> str:
    return target.server.database()
