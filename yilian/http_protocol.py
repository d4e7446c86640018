"""The calls' own path over HTTP: a protocol class for uvicorn, beneath its ASGI interface.

A POST to an endpoint's very path goes from the parser to ``Endpoint.call`` and back. Everything
else (GET, WSDL, /health, unknown or differently written paths) takes uvicorn's ordinary way to
the app, which answers calls too: the same bytes, only slower (docs/performance.md). One
connection may mix both; answers leave in the order of their requests.

A client that goes away has its call cancelled. One that sends or reads too slowly, or sends more
than it may, loses its connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from services.soap.exchange import Endpoint, Reply, Request
from yilian.http_faults import compressed, too_large

#: bytes of a request's line and headers together, beyond those of the read that it began in
HEAD_BYTES = 65_536
#: headers of a request
HEADERS = 100
#: for a request to arrive whole, and for a client to take its answer
PATIENCE_SECONDS = 60.0
#: between looks at which connections have run out of time
_SWEEP_SECONDS = 5.0
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def call_protocol(endpoints: Mapping[str, Endpoint]) -> type[CallProtocol]:
    """The protocol class of one server, for uvicorn's ``http=``; ``endpoints`` by path."""
    by_path = {path.encode("ascii"): endpoint for path, endpoint in endpoints.items()}
    return type("CallProtocol", (CallProtocol,), {"endpoints": by_path})


class Call:
    """One request and where its answer stands. The names that uvicorn's own requests have too
    mean the same."""

    __slots__ = (
        "content_type",
        "endpoint",
        "expect_continue",
        "keep_alive",
        "more_body",
        "parts",
        "refusal",
        "response_complete",
        "size",
        "soap_action",
    )

    def __init__(
        self, endpoint: Endpoint, headers: list[tuple[bytes, bytes]], keep_alive: bool
    ) -> None:
        self.endpoint = endpoint
        self.keep_alive = keep_alive
        self.content_type: str | None = None
        self.soap_action: str | None = None
        self.expect_continue = False
        self.parts: list[bytes] = []
        self.size = 0
        self.more_body = True
        self.response_complete = False
        encoding = length = None
        for name, value in headers:  # the first of a name counts, as in the app
            if name == b"content-type":
                if self.content_type is None:
                    self.content_type = value.decode("latin-1")
            elif name == b"soapaction":
                if self.soap_action is None:
                    self.soap_action = value.decode("latin-1")
            elif name == b"content-length":
                length = value
            elif name == b"content-encoding":
                if encoding is None:
                    encoding = value.decode("latin-1")
            elif name == b"expect":
                self.expect_continue = value.lower() == b"100-continue"
        self.refusal: Reply | None = None
        if encoding is not None:
            self.refusal = compressed(encoding, endpoint, self.content_type)
        if self.refusal is None and length is not None and int(length) > endpoint.limits.size:
            self.refusal = too_large(endpoint, self.content_type)

    def request(self) -> Request:
        return Request(b"".join(self.parts), self.content_type, self.soap_action)


class CallProtocol(HttpToolsProtocol):
    """One connection. ``busy``: a request is being answered; the ones behind it stand in
    uvicorn's ``pipeline``, and ``cycle`` is the last one whose head has arrived."""

    endpoints: Mapping[bytes, Endpoint]
    sweeping = False  # of the class: one timer serves all connections
    head: tuple[object, bytes] = (None, b"")  # of the class: uvicorn's own headers, as bytes

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.busy = False
        self.advancing = False
        self.task: asyncio.Task[None] | None = None
        self.invalid = ""  # what is wrong with what came behind the last request
        self.in_head = self.head_is_new = False
        self.head_bytes = 0
        self.began: float | None = None  # when the request that is arriving began to
        self.idle_since = self.loop.time()
        self.stalled_since: float | None = None  # since when the client does not read

    # --- the connection -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        kind = type(self)
        if not kind.sweeping:
            kind.sweeping = True
            self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.task is not None:
            self.task.cancel()  # nobody waits for it: its place in the source's queue is free
        self.pipeline.clear()
        if isinstance(self.cycle, Call):
            self.cycle = None  # type: ignore[assignment]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.invalid:
            return
        self.head_is_new = False
        super().data_received(data)
        if self.in_head and not self.head_is_new:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES:
                self.in_head = False
                self.send_400_response("Request head too large.")

    def send_400_response(self, msg: str) -> None:
        """Behind the answers to what came before the invalid part."""
        cycle = self.cycle
        waiting = cycle is not None and not cycle.response_complete
        if waiting and cycle.more_body:  # it is the last request itself that is invalid
            waiting = bool(self.pipeline)
            if waiting:
                self.pipeline.popleft()
        if waiting:
            self.invalid = msg
            self.flow.pause_reading()
        else:
            super().send_400_response(msg)

    def resume_writing(self) -> None:
        self.stalled_since = None
        super().resume_writing()
        self._advance()

    def pause_writing(self) -> None:
        self.stalled_since = self.loop.time()
        super().pause_writing()

    # --- a request arrives ----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.in_head = self.head_is_new = True
        self.head_bytes = 0
        self.began = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.in_head = False
        if len(self.headers) > HEADERS:
            raise ValueError("too many headers")  # which the parser turns into a 400
        parser = self.parser
        endpoint = self.endpoints.get(self.url)
        if endpoint is None or parser.get_method() != b"POST" or parser.should_upgrade():
            self._to_app()
            return
        keep_alive = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        call = Call(endpoint, self.headers, keep_alive)
        waiting = self.busy or self.pipeline or self.flow.write_paused
        self.cycle = call  # type: ignore[assignment]
        if self.transport.is_closing():  # what follows a request that asked to close is not run
            call.response_complete = True
        elif waiting:
            self.flow.pause_reading()
            self.pipeline.appendleft((call, None))  # type: ignore[arg-type]
        else:
            self._begin(call)

    def _to_app(self) -> None:
        """What uvicorn does with every request, its scope made only now."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.busy = True
        super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        call: Any = self.cycle
        if not isinstance(call, Call):
            super().on_body(body)
            return
        call.size += len(body)
        if call.size <= call.endpoint.limits.size:
            call.parts.append(body)
        elif call.size > 2 * call.endpoint.limits.size:
            self.transport.close()  # it was told, and goes on
        elif call.refusal is None:
            call.parts.clear()
            call.refusal = too_large(call.endpoint, call.content_type)
            if not self.pipeline:
                self._answer(call, call.refusal)

    def on_message_complete(self) -> None:
        self.began = None
        call: Any = self.cycle
        if not isinstance(call, Call):
            super().on_message_complete()
            return
        call.more_body = False
        if not call.response_complete and not self.pipeline:
            self._run(call)

    # --- and is answered ------------------------------------------------------------------------

    def _begin(self, call: Call) -> None:
        self.busy = True
        if call.refusal is not None:
            self._answer(call, call.refusal)
        elif not call.more_body:
            self._run(call)
        else:
            self.flow.resume_reading()
            if call.expect_continue:
                self.transport.write(_CONTINUE)

    def _run(self, call: Call) -> None:
        # A task even where the call will not wait: what an operation may use (timeouts,
        # cancelling) needs one, and it costs 4 µs of 50.
        self.task = self.loop.create_task(self._finish(call))
        self.tasks.add(self.task)
        self.task.add_done_callback(self.tasks.discard)

    async def _finish(self, call: Call) -> None:
        try:
            reply = await call.endpoint.call(call.request())
            self.task = None
            self._answer(call, reply)
        except BaseException:  # the client left, or the process may wait no longer
            self.transport.close()
            raise

    def _answer(self, call: Call, reply: Reply) -> None:
        call.response_complete = True
        if self.transport.is_closing():
            return
        own = self.server_state.default_headers
        known, head = type(self).head
        if known is not own:  # uvicorn makes a new list when the date has changed
            head = b"".join(b"%b: %b\r\n" % header for header in own)
            type(self).head = own, head
        self.transport.write(
            b"%b%bcontent-length: %d\r\ncontent-type: %b\r\n%b\r\n%b"
            % (
                STATUS_LINE[reply.status],
                head,
                len(reply.body),
                reply.content_type.encode("latin-1"),
                b"" if call.keep_alive else b"connection: close\r\n",
                reply.body,
            )
        )
        if not call.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """Also called for what the app has answered."""
        self.server_state.total_requests += 1
        self.busy = False
        if not self.transport.is_closing():
            self.idle_since = self.loop.time()
            self._advance()

    def _advance(self) -> None:
        """Begin the next request that waits, as soon as the client has taken enough."""
        if self.advancing:  # by an answer that came at once: the loop below goes on
            return
        self.advancing = True
        try:
            while self.pipeline and not self.busy and not self.flow.write_paused:
                cycle, app = self.pipeline.pop()
                if isinstance(cycle, Call):
                    self._begin(cycle)
                else:
                    self._start_asgi_task(cycle, app)
        finally:
            self.advancing = False
        if self.busy or self.pipeline or self.flow.write_paused:
            return
        if self.invalid:
            super().send_400_response(self.invalid)
        elif self.flow.read_paused:
            if self.began is not None:
                self.began = self.loop.time()  # the time for which we did not read is not its own
            self.flow.resume_reading()

    # --- time -----------------------------------------------------------------------------------

    def _sweep(self) -> None:
        kind = type(self)
        now = self.loop.time()
        for connection in list(self.connections):
            if isinstance(connection, kind):
                connection._look_at_the_clock(now)
        if self.connections:
            self.loop.call_later(_SWEEP_SECONDS, self._sweep)
        else:
            kind.sweeping = False

    def _look_at_the_clock(self, now: float) -> None:
        if self.transport.is_closing():
            return
        if self.stalled_since is not None:
            if now - self.stalled_since > PATIENCE_SECONDS:
                self.transport.abort()
        elif self.began is not None:
            waits_for_us = self.flow.read_paused
            if not waits_for_us and now - self.began > PATIENCE_SECONDS:
                self.transport.close()
        elif not self.busy and now - self.idle_since > self.timeout_keep_alive:
            self.transport.close()
