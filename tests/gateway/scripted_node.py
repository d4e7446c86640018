"""A node that answers as its script says: a raw asyncio server, no HTTP library in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

ENVELOPE = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soap:Body>%s</soap:Body></soap:Envelope>"
)


@dataclass(frozen=True)
class Received:
    """One request as it stood on the wire. ``connection`` and ``nth`` (on it) count from 1."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    nth: int

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


Script = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def http(
    body: bytes = b"",
    status: str = "200 OK",
    content_type: str = "text/xml; charset=utf-8",
    extra: str = "",
) -> bytes:
    """An answer with a Content-Length."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def envelope(content: bytes = b"<ok/>") -> bytes:
    return ENVELOPE % content


async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
    """Answers an envelope around what was sent."""
    writer.write(http(envelope(b"<echo>%s</echo>" % request.body)))


def answering(raw: bytes) -> Script:
    """A script that answers these bytes, whatever comes."""

    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return answer


async def reset(writer: asyncio.StreamWriter) -> None:
    """End the connection by RST instead of FIN."""
    await writer.drain()
    writer.transport.abort()


@dataclass
class ScriptedNode:
    """``script`` may be replaced at any time; ``requests`` has all that came, save the gateway's
    probes, which are counted and answered as a node does."""

    script: Script = echo
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    probes: int = 0
    port: int = 0
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in list(self.open):
            writer.close()

    async def close_idle(self) -> None:
        """Close every connection from this side, and wait until that is done."""
        for writer in list(self.open):
            writer.close()
            await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.open.add(writer)
        self.connections += 1
        connection, nth = self.connections, 0
        try:
            while True:
                nth += 1
                request = await _read(reader, connection, nth)
                if request.line == "GET /health HTTP/1.1":
                    self.probes += 1
                    writer.write(http(b"{}", content_type="application/json"))
                    continue
                self.requests.append(request)
                await self.script(request, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the gateway closed it
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()
            self.open.discard(writer)
            self._tasks.discard(task)


async def _read(reader: asyncio.StreamReader, connection: int, nth: int) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head[:-4].split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (h.partition(":") for h in rest)]
    length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
    return Received(line, headers, await reader.readexactly(length), connection, nth)
