"""Who asks, where a proxy of ours ended the connection: what its headers say, believed or refused.

The headers count only from the addresses in ``proxy.trusted`` and with the shared secret; both,
since either alone can be had by somebody else on the proxy's machine or network. From anywhere
else they are refused, and never passed over: whoever sends them tries to be somebody else.
``gateway_config/haproxy.py`` is the other end.
"""

from __future__ import annotations

import hmac
import re
from ipaddress import ip_address

from gateway.call import Call
from gateway.certificate import PeerCertificate
from gateway.head import Refused
from services.faults import MalformedMessage

PREFIX = b"x-yilian-"
SECRET = b"x-yilian-proxy"
PEER = b"x-yilian-peer"
SCHEME = b"x-yilian-scheme"
SHA256 = b"x-yilian-client-sha256"
COMMON_NAME = b"x-yilian-client-cn"
_KNOWN = frozenset((SECRET, PEER, SCHEME, SHA256, COMMON_NAME))
_HASH = re.compile(rb"[0-9a-f]{64}\Z", re.IGNORECASE)


class Proxied:
    """``trusted``: addresses of the proxies. ``secret``: what they have in common with us."""

    def __init__(self, trusted: tuple[str, ...], secret: str) -> None:
        self._trusted = frozenset(trusted)
        self._secret = secret.encode("ascii")

    def seen(self, call: Call) -> None:
        """Put the asker in the proxy's place, or set ``call.refused``. A call from a proxy's
        address without any of the headers is somebody on that machine and stays who he is."""
        said: dict[bytes, bytes] = {}
        rest = []
        for line in call.headers:
            name = line[0].lower()
            if not name.startswith(PREFIX):
                rest.append(line)
            elif name in said or name not in _KNOWN:
                return _refuse(call, "identity header twice or unknown")
            else:
                said[name] = line[1].strip()
        if not said:
            return None
        if call.peer not in self._trusted:
            return _refuse(call, "identity headers from elsewhere")
        if not hmac.compare_digest(said.get(SECRET, b""), self._secret):
            return _refuse(call, "identity headers without the secret")
        try:
            peer = str(ip_address(said[PEER].decode("ascii"))).removeprefix("::ffff:")
            scheme = {b"http": "http", b"https": "https"}[said[SCHEME]]
            certificate = _certificate(said)
        except (KeyError, ValueError):
            return _refuse(call, "identity headers that say nothing")
        call.headers, call.peer, call.scheme = rest, peer, scheme
        call.tls, call.certificate = scheme == "https", certificate
        return None


def _certificate(said: dict[bytes, bytes]) -> PeerCertificate | None:
    """ValueError, KeyError: a fingerprint that is none, a name without one."""
    if SHA256 not in said and COMMON_NAME not in said:
        return None
    fingerprint = said[SHA256]
    if _HASH.match(fingerprint) is None:
        raise ValueError("no SHA-256")
    name = bytes.fromhex(said.get(COMMON_NAME, b"").decode("ascii")).decode("utf-8")
    return PeerCertificate(name, fingerprint.decode("ascii").lower())


def _refuse(call: Call, rule: str) -> None:
    if call.refused is None:
        call.refused = Refused(
            400,
            MalformedMessage(
                "HTTP 头 X-Yilian-* 只能由网关的前置代理填写，请去掉",
                "the headers X-Yilian-* are for the gateway's own proxy; leave them out",
                field="HTTP X-Yilian-*",
            ),
            step="connection",
            rule=f"proxy: {rule}",
        )
