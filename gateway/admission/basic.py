"""HTTP Basic: a password is checked by scrypt once and known by a keyed digest from then on.

scrypt takes 50 ms and 16 MB on purpose, so it runs in threads of its own, two at a time, and what
waits for it is bounded: in all, and for each source address, so that who guesses passwords keeps
nobody else from a first call. A wrong password is remembered for a while too.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.faults import NotAuthenticated, Overloaded
from services.passwords import hash_password, verify

K = TypeVar("K")
V = TypeVar("V")

_THREADS = 2
_WAITING = 64
_WAITING_PER_PEER = 4
#: seconds for which a wrong password is not tried again
_WRONG_FOR = 60.0
_KEPT = 10_000


class BasicPasswords:
    """``hashes`` by user name, as ``yilian hash-password`` makes them. On the event loop only."""

    def __init__(
        self, hashes: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hashes = dict(hashes)
        self._clock = clock
        self._key = os.urandom(32)
        self._right: dict[bytes, str] = {}
        self._wrong: dict[bytes, float] = {}
        self._under_way: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting: Counter[str] = Counter()
        self._threads = ThreadPoolExecutor(_THREADS, "scrypt")
        #: of nobody: an unknown user takes as long as a wrong password
        self._nobody = hash_password("nobody") if hashes else ""
        self.checked = 0

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def known(self, authorization: bytes) -> str | None:
        """The user whose credentials these have proved to be."""
        return self._right.get(self._digest(authorization))

    async def user(self, authorization: bytes, peer: str) -> str:
        """Who the header proves to be calling. NotAuthenticated where it does not; Overloaded
        where too many passwords are being checked."""
        digest = self._digest(authorization)
        known = self._right.get(digest)
        if known is not None:
            return known
        user, password = _credentials(authorization)
        if self._wrong.get(digest, 0.0) > self._clock():
            raise _wrong_password()
        task = self._under_way.get(digest)
        if task is None:
            if len(self._under_way) >= _WAITING or self._waiting[peer] >= _WAITING_PER_PEER:
                raise Overloaded(
                    "正在核对的口令过多，请稍后重试",
                    "too many passwords are being checked; try again after a moment",
                    rule="basic",
                )
            self._waiting[peer] += 1
            task = asyncio.get_running_loop().create_task(self._verified(user, password))
            self._under_way[digest] = task
            task.add_done_callback(lambda _: self._ended(digest, peer))
        # Shielded: a caller who leaves does not take the answer from those who wait for the same.
        if not await asyncio.shield(task):
            _keep(self._wrong, digest, self._clock() + _WRONG_FOR)
            raise _wrong_password()
        _keep(self._right, digest, user)
        return user

    def _digest(self, authorization: bytes) -> bytes:
        """What an Authorization header is known by here."""
        return hashlib.blake2b(authorization, key=self._key, digest_size=16).digest()

    async def _verified(self, user: str, password: str) -> bool:
        line = self._hashes.get(user)
        self.checked += 1
        right = await asyncio.get_running_loop().run_in_executor(
            self._threads, verify, password, line or self._nobody
        )
        return right and line is not None

    def _ended(self, digest: bytes, peer: str) -> None:
        del self._under_way[digest]
        self._waiting[peer] -= 1
        if not self._waiting[peer]:
            del self._waiting[peer]


def _credentials(authorization: bytes) -> tuple[str, str]:
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        raise NotAuthenticated(
            "HTTP 头 Authorization 只支持 Basic",
            "of the HTTP header Authorization only Basic is known here",
            rule="basic",
        )
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed() from None
    try:
        text = decoded.decode("utf-8")
    except UnicodeDecodeError:
        text = decoded.decode("gb18030", "replace")  # as old Windows clients write it
    user, colon, password = text.partition(":")
    if not colon or not user or len(decoded) > 1024:
        raise _malformed()
    return user, password


def _malformed() -> NotAuthenticated:
    return NotAuthenticated(
        "HTTP 头 Authorization 不是 Basic 加 Base64 的 用户:口令",
        "the HTTP header Authorization is not Basic with user:password in base64",
        rule="basic",
    )


def _wrong_password() -> NotAuthenticated:
    return NotAuthenticated("用户名或口令不正确", "wrong user name or password", rule="basic")


def _keep(cache: dict[K, V], key: K, value: V) -> None:
    if len(cache) >= _KEPT:
        cache.clear()
    cache[key] = value
