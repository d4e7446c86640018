"""What finds search repeats what its entity is sorted by, so that an index answers in order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.rows import decode, info_of, sort_of

revision = "0004"
down_revision = "0003"

_KEY = sa.String(255)
_WORDS = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_LONG = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")

_OLD_INDEXES = {
    "name": ("ix_name_entity_key", "name_by_value", "name_by_folded"),
    "keyed_reference": (
        "ix_keyed_reference_entity_key", "reference_by_value", "reference_by_folded",
    ),
    "instance_info": ("ix_instance_info_entity_key", "ix_instance_info_tmodel_key"),
}  # fmt: skip


def upgrade() -> None:
    _entity()
    for table, indexes in _OLD_INDEXES.items():
        for index in indexes:
            op.drop_index(index, table)
        op.rename_table(table, f"{table}_before")
    _create()
    _copy()
    for table in _OLD_INDEXES:
        op.drop_table(f"{table}_before")


def _entity() -> None:
    op.add_column("entity", sa.Column("info", sa.Text, nullable=True))
    columns = ("key", "kind", "parent_key", "position", "modified", "hidden", "body")
    old = sa.table("entity", *map(sa.column, (*columns, "info", "sort_name", "sort_folded")))
    connection = op.get_bind()
    changed = [
        {
            "this": row.key,
            "info_now": info_of(item),
            "sort_now": sort,
            "folded_now": sort.casefold(),
        }
        for row in connection.execute(sa.select(*(old.c[name] for name in columns)))
        for item in [decode(row)]
        for sort in [sort_of(item, row.position, row.modified)]
    ]
    if changed:
        values = {
            "info": sa.bindparam("info_now"),
            "sort_name": sa.bindparam("sort_now"),
            "sort_folded": sa.func.substr(sa.bindparam("folded_now"), 1, 255),
        }
        where = old.c.key == sa.bindparam("this")
        connection.execute(sa.update(old).where(where).values(values), changed)
    with op.batch_alter_table("entity") as table:
        table.alter_column("info", existing_type=sa.Text, nullable=False)
    op.create_index("entity_by_folded", "entity", ["kind", "sort_folded", "sort_name", "key"])
    op.create_index("entity_by_date", "entity", ["kind", "modified", "sort_name", "key"])
    op.create_index("entity_by_parent", "entity", ["parent_key", "sort_name", "key"])
    op.drop_index("ix_entity_parent_key", "entity")
    hidden = sa.column("hidden").is_(True)
    op.create_index(
        "entity_hidden", "entity", ["key"], sqlite_where=hidden, postgresql_where=hidden
    )


def _owner(*, index: bool = False) -> sa.Column[str]:
    to = sa.ForeignKey("entity.key", ondelete="CASCADE")
    return sa.Column("entity_key", _KEY, to, nullable=False, index=index)


def _create() -> None:
    op.create_table(
        "name",
        sa.Column("id", _ID, primary_key=True),
        _owner(index=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("lang", sa.String(26), nullable=False),
        sa.Column("value", _WORDS, nullable=False),
        sa.Column("folded", _LONG, nullable=False),
        sa.Column("sort_name", _WORDS, nullable=False),
        sa.Index("name_by_value", "kind", "value", "sort_name", "entity_key"),
        sa.Index("name_by_folded", "kind", "folded", "sort_name", "entity_key"),
    )
    value = ("tmodel_key", "key_value", "bag", "kind")
    folded = ("tmodel_key", "folded", "bag", "kind")
    op.create_table(
        "keyed_reference",
        sa.Column("id", _ID, primary_key=True),
        _owner(index=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("bag", sa.String(10), nullable=False),
        sa.Column("tmodel_key", _KEY, nullable=False),
        sa.Column("key_name", _WORDS, nullable=False),
        sa.Column("key_value", _WORDS, nullable=False),
        sa.Column("folded", _LONG, nullable=False),
        sa.Column("sort_name", _WORDS, nullable=False),
        sa.Column("service_key", _KEY),
        sa.Column("service_sort", _WORDS),
        sa.Column("business_key", _KEY),
        sa.Column("business_sort", _WORDS),
        sa.Index("reference_by_value", *value, "sort_name", "entity_key"),
        sa.Index("reference_by_folded", *folded, "sort_name", "entity_key"),
        sa.Index("reference_in_service", *value, "service_sort", "service_key"),
        sa.Index("reference_in_business", *value, "business_sort", "business_key"),
    )
    op.create_table(
        "instance_info",
        sa.Column("id", _ID, primary_key=True),
        _owner(),
        sa.Column("tmodel_key", _KEY, nullable=False),
        sa.Column("sort_name", _WORDS, nullable=False),
        sa.Column("service_key", _KEY, nullable=False),
        sa.Column("service_sort", _WORDS, nullable=False),
        sa.Column("business_key", _KEY, nullable=False),
        sa.Column("business_sort", _WORDS, nullable=False),
        sa.Index("instance_of_binding", "entity_key", "tmodel_key"),
        sa.Index("instance_by_binding", "tmodel_key", "sort_name", "entity_key"),
        sa.Index("instance_by_service", "tmodel_key", "service_sort", "service_key", "entity_key"),
        sa.Index(
            "instance_by_business", "tmodel_key", "business_sort", "business_key", "entity_key"
        ),
    )


def _copy() -> None:
    """The parent of a service is its business; of a binding, its service, and so on."""
    op.execute(
        "INSERT INTO name (entity_key, kind, lang, value, folded, sort_name) "
        "SELECT b.entity_key, b.kind, b.lang, b.value, b.folded, e.sort_name "
        "FROM name_before b JOIN entity e ON e.key = b.entity_key ORDER BY b.id"
    )
    op.execute(
        "INSERT INTO keyed_reference (entity_key, kind, bag, tmodel_key, key_name, key_value, "
        "folded, sort_name, service_key, service_sort, business_key, business_sort) "
        "SELECT b.entity_key, e.kind, b.bag, b.tmodel_key, b.key_name, b.key_value, b.folded, "
        "e.sort_name, "
        "CASE e.kind WHEN 'binding' THEN p.key END, "
        "CASE e.kind WHEN 'binding' THEN p.sort_name END, "
        "CASE e.kind WHEN 'binding' THEN g.key WHEN 'service' THEN p.key END, "
        "CASE e.kind WHEN 'binding' THEN g.sort_name WHEN 'service' THEN p.sort_name END "
        "FROM keyed_reference_before b JOIN entity e ON e.key = b.entity_key "
        "LEFT JOIN entity p ON p.key = e.parent_key LEFT JOIN entity g ON g.key = p.parent_key "
        "ORDER BY b.id"
    )
    op.execute(
        "INSERT INTO instance_info (entity_key, tmodel_key, sort_name, service_key, service_sort, "
        "business_key, business_sort) "
        "SELECT e.key, b.tmodel_key, e.sort_name, p.key, p.sort_name, g.key, g.sort_name "
        "FROM (SELECT min(id) AS id, entity_key, tmodel_key FROM instance_info_before "
        "GROUP BY entity_key, tmodel_key) b JOIN entity e ON e.key = b.entity_key "
        "JOIN entity p ON p.key = e.parent_key JOIN entity g ON g.key = p.parent_key ORDER BY b.id"
    )
