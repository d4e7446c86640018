"""A hospital node put together: configuration to sources, adapters and endpoints.

The dictionary of endpoints made here is what the host serves and what is published.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapters import ADAPTERS, ARCHIVES
from adapters.adapter import Adapter
from adapters.bulkhead import Bulkhead
from adapters.database import Source
from adapters.http_source import HttpSource
from adapters.image_archive import ImageArchive
from adapters.mapped.problems import WrongMapping
from adapters.sharing import Sharing
from services import delimited, his_service
from services.catalogue import CONTRACTS
from services.contract import Contract, describe
from services.faults import UnknownService
from services.soap.exchange import Endpoint, guarded
from services.soap.interface import his_service_interface, typed_interface
from yilian.config import NodeConfig
from yilian.exam_images import ExamImages
from yilian.refused import Refused

Invoke = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Node:
    """``endpoints`` by path; ``sources`` by their name in the configuration; ``images``: how the
    ``archives`` complete reports."""

    config: NodeConfig
    endpoints: dict[str, Endpoint]
    sources: dict[str, Bulkhead]
    adapters: tuple[Adapter, ...] = ()
    archives: tuple[ImageArchive, ...] = ()
    images: ExamImages | None = None

    async def close(self) -> None:
        """Give back every connection and thread."""
        for source in self.sources.values():
            source.close()


def assemble(config: NodeConfig) -> Node:
    """The node of a configuration. TypeError if an adapter lacks what it is said to offer;
    Refused if a mapping does not serve."""
    hospital = config.hospital.code
    sources: dict[str, Bulkhead] = {}
    adapters: list[Adapter] = []
    archives: list[ImageArchive] = []
    offered: dict[str, dict[str, Invoke]] = {}
    for name, source_config in config.sources.items():
        if source_config.adapter in ARCHIVES:
            http = sources[name] = HttpSource(name, hospital, source_config)
            archives.append(ARCHIVES[source_config.adapter](http, source_config.settings))
            continue
        source = sources[name] = Source(name, hospital, source_config)
        try:
            adapter = ADAPTERS[source_config.adapter](source, source_config.settings)
        except WrongMapping as wrong:
            for opened in sources.values():
                opened.close()
            raise Refused(wrong.zh, wrong.en) from None
        adapters.append(adapter)
        sharing = Sharing(source)
        for contract in source_config.offers:
            offered[contract] = _operations(CONTRACTS[contract], adapter, sharing, hospital)
    images = ExamImages(archives) if archives else None
    if images is not None:
        exams = offered["ExamResults"]  # the configuration's check has seen to it
        completed = images.completing(exams["GetExamReport"])
        exams["GetExamReport"] = guarded(completed, hospital)
    endpoints = [
        Endpoint(typed_interface(CONTRACTS[contract]), hospital, invoke)
        for contract, invoke in offered.items()
    ]
    endpoints.append(his_service_endpoint(hospital, offered))
    by_path = {endpoint.path: endpoint for endpoint in endpoints}
    return Node(config, by_path, sources, tuple(adapters), tuple(archives), images)


def _operations(
    contract: type[Contract], adapter: object, sharing: Sharing, hospital: str
) -> dict[str, Invoke]:
    if not isinstance(adapter, contract):
        raise TypeError(f"{type(adapter).__name__} does not implement {contract.__name__}")
    found: dict[str, Invoke] = {}
    for operation in describe(contract).operations:
        function = getattr(adapter, operation.name)
        invoke: Invoke = (
            partial(sharing.write, function)
            if operation.writes
            else partial(sharing.read, operation.name, function)
        )
        found[operation.name] = guarded(invoke, hospital)
    return found


def his_service_endpoint(hospital: str, offered: dict[str, dict[str, Invoke]]) -> Endpoint:
    """HisService is the same at every hospital: one proxy serves a client for all of them, and
    what a hospital does not offer is answered by an error. ``offered`` has the typed operations,
    by contract and by name."""
    invoke = {
        operation.name: delimited.bind(
            operation,
            offered[operation.contract.__name__][operation.operation.name]
            if operation.contract.__name__ in offered
            else _not_offered(hospital, operation.contract),
        )
        for operation in his_service.OPERATIONS
    }
    return Endpoint(his_service_interface(), hospital, invoke)


def _not_offered(hospital: str, contract: type[Contract]) -> Invoke:
    async def refuse(**arguments: Any) -> Any:
        raise UnknownService(
            f"本院（{hospital}）未开放{contract.contract_zh}服务",
            f"hospital {hospital} does not offer {contract.__name__}",
            hospital=hospital,
        )

    return refuse
