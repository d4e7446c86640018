"""Forwarding over kept connections with aiohttp's client.

What is sent a second time, and what is not. aiohttp itself repeats a GET once, on whatever
connection, and never a POST. Here one more rule is added: a POST is sent once more, on a
connection of its own, when and only when

- the connection it went out on had carried a call before (a kept one that the node, or a gate on
  the way, may have given up in the meantime), and
- that connection was closed or reset (a time-out is something else), and
- not one byte of an answer had come.

This is nearly always a connection that was dead before the call was written. It can also be a
node that died over the call; then a write may arrive twice. That is harmless because every write
carries a RequestId, which services/contract.py demands of each, and the node answers the second
one with what the first one did. A call on a fresh connection is never repeated.
"""

from __future__ import annotations

import asyncio
import functools
import io
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from gateway.binding import Binding
from gateway.forward import (
    AnswerTooLarge,
    BadAnswer,
    BrokenOff,
    NodeAnswer,
    NodeRequest,
    NotReached,
    TimedOut,
)
from gateway_config.model import Forward

#: aiohttp writes larger bodies in pieces only when they come as a file
_WRITE_AT_ONCE = 1024 * 1024
_READ = 64 * 1024


@dataclass(slots=True)
class _Attempt:
    """One sending of one call. ``connection`` is None until it has one."""

    connection: _Connection | None = None

    def dead_on_reuse(self) -> bool:
        """Whether it went out on a kept connection and nothing came back."""
        return (
            self.connection is not None
            and self.connection.calls > 1
            and self.connection.received == 0
        )


_attempt: ContextVar[_Attempt] = ContextVar("attempt")


class _Connection(ResponseHandler):
    """A connection that knows how many calls it has carried, and how much of an answer came."""

    calls = 0
    received = 0

    def set_response_params(self, **params: object) -> None:
        # aiohttp calls this at the beginning of each call, in the caller's own context.
        self.calls += 1
        self.received = 0
        _attempt.get().connection = self
        super().set_response_params(**params)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)

    def is_connected(self) -> bool:
        # The pool asks this before it hands out a kept connection. One on which something came
        # that nobody asked for (a late answer, a 408) would give it to the next caller.
        return super().is_connected() and not self.should_close


class _Connector(aiohttp.TCPConnector):
    def __init__(self, idle_seconds: float) -> None:
        super().__init__(limit=0, keepalive_timeout=idle_seconds)
        # aiohttp has no public way to say which protocol its connections are;
        # tests/gateway/test_upstream.py fails if it stops asking here.
        self._factory = functools.partial(  # type: ignore[assignment]
            _Connection, loop=asyncio.get_running_loop()
        )


def _session(connector: aiohttp.TCPConnector, connect_seconds: float) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            total=None,  # KeptConnections.send has one deadline over both sendings
            connect=connect_seconds,
            ceil_threshold=float("inf"),  # no rounding up to whole seconds
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
    )


class KeptConnections:
    """A Forwarder. Made inside a running event loop; ``close`` it there too."""

    def __init__(self, settings: Forward) -> None:
        self._limit = settings.max_answer_bytes
        self._seconds = settings.timeout_seconds
        connect = settings.connect_timeout_seconds
        self._kept = _session(_Connector(settings.idle_seconds), connect)
        self._fresh = _session(aiohttp.TCPConnector(limit=0, force_close=True), connect)

    async def close(self) -> None:
        await self._kept.close()
        await self._fresh.close()

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        try:
            async with asyncio.timeout(self._seconds):
                attempt = _Attempt()
                token = _attempt.set(attempt)
                try:
                    return await self._once(self._kept, binding, request)
                except BrokenOff:
                    if not attempt.dead_on_reuse():
                        raise
                finally:
                    _attempt.reset(token)
                return await self._once(self._fresh, binding, request)
        except TimeoutError as error:
            raise TimedOut(f"{binding.access_point}: {self._seconds:g} s") from error

    async def _once(
        self, session: aiohttp.ClientSession, binding: Binding, request: NodeRequest
    ) -> NodeAnswer:
        headers = CIMultiDict(request.headers)
        headers["Accept-Encoding"] = "identity"
        url = URL(binding.access_point, encoded=True)
        if request.query:
            url = url.with_query(request.query)
        large = len(request.body) > _WRITE_AT_ONCE
        where = binding.access_point
        try:
            async with session.request(
                request.method,
                url,
                headers=headers,
                data=io.BytesIO(request.body) if large else request.body,
                allow_redirects=False,
            ) as response:
                return await self._answer(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotReached(f"{where}: {error}") from error
        except (aiohttp.ClientResponseError, HttpProcessingError, aiohttp.InvalidURL) as error:
            raise BadAnswer(f"{where}: {error}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenOff(f"{where}: {type(error).__name__} {error}") from error

    async def _answer(self, response: aiohttp.ClientResponse) -> NodeAnswer:
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding.strip().lower() != "identity":
            raise BadAnswer(f"{response.url}: Content-Encoding {encoding} was not asked for")
        too_large = AnswerTooLarge(f"{response.url}: larger than {self._limit} bytes")
        if (response.content_length or 0) > self._limit:
            raise too_large
        body = bytearray()
        async for chunk in response.content.iter_chunked(_READ):
            body += chunk
            if len(body) > self._limit:
                raise too_large
        headers = {name.lower(): value for name, value in response.headers.items()}
        return NodeAnswer(response.status, headers, bytes(body))
