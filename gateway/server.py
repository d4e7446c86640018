"""uvicorn's server with the gateway's listeners: plain, TLS, or both."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn

from gateway.app import Gateway
from gateway.memory import give_back_memory, look_for_cycles_seldom
from gateway.tls import TlsListener

#: seconds that an idle kept connection of an asker stays open
IDLE_SECONDS = 65
#: seconds that calls under way are given when the process is told to end
GRACE_SECONDS = 10
_TICK_SECONDS = 0.1


class GatewayServer(uvicorn.Server):
    """``run(sockets=plain)`` serves until SIGTERM or SIGINT, for ``listen.drain_seconds`` more,
    and then lets calls under way finish.
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
        self._until = 0.0  # on the loop's clock: from then on no connection is taken

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """In a process of its own."""
        give_back_memory()
        look_for_cycles_seldom()
        super().run(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        certificates = self._gateway.certificates
        if self._tls is not None and certificates is not None and self.started:
            self._listener = TlsListener(
                self._tls, certificates, self._gateway.connections, self._asker
            )
            self._listener.start()

    async def _drain(self) -> None:
        """Serve on until whoever sends calls here has seen that we end. A second SIGINT hurries."""
        loop = asyncio.get_running_loop()
        self._until, ticks = loop.time() + self._gateway.drain(), 0
        while (left := self._until - loop.time()) > 0 and not self.force_exit:
            await self.on_tick(ticks)  # keeps the date in the answers right
            ticks += 1
            await asyncio.sleep(min(_TICK_SECONDS, left))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._drain()
        if self._listener is not None:
            await self._listener.close()
        await super().shutdown(sockets)

    def _asker(self) -> asyncio.Protocol:
        state: dict[str, Any] = self.lifespan.state
        return self._gateway.protocol(self.config, self.server_state, state)
