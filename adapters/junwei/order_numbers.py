"""Numbers of a day's orders: ``yyMMdd`` and four places, 0001 to 9999 and then A000 to Z999.

A junwei HIS numbers its own orders in the same columns by means of its own, so a number is never
known to be free before its row is inserted: whoever inserts takes the next one on a duplicate key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date

_SUFFIX = re.compile(r"([0-9A-Z])(\d{3})", re.ASCII)
_DIGITS = 10_000
_LAST = _DIGITS + 26 * 1000 - 1


def prefix_of(day: date) -> str:
    return f"{day:%y%m%d}"


def following(day: date, taken: Iterable[str], start: int = 1) -> Iterator[str]:
    """The numbers behind the highest one taken that day, and not below ``start``; none is left
    behind Z999. What is in ``taken`` and not of this form is passed over."""
    prefix = prefix_of(day)
    positions = [
        position
        for number in taken
        if number.startswith(prefix) and (position := _position(number[len(prefix) :])) is not None
    ]
    for position in range(max([start - 1, *positions]) + 1, _LAST + 1):
        yield prefix + _suffix(position)


def _position(suffix: str) -> int | None:
    match = _SUFFIX.fullmatch(suffix)
    if match is None:
        return None
    first, rest = match.groups()
    if first.isdigit():
        return int(suffix)
    return _DIGITS + (ord(first) - ord("A")) * 1000 + int(rest)


def _suffix(position: int) -> str:
    if position < _DIGITS:
        return f"{position:04d}"
    letter, rest = divmod(position - _DIGITS, 1000)
    return f"{chr(ord('A') + letter)}{rest:03d}"
