"""Servers for the whole run, and each test's own empty database."""

from __future__ import annotations

import pytest

from tests.databases.targets import TARGETS, Target


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest) -> Target:
    return Target(request.param)


@pytest.fixture
def database(target: Target) -> str:
    return target.server.database()
