"""An HTTP system of a hospital as a source: sessions that end in time; its failures as Faults.

The bulkhead and the settings are those of a database source (adapters/bulkhead.py). All requests
of one call share one connection, and the call has ``statement_timeout_seconds`` for all of them,
however slowly bytes trickle in; connecting has ``login_timeout_seconds`` of these.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any, cast

from sqlalchemy import URL

from adapters.bulkhead import Bulkhead, Unwanted
from services.faults import ServerFault, SourceError, SourceTimeout, SourceUnavailable

#: schemes of a source's ``url`` that make it an HTTP source
SCHEMES = ("http", "https")

#: the largest answer that is read, in bytes
LARGEST = 8 * 2**20

_GATEWAY_FAULTS = {502: SourceUnavailable, 503: SourceUnavailable, 504: SourceTimeout}


class HttpSource(Bulkhead):
    """One HTTP server of one hospital. ``tls`` is what an https server is checked by; without
    it, by the certificates that the machine trusts."""

    tls: ssl.SSLContext | None = None

    def state(self) -> dict[str, Any]:
        """Of the bulkhead, and that it is no database."""
        return {**super().state(), "protocol": self.config.url.drivername}

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection for the requests of one call."""
        session = Session(self)
        try:
            with self._holding(session):
                yield session
        except Unwanted:
            raise self._closed_fault() from None
        finally:
            session.close()

    # --- for the session ------------------------------------------------------------------------

    def unreachable(self, error: BaseException) -> SourceUnavailable:
        detail = str(error) or type(error).__name__
        return self.fault(
            SourceUnavailable,
            f"{self._where_zh}无法连接。请检查服务是否在运行、url 是否正确。（{detail}）",
            f"{self._where_en} cannot be reached. Check that the server is up and that the url "
            f"is right. ({detail})",
        )

    def too_slow(self) -> SourceTimeout:
        seconds = self.config.statement_timeout_seconds
        return self.fault(
            SourceTimeout,
            f"{self._where_zh}在 {seconds:g} 秒内没有答完。请稍后再试；若总是如此，请检查其负载。",
            f"{self._where_en} did not finish its answer within {seconds:g} s. Try again later; "
            "if it goes on, look at its load.",
        )

    def wrong_answer(self, zh: str, en: str) -> SourceError:
        """The SourceError for an answer that is not what was asked for."""
        return self.fault(
            SourceError,
            f"{self._where_zh}的答复不对：{zh}。请检查 url 指向的系统及其版本。",
            f"{self._where_en} answered wrongly: {en}. Check which system the url leads to, and "
            "its version.",
        )

    def refused(self, status: int) -> ServerFault:
        """The Fault for an HTTP status that is no answer."""
        if status in _GATEWAY_FAULTS:
            return self.fault(
                _GATEWAY_FAULTS[status],
                f"{self._where_zh}前面的代理答以 HTTP {status}。请检查其后的系统。",
                f"The proxy before {self._where_en} answered HTTP {status}. Check the system "
                "behind it.",
            )
        if status in (401, 403):
            return self.fault(
                SourceError,
                f"{self._where_zh}拒绝了用户名或口令（HTTP {status}）。请更正 url。",
                f"{self._where_en} refused user or password (HTTP {status}). Correct the url.",
            )
        return self.wrong_answer(f"HTTP {status}", f"HTTP {status}")

    # --- inside ---------------------------------------------------------------------------------

    def _interrupt(self, connection: Any) -> None:
        connection.interrupt()

    def _release(self) -> None:
        return  # sessions close their own


class Session:
    """The requests of one call, over one connection. Every failure is raised as a Fault."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source
        config = source.config
        ends = time.monotonic() + config.statement_timeout_seconds
        self._wire = _Wire(config.url, config.login_timeout_seconds, ends, source.tls)
        self._base = "/" + config.url.database if config.url.database else ""
        self._headers = {"Accept": "application/json"}
        if config.url.username is not None:
            pair = f"{config.url.username}:{config.url.password or ''}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()

    def get(self, path: str) -> Any:
        """The JSON at a path below the source's url. LookupError where there is nothing (404)."""
        return self._ask("GET", path, None)

    def post(self, path: str, content: Any) -> Any:
        """The JSON that is answered to JSON. LookupError where there is nothing (404)."""
        return self._ask("POST", path, json.dumps(content).encode())

    def interrupt(self) -> None:
        """End the request that is under way, from another thread, and every later one."""
        self._wire.interrupt()

    def close(self) -> None:
        self._wire.end()

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        source = self._source
        headers = self._headers if body is None else {**self._headers, **_JSON}
        try:
            self._wire.request(method, self._base + path, body, headers)
            response = self._wire.getresponse()
            content = response.read(LARGEST + 1)
            if response.length and len(content) <= LARGEST:
                raise IncompleteRead(content)
        except TimeoutError:
            raise source.too_slow() from None
        except (OSError, IncompleteRead, RemoteDisconnected) as error:
            raise source.unreachable(error) from error
        except HTTPException as error:
            raise source.wrong_answer("不是 HTTP", "it is not HTTP") from error
        if response.status == 404:
            raise LookupError(path)
        if response.status != 200:
            raise source.refused(response.status)
        if len(content) > LARGEST:
            raise source.wrong_answer(f"超过 {LARGEST} 字节", f"it is larger than {LARGEST} bytes")
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise source.wrong_answer("不是 JSON", "it is not JSON") from None


_JSON = {"Content-Type": "application/json"}


class _Wire(HTTPConnection):
    """http.client over a socket whose every wait ends at one moment."""

    def __init__(
        self, url: URL, login_seconds: float, ends: float, tls: ssl.SSLContext | None
    ) -> None:
        secure = url.drivername == "https"
        super().__init__(url.host or "", url.port or (443 if secure else 80))
        self._tls = (tls or ssl.create_default_context()) if secure else None
        self._login_seconds = login_seconds
        self._ends = ends
        self._raw: socket.socket | None = None
        self._stopped = False

    def connect(self) -> None:
        if self._stopped:
            raise Unwanted
        if self._raw is not None:  # the server wanted a new one for the next request
            self._raw.close()
        seconds = min(self._login_seconds, _left(self._ends))
        try:
            self._raw = socket.create_connection((self.host, self.port), seconds)
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                self._raw = self._tls.wrap_socket(self._raw, server_hostname=self.host)
        except TimeoutError:
            # Not TimeoutError, which would say that it was reached.
            raise ConnectionError(f"no connection within {seconds:g} s") from None
        # What http.client needs of a socket is sendall, makefile and close.
        self.sock = cast(socket.socket, _Timed(self._raw, self._ends))
        if self._stopped:  # since it was looked at above
            raise Unwanted

    def interrupt(self) -> None:
        self._stopped = True
        raw = self._raw
        if raw is not None:
            with suppress(OSError):  # it is closed already
                # Not SSLSocket's own, which changes what the reading thread is using.
                socket.socket.shutdown(raw, socket.SHUT_RDWR)

    def end(self) -> None:
        """Close the connection itself; ``close`` is http.client's, which may still read on."""
        self.close()
        if self._raw is not None:
            self._raw.close()


class _Timed:
    """A socket for http.client, all of whose waits end at the same moment."""

    def __init__(self, raw: socket.socket, ends: float) -> None:
        self._raw = raw
        self._ends = ends

    def sendall(self, data: bytes) -> None:
        self._raw.settimeout(_left(self._ends))
        self._raw.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._raw, self._ends))

    def close(self) -> None:
        # http.client does so before it reads an answer that ends with the connection.
        return


class _Reading(io.RawIOBase):
    """The bytes that come in until a moment."""

    def __init__(self, raw: socket.socket, ends: float) -> None:
        self._raw = raw
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._raw.settimeout(_left(self._ends))
        return self._raw.recv_into(buffer)


def _left(ends: float) -> float:
    """Seconds until then. TimeoutError if it has passed."""
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
