"""A browser without a browser: an HTTP session with cookies over a running app."""

from __future__ import annotations

from typing import Any

import requests
from starlette.applications import Starlette


class Client:
    """``app`` is what runs at ``url``; get and post take a path, and requests' keywords."""

    def __init__(self, app: Starlette, url: str) -> None:
        self.app = app
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def cookies(self) -> Any:
        return self._session.cookies

    def get(self, path: str, **given: Any) -> requests.Response:
        return self._session.get(self.url + path, timeout=60, **given)

    def post(self, path: str, **given: Any) -> requests.Response:
        return self._session.post(self.url + path, timeout=60, **given)
