"""Which reports were printed, where the LIS has no column for it: a table of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from adapters.columns import table
from adapters.ledger import METADATA

PRINTED = table(
    METADATA,
    "YILIAN_PRINTED",
    """
    *REPORT_NO C32, PRINTED_AT D
    """,
)
#: values in one IN; Oracle takes 1000
_PORTION = 200


def printed_among(connection: Connection, numbers: list[str]) -> frozenset[str]:
    """Those of these reports that were printed."""
    column = PRINTED.c.REPORT_NO
    return frozenset(
        str(number).rstrip(" ")
        for some in portions(numbers)
        for number in connection.execute(select(column).where(column.in_(some))).scalars()
    )


def note_printed(connection: Connection, number: str) -> None:
    """Note the first time; a later one changes nothing."""
    now = datetime.now().replace(microsecond=0)
    try:
        with connection.begin_nested():
            connection.execute(insert(PRINTED).values(REPORT_NO=number, PRINTED_AT=now))
    except IntegrityError:
        # It stands there: printing a report twice is no error.
        return


def portions(numbers: list[str]) -> Iterator[list[str]]:
    """Lists that are short enough for one statement."""
    for start in range(0, len(numbers), _PORTION):
        yield numbers[start : start + _PORTION]
