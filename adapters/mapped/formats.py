"""Dates that a hospital keeps as text: ``yyyymmddhh:mm:ss`` and whatever else it thought of.

``yyyy yy mm dd hh mi ss`` in either case; an ``mm`` behind ``hh`` is the minute. All else stands
for itself, as in ``yyyy年mm月dd日``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

_TOKEN = re.compile(r"yyyy|yy|mm|dd|hh|mi|ss", re.IGNORECASE)
_CODES = {"yyyy": "%Y", "yy": "%y", "dd": "%d", "hh": "%H", "mi": "%M", "ss": "%S"}
_NOTHING = re.compile(r"[0\s:/.年月日时分秒-]*")


@dataclass(frozen=True, slots=True)
class DateFormat:
    """``written`` as in the mapping, ``python`` as strptime takes it."""

    written: str
    python: str

    def read(self, text: str) -> datetime | None:
        """None for blanks and zeros (``00000000``). ValueError: not in this format."""
        if _NOTHING.fullmatch(text):
            return None
        value = datetime.strptime(text, self.python)
        if self.write(value) != text:
            raise ValueError(text)  # strptime takes 2026111 for some day
        return value

    def write(self, value: date) -> str:
        # Not strftime's own %Y, which writes the year 999 with three digits on some systems.
        return value.strftime(self.python.replace("%Y", f"{value.year:04}"))


def date_format(written: str) -> DateFormat:
    """Raises ValueError where the format has not each of year, month
    and day, or has one of them twice."""
    seen: list[str] = []

    def code(match: re.Match[str]) -> str:
        token = match[0].lower()
        if token == "mm":
            token = "mi" if "hh" in seen else "month"
        seen.append(token)
        return _CODES.get(token, "%m")

    parts, at = [], 0
    for match in _TOKEN.finditer(written):
        parts += [written[at : match.start()].replace("%", "%%"), code(match)]
        at = match.end()
    parts.append(written[at:].replace("%", "%%"))
    once = len(seen) == len(set(seen)) and not {"yyyy", "yy"} <= set(seen)
    if not once or not {"month", "dd"} <= set(seen) or not {"yyyy", "yy"} & set(seen):
        raise ValueError(written)
    return DateFormat(written, "".join(parts))
