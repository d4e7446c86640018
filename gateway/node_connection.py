"""One HTTP/1.1 connection to a node, carrying one call at a time: bytes out, an answer in."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

import httptools

from gateway.forward import AnswerTooLarge, BadAnswer, BrokenOff, NoAnswer, NodeAnswer, TimedOut

#: bytes of an answer's status line and headers
HEAD_BYTES = 65_536
#: up to here head and body leave in one piece; beyond, copying costs more than a second write
_ONE_PIECE = 65_536
_LINUX = hasattr(socket, "TCP_USER_TIMEOUT")


class NodeConnection(asyncio.Protocol):
    """``calls``: how many it has been given. ``received``: bytes of the present call's answer.

    It is of no further use (``usable``) once it has been closed or has had anything on it that
    nobody asked for: the next caller must not get somebody else's answer.
    """

    __slots__ = (
        "_body",
        "_ends_with_connection",
        "_headers",
        "_headers_done",
        "_keep",
        "_limit",
        "_loop",
        "_parser",
        "_seconds",
        "_timer",
        "_until",
        "_waiter",
        "_where",
        "calls",
        "idle_since",
        "received",
        "size",
        "status",
        "transport",
        "usable",
    )

    transport: asyncio.Transport
    _headers: dict[str, str]
    _body: list[bytes]
    _headers_done: bool
    _keep: bool
    _ends_with_connection: bool

    def __init__(self, loop: asyncio.AbstractEventLoop, max_answer_bytes: int) -> None:
        self._loop = loop
        self._limit = max_answer_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[NodeAnswer] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._seconds = self._until = 0.0
        self._where = ""
        self.calls = 0
        self.idle_since = 0.0
        self.usable = True
        self._begin()

    def ask(
        self, head: bytes, body: bytes, where: str, seconds: float
    ) -> asyncio.Future[NodeAnswer]:
        """Send a request. The future has the whole answer, or a NoAnswer but NotReached; the
        connection is not to be used again before that. ``where`` is for the log."""
        self.calls += 1
        self._where = where
        self._begin()
        waiter = self._waiter = self._loop.create_future()
        self._seconds = seconds
        self._until = self._loop.time() + max(seconds, 0.0)
        if self._timer is None or self._timer.when() > self._until:
            self._wait_until(self._until)
        if len(body) <= _ONE_PIECE:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
        return waiter

    def abandon(self) -> None:
        """Nobody waits any more: what may still come must reach nobody."""
        self._waiter = None
        self._close()

    def watch_silence(self, seconds: float, keep_alive_seconds: float) -> None:
        """Ask the kernel to give up a connection whose bytes nobody has acknowledged for
        ``seconds``, and to probe an idle one every ``keep_alive_seconds``: a gate cuts without
        a FIN, and this is how that is noticed before a caller's time is up."""
        sock = self.transport.get_extra_info("socket")
        if not _LINUX or sock is None:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(seconds * 1000)))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        probe = max(1, int(keep_alive_seconds))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, probe)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, probe // 3))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)

    # --- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:  # surplus, or a late answer, or a 408
            self._close()
            return
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(BadAnswer(f"{self._where}: it switches protocols"))
        except httptools.HttpParserError as error:
            self._fail(BadAnswer(f"{self._where}: {error.__context__ or error}"))
        else:
            if not self._headers_done and self.received > HEAD_BYTES:
                self._fail(BadAnswer(f"{self._where}: its head is larger than {HEAD_BYTES} bytes"))

    def eof_received(self) -> bool:
        return False  # close, and say so by connection_lost

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        self._stop_timer()
        if self._waiter is None:
            return
        if exc is None and self._headers_done and self._ends_with_connection:
            self._answer()
            return
        how = f"{type(exc).__name__} {exc}" if exc is not None else "closed"
        self._fail(BrokenOff(f"{self._where}: {how} after {self.received} bytes"))

    # --- httptools ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._waiter is None:  # a second answer, whose end would be the next call's
            self._close()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._waiter is not None and not self._headers_done:  # and not in a trailer
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            known = self._headers.get(key)
            self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        if self._waiter is None:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            return
        self._headers_done = True
        self._keep = self._parser.should_keep_alive()
        length = self._headers.get("content-length")
        coding = self._headers.get("transfer-encoding")
        packed = self._headers.get("content-encoding")
        if coding is not None and coding.strip().lower() != "chunked":
            self._fail(BadAnswer(f"{self._where}: Transfer-Encoding {coding!r}"))
        elif packed is not None and packed.strip().lower() not in ("", "identity"):
            text = f"{self._where}: Content-Encoding {packed!r} was not asked for"
            self._fail(BadAnswer(text))
        elif length is not None and int(length) > self._limit:
            self._too_large()
        self._ends_with_connection = length is None and coding is None

    def on_body(self, body: bytes) -> None:
        self.size += len(body)
        if self.size > self._limit:
            self._too_large()
        elif self._waiter is not None:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._waiter is None:
            return
        if self.status < 200:  # 100 Continue and its like: the answer is still to come
            self._headers = {}
            return
        self._answer()

    # --- how it ends -------------------------------------------------------------------------

    def _begin(self) -> None:
        self.received = self.size = self.status = 0
        self._headers = {}
        self._headers_done = self._keep = False
        self._ends_with_connection = False
        self._body = []

    def _answer(self) -> None:
        waiter, self._waiter = self._waiter, None
        assert waiter is not None
        parts, self._body = self._body, []
        if not self._keep or self.transport.get_write_buffer_size():
            self._close()  # also where it answered before it had taken the whole request
        if not waiter.done():
            body = parts[0] if len(parts) == 1 else b"".join(parts)
            waiter.set_result(NodeAnswer(self.status, self._headers, body))

    def _fail(self, error: NoAnswer) -> None:
        waiter, self._waiter = self._waiter, None
        self._close()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def _too_large(self) -> None:
        self._fail(AnswerTooLarge(f"{self._where}: larger than {self._limit} bytes"))

    def _wait_until(self, moment: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_at(moment, self._look_at_the_clock)

    def _look_at_the_clock(self) -> None:
        """One timer serves many calls: it was set for an earlier one, and most end before it."""
        self._timer = None
        if self._waiter is None:
            return
        if self._loop.time() < self._until:
            self._wait_until(self._until)
            return
        seconds = self._seconds
        self._fail(TimedOut(f"{self._where}: {seconds:.3g} s", seconds=max(0.1, round(seconds, 1))))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self.usable = False
        self._stop_timer()
        self._body = []
        if not self.transport.is_closing():
            self.transport.abort()


def take_usable(idle: deque[NodeConnection]) -> NodeConnection | None:
    """Of kept connections the one used last: the others come nearer to their end, and a burst is
    forgotten. Those that have ended meanwhile are dropped on the way."""
    while idle:
        connection = idle.pop()
        if connection.usable and not connection.transport.is_closing():
            return connection
    return None
