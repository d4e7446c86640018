"""The keys that UDDI 2 and 1 know an entity by: UUIDs, derived from its key of version 3.

A key of the form ``uddi:<uuid>`` is the same UUID in the older versions; the specification's own
tModels have fixed ones; every other key is hashed. Hashing has no way back, so each entity's row
holds its older key beside its own.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.engine import Connection

from registry.keys import fold
from registry.tables import entity

_NAMESPACE = uuid.UUID("14e3a2b1-3bd8-4cf5-afa6-0d141bf32076")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CHUNK = 500

#: What versions 1 and 2 fixed before there was a version 3 to derive it from.
FIXED = {
    "uddi:uddi.org:categorization:types": "c1acf26d-9672-4404-9d70-39b756e62ab4",
    "uddi:uddi.org:wsdl:types": "6e090afa-33e5-36eb-81b7-1ca18373f457",
    "uddi:uddi.org:xml:namespace": "d01987d1-ab2e-3013-9be2-2a66eb99d824",
    "uddi:uddi.org:xml:localname": "2ec65201-9109-3919-9bec-c9dbefcaccf6",
    "uddi:uddi.org:wsdl:porttypereference": "082b0851-25d8-303c-b332-f24a6d53e38e",
    "uddi:uddi.org:wsdl:categorization:protocol": "4dc74177-7806-34d9-aecd-33c57dc3a865",
    "uddi:uddi.org:wsdl:categorization:transport": "e5c43936-86e4-37bf-8196-1d04b35c0099",
    "uddi:uddi.org:wsdl:address": "ad61de98-4db8-31b2-a299-a2373dc97212",
    "uddi:uddi.org:protocol:soap": "aa254698-93de-3870-8df3-a5c075d64a0e",
    "uddi:uddi.org:protocol:http": "6e10b91b-babc-3442-b8fc-5a3c8fde0794",
    "uddi:uddi.org:transport:http": "68de9e80-ad09-469d-8a37-088422bfbc36",
    "uddi:uddi.org:relationships": "807a2c6a-ee22-470d-adc7-e0424a337c03",
    "uddi:uddi.org:categorization:general_keywords": "a035a07c-f362-44dd-8f95-e2b134bf43b4",
}
_FIXED_BACK = {older: key for key, older in FIXED.items()}


def older_key(key: str) -> str:
    """The UUID of this key in versions 1 and 2, bare: a tModel's stands there behind ``uuid:``."""
    if key in FIXED:
        return FIXED[key]
    rest = key.removeprefix("uddi:")
    return rest if _UUID.fullmatch(rest) else str(uuid.uuid3(_NAMESPACE, key.lower()))


def bare(sent: str) -> str:
    """An older key without ``uuid:``, folded; "" where it is no UUID, such as a version 3 key
    that somebody put into an older message."""
    folded = fold(sent).removeprefix("uuid:")
    return folded if _UUID.fullmatch(folded) else ""


def newer_keys(connection: Connection, sent: Iterable[str]) -> dict[str, str]:
    """The version 3 keys of the entities with these bare older keys, of those that are here."""
    wanted = sorted(set(sent))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        query = select(entity.c.v2_key, entity.c.key).where(entity.c.v2_key.in_(part))
        found |= {row.v2_key: row.key for row in connection.execute(query)}
    return found


def newer_guess(older: str) -> str:
    """The version 3 key that a bare older key of no entity here would have."""
    return _FIXED_BACK.get(older) or f"uddi:{older}"
