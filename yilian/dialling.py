"""Dialling out: a node keeps connections to the gateways and answers calls that come back on them.

For a hospital whose gate lets only the inside open connections; gateway/reverse.py is the other
end and has the words that are exchanged. Once the gateway has taken a connection, the node's
own HTTP protocol sits on it as if somebody had connected.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from yilian.client_tls import ClientTls
from yilian.config import Reverse, read_password

PROTOCOL = "yilian-reverse"
#: seconds for connecting, and for the gateway to say yes or no
_PATIENCE = 10.0
#: seconds between attempts: the first, and the longest
_FIRST, _LONGEST = 0.5, 30.0
_HEAD_BYTES = 8192
#: how often gateways ask where they do not say it, and after how many such times without a word a
#: connection is taken for dead
_PING_SECONDS = 20.0
_SILENT_PINGS = 3.0

_log = logging.getLogger("yilian.dialling")


class Dialling:
    """Keeps the connections of one node. Made before the server, so that what is wrong with
    files is refused; ``start(server)`` once that serves."""

    def __init__(self, hospital: str, settings: Reverse) -> None:
        self._hospital = hospital
        self._settings = settings
        self._token = read_password(settings.token_file) if settings.token_file else ""
        self._tls = ClientTls(settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._up: dict[str, int] = dict.fromkeys(settings.urls, 0)
        self._trouble: dict[str, str] = {}

    def start(self, server: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._keep(server, url, first=number == 0))
            for url in self._settings.urls
            for number in range(self._settings.connections)
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def state(self) -> dict[str, dict[str, Any]]:
        """For /health, by gateway."""
        return {
            url: {
                "connections": up,
                "wanted": self._settings.connections,
                "trouble": self._tls.problem or self._trouble.get(url),
            }
            for url, up in self._up.items()
        }

    async def _keep(self, server: uvicorn.Server, url: str, *, first: bool) -> None:
        """One connection to one gateway, again and again."""
        pause = _FIRST
        while True:
            try:
                ended = await self._dial(server, url)
            except (OSError, TimeoutError, _Refusal) as error:
                text = f"{type(error).__name__} {error}".strip()
                if first and self._trouble.get(url) != text:
                    _log.warning("拨不通网关 %s: %s / cannot dial the gateway", url, text)
                self._trouble[url] = text
            else:
                self._up[url] += 1
                if self._trouble.pop(url, None) is not None or first:
                    _log.info("已拨通网关 %s / connected to the gateway", url)
                pause = _FIRST
                try:
                    await ended
                finally:
                    self._up[url] -= 1
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, _LONGEST)

    async def _dial(self, server: uvicorn.Server, url: str) -> asyncio.Future[None]:
        """A future that is done when the connection has ended. OSError, TimeoutError, _Refusal."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        authorization = f"Authorization: Bearer {self._token}\r\n" if self._token else ""
        hello = (
            f"GET /{self._hospital} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: Upgrade\r\n"
            f"Upgrade: {PROTOCOL}\r\n{authorization}\r\n"
        ).encode()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_PATIENCE):
            transport, protocol = await loop.create_connection(
                lambda: _Dial(hello, lambda: _on_server(server)),
                parts.hostname or "",
                parts.port or (443 if secure else 80),
                ssl=self._tls.context() if secure else None,
            )
            try:
                await protocol.accepted
            except BaseException:
                transport.abort()
                raise
        return protocol.ended


class _Refusal(Exception):
    """The gateway said no; the text is its status line."""


class _Dial(asyncio.Protocol):
    """``accepted`` when the gateway has said yes; from then on the node's own protocol has the
    connection. ``ended`` when it is over."""

    def __init__(self, hello: bytes, make: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        self.accepted: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._hello = hello
        self._make = make
        self._answer = b""
        self._transport: asyncio.Transport | None = None
        self._served: Any = None
        self._heard = 0.0
        self._silence = 0.0  # seconds; after which an idle connection is dead
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        if self._served is not None:
            self._served.data_received(data)
            return
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            if len(self._answer) > _HEAD_BYTES:
                self._refused("the answer has no end")
            return
        status = head.partition(b"\r\n")[0].decode("latin-1")
        if not status.startswith("HTTP/1.1 101 "):
            self._refused(status)
            return
        assert self._transport is not None
        # Every event goes through here, so that ``ended`` is told of the end.
        self._served = self._make()
        self._served.connection_made(self._transport)
        if not self.accepted.done():
            self.accepted.set_result(None)
        self._silence = _SILENT_PINGS * _ping_seconds(head)
        self._listen()
        if rest:
            self._served.data_received(rest)

    def _listen(self) -> None:
        """The gateway asks now and then; when it does not, a gate has cut the connection without
        a word, and neither end will ever hear of it."""
        loop = asyncio.get_running_loop()
        assert self._transport is not None
        if not self._served.busy and loop.time() - self._heard > self._silence:
            self._transport.abort()
        elif not self._transport.is_closing():
            self._timer = loop.call_later(self._silence / 4, self._listen)

    def eof_received(self) -> bool | None:
        return self._served.eof_received() if self._served is not None else None

    def pause_writing(self) -> None:
        if self._served is not None:
            self._served.pause_writing()

    def resume_writing(self) -> None:
        if self._served is not None:
            self._served.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._served is not None:
            self._served.connection_lost(exc)
        elif not self.accepted.done():
            self.accepted.set_exception(_Refusal("the gateway closed the connection"))
        if self._timer is not None:
            self._timer.cancel()
        if not self.ended.done():
            self.ended.set_result(None)

    def _refused(self, why: str) -> None:
        if not self.accepted.done():
            self.accepted.set_exception(_Refusal(why))
        if self._transport is not None:
            self._transport.abort()


def _ping_seconds(head: bytes) -> float:
    """How often the gateway asks, as its answer says."""
    found = re.search(rb"\r\nX-Yilian-Ping: ([0-9.]{1,10})(?:\r\n|$)", head)
    return float(found[1]) if found else _PING_SECONDS


def _on_server(server: uvicorn.Server) -> Any:
    """The protocol that the server gives a connection of its own."""
    config = server.config
    kind: Any = config.http_protocol_class
    return kind(config=config, server_state=server.server_state, app_state=server.lifespan.state)
