"""A web server with whatever a test wants to be fetched."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


@contextmanager
def web_site(answer: Callable[[str], tuple[int, Iterable[bytes]]]) -> Iterator[str]:
    """The address of a server on a port of its own. ``answer``: a GET's path to status and body,
    which is sent piece by piece."""

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.end_headers()
            try:
                for piece in body:
                    self.wfile.write(piece)
            except OSError:
                """The client had enough."""

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(20)
