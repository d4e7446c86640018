"""A binding: where one hospital's service can be reached, and the route that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from gateway.paths import canonical
from gateway_config.model import base_url
from gateway_config.section import address_of


@dataclass(frozen=True, slots=True)
class Binding:
    """``access_point`` is the node's own URL for the service, ``http://node:8082/hx/LabResults``."""

    hospital: str
    service: str
    access_point: str

    def __hash__(self) -> int:  # it is looked up for every call
        return hash(self.access_point)

    @property
    def path(self) -> str:
        """The path of the access point."""
        return urlsplit(self.access_point).path or "/"


@dataclass(frozen=True, slots=True)
class Route(Binding):
    """What the gateway offers at one path. ``published``: the bindings behind it as the registry
    has them; ``bindings``: where its calls may go, all doing the same: the published ones, or for
    a mapped hospital what its gate makes of them. ``access_point`` is the first published one's."""

    published: tuple[Binding, ...] = ()
    bindings: tuple[Binding, ...] = ()

    @classmethod
    def to(cls, published: Sequence[Binding], bindings: Sequence[Binding] = ()) -> Route:
        """The route to some bindings of one service, which are dialled as they are published
        unless ``bindings`` says otherwise."""
        first = published[0]
        return cls(
            first.hospital,
            first.service,
            first.access_point,
            tuple(published),
            tuple(bindings or published),
        )

    def with_suffix(self, suffix: str) -> Route:
        """The route to the addresses with so much behind them."""
        return Route.to(
            [replace(one, access_point=one.access_point + suffix) for one in self.published],
            [replace(one, access_point=one.access_point + suffix) for one in self.bindings],
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """What the registry lists. ``epoch`` is another one when the registry has started anew, and
    may have lost or forgotten something; "" where it does not say."""

    bindings: tuple[Binding, ...]
    epoch: str = ""

    def __iter__(self) -> Iterator[Binding]:
        return iter(self.bindings)


def route_of(binding: Binding) -> str:
    """The path under which the gateway offers a binding: that of its access point.

    ValueError says why a binding is not fit to be routed to: not an http(s) URL, a path that is
    not canonical, or one that does not begin with the hospital's own code: a hospital must not
    be able to draw another one's calls to itself by what it publishes.
    """
    base_url(binding.access_point)
    _no_strange_address(urlsplit(binding.access_point).hostname or "")
    path = canonical(urlsplit(binding.access_point).path)
    parts = path.split("/")[1:]
    if len(parts) != 2 or parts[0] != binding.hospital:
        raise ValueError(
            f"路径应为 /{binding.hospital}/服务名 / the path should be /{binding.hospital}/Service"
        )
    return path


def _no_strange_address(host: str) -> None:
    """ValueError for addresses at which no node is: 169.254.169.254, where a cloud hands out its
    keys, and others that only somebody who looks around would publish."""
    address = address_of(host)
    if address is None:
        return  # a name
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise ValueError(
            "链路本地、组播或空地址不会是节点 / "
            "no node is at a link-local, multicast or empty address"
        )


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in one spelling."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"
