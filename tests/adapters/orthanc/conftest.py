"""Archives over a PACS that the test has started."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adapters.config import SourceConfig
from adapters.http_source import HttpSource
from adapters.orthanc import Orthanc

Archives = Callable[..., Orthanc]


@pytest.fixture
def archive() -> Iterator[Archives]:
    """``archive(url, settings, **config)``; closed after the test."""
    sources: list[HttpSource] = []

    def open_archive(url: str, settings: dict[str, Any] | None = None, **config: Any) -> Orthanc:
        given = {"adapter": "orthanc", "url": url, "settings": settings or {}, **config}
        checked = SourceConfig.model_validate(given)
        sources.append(HttpSource("pacs", "hx", checked))
        return Orthanc(sources[-1], checked.settings)

    yield open_archive
    for source in sources:
        source.close()
