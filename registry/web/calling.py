"""The console's call: one POST to an address that the registry lists, bounded in time and size.

No redirect is followed and no proxy is asked. What may be called: an outside address of a listed
service, under ``origins`` where the configuration names them.
"""

from __future__ import annotations

import base64
import http.client
import re
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from registry.config import TrySettings

_HEADER = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back. ``problem`` names, by a word of ours, why nothing did: then ``status`` is 0.
    ``ms`` until the last byte; ``cut``: the answer was longer than ``body``."""

    status: int = 0
    content_type: str = ""
    body: bytes = b""
    ms: float = 0.0
    cut: bool = False
    problem: str = ""


def origin_of(parts: SplitResult) -> str:
    """scheme://host:port, with the scheme's own port written out."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def may_call(address: str, settings: TrySettings) -> bool:
    """Whether the address is one that this registry calls: http(s), no user in it, and of the
    ``origins`` where there are any."""
    try:
        parts = urlsplit(address)
        origin = origin_of(parts)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return False
    return not settings.origins or origin in {origin_of(urlsplit(one)) for one in settings.origins}


def post(address: str, soap_action: str, message: bytes, settings: TrySettings) -> Answered:
    """Send the message and read the answer. It blocks; ``timeout_seconds`` for all of it."""
    parts = urlsplit(address)
    deadline = time.monotonic() + settings.timeout_seconds
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=settings.timeout_seconds)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    started = time.monotonic()
    try:
        connection.request("POST", path, message, _headers(soap_action, settings))
        response = connection.getresponse()
        body, cut = _body(connection, response, settings.max_answer_bytes, deadline)
    except TimeoutError:
        return Answered(ms=_ms(started), problem="no_answer_in_time")
    except (OSError, http.client.HTTPException, ValueError):
        return Answered(ms=_ms(started), problem="no_connection")
    finally:
        connection.close()
    kind = response.getheader("Content-Type", "")
    return Answered(response.status, kind, body, _ms(started), cut)


def _headers(soap_action: str, settings: TrySettings) -> dict[str, str]:
    # A foreign WSDL's soapAction is somebody's input; what is no header's text is left out.
    action = soap_action if _HEADER.fullmatch(soap_action) and '"' not in soap_action else ""
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{action}"',
        "User-Agent": "yilian-registry",
        "Connection": "close",
    }
    if settings.user and settings.password_file is not None:
        password = settings.password_file.read_text("utf-8").splitlines()[0].strip()
        pair = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    return headers


def _body(
    connection: http.client.HTTPConnection,
    response: http.client.HTTPResponse,
    most: int,
    deadline: float,
) -> tuple[bytes, bool]:
    """The answer, read no further than it may be long, and no longer than there is time: a
    socket's own timeout begins anew with every byte."""
    chunks, size = [], 0
    while size <= most:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = response.read1(65536)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    body = b"".join(chunks)
    return body[:most], len(body) > most


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000
