"""WSDLs, fetched from the nodes and readdressed for the asker."""

from __future__ import annotations

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.binding import Binding
from gateway.forward import BadAnswer, Forwarder, NodeAnswer, NodeRequest
from gateway.wsdl_address import NotAWsdl, readdressed

K = TypeVar("K")
V = TypeVar("V")

#: how long a fetched document is used again, seconds
FRESH = 2.0
#: how many documents, and how many readdressed ones, are kept
KEPT = 64

_ASKED = re.compile(r"(?:single)?wsdl=?\Z", re.IGNORECASE)


def asks_for_wsdl(query: str) -> bool:
    """Whether a query string asks for the WSDL, in any of the spellings that toolkits use."""
    return _ASKED.match(query) is not None


class Wsdls:
    """A changed document is never answered from the old one's cache: the readdressed ones are
    kept by content and address, the fetched ones for ``FRESH`` seconds only."""

    def __init__(
        self, forwarder: Forwarder, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._forwarder = forwarder
        self._clock = clock
        self._fetched: OrderedDict[Binding, tuple[float, NodeAnswer]] = OrderedDict()
        self._readdressed: OrderedDict[tuple[bytes, str, str], bytes] = OrderedDict()

    async def get(
        self, binding: Binding, base: str, path: str, table: Mapping[str, Binding], request_id: str
    ) -> NodeAnswer:
        """The WSDL of ``path`` for an asker to whom this gateway is ``base``. Raises NoAnswer."""
        answer = await self._fetch(binding, request_id)
        key = hashlib.sha256(answer.body).digest(), base, path
        body = self._readdressed.get(key)
        if body is None:
            try:
                body = readdressed(
                    answer.body, lambda other: base + (other if other in table else path)
                )
            except NotAWsdl as error:
                raise BadAnswer(f"{binding.access_point}?wsdl: {error}") from error
            _keep(self._readdressed, key, body)
        return NodeAnswer(answer.status, answer.headers, body)

    async def _fetch(self, binding: Binding, request_id: str) -> NodeAnswer:
        now = self._clock()
        fetched = self._fetched.get(binding)
        if fetched is not None and now - fetched[0] < FRESH:
            return fetched[1]
        headers = (("X-Request-Id", request_id),)
        answer = await self._forwarder.send(
            binding, NodeRequest("GET", headers, query="wsdl", repeatable=True)
        )
        if answer.status != 200:
            raise BadAnswer(f"{binding.access_point}?wsdl: HTTP {answer.status}")
        _keep(self._fetched, binding, (now, answer))
        return answer


def _keep(cache: OrderedDict[K, V], key: K, value: V) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > KEPT:
        cache.popitem(last=False)
