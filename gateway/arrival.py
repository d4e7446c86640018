"""A node that dials in, until it has said who it is: the head of gateway/reverse.py's Upgrade."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gateway.certificate import peer_certificate
from gateway.node_connection import NodeConnection

PROTOCOL = "yilian-reverse"
#: seconds that a node may take to say who it is, and bytes that it may need for that
HEAD_SECONDS = 10.0
_HEAD_BYTES = 8192


class Listener(Protocol):
    """Whom it is told to."""

    @property
    def ping_seconds(self) -> float: ...
    def arrived(self, arrival: Arrival) -> bool: ...
    def gone(self, arrival: Arrival) -> None: ...
    def said(self, arrival: Arrival, code: str, token: str) -> None: ...


class Arrival(asyncio.Protocol):
    """A connection whose other end has not yet said who it is."""

    transport: asyncio.Transport

    def __init__(self, owner: Listener) -> None:
        self._owner = owner
        self._head = b""
        self._said = False
        self._timer: asyncio.TimerHandle | None = None
        self.peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        if not self._owner.arrived(self):
            transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left()

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._said or len(self._head) > _HEAD_BYTES:
            self.transport.abort()  # nothing is to come before it has been answered
            return
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return
        self._said = True
        code, token = _who(head)
        if rest or code is None:
            self.refuse("400 Bad Request")
        else:
            self._owner.said(self, code, token)

    def certificate(self) -> str:
        """SHA-256 of the other end's certificate, hexadecimal; empty where it has shown none."""
        shown = peer_certificate(self.transport.get_extra_info("ssl_object"))
        return shown.sha256 if shown is not None else ""

    def refuse(self, status: str) -> None:
        self._left()
        if not self.transport.is_closing():
            text = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            self.transport.write(text.encode())
            self.transport.close()

    def turn_around(self, connection: NodeConnection) -> None:
        self._left()
        self.transport.write(
            f"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
            f"Upgrade: {PROTOCOL}\r\nX-Yilian-Ping: {self._owner.ping_seconds:g}\r\n\r\n".encode()
        )
        self.transport.set_protocol(connection)
        connection.connection_made(self.transport)

    def _left(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._owner.gone(self)


def _who(head: bytes) -> tuple[str | None, str]:
    """The hospital that a head names, and the token that it shows; None where it is no such
    head."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    path, _, version = rest.partition(" ")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers or name != name.strip():
            return None, ""
        headers[name.lower()] = value.strip()
    right = (
        method == "GET"
        and version == "HTTP/1.1"
        and path.startswith("/")
        and headers.get("upgrade", "").lower() == PROTOCOL
        and headers.get("connection", "").lower() == "upgrade"
    )
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return (path[1:] if right else None), (token if scheme.lower() == "bearer" else "")
