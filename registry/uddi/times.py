"""Times as XML writes them: xs:dateTime to milliseconds since 1970, xs:duration to seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from registry.errors import UddiError

_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
#: A year and a month as people mean them where nothing says from when.
_SECONDS = (365.25 * 86400, 30.4375 * 86400, 86400, 3600, 60, 1)

_FRACTION = re.compile(r"\.(\d+)")


def milliseconds(text: str) -> int:
    """A time without a zone is taken as UTC. E_invalidTime for one that no calendar has."""
    shortened = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), text.strip())
    try:
        moment = datetime.fromisoformat(shortened)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise UddiError(
            "invalidTime", f"不是可用的时间 / not a time that can be used: {text.strip()!r}"
        ) from error


def xml_milliseconds(value: int) -> str:
    moment = datetime.fromtimestamp(value / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(text: str) -> float:
    """Of a duration, which the schema has checked. E_invalidTime for a negative one."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise UddiError(
            "invalidTime", f"不是可用的时长 / not a duration that can be used: {text!r}"
        )
    return sum(float(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True))
