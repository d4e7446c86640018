"""Publishers and their tokens: who may publish, proven by password once and then by token.

Tokens stand in the database, so that a restart logs nobody out; only their digests do.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Engine

from registry.config import Publisher
from registry.errors import UddiError
from registry.tables import token as tokens
from services.passwords import hash_password, verify


class Accounts:
    """``lifetime_minutes``: how long a token is good for after it was issued."""

    def __init__(
        self, engine: Engine, publishers: Iterable[Publisher], lifetime_minutes: float
    ) -> None:
        self._writing = engine.execution_options(writes=True)
        self._engine = engine
        self._publishers = {publisher.user: publisher for publisher in publishers}
        self._lifetime = int(lifetime_minutes * 60)
        # Verified for unknown users, so that the time taken does not tell which names exist.
        self._decoy = hash_password(secrets.token_hex())

    def log_in(self, user: str, password: str) -> str:
        """A new token. E_unknownUser for a wrong name or password, without saying which."""
        publisher = self._publishers.get(user)
        right = verify(password, publisher.password_hash if publisher else self._decoy)
        if publisher is None or not right:
            raise UddiError(
                "unknownUser", "用户名或密码不正确 / the user name or the password is wrong"
            )
        issued = f"authtoken:{secrets.token_urlsafe(32)}"
        now = int(time.time())
        with self._writing.begin() as connection:
            # Long expired ones go; a recent one stays for a while, to be told it has expired.
            connection.execute(delete(tokens).where(tokens.c.expires < now - 24 * 3600))
            connection.execute(
                insert(tokens).values(
                    digest=_digest(issued), publisher=user, expires=now + self._lifetime
                )
            )
        return issued

    def publisher(self, token: str) -> Publisher:
        """Whose token it is. E_authTokenRequired for none or an unknown one, E_authTokenExpired
        for one whose time is over."""
        if token.strip():
            query = select(tokens).where(tokens.c.digest == _digest(token.strip()))
            with self._engine.connect() as connection:
                row = connection.execute(query).one_or_none()
            if row is not None and row.publisher in self._publishers:
                if row.expires <= time.time():
                    raise UddiError(
                        "authTokenExpired",
                        "令牌已过期，请重新 get_authToken / the token has expired; "
                        "call get_authToken again",
                    )
                return self._publishers[row.publisher]
        raise UddiError(
            "authTokenRequired",
            "需要有效的 authInfo，请先 get_authToken / a valid authInfo is required; "
            "call get_authToken first",
        )

    def log_out(self, token: str) -> None:
        """Discard the token. Errors as for ``publisher``."""
        self.publisher(token)
        with self._writing.begin() as connection:
            connection.execute(delete(tokens).where(tokens.c.digest == _digest(token.strip())))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
