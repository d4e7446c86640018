"""An app on a real socket, in a thread, and the registry's app over a world of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from registry.app import create_app
from registry.config import RegistryConfig
from registry.model import BusinessEntity
from tests.page.world import filled


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The app's URL, while the block lasts."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        )
        run = threading.Thread(target=lambda: asyncio.run(server.serve([sock])), daemon=True)
        run.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert run.is_alive() and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        finally:
            server.should_exit = True
            run.join(30)


def registry_app(
    folder: Path, businesses: Iterable[BusinessEntity] = (), health: Any = None, **settings: Any
) -> Starlette:
    """A registry with these businesses in it. ``health`` takes the place of its own book."""
    url = {"url": f"sqlite:///{folder}/registry.db"}
    app = create_app(RegistryConfig.model_validate({"store": url, **settings}))
    filled(app.state.store, businesses)
    if health is not None:
        health.store = app.state.store
        app.state.site.health = health
    return app
