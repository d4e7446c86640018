"""What every adapter of number sources does alike: one session, and the unknown one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.engine import Connection

from adapters.database import Source
from services.faults import NotFound
from services.number_source import NumberSourceSlot


def unknown_session(source: Source, schedule_id: str) -> NotFound:
    return source.fault(
        NotFound,
        f"医院 {source.hospital} 没有号源 {schedule_id}。请重新查询号源。",
        f"Hospital {source.hospital} has no number source {schedule_id}. Query anew.",
        field="ScheduleId",
    )


def session_of(
    source: Source,
    find: Callable[[Connection, str], NumberSourceSlot | None],
    schedule_id: str,
) -> NumberSourceSlot:
    """What ``find`` finds under that id. NotFound."""
    with source.connect() as connection:
        slot = find(connection, schedule_id)
    if slot is None:
        raise unknown_session(source, schedule_id)
    return slot
