"""Where a subscription's notifications go: from a binding to an address that may be told.

The address comes from a publisher, so it is looked up and compared with the networks that the
operator allows, and the connection goes to just what was compared.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from registry.errors import UddiError
from registry.model import BindingTemplate
from registry.uddi.soap import CONTENT_TYPE

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAX_ANSWER = 64 * 1024


class NotTold(Exception):
    """The listener could not be reached or did not accept; says why."""


@dataclass(frozen=True, slots=True)
class Listener:
    url: str
    networks: Sequence[Network]
    timeout: float

    def tell(self, message: bytes) -> None:
        """POST it, to HTTP 200 without a Fault. No redirect is followed. NotTold."""
        parts = urlsplit(self.url)
        try:
            address = _allowed_address(parts, self.networks)
            status, answer = self._post(parts, address, message)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotTold(f"{type(error).__name__}: {error}") from error
        if status not in (200, 202, 204) or b":Fault" in answer or b"<Fault" in answer:
            raise NotTold(f"HTTP {status}")

    def _post(self, parts: SplitResult, address: str, message: bytes) -> tuple[int, bytes]:
        # The name is in the Host header and TLS's own check; the connection goes to the address
        # that was looked up, so that a name cannot mean something else a moment later.
        connect = http.client.HTTPSConnection if parts.scheme == "https" else _Plain
        connection: Any = connect(parts.hostname or "", parts.port, timeout=self.timeout)

        def to_the_address(target: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
            return socket.create_connection((address, target[1]), *rest, **more)

        connection._create_connection = to_the_address
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Content-Type": CONTENT_TYPE, "SOAPAction": '"notify_subscriptionListener"'}
        try:
            connection.request("POST", path, message, headers)
            response = connection.getresponse()
            return response.status, response.read(_MAX_ANSWER)
        finally:
            connection.close()


_Plain = http.client.HTTPConnection


def listener_url(binding: BindingTemplate) -> str:
    """Where the binding's listener is. E_unsupported for email and whatever else is not http."""
    url = binding.access_point.value if binding.access_point else ""
    parts = urlsplit(url)
    if parts.scheme.lower() == "mailto":
        raise UddiError(
            "unsupported",
            "不支持电子邮件通知，请用 http(s) 的监听地址 / notification by email is not supported; "
            "use a listener at an http(s) address",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UddiError(
            "unsupported",
            f"监听地址应是 http(s) / a listener's accessPoint must be http(s): {url!r}",
        )
    return url


def check_allowed(url: str, networks: Sequence[Network]) -> None:
    """E_requestDenied where the operator does not let notifications go there."""
    try:
        _allowed_address(urlsplit(url), networks)
    except (OSError, ValueError) as error:
        raise UddiError(
            "requestDenied",
            f"不能通知 {url}：{error}；可通知的网络见注册中心配置 subscription.listener_networks / "
            f"{url} cannot be told: {error}; the registry's subscription.listener_networks says "
            "where listeners may be",
        ) from error


def _allowed_address(parts: SplitResult, networks: Sequence[Network]) -> str:
    """The first address of the host that may be told. ValueError, OSError."""
    found = socket.getaddrinfo(
        parts.hostname, parts.port or (443 if parts.scheme == "https" else 80),
        type=socket.SOCK_STREAM,
    )  # fmt: skip
    for *_, sockaddr in found:
        address = ipaddress.ip_address(str(sockaddr[0]).partition("%")[0])
        if any(address in network for network in networks):
            return str(sockaddr[0])
    raise ValueError("不在允许的网络内 / not in an allowed network")
