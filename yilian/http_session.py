"""HTTP to hospitals' own addresses: nothing of the environment (web proxies, .netrc) in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests


def straight() -> requests.Session:
    """A session that asks the address itself, whatever HTTP_PROXY says."""
    import requests  # here, because most commands do without

    session = requests.Session()
    session.trust_env = False
    return session
