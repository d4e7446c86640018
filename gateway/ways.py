"""Which way a hospital's calls go: straight to the node, over what it has dialled, or as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.binding import Binding
from gateway.ferry import Ferries
from gateway.forward import Coming, Forwarder, NodeAnswer, NodeRequest, NotReached
from gateway.log import Log
from gateway.reverse import ReverseConnections
from gateway.tls import Certificates
from gateway.turned_away import TurnedAway
from gateway_config.model import GatewayConfig


class Ways:
    """A Forwarder made of several: by the hospital's mode, or else ``straight``."""

    def __init__(
        self,
        straight: Forwarder,
        others: Mapping[str, ReverseConnections | Ferries | _AfterRestart],
    ) -> None:
        self._straight = straight
        self._others = others

    @classmethod
    async def open(
        cls,
        config: GatewayConfig,
        straight: Forwarder,
        log: Log,
        turned_away: TurnedAway,
        *,
        certificates: Certificates | None = None,
        worker: int = 0,
    ) -> Ways:
        """Every way that the configuration names. ``certificates``: what nodes that dial by TLS
        are shown. OSError: a port is taken; CannotFerry."""
        others: dict[str, ReverseConnections | Ferries] = {}
        modes = {code: hospital.mode for code, hospital in config.hospitals.items()}
        if config.dialled is not None:
            reverse = ReverseConnections(
                config.dialled,
                config.hospitals,
                config.forward,
                log,
                turned_away,
                certificates=certificates if config.dialled.tls else None,
                worker=worker,
            )
            await reverse.start()
            others.update((code, reverse) for code, mode in modes.items() if mode == "reverse")
        if "ferry" in modes.values():
            ferries = Ferries(config.hospitals, config.forward, log)
            await ferries.start()
            others.update((code, ferries) for code, mode in modes.items() if mode == "ferry")
        return cls(straight, others)

    def over(self, config: GatewayConfig, straight: Forwarder) -> Ways:
        """These ways by another configuration, with another straight one. What nodes dial and
        where files go was opened at the start and stays; a hospital that would need more of it
        is not reached before a restart, and never straight."""
        others = {
            code: self._others.get(code, _AfterRestart())
            for code, hospital in config.hospitals.items()
            if hospital.mode in ("reverse", "ferry")
        }
        return Ways(straight, others)

    def take(self, config: GatewayConfig) -> None:
        """Go by what this configuration says of the nodes that dial in."""
        for forwarder in set(self._others.values()):
            if isinstance(forwarder, ReverseConnections):
                forwarder.take(config.hospitals)

    def status(self) -> dict[str, Any]:
        """For /health: what the ways that are not straight say, by hospital."""
        found: dict[str, Any] = {}
        for forwarder in set(self._others.values()):
            found.update(forwarder.status())
        return found

    def send(self, binding: Binding, request: NodeRequest) -> Coming:
        return self._others.get(binding.hospital, self._straight).send(binding, request)

    async def close_straight(self) -> None:
        await self._straight.close()

    async def close(self) -> None:
        for forwarder in {self._straight, *self._others.values()}:
            await forwarder.close()


class _AfterRestart:
    """The way to a hospital whose connections or folders were not there at the start."""

    async def send(self, binding: Binding, request: NodeRequest) -> NodeAnswer:
        raise NotReached(f"{binding.hospital} is reached after a restart of the gateway only")

    def status(self) -> dict[str, Any]:
        return {}

    async def close(self) -> None: ...
