"""The gateway's bindings, read from the registry: where the two parts meet."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable

from gateway.binding import Binding, Listed
from gateway.routes import CannotWatch
from registry.living_client import LivingClient, News, NotOffered
from registry.registered import RegisteredBinding

#: seconds that the registry may take; the gateway has its own limit for how long a call waits
TIMEOUT = 5.0
#: seconds after which everything is read anew, whatever the changes said
FULL_SECONDS = 600.0
#: hospitals that are read one by one; more are read with all the others
_FEW = 100

_HOSPITAL = re.compile(r"uddi:yilian:(?:hospital:)?([^:]+)(?::.*)?")


class RegistryBindings:
    """Asks the registry for every node's own (inside) address: all of them at first, then those
    of the hospitals of which something changed. Blocks, and raises what ``registry.client``
    raises. Safe to call from several threads."""

    def __init__(self, registry_url: str) -> None:
        self._client = LivingClient(registry_url, TIMEOUT)
        self._lock = threading.Lock()
        self._known: dict[str, list[Binding]] | None = None  # by hospital
        self._epoch = ""
        self._index = 0
        self._read = float("-inf")
        self._old = False  # the registry has no JSON addresses

    def __call__(self) -> Listed:
        """The bindings as they are now."""
        with self._lock:
            if self._old:
                return Listed(tuple(_inside(self._client.bindings())))
            try:
                self._update()
            except NotOffered:
                self._old = True
                return Listed(tuple(_inside(self._client.bindings())))
            assert self._known is not None
            every = [one for bindings in self._known.values() for one in bindings]
            return Listed(tuple(every), self._epoch)

    def wait(self, seconds: float) -> None:
        """Return as soon as something has changed since the last reading, or when the time is
        up. CannotWatch where this registry has no watch, or no room for another watcher."""
        if self._old or self._known is None:
            raise CannotWatch("not read yet" if self._known is None else "an older registry")
        try:
            self._client.watch(self._index, self._epoch, seconds)
        except NotOffered as error:
            raise CannotWatch(str(error)) from error

    def _update(self) -> None:
        if self._known is None or time.monotonic() >= self._read + FULL_SECONDS:
            self._read_all()
            return
        news = self._client.watch(self._index, self._epoch, 0)
        hospitals = _changed(news)
        if hospitals:
            some = self._client.snapshot(sorted(hospitals))
            if some.epoch != self._epoch:
                hospitals = None  # it began anew between the two questions
            else:
                kept = {code: one for code, one in self._known.items() if code not in hospitals}
                self._known = kept | _by_hospital(some.bindings)
        if hospitals is None:
            self._read_all()
        else:
            self._index = news.index

    def _read_all(self) -> None:
        whole = self._client.snapshot()
        self._known = _by_hospital(whole.bindings)
        self._epoch, self._index = whole.epoch, whole.index
        self._read = time.monotonic()


def bindings_from(registry_url: str) -> RegistryBindings:
    """What the gateway asks for its bindings."""
    return RegistryBindings(registry_url)


def _changed(news: News) -> set[str] | None:
    """The codes of the hospitals of which something changed; None: read everything."""
    if news.reset or news.more:
        return None
    codes = set()
    for change in news.changes:
        if change.kind not in ("business", "service", "binding"):
            continue  # no address stands in it
        match = _HOSPITAL.fullmatch(change.key)
        if match is None:
            return None  # somebody else's key, in a hospital's business perhaps
        codes.add(match[1])
    return codes if len(codes) <= _FEW else None


def _by_hospital(bindings: Iterable[RegisteredBinding]) -> dict[str, list[Binding]]:
    found: dict[str, list[Binding]] = {}
    for one in _inside(bindings):
        found.setdefault(one.hospital.lower(), []).append(one)
    return found


def _inside(bindings: Iterable[RegisteredBinding]) -> list[Binding]:
    return [
        Binding(one.hospital, one.service, one.access_point)
        for one in bindings
        if one.face == "inside"
    ]
