"""That a form came from a page of ours: a token in it that belongs to a cookie, and the browser's
own word where it gives one."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "yilian_form"
_VALUE = re.compile(r"[A-Za-z0-9_-]{20,60}")


class Csrf:
    """One secret a process: forms that were open during a restart have to be loaded again."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def token(self, cookie: str) -> str:
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def cookie(self, request: Request) -> str:
        """The browser's cookie, or a new one, which ``set_cookie`` then gives it."""
        found = request.cookies.get(COOKIE, "")
        return found if _VALUE.fullmatch(found) else secrets.token_urlsafe(24)

    def set_cookie(self, request: Request, response: Response, cookie: str) -> None:
        if request.cookies.get(COOKIE) != cookie:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure)

    def holds(self, request: Request, token: str) -> bool:
        cookie = request.cookies.get(COOKIE, "")
        if not _VALUE.fullmatch(cookie) or not token.isascii():
            return False
        if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = request.headers.get("origin")
        # The host alone: behind a proxy that ends TLS the schemes differ.
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            return False
        return hmac.compare_digest(self.token(cookie), token)
