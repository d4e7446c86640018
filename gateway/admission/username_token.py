"""WS-Security UsernameToken: a caller's name and password in the message itself.

OASIS Web Services Security, UsernameToken Profile 1.1. PasswordDigest is
base64(SHA-1(nonce + created + password)); PasswordText is the password, taken over TLS only. Of
the rest of WS-Security only a Timestamp is looked at; a signature is never taken for checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from lxml import etree

from gateway.admission.replay import NoRoom, UsedOnce
from services.faults import MustUnderstand, NotAuthenticated, Overloaded
from services.soap.read import local_name

_SECEXT = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_UTILITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
_BASE64 = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
)
#: seconds that a caller's clock may differ from ours, and that a digest is good for
WINDOW = 300.0
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?\Z", re.ASCII)


class UsernameTokens:
    """``passwords`` by user name. ``used`` remembers nonces."""

    def __init__(
        self,
        passwords: Mapping[str, str],
        used: UsedOnce,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._passwords = passwords
        self._used = used
        self._clock = clock

    def user(self, security: etree._Element, *, tls: bool) -> str | None:
        """Who a wsse:Security header proves to be calling; None where it claims nobody.

        NotAuthenticated: a wrong name or password, too old, used before, or not to be sent
        without TLS. MustUnderstand: it must be understood, and there is more in it than a
        UsernameToken and a Timestamp. Overloaded: no room to remember its nonce."""
        now = self._clock()
        token = None
        for element in security:
            if element.tag == f"{_SECEXT}UsernameToken":
                if token is not None:
                    raise _wrong("有两个 UsernameToken", "it has two UsernameTokens")
                token = element
            elif element.tag == f"{_UTILITY}Timestamp":
                _timestamp(element, now)
            elif must_understand(security):
                raise MustUnderstand(
                    f"WS-Security 中只核对 UsernameToken 与 Timestamp，不支持 {element.tag!s}",
                    f"of WS-Security only UsernameToken and Timestamp are checked, "
                    f"not {element.tag!s}",
                    rule="username_token",
                )
        if token is None:
            return None
        return self._checked(token, now, tls)

    def _checked(self, token: etree._Element, now: float, tls: bool) -> str:
        user = _only(token, f"{_SECEXT}Username")
        password = token.find(f"{_SECEXT}Password")
        given = _only(token, f"{_SECEXT}Password")
        known = self._passwords.get(user)
        kind = (password.get("Type") if password is not None else None) or "#PasswordText"
        if kind in (f"{_PROFILE}#PasswordDigest", "#PasswordDigest"):
            nonce, created = _nonce(token), _only(token, f"{_UTILITY}Created")
            moment = _moment(created)
            digest = hashlib.sha1(nonce + created.encode() + (known or "").encode()).digest()
            # An unknown name takes the same time as a wrong password.
            right = hmac.compare_digest(base64.b64encode(digest), given.encode())
            if not right or known is None:
                raise _wrong_password()
            if abs(now - moment) > WINDOW:
                raise _wrong(
                    f"Created 与网关时间相差超过 {WINDOW:g} 秒，请校准调用方时钟",
                    f"its Created is more than {WINDOW:g} s from the gateway's clock",
                )
            self._once(user, nonce, created, now, moment)
            return user
        if kind not in (f"{_PROFILE}#PasswordText", "#PasswordText"):
            raise _wrong(f"不支持的口令类型 {kind[:120]}", f"unknown type of password {kind[:120]}")
        if not tls:
            raise _wrong(
                "明文口令（PasswordText）只能经 TLS 发送，请改用 PasswordDigest",
                "PasswordText is taken over TLS only; send a PasswordDigest",
            )
        if not hmac.compare_digest((known or "").encode(), given.encode()) or not known:
            raise _wrong_password()
        return user

    def _once(self, user: str, nonce: bytes, created: str, now: float, moment: float) -> None:
        thing = b"\0".join((user.encode(), nonce, created.encode()))
        try:
            first = self._used.first_time(thing, now, moment + WINDOW)
        except NoRoom:
            raise Overloaded(
                "近期的 UsernameToken 过多，请稍后重试",
                "too many UsernameTokens in a short time; try again later",
                rule="username_token",
            ) from None
        if not first:
            raise _wrong("该 UsernameToken 已使用过", "this UsernameToken was used before")


def must_understand(security: etree._Element) -> bool:
    """Whether the header says so, in either version's way."""
    return any(
        str(name).endswith("}mustUnderstand") and str(value).strip() in ("1", "true")
        for name, value in security.items()
    )


def _only(token: etree._Element, tag: str) -> str:
    found = token.findall(tag)
    if len(found) != 1 or len(found[0]) or not found[0].text:
        name = tag.rpartition("}")[2]
        raise _wrong(f"应有一个 {name}", f"it must have one {name}")
    return found[0].text.strip()


def _nonce(token: etree._Element) -> bytes:
    text = _only(token, f"{_SECEXT}Nonce")
    coding = (token.find(f"{_SECEXT}Nonce").get("EncodingType")) or _BASE64  # type: ignore[union-attr]
    try:
        nonce = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        nonce = b""
    if coding not in (_BASE64, "#Base64Binary") or not 8 <= len(nonce) <= 256:
        raise _wrong(
            "Nonce 应为 8 至 256 字节的 Base64", "its Nonce must be 8 to 256 bytes in base64"
        )
    return nonce


def _timestamp(element: etree._Element, now: float) -> None:
    for child in element:
        name = local_name(child)
        if name not in ("Created", "Expires"):
            continue
        moment = _moment((child.text or "").strip())
        if (name == "Expires" and moment + WINDOW < now) or (
            name == "Created" and moment - WINDOW > now
        ):
            raise _wrong("Timestamp 已过期或在将来", "its Timestamp has expired, or lies ahead")


def _moment(text: str) -> float:
    """Seconds since 1970; without a zone it is UTC, as the profile says."""
    if _MOMENT.match(text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    raise _wrong("时间应形如 2026-11-21T08:00:00Z", "times must look like 2026-11-21T08:00:00Z")


def _wrong_password() -> NotAuthenticated:
    return _wrong("用户名或口令不正确", "wrong user name or password")


def _wrong(zh: str, en: str) -> NotAuthenticated:
    return NotAuthenticated(f"WS-Security：{zh}", f"WS-Security: {en}", rule="username_token")
