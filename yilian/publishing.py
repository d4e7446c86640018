"""The node's entry in the registry: published at start, its lease renewed while the node runs.

A registry that is down costs the node nothing but the entry's freshness: it keeps trying. What
comes back empty, or older than it was, is published again: the registry's epoch tells.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import datetime
from typing import Any

import structlog

from registry.errors import RegistryUnavailable, UddiError
from registry.living_client import ContractBreaks, LivingClient, NotOffered, Renewed
from registry.publisher import (
    ON_CALL,
    OWNER,
    ContactEntry,
    HospitalEntry,
    PublishError,
    ServiceEntry,
    publish,
)
from registry.registered import service_key
from services import his_service
from services.catalogue import CONTRACTS
from services.soap.probe import his_probe, probe_of
from services.soap.wsdl_reading import NotWsdl
from yilian.config import Contacts, NodeConfig, read_password
from yilian.node import Node
from yilian.refused import Refused

log = structlog.get_logger()

#: seconds between two looks at the whole entry, which somebody may have changed by hand; and
#: between two renewals of a registry that does not know leases
PUBLISH_SECONDS = 600.0
NO_LEASE_SECONDS = 60.0
#: seconds between two tries while the registry is away
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
#: of a lease, when it is renewed: a lost renewal or two must not cost it
RENEW_AT = 1 / 3

_EXPECTED = (RegistryUnavailable, UddiError, PublishError, NotWsdl)


class Publication:
    """Publishes a node's endpoints, the same dictionary that its host serves."""

    def __init__(self, node: Node) -> None:
        """Refused if the password file cannot be read: at start, and not a minute later."""
        self._node = node
        registry = node.config.registry
        self._password = read_password(registry.password_file) if registry else ""
        self._published_at: datetime | None = None
        self._renewed_at: datetime | None = None
        self._problem = ""
        self._refused: tuple[str, ...] = ()

    async def keep(self) -> None:
        """Publish and renew until cancelled. Returns at once where no registry is configured."""
        registry = self._node.config.registry
        if registry is None:
            return
        client = LivingClient(registry.url)
        entry = Entry(client, registry.user, self._password, *_entries(self._node))
        failures = 0
        while True:
            try:
                seconds = await asyncio.to_thread(entry.renew)
            except _EXPECTED as error:
                wait = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
                failures += 1
                self._trouble(str(error))
            except Exception as error:  # a defect of ours must not end the publishing
                wait = RETRY_SECONDS[-1]
                log.exception("not published", registry=registry.url)
                self._problem = type(error).__name__
            else:
                failures, wait = 0, seconds * RENEW_AT
                self._succeeded(entry)
            # Nodes that were cut off together must not come back together.
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))

    def _trouble(self, problem: str) -> None:
        if self._problem != problem:
            registry = self._node.config.registry
            log.warning("not published", registry=registry and registry.url, problem=problem)
        self._problem = problem

    def _succeeded(self, entry: Entry) -> None:
        self._renewed_at = datetime.now().astimezone()
        if entry.refused:
            self._trouble("\n".join(entry.refused))
        elif self._problem or self._published_at is None:
            services = len(self._node.endpoints)
            log.info("published", registry=entry.client.base_url, services=services)
            self._problem = ""
        self._published_at = entry.published_at

    def state(self) -> dict[str, Any]:
        """For /health: ``published_at`` is null until the first success."""
        config: NodeConfig = self._node.config
        published, renewed = self._published_at, self._renewed_at
        return {
            "configured": config.registry is not None,
            "published_at": published.isoformat() if published else None,
            "renewed_at": renewed.isoformat() if renewed else None,
            "problem": self._problem,
        }


class Entry:
    """What a node has in the registry. Blocking; one thread at a time. ``refused``: why contracts
    are not let in, each with what breaks; those services' entries stay as they were."""

    def __init__(
        self,
        client: LivingClient,
        user: str,
        password: str,
        hospital: HospitalEntry,
        services: list[ServiceEntry],
    ) -> None:
        self.client = client
        self._user = user
        self._password = password
        self._hospital = hospital
        self._services = services
        self._keys = [service_key(hospital.code, service.name) for service in services]
        self._leased = self._keys
        self._token = ""
        self._epoch = ""
        self._published = float("-inf")
        self.refused: tuple[str, ...] = ()
        self.published_at: datetime | None = None

    def renew(self) -> float:
        """Renew the lease, and publish where that is needed first. How long the lease lasts now,
        seconds. Raises what publishing raises."""
        try:
            return self._renew()
        except UddiError as error:
            if error.code not in ("authTokenExpired", "authTokenRequired") or not self._token:
                raise
            self._token = ""
            return self._renew()

    def publish(self) -> None:
        """Publish without a lease: what stands there stays until somebody deletes it. Raises what
        publishing raises."""
        self._token = self.client.get_auth_token(self._user, self._password)
        self._publish()

    def _renew(self) -> float:
        if not self._token:
            self._token = self.client.get_auth_token(self._user, self._password)
        fresh = time.monotonic() < self._published + PUBLISH_SECONDS
        renewed = self._lease() if fresh else None
        if renewed is None or renewed.epoch != self._epoch or renewed.unknown:
            self._leased = self._keys
            self._publish()
            renewed = self._lease()
            # What the registry refused, and never had, has no lease: not a reason to come again.
            lacking = renewed.unknown if renewed else ()
            self._leased = [key for key in self._keys if key not in lacking]
        if renewed is None:
            self._published = float("-inf")
            return NO_LEASE_SECONDS / RENEW_AT
        self._epoch = renewed.epoch
        return renewed.seconds

    def _lease(self) -> Renewed | None:
        """None where the registry knows no leases."""
        try:
            return self.client.renew(self._token, self._leased)
        except NotOffered:
            return None

    def _publish(self) -> None:
        refused: dict[str, str] = {}
        for service in self._services:
            try:
                self.client.put_contract(
                    self._token, self._hospital.code, service.name, service.wsdl
                )
            except ContractBreaks as error:
                refused[service.name] = str(error)
            except NotOffered:
                break
        publish(self.client, self._token, self._hospital, self._services, leave=tuple(refused))
        self.refused = tuple(refused.values())
        self._published = time.monotonic()
        self.published_at = datetime.now().astimezone()


def publish_once(node: Node) -> None:
    """Publish the node without running it, for one that cannot reach the registry itself: from a
    machine that can, with the same configuration. Refused."""
    registry = node.config.registry
    if registry is None:
        raise Refused("配置中没有 [registry]。", "The configuration has no [registry].")
    password = read_password(registry.password_file)
    entry = Entry(LivingClient(registry.url), registry.user, password, *_entries(node))
    try:
        entry.publish()
    except _EXPECTED as error:
        raise Refused(
            f"未能登记到 {registry.url}：{error}",
            f"Not published in {registry.url}: {error}",
            exit_code=1,
        ) from error
    if entry.refused:
        raise Refused(
            "注册中心拒绝了不兼容的契约：\n" + "\n".join(entry.refused),
            "The registry refused contracts that break published ones; see above.",
            exit_code=1,
        )


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
    offered = {endpoint.interface.name for endpoint in node.endpoints.values()}
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
                probe=_probe(endpoint.interface.name, offered),
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


def _probe(service: str, offered: set[str]) -> str:
    """What the registry may call to see whether a service lives; "" where nothing is declared."""
    call = his_probe(offered) if service == his_service.NAME else probe_of(CONTRACTS[service])
    return call.to_json() if call else ""
