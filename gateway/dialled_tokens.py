"""The tokens of nodes that dial in: checked by scrypt once, then known by a keyed digest.

scrypt takes a core for a moment on purpose. So what waits for it is bounded for each source
address: who guesses keeps himself waiting, and not the nodes.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections import Counter

from services.passwords import verify

#: different tokens of one source address that may wait to be checked
_WAITING_PER_PEER = 4
#: wrong ones that are remembered, so that trying them again costs nothing
_WRONG = 10_000


class Busy(Exception):
    """Too many tokens of this source address wait to be checked."""


class DialledTokens:
    """On the event loop only."""

    def __init__(self) -> None:
        self._salt = os.urandom(16)
        self._right: set[bytes] = set()
        self._wrong: set[bytes] = set()
        self._under_way: dict[bytes, asyncio.Task[bool]] = {}
        self._waiting: Counter[str] = Counter()
        self._checking = asyncio.Semaphore(1)

    async def right(self, token: str, line: str, peer: str) -> bool:
        """Whether the token is that of a hash line. Busy."""
        digest = hmac.digest(self._salt, f"{line}\n{token}".encode(), "sha256")
        if digest in self._right or digest in self._wrong:
            return digest in self._right
        task = self._under_way.get(digest)
        if task is None:
            if self._waiting[peer] >= _WAITING_PER_PEER:
                raise Busy(peer)
            self._waiting[peer] += 1
            task = asyncio.get_running_loop().create_task(self._checked(digest, token, line))
            self._under_way[digest] = task
            task.add_done_callback(lambda _: self._ended(digest, peer))
        return await asyncio.shield(task)

    async def _checked(self, digest: bytes, token: str, line: str) -> bool:
        async with self._checking:
            right = await asyncio.to_thread(verify, token, line)
        if len(self._wrong) >= _WRONG:
            self._wrong.clear()
        (self._right if right else self._wrong).add(digest)
        return right

    def _ended(self, digest: bytes, peer: str) -> None:
        del self._under_way[digest]
        self._waiting[peer] -= 1
        if not self._waiting[peer]:
            del self._waiting[peer]
