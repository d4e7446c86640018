"""What UDDI's further parts keep: older keys, groups and discoveryURLs to be found by, service
projections, publisher assertions, subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.further_criteria import discovery_url, grouped_reference, groups_of, urls_of
from registry.older_keys import older_key
from registry.rows import decode

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_WORDS = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_LONG = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.String(255)


def upgrade() -> None:
    op.add_column("entity", sa.Column("v2_key", sa.String(36), nullable=True))
    _criteria()
    op.create_table(
        "projection",
        sa.Column("business_key", _KEY, primary_key=True),
        sa.Column("service_key", _KEY, primary_key=True, index=True),
        sa.Column("position", sa.Integer, nullable=False),
    )
    _assertions()
    _subscriptions()
    _fill()
    with op.batch_alter_table("entity") as table:
        table.alter_column("v2_key", existing_type=sa.String(36), nullable=False)
    op.create_index("ix_entity_v2_key", "entity", ["v2_key"])


def _criteria() -> None:
    def owner() -> sa.Column[str]:
        to = sa.ForeignKey("entity.key", ondelete="CASCADE")
        return sa.Column("entity_key", _KEY, to, nullable=False, index=True)

    op.create_table(
        "grouped_reference",
        sa.Column("id", _ID, primary_key=True),
        owner(),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("group_key", _KEY, nullable=False),
        sa.Column("tmodel_key", _KEY, nullable=False),
        sa.Column("key_value", _WORDS, nullable=False),
        sa.Column("folded", _LONG, nullable=False),
        sa.Index("grouped_reference_by_key", "group_key", "tmodel_key"),
    )
    op.create_table(
        "discovery_url",
        sa.Column("id", _ID, primary_key=True),
        owner(),
        sa.Column("use_type", sa.String(255), nullable=False),
        sa.Column("start", _WORDS, nullable=False),
        sa.Column("value", _LONG, nullable=False),
        sa.Column("folded", _LONG, nullable=False),
        sa.Index("discovery_url_by_start", "start"),
    )


def _assertions() -> None:
    op.create_table(
        "publisher_assertion",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("from_key", _KEY, nullable=False, index=True),
        sa.Column("to_key", _KEY, nullable=False, index=True),
        sa.Column("tmodel_key", _KEY, nullable=False),
        sa.Column("key_name", _KEY, nullable=False),
        sa.Column("key_value", _KEY, nullable=False),
        sa.Column("from_publisher", _KEY, nullable=False, index=True),
        sa.Column("to_publisher", _KEY, nullable=False, index=True),
        sa.Column("modified", sa.BigInteger, nullable=False),
    )


def _subscriptions() -> None:
    op.create_table(
        "subscription",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("publisher", _KEY, nullable=False, index=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.Column("told_index", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, index=True),
        sa.Column("failures", sa.Integer, nullable=False),
    )
    to = sa.ForeignKey("subscription.key", ondelete="CASCADE")
    op.create_table(
        "subscription_member",
        sa.Column("subscription_key", _KEY, to, primary_key=True),
        sa.Column("entity_key", _KEY, primary_key=True),
        sa.Column("gone", sa.BigInteger),
        sa.Column("gone_index", sa.BigInteger),
    )


def _fill() -> None:
    """What the new column and tables say of the entities that are there already."""
    connection = op.get_bind()
    table = sa.table(
        "entity", *(sa.column(c) for c in ("key", "v2_key", "kind", "parent_key", "hidden", "body"))
    )
    for row in connection.execute(sa.select(table)).all():
        older = sa.update(table).where(table.c.key == row.key)
        connection.execute(older.values(v2_key=older_key(row.key)))
        item = decode(row)
        for kept, rows in ((grouped_reference, groups_of(item)), (discovery_url, urls_of(item))):
            if rows:
                connection.execute(
                    sa.insert(kept), [{"entity_key": row.key, **each} for each in rows]
                )
