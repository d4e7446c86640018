"""What commands fetch is bounded, and refused in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.web_site import web_site
from yilian.cli import app
from yilian.fetching import fetched
from yilian.refused import Refused

WSDL = Path(__file__).parents[2] / "wsdl" / "LabResults.wsdl"


def answer(path: str) -> tuple[int, Iterable[bytes]]:
    """A WSDL, or something that does not end."""
    if path.startswith("/endless"):
        return 200, repeat(bytes(1 << 20))
    return 404 if path.startswith("/gone") else 200, [WSDL.read_bytes()]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with web_site(answer) as url:
        yield url


def diff(where: str) -> str:
    result = CliRunner().invoke(app, ["wsdl", "diff", str(WSDL), where])
    if isinstance(result.exception, Refused):
        raise result.exception
    return result.output


def test_a_service_is_compared_by_its_address(site: str) -> None:
    assert fetched(f"{site}/x?wsdl") == WSDL.read_bytes()
    assert "the same contract" in diff(f"{site}/x")


@pytest.mark.parametrize(
    ("path", "said"), [("/endless", "8388608"), ("/gone", "HTTP 404"), (":x/", "InvalidURL")]
)
def test_what_cannot_be_had_is_refused(site: str, path: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        diff(site + path)


def test_only_http_is_fetched() -> None:
    with pytest.raises(ValueError, match="http"):
        fetched("file:///etc/passwd")
