"""UsernameTokens as toolkits write them, and the wrong ones."""

from __future__ import annotations

import base64
import hashlib
import itertools
from datetime import UTC, datetime

SECEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_numbers = itertools.count(1)


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def digest_of(nonce: bytes, created: str, password: str) -> str:
    return base64.b64encode(
        hashlib.sha1(nonce + created.encode() + password.encode()).digest()
    ).decode()


def digest_token(
    user: str,
    password: str,
    now: float,
    *,
    nonce: bytes | None = None,
    created: str | None = None,
    digest: str | None = None,
) -> str:
    """A UsernameToken with PasswordDigest, each with a nonce of its own."""
    nonce = b"%016d" % next(_numbers) if nonce is None else nonce
    created = moment(now) if created is None else created
    digest = digest_of(nonce, created, password) if digest is None else digest
    return (
        f"<UsernameToken><Username>{user}</Username>"
        f'<Password Type="{PROFILE}#PasswordDigest">{digest}</Password>'
        f"<Nonce>{base64.b64encode(nonce).decode()}</Nonce>"
        f'<Created xmlns="{UTILITY}">{created}</Created></UsernameToken>'
    )


def text_token(user: str, password: str) -> str:
    return (
        f"<UsernameToken><Username>{user}</Username>"
        f'<Password Type="{PROFILE}#PasswordText">{password}</Password></UsernameToken>'
    )


def security(content: str, attributes: str = "") -> str:
    """The wsse:Security header around it."""
    return f'<Security xmlns="{SECEXT}"{attributes}>{content}</Security>'
