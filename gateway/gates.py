"""The gates between gateway and nodes: a published inner address becomes the outer one to dial.

A node publishes where it is inside its hospital. In mode "map" that address is translated by the
hospital's table, and never tried itself: where no line fits, the binding is refused. Nothing here
touches a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, time
from urllib.parse import urlsplit

from gateway.binding import Binding
from gateway.forward import (
    Coming,
    Forwarder,
    GateClosed,
    NodeRequest,
    NotReached,
    TooLargeForGate,
)
from gateway_config.hospitals import Hospital, MapRow
from gateway_config.model import base_url
from gateway_config.section import Network, endpoint_of

#: how much of the time after which a gate cuts an idle connection the gateway uses itself
_OF_IDLE = 0.8
#: how many bindings' ways are remembered
_WAYS = 4096


class Gates:
    """The gates of all hospitals as one configuration has them; a new one is a new object."""

    def __init__(self, hospitals: Mapping[str, Hospital]) -> None:
        self._hospitals = dict(hospitals)
        self._by_inner: dict[tuple[str, str], tuple[MapRow, ...]] = {}
        self._by_outer: dict[tuple[str, str], MapRow] = {}
        for code, hospital in hospitals.items():
            for row in hospital.map:
                inner = self._by_inner.get((code, row.inner), ())
                self._by_inner[code, row.inner] = (*inner, row)
                self._by_outer[code, row.outer] = row

    def mode(self, hospital: str) -> str:
        """How this hospital is reached; one that is not configured: directly."""
        known = self._hospitals.get(hospital)
        return known.mode if known is not None else "direct"

    def reached(self, published: Binding) -> tuple[Binding, ...]:
        """The bindings to dial for a published one: itself, or its outer addresses.

        ValueError says why there is none: no line of the gate's table fits. It names no address,
        since /health shows it; the log has the binding's own beside it.
        """
        if self.mode(published.hospital) != "map":
            return (published,)
        base_url(published.access_point)
        inner = endpoint_of(published.access_point)
        rows = self._by_inner.get((published.hospital, inner))
        if not rows:
            where = f"[[hospitals.{published.hospital}.map]]"
            raise ValueError(
                f"网闸映射表 {where} 中没有节点登记的内侧地址；不会绕过网闸直接连接 / "
                f"{where} has no line for the inner address that the node published; it is "
                "never dialled past the gate"
            )
        return tuple(self._outer(published, row) for row in rows)

    def row(self, reached: Binding) -> MapRow | None:
        """The line of the gate's table behind a binding that ``reached`` gave."""
        if not self._by_outer:
            return None
        return self._by_outer.get((reached.hospital, endpoint_of(reached.access_point)))

    def networks(self, reached: Binding, usual: tuple[Network, ...]) -> tuple[Network, ...]:
        """The networks outside of which it is not dialled; none: anywhere. An outer address of a
        map, which the configuration itself names, is dialled wherever it is."""
        known = self._hospitals.get(reached.hospital)
        if known is None:
            return usual
        return () if known.mode == "map" else known.networks or usual

    def idle_seconds(self, reached: Binding, usual: float) -> float:
        """How long a connection may stand idle; 0: it carries one call only."""
        row = self.row(reached)
        if row is None:
            return usual
        if not row.keep_alive:
            return 0.0
        return usual if row.idle_seconds is None else min(usual, row.idle_seconds * _OF_IDLE)

    def _outer(self, published: Binding, row: MapRow) -> Binding:
        url = urlsplit(published.access_point)
        if row.tls_ends == "node" and url.scheme != "https":
            raise ValueError(
                f"映射表写明 tls_ends = node，但节点登记的是 {url.scheme} / "
                f"the map says tls_ends = node, but the node published {url.scheme}"
            )
        scheme = "https" if row.tls_ends == "gate" else url.scheme
        return replace(published, access_point=f"{scheme}://{row.outer}{url.path}")


class ThroughGates:
    """A Forwarder that dials what the gates make of a binding, by another Forwarder. ``gates``
    may be replaced at any time; a call under way keeps what it began with."""

    def __init__(
        self, forwarder: Forwarder, gates: Gates, *, now: Callable[[], datetime] = datetime.now
    ) -> None:
        self._forwarder = forwarder
        self._now = now
        self._gates = gates
        self._ways: dict[Binding, tuple[Binding, MapRow | None]] = {}

    @property
    def gates(self) -> Gates:
        return self._gates

    @gates.setter
    def gates(self, gates: Gates) -> None:
        self._gates, self._ways = gates, {}

    def send(self, binding: Binding, request: NodeRequest) -> Coming:
        reached, row = self._ways.get(binding) or self._way(binding)
        if row is not None:
            if row.window is not None and not open_now(row, self._now()):
                raise GateClosed(row.window)
            if row.max_body_bytes is not None and len(request.body) > row.max_body_bytes:
                raise TooLargeForGate(row.max_body_bytes)
        return self._forwarder.send(reached, request)

    async def close(self) -> None:
        await self._forwarder.close()

    def _way(self, binding: Binding) -> tuple[Binding, MapRow | None]:
        reached, row = binding, self._gates.row(binding)
        if row is None:  # not an outer address yet, or no map
            try:
                reached = self._gates.reached(binding)[0]
            except ValueError as error:  # a map that changed since the route was made
                raise NotReached(f"{binding.access_point}: {error}") from None
            row = self._gates.row(reached)
        if len(self._ways) >= _WAYS:
            self._ways.clear()
        self._ways[binding] = way = reached, row
        return way


def open_now(row: MapRow, now: datetime) -> bool:
    """Whether the gate's daily window is open at this local time. One that ends before it begins
    goes over midnight; equal ends are the whole day."""
    if row.window is None:
        return True
    begin, end = (time.fromisoformat(part) for part in row.window.split("-"))
    at = now.time()
    if begin == end:
        return True
    return begin <= at < end if begin < end else at >= begin or at < end
