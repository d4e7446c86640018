"""What is to be probed: every binding in the catalogue that declares a harmless call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import or_, select
from sqlalchemy.engine import Connection

from registry.model import BindingTemplate
from registry.reading import chunks
from registry.registered import Face, face_of
from registry.rows import decode
from registry.tables import entity, instance_info
from registry.uddi.wellknown import PROBE
from services.soap.probe import ProbeCall, from_json

log = structlog.get_logger("registry")


@dataclass(frozen=True, slots=True)
class Target:
    """``pair`` is what both faces of a service have in common: the service's key."""

    key: str
    pair: str
    face: Face
    url: str
    call: ProbeCall


def every_target(connection: Connection) -> dict[str, Target]:
    query = select(instance_info.c.entity_key).where(instance_info.c.tmodel_key == PROBE)
    keys = list(connection.execute(query).scalars())
    return targets_of(connection, keys)


def targets_of(connection: Connection, keys: Iterable[str]) -> dict[str, Target]:
    """The targets among these keys' bindings, or bindings of these services, by their own keys."""
    found: dict[str, Target] = {}
    for part in chunks(list(dict.fromkeys(keys))):
        chosen = or_(entity.c.key.in_(part), entity.c.parent_key.in_(part))
        query = select(entity).where(chosen, entity.c.kind == "binding", entity.c.hidden.is_(False))
        for row in connection.execute(query):
            target = _target(row)
            if target is not None:
                found[target.key] = target
    return found


def _target(row: Any) -> Target | None:
    binding: BindingTemplate = decode(row)
    point = binding.access_point
    if point is None or not point.value.startswith(("http://", "https://")):
        return None
    for instance in binding.instances:
        if instance.tmodel_key == PROBE and instance.instance_details is not None:
            try:
                call = _call(instance.instance_details.instance_parms)
            except ValueError as error:
                log.warning("probe not understood", binding=row.key, reason=str(error))
                return None
            return Target(row.key, row.parent_key, face_of(binding), point.value, call)
    return None


@lru_cache(maxsize=4096)
def _call(text: str) -> ProbeCall:
    # Thousands of bindings share a few declarations.
    return from_json(text)
