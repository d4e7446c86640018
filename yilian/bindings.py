"""The gateway's bindings, read from the registry: where the two parts meet."""

from __future__ import annotations

from collections.abc import Callable

from gateway.binding import Binding
from registry.client import UddiClient

#: seconds that the registry may take; the gateway has its own limit for how long a call waits
TIMEOUT = 5.0


def bindings_from(registry_url: str) -> Callable[[], list[Binding]]:
    """A function that asks the registry for every node's own (inside) address. It blocks, and
    raises what ``registry.client`` raises."""
    client = UddiClient(registry_url, TIMEOUT)

    def find() -> list[Binding]:
        return [
            Binding(one.hospital, one.service, one.access_point)
            for one in client.bindings()
            if one.face == "inside"
        ]

    return find
