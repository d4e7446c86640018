"""How the gateway is seen from each side: the address that goes into an asker's WSDL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_config.section import Network, address_of

if TYPE_CHECKING:
    from gateway_config.model import GatewayConfig


class Faces:
    """The sides of one configuration, prepared. An asker's side is what his caller's entry says,
    or else the smallest network that his address lies in."""

    def __init__(self, config: GatewayConfig) -> None:
        self._base = {name: side.base_url for name, side in config.sides.items()}
        self._side_of = {name: one.side for name, one in config.callers.items() if one.side}
        networks: list[tuple[Network, str]] = [
            (network, name) for name, side in config.sides.items() for network in side.networks
        ]
        self._networks = sorted(networks, key=lambda one: -one[0].prefixlen)
        self._plain = config.listen.public_url
        self._tls = config.tls.public_url if config.tls else None

    def side(self, caller: str | None, peer: str) -> str | None:
        """The name of the asker's side; None where no side is his. ``peer``: an IP address."""
        named = self._side_of.get(caller) if caller else None
        if named is not None:
            return named
        if not self._networks:
            return None
        address = address_of(peer)
        if address is None:
            return None
        return next((name for network, name in self._networks if address in network), None)

    def base_url(self, caller: str | None, peer: str, *, tls: bool = False) -> str | None:
        """What this gateway is to the asker: his side's address, or else the public one of the
        way he came; None where only his Host header can tell."""
        side = self.side(caller, peer)
        if side is not None:
            return self._base[side]
        return self._tls if tls else self._plain
