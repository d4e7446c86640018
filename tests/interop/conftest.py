"""One constant node and one gateway for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.served import Served, served


@pytest.fixture(scope="session")
def both() -> Iterator[Served]:
    with served() as running:
        yield running
