"""The gateway's own pages (/health and the like): a Starlette app behind the calls' protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message

from gateway.call import Answer
from gateway.request import Headers
from gateway_config.model import GatewayConfig
from gateway_config.section import within


class Pages:
    """``paths``: those that the app answers, by GET and HEAD, to the watchers of a configuration;
    for others there is nothing there. Pages are short, so an answer is taken whole."""

    def __init__(self, app: ASGIApp, paths: Iterable[str], config: GatewayConfig) -> None:
        self._app = app
        self._paths = frozenset(path.encode("ascii") for path in paths)
        self.take(config)

    def take(self, config: GatewayConfig) -> None:
        """Go by this configuration from now on. The proxy asks for /health, and lets only watchers
        through to the others itself."""
        self._networks = config.listen.watchers
        self._trusted = frozenset(config.proxy.trusted) if config.proxy is not None else frozenset()

    def has(self, method: str, path: bytes, peer: str) -> bool:
        return path in self._paths and method in ("GET", "HEAD") and self._watches(peer)

    def _watches(self, peer: str) -> bool:
        if not self._networks or peer in self._trusted:
            return True
        return within(peer, self._networks)

    async def answer(
        self, method: str, scheme: str, path: bytes, query: bytes, headers: Headers, peer: str
    ) -> Answer:
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": scheme,
            "path": path.decode("ascii"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": (peer, 0),
            "server": None,
        }
        said: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            said.append(message)

        await self._app(scope, receive, send)
        start = next(one for one in said if one["type"] == "http.response.start")
        return Answer(
            start["status"],
            tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in start.get("headers", ())
                if name != b"content-length"
            ),
            b"".join(one.get("body", b"") for one in said if one["type"] == "http.response.body"),
        )
