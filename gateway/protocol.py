"""One connection to an asker, as uvicorn's ``http=`` takes it: bytes in, calls, answers out.

No ASGI on the calls' way: a request goes from the parser to CallPath, and only the gateway's own
pages (/health and the like) go to the Starlette app, by gateway/pages.py. Requests of one
connection are answered in their order, one at a time; while one is under way, reading stops as
soon as another has begun to arrive.

An asker who leaves does not stop his call: a write is not cut off half way. One who sends a head
or takes an answer too slowly loses his connection; a refused one can still read why.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import httptools

from gateway import framing
from gateway.call import Answer, Call, CallerLeft
from gateway.certificate import PeerCertificate, peer_certificate
from gateway.connections import Connections
from gateway.head import Refused
from gateway.known import Memory
from gateway.pages import Pages
from gateway.request import Headers, HttpRequest

#: for an asker to take the next part of his answer, seconds
PATIENCE_SECONDS = 60.0
#: after an answer to a request that was not read to its end: how much of it is still taken off the
#: asker's hands, and for how long. To close at once would reset the connection, and the Fault
#: with it.
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_SECONDS = 2.0
_ONE_PIECE = 65_536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n" for one in HTTPStatus}
_METHODS = {b"POST": "POST", b"GET": "GET"}
_log = logging.getLogger(__name__)


class Plane:
    """What all connections of a worker share. ``path`` is there while the app's lifespan is."""

    def __init__(self, connections: Connections, pages: Pages) -> None:
        self.connections = connections
        self.pages = pages
        self.path: Callable[[Call], Awaitable[Answer]] | None = None
        #: the end is near: every answer closes its connection
        self.draining = False


class _Stop(Exception):
    """Nothing more of this connection is parsed."""


class AskerProtocol(asyncio.Protocol):
    """``plane`` is set by ``protocol_of``. ``queue``: requests not answered yet, in order; the
    first is under way if ``busy``. ``arriving``: the one whose body is being read. ``deaf``: what
    still comes is thrown away."""

    plane: Plane
    #: of the class: uvicorn's own headers (the date), as text
    own: tuple[object, str] = (None, "")
    transport: asyncio.Transport
    task: asyncio.Task[None]

    __slots__ = (
        "arriving",
        "began",
        "busy",
        "certificate",
        "deaf",
        "feed_bytes",
        "head_bytes",
        "headers",
        "idle_seconds",
        "idle_since",
        "in_head",
        "length",
        "loop",
        "memory",
        "parser",
        "peer",
        "queue",
        "reading",
        "stalled",
        "state",
        "task",
        "thrown_away",
        "tls",
        "transport",
        "url",
        "writable",
    )

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.loop = _loop or asyncio.get_running_loop()
        self.state = server_state
        self.idle_seconds: float = config.timeout_keep_alive
        self.parser = httptools.HttpRequestParser(self)
        self.queue: deque[HttpRequest] = deque()
        self.arriving: HttpRequest | None = None
        self.url = b""
        self.headers: Headers = []
        self.length: int | None = None
        self.memory = Memory()
        self.busy = self.deaf = self.in_head = self.tls = False
        self.reading = self.writable = True
        self.head_bytes = self.feed_bytes = self.thrown_away = 0
        self.began: float | None = None  # when the head that is arriving began to
        self.stalled: tuple[float, int] | None = None  # since when so much waits to be taken
        self.peer = ""
        self.certificate: PeerCertificate | None = None

    # --- the connection -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        peer = transport.get_extra_info("peername")
        # An IPv4 address on a listener for both is the same address.
        self.peer = str(peer[0]).removeprefix("::ffff:") if isinstance(peer, tuple) else ""
        self.tls = transport.get_extra_info("sslcontext") is not None
        if self.tls:
            self.certificate = peer_certificate(transport.get_extra_info("ssl_object"))
        self.idle_since = self.loop.time()
        if not self.plane.connections.admit(self, self.peer):
            self.deaf = True
            transport.write(self.plane.connections.full)
            transport.close()
            return
        self.state.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.plane.connections.gone(self, self.peer)
        self.state.connections.discard(self)
        self.deaf = True
        for request in self.queue:
            request.left()
            if not self.busy or request is not self.queue[0]:
                request.release()  # nobody runs it

    def eof_received(self) -> None:
        """The asker has said all; the connection ends with it."""

    def shutdown(self) -> None:
        """The server ends: no further request after those that are here."""
        for request in self.queue:
            request.keep_alive = False
        if not self.queue:
            self.transport.close()

    def pause_writing(self) -> None:
        self.writable = False
        self.stalled = self.loop.time(), self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        self.writable = True
        self.stalled = None
        self._advance()

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            self._throw_away(len(data))
            return
        if self.began is None and self.arriving is None:
            self.began, self.head_bytes = self.loop.time(), 0
        in_head = self.arriving is None
        self.feed_bytes = len(data)
        once_more: bytes | None = None
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.arriving is None and not self.deaf and not self._is_connect():
                once_more = data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError:
            if not self.deaf:  # as it is where one of ours has raised _Stop
                raise
        except httptools.HttpParserError as error:
            if not (self.queue and not self.queue[-1].keep_alive and self.queue[-1].complete):
                self._unreadable(framing.malformed(str(error)))
        if once_more is not None:
            self._without_upgrade(once_more)
            return
        if in_head and self.began is not None and not self.deaf:
            self.head_bytes += len(data)
            if self.head_bytes > self.plane.connections.limits.max_head_bytes:
                self._unreadable(
                    framing.head_too_large(self.plane.connections.limits.max_head_bytes)
                )
        self._advance()

    # --- a request arrives ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.deaf:
            raise _Stop
        self.url = b""
        self.headers = []
        self.length = None
        self.in_head = True
        if self.began is None:
            self.began, self.head_bytes = self.loop.time(), 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.in_head:  # but in a trailer: nothing there could be checked in time
            return
        name = name.lower()
        if name == b"content-length":
            self.length = int(value)  # of digits, and one alone: the parser sees to that
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.began = None
        parser, limits = self.parser, self.plane.connections.limits
        version: str = parser.get_http_version()
        method = _METHODS.get(parser.get_method()) or parser.get_method().decode("ascii")
        if parser.should_upgrade() and method != "CONNECT":
            return  # read once more without the offer: see _without_upgrade
        request = self._request(
            method,
            keep_alive=parser.should_keep_alive() and version == "1.1",
        )
        self.arriving = request
        self._enqueue(request)
        try:
            if len(self.headers) > limits.max_headers:
                raise framing.too_many_headers(limits.max_headers)
            if self.head_bytes + self.feed_bytes > limits.max_head_bytes:
                size = len(self.url) + sum([len(n) + len(v) + 4 for n, v in self.headers])
                if size > limits.max_head_bytes:
                    raise framing.head_too_large(limits.max_head_bytes)
            if framing.check_framing(version, self.headers):
                request.continue_wanted = self._say_continue
        except Refused as refused:
            request.refused = refused
            self.deaf = True
            raise _Stop from refused

    def on_body(self, body: bytes) -> None:
        if self.arriving is not None:
            self.arriving.add(body)

    def on_message_complete(self) -> None:
        if self.arriving is not None:
            self.arriving.end()
            if not self.arriving.keep_alive:
                self.deaf = True  # what follows a request that asked to close is not run
            self.arriving = None

    def _is_connect(self) -> bool:
        return self.parser.get_method() == b"CONNECT"

    def _without_upgrade(self, rest: bytes) -> None:
        """An offer to go on in another protocol (HTTP/2, as Java's client makes by itself) is
        ignored, as the standard allows: the same request is read again without it."""
        head = [
            b"%b %b HTTP/%b"
            % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        ]
        for name, value in self.headers:
            if name == b"connection":
                value = b"close" if b"close" in value.lower() else b"keep-alive"
            if name != b"upgrade":
                head.append(b"%b: %b" % (name, value))
        if self.length is not None:
            head.append(b"content-length: %d" % self.length)
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join(head) + b"\r\n\r\n" + rest)

    def _request(self, method: str, *, keep_alive: bool) -> HttpRequest:
        limits = self.plane.connections.limits
        return HttpRequest(
            self.loop,
            method,
            self.url,
            self.headers,
            self.length,
            keep_alive=keep_alive,
            limit=limits.max_body_bytes,
            seconds=limits.body_seconds,
            room=self.plane.connections.room,
            peer=self.peer,
        )

    def _enqueue(self, request: HttpRequest) -> None:
        if self.queue and self.reading:
            self.reading = False
            self.transport.pause_reading()
        self.queue.append(request)

    def _unreadable(self, refused: Refused) -> None:
        """Nothing more can be read from here; what came before is answered first."""
        self.deaf = True
        self.began = None
        if self.arriving is not None:
            self.arriving.fail(refused)
            return
        request = self._request("POST", keep_alive=False)
        request.refused = refused
        self._enqueue(request)

    def _say_continue(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_CONTINUE)

    def _throw_away(self, size: int) -> None:
        self.thrown_away += size
        if self.thrown_away > _LINGER_BYTES:
            self.transport.abort()

    # --- and is answered ------------------------------------------------------------------------

    def _advance(self) -> None:
        """Begin with the next request, as soon as the asker has taken enough of the last answer."""
        if self.busy or not self.writable or self.transport.is_closing():
            return
        if self.queue:
            self.busy = True
            self.task = self.loop.create_task(self._run(self.queue[0]))
            self.state.tasks.add(self.task)  # for uvicorn, which waits for them when it ends
        if not self.reading and (not self.queue or self.arriving is self.queue[0]):
            self.reading = True
            if self.began is not None:
                self.began = self.loop.time()  # while we did not read, its time did not run
            self.transport.resume_reading()

    async def _run(self, request: HttpRequest) -> None:
        task = self.task
        try:
            answer = await self._answered(request)
        except CallerLeft:
            self.transport.close()
        except BaseException as error:
            self.transport.abort()
            if not isinstance(error, Exception):
                raise
            _log.error("a connection's task failed", exc_info=error)
        else:
            self._answer(request, answer)
        finally:  # and not by a callback, which would cost another turn of the loop
            request.release()
            self.state.tasks.discard(task)

    def _answered(self, request: HttpRequest) -> Awaitable[Answer]:
        plane = self.plane
        scheme = "https" if self.tls else "http"
        path, query = request.url, b""
        if request.refused is None:
            try:
                path, query = framing.split_target(request.url, request.headers)
            except Refused as refused:
                request.refused = refused
        if plane.path is None:
            raise RuntimeError("the application's lifespan has not begun")
        if request.refused is None and plane.pages.has(request.method, path, self.peer):
            return plane.pages.answer(
                request.method, scheme, path, query, request.headers, self.peer
            )
        return plane.path(
            Call(
                request.method,
                scheme,
                path,
                query,
                request.headers,
                request.read_body,
                self.peer,
                self.certificate,
                self.tls,
                request.refused,
                request.length,
                self.memory,
            )
        )

    def _answer(self, request: HttpRequest, answer: Answer) -> None:
        self.queue.popleft()
        self.busy = False
        self.state.total_requests += 1
        if self.transport.is_closing():
            return
        keep = request.keep_alive and request.complete and not answer.close
        if self.plane.draining and not self.queue:
            keep = False
        body = b"" if request.method == "HEAD" else answer.body
        head = [_STATUS.get(answer.status) or f"HTTP/1.1 {answer.status} \r\n", self._own_headers()]
        head += [f"{name}: {value}\r\n" for name, value in answer.headers]
        head.append(f"Content-Length: {len(answer.body)}\r\n")
        head.append("\r\n" if keep else "Connection: close\r\n\r\n")
        start = "".join(head).encode("latin-1", "replace")
        if len(body) <= _ONE_PIECE:
            self.transport.write(start + body)
        else:
            self.transport.write(start)
            self.transport.write(body)
        self.idle_since = self.loop.time()
        if keep:
            self._advance()
        elif request.complete and not self.thrown_away:
            self.transport.close()
        else:
            self._linger()

    def _linger(self) -> None:
        """The asker may still be sending: let him, for a while, so that he comes to reading."""
        self.deaf = True
        if not self.reading:
            self.reading = True
            self.transport.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _own_headers(self) -> str:
        own = self.state.default_headers
        known, text = AskerProtocol.own
        if known is not own:  # uvicorn makes a new list when the date has changed
            text = "".join([f"{n.decode()}: {v.decode()}\r\n" for n, v in own])
            AskerProtocol.own = own, text
        return text

    # --- time -----------------------------------------------------------------------------------

    def look_at_the_clock(self, now: float) -> None:
        """Called about once a second for every connection."""
        if self.transport.is_closing():
            return
        limits = self.plane.connections.limits
        if self.stalled is not None:
            waits = self.transport.get_write_buffer_size()
            if waits < self.stalled[1]:
                self.stalled = now, waits
            elif now - self.stalled[0] > PATIENCE_SECONDS:
                self.transport.abort()
        elif self.began is not None and self.reading:
            if now - self.began > limits.head_seconds:
                self._unreadable(framing.head_too_slow(limits.head_seconds))
                self._advance()
        elif not self.queue and not self.deaf:
            never = self.head_bytes == 0 and not self.headers
            if now - self.idle_since > (limits.head_seconds if never else self.idle_seconds):
                self.transport.close()


def protocol_of(plane: Plane) -> type[AskerProtocol]:
    """The protocol class of one server, for uvicorn's ``http=``."""
    return type("AskerProtocol", (AskerProtocol,), {"plane": plane, "__slots__": ()})
