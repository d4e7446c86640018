"""Which documentation and which WSDL belong to a service that the registry lists."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache, lru_cache

from registry.web.listing import ListedService
from registry.web.parts import Documentation, known
from registry.web.seams import Version, Versions
from registry.web.wsdl_parts import documented_wsdl
from services import his_service
from services.catalogue import CONTRACTS
from services.soap.interface import his_service_interface, typed_interface
from services.soap.wsdl import wsdl
from services.soap.wsdl_reading import NotWsdl


@cache
def _known() -> dict[tuple[str, str], Documentation]:
    return known()


def documentation_of(service: ListedService, versions: Versions) -> Documentation | None:
    """From our own contract, else from the WSDL that was kept; None where there is neither, or
    where it is not understood."""
    ours = _known().get((service.name, service.namespace))
    if ours is not None:
        return ours
    kept = versions_of(service, versions)
    return _from_wsdl(kept[-1].wsdl, service.name) if kept else None


@lru_cache(64)
def _from_wsdl(document: bytes, name: str) -> Documentation | None:
    try:
        return documented_wsdl(document, name)
    except NotWsdl:
        return None


def versions_of(service: ListedService, versions: Versions) -> Sequence[Version]:
    """The kept WSDLs of this service's very namespace, the oldest first."""
    return [one for one in versions.of(service.label) if one.namespace == service.namespace]


def all_versions_of(service: ListedService, versions: Versions) -> Sequence[Version]:
    """Of every namespace, the oldest first: a new namespace is a new version."""
    return list(versions.of(service.label))


def generated_wsdl(service: ListedService, address: str) -> bytes | None:
    """What a node serves at this address, where the contract is ours."""
    if (service.name, service.namespace) not in _known():
        return None
    if service.name == his_service.NAME:
        return wsdl(his_service_interface(), address)
    return wsdl(typed_interface(CONTRACTS[service.name]), address)


def digest(document: bytes) -> str:
    """A short name for a document's content."""
    return hashlib.sha256(document).hexdigest()[:12]
