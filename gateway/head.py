"""What is checked of a request's head, before anything is read of its body.

Each check exists for a way around the gateway: of two SOAPActions the first was checked and both
were forwarded; a path read in two ways was routed in one and forwarded in the other; a compressed
body hides from every check on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.paths import NotCanonical, canonical
from gateway_config import identity_headers
from gateway_config.model import is_host
from services.faults import Fault, MalformedMessage

_ONCE = frozenset(
    (
        b"host",
        b"soapaction",
        b"content-type",
        b"content-encoding",
        b"authorization",
        b"expect",
        b"x-timeout-ms",
    )
)
_IDENTITY = frozenset(name.encode() for name in identity_headers.ALL)
#: paths and hosts that are known to be in order
_REMEMBERED = 1024
_SEPARATOR = re.compile(r"[/:#]")
_OPERATION = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}\Z")
_HOST = re.compile(r"(?P<name>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?\Z")


class Refused(Exception):
    """A request that is not forwarded: the Fault and the HTTP status (0: what SOAP says for it)
    that say why. ``step`` of admission and ``rule``, the setting or check of it that refused, are
    for log, audit and counters. ``headers``: more of the answer."""

    def __init__(
        self,
        status: int,
        fault: Fault,
        *,
        step: str = "connection",
        rule: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(status, fault)
        self.status = status
        self.fault = fault
        self.step = step
        self.rule = rule or fault.rule
        self.headers = headers


# Not frozen, though nobody changes it: freezing triples what making one costs.
@dataclass(slots=True)
class Head:
    """A request's head, checked. ``path`` is canonical; ``host`` is as the asker wrote it;
    ``operation`` is what the SOAPAction names, for the log."""

    method: str
    path: str
    query: str
    host: str | None
    content_type: str | None
    soap_action: str | None
    operation: str | None
    user_agent: str | None
    authorization: str | None
    via: str | None
    #: how long the caller waits for the answer, seconds
    patience: float | None
    #: the headers in which a proxy hands on who calls, as they stood
    identity: tuple[tuple[bytes, bytes], ...]


def read_head(
    method: str, raw_path: bytes, query: bytes, headers: Sequence[tuple[bytes, bytes]]
) -> Head:
    """The head, or Refused. Header names in any case; values as they stood on the wire."""
    one: dict[bytes, str] = {}
    identity: list[tuple[bytes, bytes]] = []
    for raw, value in headers:
        name = raw.lower()
        if name in one:
            if name in _ONCE:
                raise _twice(name.decode("ascii"), headers)
        else:
            one[name] = _text(value)
        if name in _IDENTITY:
            identity.append((name, value))
    return Head(
        method,
        _path(raw_path),
        query.decode("latin-1"),
        _host(one.get(b"host")),
        one.get(b"content-type"),
        one.get(b"soapaction"),
        _operation_of(one.get(b"soapaction")),
        one.get(b"user-agent"),
        one.get(b"authorization"),
        one.get(b"via"),
        _patience(one.get(b"x-timeout-ms")),
        tuple(identity),
    )


def content_encoding_refused(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Refused where a request's body is compressed, in whatever way."""
    for name, value in headers:
        if name.lower() == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise Refused(
                415,
                MalformedMessage(
                    "请求正文不能压缩，请去掉 Content-Encoding",
                    "a request body must not be compressed; send it without Content-Encoding",
                    field="HTTP Content-Encoding",
                ),
            )


def content_type_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The first Content-Type, to answer in the caller's SOAP version even what is refused."""
    for name, value in headers:
        if name.lower() == b"content-type":
            return _text(value)
    return None


def _operation_of(soap_action: str | None) -> str | None:
    """The operation's name out of a SOAPAction header, for the log; None where it names none.

    The last part of the URI, if it looks like a name: what a caller writes there must not carry
    anything else into the log.
    """
    last = _SEPARATOR.split((soap_action or "").strip().strip('"'))[-1]
    return last if _OPERATION.match(last) else None


def _text(value: bytes) -> str:
    """A header's value. Written back as UTF-8, so that this is what is tried first."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _twice(name: str, headers: Iterable[tuple[bytes, bytes]]) -> Refused:
    times = sum(other.lower() == name.encode() for other, _ in headers)
    return _malformed(
        f"HTTP 头 {name} 出现了 {times} 次，只能有一个",
        f"the HTTP header {name} stands {times} times; send it once",
    )


@lru_cache(_REMEMBERED)
def _path(raw: bytes) -> str:
    try:
        return canonical(raw)
    except NotCanonical as error:
        zh, _, en = str(error).partition(" / ")
        raise _malformed(f"地址不规范：{zh}", f"the address is not canonical: {en}") from None


@lru_cache(_REMEMBERED)
def _host(text: str | None) -> str | None:
    if text is None:
        return None
    found = _HOST.match(text)
    port_ok = found is not None and (found["port"] is None or 0 < int(found["port"]) < 65536)
    if found is None or not port_ok or not is_host(found["name"].strip("[]")):
        raise _malformed("HTTP 头 Host 不是 主机:端口", "the HTTP header Host is not host:port")
    return text


def _patience(text: str | None) -> float | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9) or int(text) == 0:
        raise _malformed(
            "HTTP 头 X-Timeout-Ms 应为毫秒数", "the HTTP header X-Timeout-Ms is a number of ms"
        )
    return int(text) / 1000


def _malformed(zh: str, en: str) -> Refused:
    return Refused(400, MalformedMessage(zh, en))
