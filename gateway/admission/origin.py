"""Where a call comes from: its own connection, or what a trusted HAProxy says of the caller's.

The identity headers count only from an address in [proxy] trusted and together with the shared
secret. A request that carries one of them and has not both is a forgery and is refused.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from gateway.admission.caller import Certificate
from gateway.head import Refused
from gateway_config import identity_headers as names
from services.faults import MalformedMessage, NotAuthenticated

_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")


class Origin(NamedTuple):
    """The caller's connection. ``peer`` is its address without port."""

    peer: str
    certificate: Certificate | None
    tls: bool


class HandedOn(NamedTuple):
    """A certificate that HAProxy has checked."""

    common_name: str
    sha256: str


class Proxies:
    """``trusted`` addresses that know ``secret``."""

    def __init__(self, trusted: Sequence[str] = (), secret: str = "") -> None:
        self._trusted = frozenset(trusted)
        self._secret = secret.encode()

    def origin(self, seen: Origin, headers: Sequence[tuple[bytes, bytes]]) -> Origin:
        """The caller's own connection. ``headers``: Head.identity. Refused where one stands that
        must not."""
        if not headers:
            return seen
        told: dict[str, str] = {}
        for name, value in headers:
            if name.decode() in told:
                raise _forged()
            told[name.decode()] = value.decode("utf-8", "replace").strip()
        secret = told.get(names.SECRET, "").encode()
        right = bool(self._secret) and hmac.compare_digest(secret, self._secret)
        if not right or seen.peer not in self._trusted:
            raise _forged()
        return Origin(
            _peer(told.get(names.SOURCE, "")), _certificate(told), told.get(names.TLS) == "1"
        )


def _peer(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise Refused(
            400,
            MalformedMessage(
                f"代理没有写明调用方地址（{names.SOURCE}）",
                f"the proxy does not say the caller's address ({names.SOURCE})",
                rule="proxy",
            ),
            step="caller",
        ) from None


def _certificate(told: dict[str, str]) -> HandedOn | None:
    sha256 = told.get(names.SHA256, "")
    if not _SHA256.match(sha256):
        return None
    return HandedOn(told.get(names.COMMON_NAME, ""), sha256.lower())


def _forged() -> Refused:
    return Refused(
        403,
        NotAuthenticated(
            "身份头只能由受信的代理添加，请去掉 X-Yilian-* 头",
            "identity headers are for the trusted proxy alone; send none of X-Yilian-*",
            rule="proxy",
        ),
        step="caller",
    )
