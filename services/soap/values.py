"""XML Schema's simple values to Python's and back. Times are local, that is China Standard Time
(+08:00) without a zone: a zone that a client writes is converted, never dropped.

Each reader takes the text of an element and returns the value, or raises ValueError. What XML
Schema allows and Python cannot hold (years before 1 or after 9999) is refused.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

LOCAL = timezone(timedelta(hours=8))
_XML_SPACE = " \t\r\n"
_ZONE = r"(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?"
_INT = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_DATE = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d){_ZONE}", re.ASCII)
_DATETIME = re.compile(
    rf"(\d{{4}})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?{_ZONE}", re.ASCII
)
#: no amount has as many characters, and arithmetic over a million digits overflows
_LONGEST_DECIMAL = 1000
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_int(text: str) -> int:
    text = text.strip(_XML_SPACE)
    if _INT.fullmatch(text) is None or len(text) > 64:
        raise ValueError("xs:int")
    value = int(text)
    if not -(2**31) <= value < 2**31:
        raise ValueError("xs:int")
    return value


def read_bool(text: str) -> bool:
    try:
        return _BOOLEANS[text.strip(_XML_SPACE)]
    except KeyError:
        raise ValueError("xs:boolean") from None


def read_decimal(text: str) -> Decimal:
    text = text.strip(_XML_SPACE)
    if len(text) > _LONGEST_DECIMAL or _DECIMAL.fullmatch(text) is None:
        raise ValueError("xs:decimal")
    return Decimal(text)


def fits(value: Decimal, digits: int, scale: int) -> bool:
    """Whether a decimal keeps totalDigits and fractionDigits, which count no idle zeros."""
    _, numerals, exponent = value.normalize().as_tuple()
    assert isinstance(exponent, int)
    fraction = max(0, -exponent)
    whole = max(0, len(numerals) + exponent)
    return fraction <= scale and whole + fraction <= digits


def read_date(text: str) -> date:
    """An xs:date, which is the day as written; also an xs:dateTime, whose day is the local one."""
    text = text.strip(_XML_SPACE)
    match = _DATE.fullmatch(text)
    if match is None:
        return read_datetime(text).date()
    return date(int(match[1]), int(match[2]), int(match[3]))


def read_datetime(text: str) -> datetime:
    """An xs:dateTime as local time without a zone; digits beyond microseconds are cut off."""
    match = _DATETIME.fullmatch(text.strip(_XML_SPACE))
    if match is None:
        raise ValueError("xs:dateTime")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = match[7] or ""
    midnight = hour == 24  # 24:00:00 is the first moment of the next day
    if midnight and (minute or second or fraction.strip("0")):
        raise ValueError("xs:dateTime")
    value = datetime(year, month, day, 0 if midnight else hour, minute, second)
    try:
        if midnight:
            value += timedelta(days=1)
        value += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
        zone = match[8]
        return value if zone is None else _local(value, zone)
    except OverflowError:
        raise ValueError("xs:dateTime") from None


def _local(value: datetime, zone: str) -> datetime:
    if zone == "Z":
        offset = timedelta(0)
    else:
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        offset = -offset if zone[0] == "-" else offset
    return value - offset + timedelta(hours=8)


_TO_ESCAPE = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


def plain(text: str) -> bool:
    """Whether the text needs no escaping, as far as can be told quickly. What XML cannot carry is
    unprintable, and a search for it would cost many times more."""
    return text.isprintable() and "&" not in text and "<" not in text and ">" not in text


def escape(text: str) -> str:
    """Text as element content. A carriage return is written so that it survives; a character
    that XML cannot carry becomes U+FFFD, so that it is seen and the answer stays readable."""
    if plain(text):
        return text
    return _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0], "\ufffd"), text)
