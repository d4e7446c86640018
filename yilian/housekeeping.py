"""What a node does by itself every few seconds: each adapter's housekeeping, beside the calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from adapters import Adapter
from services.faults import Fault

log = structlog.get_logger()

#: seconds between two rounds: how long after its expiry a lock may go on holding its number
INTERVAL = 5.0


async def keep_house(adapters: Iterable[Adapter]) -> None:
    """Until cancelled. A source that is only read from needs none; the others do not wait for
    each other."""
    async with asyncio.TaskGroup() as group:
        for adapter in adapters:
            if not adapter.source.config.read_only:
                group.create_task(_rounds(adapter))


async def _rounds(adapter: Adapter) -> None:
    told = ""
    while True:
        try:
            await adapter.source.run(adapter.housekeeping)
            told = ""
        except Fault as fault:
            # Said once, not every few seconds for as long as a database is away.
            if str(fault) != told:
                told = str(fault)
                log.error("housekeeping", source=adapter.source.name, fault=fault.code, say=told)
        except Exception as error:
            # A defect of ours must not end the rounds: locks would never expire again.
            if repr(type(error)) != told:
                told = repr(type(error))
                log.exception("housekeeping", source=adapter.source.name)
        await asyncio.sleep(INTERVAL)
