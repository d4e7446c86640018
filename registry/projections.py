"""Service projections: a business that lists a service of another business as if it were its own.

A projection is only a reference. What it shows is the service as it stands now; where that is
gone, there is nothing to show, and saving the business again without it clears the reference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Integer, Select, String, Table, delete, insert, select
from sqlalchemy.engine import Connection

from registry.errors import UddiError
from registry.model import BusinessEntity, BusinessService
from registry.tables import entity, metadata

_CHUNK = 500

# No foreign keys: saving an entity again takes its row out and puts it in, and what others say of
# it stays.
projection = Table(
    "projection",
    metadata,
    Column("business_key", String(255), primary_key=True),
    Column("service_key", String(255), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
)


def is_projection(service: BusinessService, business_key: str) -> bool:
    return service.business_key not in ("", business_key)


def own_services(item: Any) -> Any:
    """The entity without its projections."""
    if not isinstance(item, BusinessEntity):
        return item
    services = tuple(s for s in item.services if not is_projection(s, item.key))
    return item if len(services) == len(item.services) else replace(item, services=services)


def save_projections(connection: Connection, item: Any) -> None:
    """Keep what the business, saved already, projects. E_invalidProjection where a service is
    not one of the business that it names."""
    if not isinstance(item, BusinessEntity):
        return
    forget_projections(connection, [item.key])
    rows = []
    for position, service in enumerate(item.services):
        if is_projection(service, item.key):
            owner = select(entity.c.parent_key).where(
                entity.c.key == service.key, entity.c.kind == "service"
            )
            if connection.execute(owner).scalar() != service.business_key:
                raise UddiError(
                    "invalidProjection",
                    f"{service.key or '?'} 不是 {service.business_key} 的服务，不能投影 / "
                    f"{service.key or '?'} is no service of {service.business_key} and cannot "
                    "be projected",
                )
            rows.append(
                {"business_key": item.key, "service_key": service.key, "position": position}
            )
    if len({row["service_key"] for row in rows}) != len(rows):
        raise UddiError("invalidProjection", f"重复投影 / projected twice inside {item.key}")
    if rows:
        connection.execute(insert(projection), rows)


def forget_projections(connection: Connection, keys: Sequence[str]) -> None:
    for start in range(0, len(keys), _CHUNK):
        part = projection.c.business_key.in_(keys[start : start + _CHUNK])
        connection.execute(delete(projection).where(part))


def projected_keys(
    connection: Connection, businesses: Sequence[str]
) -> dict[str, list[tuple[int, str]]]:
    """What each of these businesses projects: positions and service keys, in order."""
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for start in range(0, len(businesses), _CHUNK):
        part = projection.c.business_key.in_(businesses[start : start + _CHUNK])
        query = select(projection).where(part).order_by(projection.c.position)
        for row in connection.execute(query):
            found[row.business_key].append((row.position, row.service_key))
    return found


def projecting(services: Select[Any]) -> Select[Any]:
    """The keys of businesses that project any of these services."""
    return select(projection.c.business_key).where(projection.c.service_key.in_(services))


def projected_by(business_key: str) -> Select[Any]:
    """The keys of the services that this business projects."""
    return select(projection.c.service_key).where(projection.c.business_key == business_key)
