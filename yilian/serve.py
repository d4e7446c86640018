"""One process serving one ASGI app: the port taken first, an end that lets calls finish."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import uvicorn

from services.soap.exchange import Endpoint
from yilian.dialling import Dialling
from yilian.http_protocol import call_protocol
from yilian.listening import end_with, listening

__all__ = ["listening", "serve"]

#: seconds that calls under way are given when the process is told to end
GRACE = 10


def serve(
    app: Callable[..., Any],
    host: str,
    port: int,
    *,
    what: str,
    stop_with_stdin: bool = False,
    calls: Mapping[str, Endpoint] | None = None,
    dialling: Dialling | None = None,
    on_end: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; ``what`` names the process in its first log line.

    ``calls``: endpoints by path whose POSTs take the short way of yilian/http_protocol.py. The
    app answers them too, with the same bytes, where they are not given; the limits of that
    protocol on heads and on patience hold either way.
    ``on_end``: called when the end has begun, before calls under way are waited for: answers that
    are held back are to be given then.
    ``stop_with_stdin``: also end when standard input closes, which is how a child learns that
    its parent is gone, however that ended. ``dialling``: the gateways that are dialled, too.
    """
    sock = listening(host, port)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # one line a call belongs to the gateway's audit, not here
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=65,
        # Whoever asks from this machine could otherwise give himself any source address.
        proxy_headers=what != "gateway",
        http=call_protocol(calls or {}),
    )
    if stop_with_stdin:
        end_with(sys.stdin.fileno())
    logging.getLogger("yilian").info("%s: http://%s:%d", what, host, port)
    with sock:
        _Server(config, dialling, on_end).run(sockets=[sock])  # on uvloop where there is one


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, dialling: Dialling | None, on_end: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._dialling = dialling
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._dialling is not None and self.started:
            self._dialling.start(self)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_end()
        if self._dialling is not None:
            await self._dialling.stop()  # the connections themselves end like any other
        await super().shutdown(sockets)
