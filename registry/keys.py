"""UDDI keys: their form, their folding, and which part of the key space is whose."""

from __future__ import annotations

import re
import uuid

from registry.errors import UddiError

_KEY = re.compile(r"uddi:[a-z0-9._~!$&'()*+,;=@%-]+(:[a-z0-9._~!$&'()*+,;=@%/-]+)*")
_UUID = re.compile(r"uddi:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

GENERATOR = ":keygenerator"

#: Open to every publisher; within it, registry.ownership says which hospital's keys are whose.
ALLIANCE = "uddi:yilian"

#: The operator's: the specification's own tModels.
RESERVED = "uddi:uddi.org"


def fold(key: str) -> str:
    """The key as it is stored and compared: keys are case-folded by the specification."""
    return key.strip().lower()


def new_key() -> str:
    return f"uddi:{uuid.uuid4()}"


def check_form(key: str) -> None:
    """E_invalidKeyPassed where this can be no key at all."""
    if not _KEY.fullmatch(key) or len(key) > 255:
        raise UddiError(
            "invalidKeyPassed",
            f"键的形式不对，应如 uddi:域名:名称 / not the form of a key, uddi:domain:name: {key!r}",
        )


def generator_needed(key: str) -> str | None:
    """The key generator whose owner alone may assign this key; None: everybody may.

    A random key needs none; neither does a domain's own top-level generator, which goes to
    whoever asks first, nor the alliance's partition.
    """
    if _UUID.fullmatch(key):
        return None
    stem = key.removesuffix(GENERATOR)
    is_generator = stem != key
    if key.startswith(ALLIANCE + ":") and not is_generator:
        return None
    top = stem.count(":") == 1
    if top and is_generator and stem not in (RESERVED, ALLIANCE):
        return None
    partition = stem if top else stem.rpartition(":")[0]
    return partition + GENERATOR
