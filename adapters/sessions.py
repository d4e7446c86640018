"""What every adapter of number sources does alike: the unknown session."""

from __future__ import annotations

from adapters.database import Source
from services.faults import NotFound


def unknown_session(source: Source, schedule_id: str) -> NotFound:
    return source.fault(
        NotFound,
        f"医院 {source.hospital} 没有号源 {schedule_id}。请重新查询号源。",
        f"Hospital {source.hospital} has no number source {schedule_id}. Query anew.",
        field="ScheduleId",
    )
