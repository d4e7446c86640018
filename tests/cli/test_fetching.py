"""What commands fetch is bounded, and refused in one sentence."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from yilian.cli import app
from yilian.fetching import fetched
from yilian.refused import Refused

WSDL = Path(__file__).parents[2] / "wsdl" / "LabResults.wsdl"


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A web server with a WSDL, and an answer that does not end."""

    class Documents(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404 if self.path.startswith("/gone") else 200)
            self.end_headers()
            try:
                self.wfile.write(WSDL.read_bytes())
                while self.path.startswith("/endless"):
                    self.wfile.write(bytes(1 << 20))
            except OSError:
                """The client had enough."""

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(20)


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
