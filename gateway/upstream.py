"""Forwarding over kept connections: a pool for each address, asyncio protocols and httptools.

What is sent a second time here, and what is not. A call is sent once more, on a connection of its
own, when and only when

- ``NodeRequest.repeatable`` says that a second sending does no harm (a read, or a write that
  carries a RequestId, which the node answers with what the first one did), and
- the connection it went out on had carried a call before (a kept one that the node, or a gate on
  the way, may have given up in the meantime), and
- that connection was closed or reset, or nobody acknowledged a byte of it, and
- not one byte of an answer had come.

This is nearly always a connection that was dead before the call was written; it can also be a
node that died over it, and the two cannot be told apart. A call on a fresh connection is never
repeated here. ``gateway/balance.py`` decides what is tried elsewhere.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.binding import Binding
from gateway.forward import BrokenOff, NodeAnswer, NodeRequest, NotReached
from gateway.node_connection import NodeConnection, take_usable
from gateway_config.model import Forward
from gateway_config.section import Network, within

#: how many addresses are remembered in parsed form
_TARGETS = 4096


@dataclass(slots=True)
class _Pool:
    """The connections to one scheme, host and port that carry no call, oldest first."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    idle_seconds: float
    networks: tuple[Network, ...]
    idle: deque[NodeConnection] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Target:
    """An access point, parsed once: its pool and what stands in each request's head."""

    pool: _Pool
    path: str
    fixed: str


class KeptConnections:
    """A Forwarder. Made inside a running event loop; ``close`` it there too. ``idle_seconds``
    says for a binding how long its connections may stand idle: its hospital's gate decides that;
    0 closes each after its call. ``networks``: outside of which it is not dialled, whatever name
    leads there; none: anywhere. ``via``: the header Via of every request (gateway/loop.py)."""

    def __init__(
        self,
        settings: Forward,
        *,
        idle_seconds: Callable[[Binding], float] | None = None,
        networks: Callable[[Binding], tuple[Network, ...]] | None = None,
        via: str = "",
    ) -> None:
        self._settings = settings
        self._via = f"Via: {via}\r\n" if via else ""
        self._idle_seconds = idle_seconds or (lambda binding: settings.idle_seconds)
        self._networks = networks or (lambda binding: settings.networks)
        self._loop = asyncio.get_running_loop()
        self._pools: dict[tuple[str, str, int, float, tuple[Network, ...]], _Pool] = {}
        self._targets: dict[Binding, _Target] = {}
        self._tls: ssl.SSLContext | None = None
        self._closed = False

    async def close(self) -> None:
        self._closed = True
        for pool in self._pools.values():
            if pool.timer is not None:
                pool.timer.cancel()
            for connection in pool.idle:
                connection.abandon()
            pool.idle.clear()

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        target = self._targets.get(binding) or self._target(binding)
        deadline = min(request.deadline, self._loop.time() + self._settings.timeout_seconds)
        head = request_head(target.path, target.fixed, request)
        where = binding.access_point
        pool = target.pool
        connection = take_usable(pool.idle) or await self._connect(pool, where, deadline)
        try:
            return await self._ask(pool, connection, head, request.body, where, deadline)
        except BrokenOff:
            if not request.repeatable or connection.calls == 1 or connection.received:
                raise
        connection = await self._connect(pool, where, deadline)
        return await self._ask(pool, connection, head, request.body, where, deadline)

    async def _ask(
        self,
        pool: _Pool,
        connection: NodeConnection,
        head: bytes,
        body: bytes,
        where: str,
        deadline: float,
    ) -> NodeAnswer:
        try:
            answer = await connection.ask(head, body, where, deadline - self._loop.time())
        except asyncio.CancelledError:
            connection.abandon()
            raise
        if connection.usable:
            self._keep(pool, connection)
        return answer

    async def _connect(self, pool: _Pool, where: str, deadline: float) -> NodeConnection:
        seconds = min(self._settings.connect_timeout_seconds, deadline - self._loop.time())
        limit = self._settings.max_answer_bytes
        try:
            async with asyncio.timeout(seconds):
                _, connection = await self._loop.create_connection(
                    lambda: NodeConnection(self._loop, limit),
                    await self._within(pool, where) if pool.networks else pool.host,
                    pool.port,
                    ssl=pool.tls,
                    server_hostname=pool.host if pool.tls is not None else None,
                )
        except TimeoutError as error:
            raise NotReached(f"{where}: no connection within {seconds:.3g} s") from error
        except OSError as error:  # refused, unknown name, a certificate that does not fit
            raise NotReached(f"{where}: {type(error).__name__} {error}") from error
        connection.watch_silence(
            max(1.0, 2 * self._settings.connect_timeout_seconds), pool.idle_seconds / 2
        )
        return connection

    async def _within(self, pool: _Pool, where: str) -> str:
        """The address behind the pool's host that may be dialled. OSError; NotReached."""
        found = await self._loop.getaddrinfo(pool.host, pool.port, type=socket.SOCK_STREAM)
        addresses = [str(address[0]) for *_, address in found]
        for one in addresses:
            if within(one, pool.networks):
                return one
        raise NotReached(f"{where}: {', '.join(addresses)} is outside of the configured networks")

    # --- kept connections ------------------------------------------------------------------

    def _keep(self, pool: _Pool, connection: NodeConnection) -> None:
        if self._closed or pool.idle_seconds <= 0:
            connection.abandon()
            return
        connection.idle_since = self._loop.time()
        pool.idle.append(connection)
        if pool.timer is None:
            pool.timer = self._loop.call_later(pool.idle_seconds, self._drop_old, pool)

    def _drop_old(self, pool: _Pool) -> None:
        """Close what has stood idle too long, and look again when the next one will have."""
        pool.timer = None
        now = self._loop.time()
        while pool.idle and pool.idle[0].idle_since + pool.idle_seconds <= now:
            pool.idle.popleft().abandon()
        if pool.idle:
            rest = pool.idle[0].idle_since + pool.idle_seconds - now
            pool.timer = self._loop.call_later(rest, self._drop_old, pool)

    def _target(self, binding: Binding) -> _Target:
        url = urlsplit(binding.access_point)
        host, tls = url.hostname or "", None
        if url.scheme == "https":
            tls = self._tls = self._tls or ssl.create_default_context()
        port = url.port or (443 if tls else 80)
        key = url.scheme, host, port, self._idle_seconds(binding), self._networks(binding)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool(host, port, tls, *key[3:])
        if len(self._targets) >= _TARGETS:
            self._targets.clear()
        target = _Target(
            pool,
            url.path or "/",
            f"Host: {url.netloc}\r\n{self._via}Accept-Encoding: identity\r\n",
        )
        self._targets[binding] = target
        return target


def request_head(path: str, fixed: str, request: NodeRequest) -> bytes:
    """The head of a request to ``path``; ``fixed`` are its headers that never change, each with
    its CRLF. The length is always said and ``Expect`` never sent: some gates drop chunked bodies
    and what waits for a 100."""
    query = f"?{request.query}" if request.query else ""
    headers = "".join([f"{name}: {value}\r\n" for name, value in request.headers])
    return (
        f"{request.method} {path}{request.suffix}{query} HTTP/1.1\r\n{fixed}"
        f"{headers}Content-Length: {len(request.body)}\r\n\r\n"
    ).encode()
