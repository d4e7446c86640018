"""uvicorn's server with the gateway's listeners: plain, TLS, or both."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

from gateway.app import Gateway
from gateway.memory import give_back_memory
from gateway.tls import TlsListener

#: seconds that an idle kept connection of an asker stays open
IDLE_SECONDS = 65
#: seconds that calls under way are given when the process is told to end
GRACE_SECONDS = 10


class GatewayServer(uvicorn.Server):
    """``run(sockets=plain)`` serves until SIGTERM or SIGINT, and lets calls under way finish.
    ``tls``: a listening socket whose connections speak TLS."""

    def __init__(
        self, gateway: Gateway, *, tls: socket.socket | None = None, grace: int = GRACE_SECONDS
    ) -> None:
        super().__init__(
            uvicorn.Config(
                gateway.app,
                http=gateway.protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,  # one line a call is the gateway's own business
                server_header=False,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=grace,
            )
        )
        self._gateway = gateway
        self._tls = tls
        self._listener: TlsListener | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        give_back_memory()
        await super().startup(sockets)
        certificates = self._gateway.certificates
        if self._tls is not None and certificates is not None and self.started:
            self._listener = TlsListener(
                self._tls, certificates, self._gateway.connections, self._asker
            )
            self._listener.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._listener is not None:
            await self._listener.close()
        await super().shutdown(sockets)

    def _asker(self) -> asyncio.Protocol:
        state: dict[str, Any] = self.lifespan.state
        return self._gateway.protocol(self.config, self.server_state, state)
