"""What finds search for beside names and references: groups of references, and discoveryURLs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    and_,
    or_,
    select,
)

from registry.matching import Condition, matches
from registry.model import BusinessEntity, Entity, KeyedReferenceGroup, UseText
from registry.qualifiers import Qualifiers
from registry.rows import fold_reference
from registry.tables import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")
# Code point order, as in registry/tables.py: prefix ranges rely on it.
_Words = String(255).with_variant(String(255, collation="C"), "postgresql")
_Long = Text().with_variant(Text(collation="C"), "postgresql")

_START = 255


def _owner() -> Column[Any]:
    to = ForeignKey("entity.key", ondelete="CASCADE")
    return Column("entity_key", String(255), to, nullable=False, index=True)


#: One row for each reference in a group, and one for the group itself, whose tmodel_key is "".
grouped_reference = Table(
    "grouped_reference",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner(),
    Column("number", Integer, nullable=False),
    Column("group_key", String(255), nullable=False),
    Column("tmodel_key", String(255), nullable=False),
    Column("key_value", _Words, nullable=False),
    Column("folded", _Long, nullable=False),
    Index("grouped_reference_by_key", "group_key", "tmodel_key"),
)

#: ``start`` are a URL's first characters: a whole one is too long for an index.
discovery_url = Table(
    "discovery_url",
    metadata,
    Column("id", _Id, primary_key=True),
    _owner(),
    Column("use_type", String(255), nullable=False),
    Column("start", _Words, nullable=False),
    Column("value", _Long, nullable=False),
    Column("folded", _Long, nullable=False),
    Index("discovery_url_by_start", "start"),
)


# --- saving ----------------------------------------------------------------------------------


def groups_of(item: Entity) -> list[dict[str, Any]]:
    """The rows of an entity's groups."""
    rows: list[dict[str, Any]] = []
    for number, group in enumerate(item.category_bag.groups):
        common = {"number": number, "group_key": group.tmodel_key}
        rows.append({**common, "tmodel_key": "", "key_value": "", "folded": ""})
        rows += [
            {
                **common,
                "tmodel_key": r.tmodel_key,
                "key_value": r.key_value,
                "folded": r.key_value.casefold(),
            }
            for r in group.references
        ]
    return rows


def urls_of(item: Entity) -> list[dict[str, Any]]:
    """The rows of an entity's discoveryURLs."""
    urls = item.discovery_urls if isinstance(item, BusinessEntity) else ()
    return [
        {
            "use_type": url.use_type,
            "start": url.value[:_START],
            "value": url.value,
            "folded": url.value.casefold(),
        }
        for url in urls
    ]


# --- finding ---------------------------------------------------------------------------------


def owners_of_group(group: KeyedReferenceGroup, qualifiers: Qualifiers) -> Select[Any]:
    """The keys of entities with such a group: one of the same tModel that holds every one of
    these references, and perhaps more."""
    marker = grouped_reference.alias()
    query = select(marker.c.entity_key).where(
        marker.c.group_key == group.tmodel_key, marker.c.tmodel_key == ""
    )
    for reference in map(fold_reference, group.references):
        inner = grouped_reference.alias()
        same_group = and_(
            inner.c.entity_key == marker.c.entity_key, inner.c.number == marker.c.number
        )
        match = matches(inner.c.key_value, inner.c.folded, reference.key_value, qualifiers)
        query = query.where(
            select(inner.c.id)
            .where(same_group, inner.c.tmodel_key == reference.tmodel_key, match)
            .exists()
        )
    return query


def owners_of_url(urls: Sequence[UseText], qualifiers: Qualifiers) -> Select[Any]:
    """The keys of businesses with any of these discoveryURLs. One without a useType matches
    any."""
    any_of: list[Condition] = []
    table = discovery_url.c
    for url in urls:
        match = matches(table.value, table.folded, url.value, qualifiers)
        if not (qualifiers.fold or qualifiers.approximate):
            match = and_(table.start == url.value[:_START], match)
        if url.use_type:
            match = and_(match, table.use_type == url.use_type)
        any_of.append(match)
    return select(table.entity_key).where(or_(*any_of))
