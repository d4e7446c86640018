"""Entities, what they are found by, and tokens: the registry as it was before migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_WORDS = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_LONG_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.String(255)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _owner() -> sa.Column[str]:
    cascade = sa.ForeignKey("entity.key", ondelete="CASCADE")
    return sa.Column("entity_key", _KEY, cascade, nullable=False, index=True)


def upgrade() -> None:
    op.create_table(
        "entity",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("parent_key", _KEY, sa.ForeignKey("entity.key", ondelete="CASCADE"), index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("publisher", sa.String(255), nullable=False, index=True),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.BigInteger, nullable=False),
        sa.Column("modified_including_children", sa.BigInteger, nullable=False),
        sa.Column("hidden", sa.Boolean, nullable=False),
        sa.Column("sort_name", _WORDS, nullable=False),
        sa.Column("sort_folded", _WORDS, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Index("entity_by_name", "kind", "sort_name", "key"),
    )
    op.create_table(
        "name",
        sa.Column("id", _ID, primary_key=True),
        _owner(),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("lang", sa.String(26), nullable=False),
        sa.Column("value", _WORDS, nullable=False),
        sa.Column("folded", _LONG_WORDS, nullable=False),
        sa.Index("name_by_value", "kind", "value"),
        sa.Index("name_by_folded", "kind", "folded"),
    )
    op.create_table(
        "keyed_reference",
        sa.Column("id", _ID, primary_key=True),
        _owner(),
        sa.Column("bag", sa.String(10), nullable=False),
        sa.Column("tmodel_key", _KEY, nullable=False),
        sa.Column("key_name", _WORDS, nullable=False),
        sa.Column("key_value", _WORDS, nullable=False),
        sa.Column("folded", _LONG_WORDS, nullable=False),
        sa.Index("reference_by_value", "tmodel_key", "key_value"),
        sa.Index("reference_by_folded", "tmodel_key", "folded"),
    )
    op.create_table(
        "instance_info",
        sa.Column("id", _ID, primary_key=True),
        _owner(),
        sa.Column("tmodel_key", _KEY, nullable=False, index=True),
    )
    op.create_table(
        "token",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("publisher", sa.String(255), nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
