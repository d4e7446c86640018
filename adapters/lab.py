"""What every laboratory adapter does alike: the order of tests, the unknown number."""

from __future__ import annotations

from datetime import datetime

from adapters.database import Source
from services.faults import Conflict, NotFound
from services.lab_results import LabMaster

#: statuses in which a report has items: preliminary and confirmed
REPORTED = frozenset({"3", "4"})


def in_order(masters: list[LabMaster]) -> list[LabMaster]:
    """Newest request first, then by test number, descending; those without a time at the end.

    Sorted here: databases disagree on where NULLs go and on how text compares.
    """
    masters.sort(key=_newness, reverse=True)
    return masters


def unknown_test(source: Source, test_no: str) -> NotFound:
    return source.fault(
        NotFound,
        f"医院 {source.hospital} 没有检验单 {test_no}。请核对检验单号。",
        f"Hospital {source.hospital} has no lab test {test_no}. Check the number.",
        field="TestNo",
    )


def not_confirmed(source: Source, number: str, field: str) -> Conflict:
    """A report that nobody may take for final, and so nobody prints."""
    return source.fault(
        Conflict,
        f"{number} 的报告尚未审核确认，不能登记为已打印。",
        f"The report of {number} is not confirmed yet, so it cannot have been printed.",
        field=field,
    )


def _newness(master: LabMaster) -> tuple[datetime, str]:
    return master.RequestedDateTime or datetime.min, master.TestNo
