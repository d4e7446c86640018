"""What every adapter of patients does alike: ages, identity numbers, the unknown patient."""

from __future__ import annotations

from datetime import date

from adapters.database import Source
from services.faults import Conflict, InvalidArgument, NotFound


def age_at(birth: date, today: date) -> int | None:
    """Age in whole years; None of a birth date that cannot be one."""
    years = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return years if 0 <= years <= 200 else None


def either_case(number: str) -> list[str]:
    """An identity number as it may be stored: its X is written large at most places."""
    return sorted({number, number.upper(), number.lower()})


def unknown_patient(source: Source) -> NotFound:
    return source.fault(
        NotFound,
        f"医院 {source.hospital} 没有该病人标识号的病人。请用 FindPatients 查找。",
        f"Hospital {source.hospital} has no patient of that id. Use FindPatients.",
        field="PatientId",
    )


def ambiguous(source: Source) -> Conflict:
    return source.fault(
        Conflict,
        f"医院 {source.hospital} 有多个病人使用该标识号，无法确定是谁。请医院合并档案。",
        f"Hospital {source.hospital} has several patients of that id. It has to merge them.",
        field="PatientId",
    )


def no_such_number(source: Source, field: str) -> InvalidArgument:
    return source.fault(
        InvalidArgument,
        f"医院 {source.hospital} 没有 {field}，不能用它查找。请换一个条件。",
        f"Hospital {source.hospital} keeps no {field}; search by something else.",
        field=field,
    )
