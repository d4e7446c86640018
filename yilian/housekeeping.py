"""What a node does by itself beside the calls: at start it looks at each source's tables, and
every few seconds each adapter keeps its house."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from adapters.adapter import Adapter
from adapters.image_archive import ImageArchive
from services.faults import Fault
from services.soap.exchange import internal_error

log = structlog.get_logger()

#: seconds between two rounds: how long after its expiry a lock may go on holding its number
INTERVAL = 5.0


async def keep_house(adapters: Iterable[Adapter], archives: Iterable[ImageArchive] = ()) -> None:
    """Until cancelled. A source that is only read from is looked at and needs no more; no source
    waits for another."""
    async with asyncio.TaskGroup() as group:
        for archive in archives:
            group.create_task(_look(archive))
        for adapter in adapters:
            group.create_task(_look(adapter))
            if not adapter.source.config.read_only:
                group.create_task(_rounds(adapter))


async def _look(adapter: Adapter | ImageArchive) -> None:
    """Say at start, and not at the first patient, that a table or column is missing. The node
    goes on: what the other sources offer is none the worse for it."""
    source = adapter.source
    try:
        await source.run(adapter.check)
    except Fault as fault:
        log.error("source check", source=source.name, fault=fault.code, say=str(fault))
    else:
        log.info("source check", source=source.name, say="ok")


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
                internal_error(error, adapter.source.hospital)  # logs it, without its text
        await asyncio.sleep(INTERVAL)
