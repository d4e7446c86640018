"""What an attack is: the bytes, and by which step and rule it has to be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LAB = "urn:yilian:LabResults:1"
HIS = "http://tempuri.org/"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
XML = "text/xml; charset=utf-8"
XML12 = "application/soap+xml; charset=utf-8"
#: who may call: see tests/gateway/hostile/conftest.py
KNOWN, UNKNOWN, NEEDS_ALL, LIMITED, OTHER = (f"127.0.0.{n}" for n in (1, 9, 3, 4, 5))


@dataclass(frozen=True)
class Attack:
    """``raw``: what is sent, or what makes it, where it depends on the time. ``code``: of the
    Fault. ``source``: the address that it is sent from."""

    raw: bytes | Callable[[], bytes]
    step: str
    rule: str
    code: str = "MalformedMessage"
    status: int = 500
    source: str = KNOWN

    def sent(self) -> bytes:
        return self.raw() if callable(self.raw) else self.raw


@dataclass(frozen=True)
class Twin:
    """What looks like an attack and is none."""

    raw: bytes | Callable[[], bytes]
    source: str = KNOWN

    def sent(self) -> bytes:
        return self.raw() if callable(self.raw) else self.raw


def enveloped(content: str, header: str = "", ns: str = SOAP11) -> str:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{ns}">{head}<s:Body>{content}</s:Body></s:Envelope>'


def lab(content: str = "<TestNo>T1</TestNo>", name: str = "GetLabResult", ns: str = LAB) -> str:
    return f'<{name} xmlns="{ns}">{content}</{name}>'


GOOD = enveloped(lab())


def post(
    body: str | bytes = GOOD,
    *extra: str,
    path: str = "/hx/LabResults",
    kind: str | None = XML,
    action: str | None = None,
) -> bytes:
    """A whole request."""
    data = body if isinstance(body, bytes) else body.encode()
    lines = [f"POST {path} HTTP/1.1", "Host: gw", "Connection: close", *extra]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if action is not None:
        lines.append(f"SOAPAction: {action}")
    lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data
