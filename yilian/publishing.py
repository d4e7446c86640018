"""The node's entry in the registry: published at start, renewed while the node runs.

A registry that is down costs the node nothing but the entry's freshness: it keeps trying.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import structlog

from registry.client import UddiClient
from registry.errors import RegistryUnavailable, UddiError
from registry.publisher import (
    ON_CALL,
    OWNER,
    ContactEntry,
    HospitalEntry,
    PublishError,
    ServiceEntry,
    publish_node,
)
from registry.uddi.wsdl_mapping import WsdlError
from yilian.config import Contacts, NodeConfig, read_password
from yilian.node import Node

log = structlog.get_logger()

#: seconds between two renewals, and between two tries while the registry is away
RENEW_SECONDS = 60.0
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class Publication:
    """Publishes a node's endpoints, the same dictionary that its host serves."""

    def __init__(self, node: Node) -> None:
        """Refused if the password file cannot be read: at start, and not a minute later."""
        self._node = node
        registry = node.config.registry
        self._password = read_password(registry.password_file) if registry else ""
        self._published_at: datetime | None = None
        self._problem = ""

    async def keep(self) -> None:
        """Publish and renew until cancelled. Returns at once where no registry is configured."""
        registry = self._node.config.registry
        if registry is None:
            return
        client = UddiClient(registry.url)
        failures = 0
        while True:
            try:
                await asyncio.to_thread(
                    publish_node, client, registry.user, self._password, *_entries(self._node)
                )
            except (RegistryUnavailable, UddiError, PublishError, WsdlError) as error:
                wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                if self._problem != str(error):
                    log.warning("not published", registry=registry.url, problem=str(error))
                self._problem = str(error)
            else:
                if self._problem or self._published_at is None:
                    services = len(self._node.endpoints)
                    log.info("published", registry=registry.url, services=services)
                failures, wait = 0, RENEW_SECONDS
                self._problem, self._published_at = "", datetime.now().astimezone()
            await asyncio.sleep(wait)

    def state(self) -> dict[str, Any]:
        """For /health: ``published_at`` is null until the first success."""
        config: NodeConfig = self._node.config
        return {
            "configured": config.registry is not None,
            "published_at": self._published_at.isoformat() if self._published_at else None,
            "problem": self._problem,
        }


def _entries(node: Node) -> tuple[HospitalEntry, list[ServiceEntry]]:
    config = node.config
    hospital = HospitalEntry(
        code=config.hospital.code,
        name=config.hospital.name,
        name_en=config.hospital.name_en,
        contacts=_contacts(config.hospital.contacts),
    )
    inside = config.listen.public_url.rstrip("/")
    outside = config.alliance.gateway_url.rstrip("/") if config.alliance else None
    services = []
    for path in sorted(node.endpoints):
        endpoint = node.endpoints[path]
        address = (outside or inside) + path
        services.append(
            ServiceEntry(
                name=endpoint.interface.name,
                zh=endpoint.interface.zh,
                wsdl=endpoint.wsdl(address),
                outside_address=outside + path if outside else None,
                inside_address=inside + path,
            )
        )
    return hospital, services


def _contacts(contacts: Contacts) -> tuple[ContactEntry, ...]:
    given = ((OWNER, contacts.owner), (ON_CALL, contacts.on_call))
    return tuple(
        ContactEntry(use_type, person.name, person.phone, person.email)
        for use_type, person in given
        if person is not None
    )
