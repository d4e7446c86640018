"""What the pages list hospitals and services by, and which service a health is of."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

from registry.listed import listed_rows
from registry.rows import decode

revision = "0005"
down_revision = "0004"

_KEY = sa.String(255)
_WORDS = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")

#: rows written at one time
_AT_ONCE = 2000


def upgrade() -> None:
    op.create_table(
        "listed_business",
        _owner(),
        sa.Column("code", _KEY, nullable=False),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Column("letter", sa.String(1), nullable=False),
        sa.Column("pinyin", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "listed_service",
        _owner(),
        sa.Column("business_key", _KEY, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("label", _WORDS, nullable=False),
        sa.Column("namespace", _WORDS, nullable=False),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
        sa.Index(
            "listed_service_by_label",
            *("label", "namespace", "business_key", "position", "entity_key"),
        ),
    )
    _fill()
    _health()


def _owner() -> sa.Column[str]:
    to = sa.ForeignKey("entity.key", ondelete="CASCADE")
    return sa.Column("entity_key", _KEY, to, primary_key=True)


def _fill() -> None:
    columns = ("key", "kind", "parent_key", "position", "hidden", "body")
    entity = sa.table("entity", *map(sa.column, columns))
    connection = op.get_bind()
    found: defaultdict[sa.Table, list[dict[str, Any]]] = defaultdict(list)
    query = sa.select(entity).where(entity.c.kind.in_(("business", "service")))
    for row in connection.execute(query).all():
        for table, values in listed_rows(decode(row), row.parent_key, row.position).items():
            found[table].append(values)
    for table, rows in found.items():
        for start in range(0, len(rows), _AT_ONCE):
            connection.execute(sa.insert(table), rows[start : start + _AT_ONCE])


def _health() -> None:
    op.add_column("binding_health", sa.Column("service_key", _KEY, nullable=True))
    # What the catalogue no longer has is nobody's, and forgotten by the prober.
    op.execute(
        "UPDATE binding_health SET service_key = coalesce("
        "(SELECT parent_key FROM entity WHERE entity.key = binding_health.binding_key), '')"
    )
    with op.batch_alter_table("binding_health") as table:
        table.alter_column("service_key", existing_type=_KEY, nullable=False)
    op.create_index("health_by_service", "binding_health", ["service_key", "state", "checked"])
