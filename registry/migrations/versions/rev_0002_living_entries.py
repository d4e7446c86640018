"""The change log, leases, health, and the contracts' versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEY = sa.String(255)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _change_log()
    _leases()
    _health()
    _contract_versions()


def _change_log() -> None:
    op.create_table(
        "change",
        sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("moment", sa.BigInteger, nullable=False),
        sa.Column("publisher", sa.String(255), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", _KEY, nullable=False),
        sa.Column("parent_key", _KEY),
        sa.Column("content", sa.Text),
        sa.Index("change_by_key", "key", "index"),
        sa.Index("change_by_moment", "moment"),
    )
    head = op.create_table(
        "change_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "last": 0}])


def _leases() -> None:
    op.create_table(
        "lease",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("publisher", sa.String(255), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("renewed", sa.BigInteger, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Index("lease_by_due", "state", "due"),
    )
    op.create_table(
        "registry_clock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("lived", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.String(36), nullable=False),
    )


def _health() -> None:
    op.create_table(
        "binding_health",
        sa.Column("binding_key", _KEY, primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("checked", sa.BigInteger, nullable=False),
        sa.Column("latency_ms", sa.Float),
        sa.Column("successes", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("falls", sa.Text, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
    )
    op.create_table(
        "probe",
        sa.Column("binding_key", _KEY, primary_key=True),
        sa.Column("moment", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ok", sa.Boolean, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("fault", sa.String(255), nullable=False),
        sa.Index("probe_by_moment", "moment"),
    )
    op.create_table(
        "probe_hour",
        sa.Column("binding_key", _KEY, primary_key=True),
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("probes", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("fault", sa.String(255), nullable=False),
        sa.Index("probe_hour_by_hour", "hour"),
    )


def _contract_versions() -> None:
    op.create_table(
        "contract_version",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("service", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("namespace", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("published", sa.BigInteger, nullable=False),
        sa.Column("publisher", sa.String(255), nullable=False),
        sa.Column("wsdl", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("service", "namespace", "digest", name="contract_version_once"),
    )
    op.create_table(
        "contract_in_use",
        sa.Column("hospital", sa.String(64), primary_key=True),
        sa.Column("service", sa.String(255), primary_key=True),
        sa.Column("namespace", sa.String(255), primary_key=True),
        sa.Column("version_id", sa.BigInteger, nullable=False),
        sa.Column("published", sa.BigInteger, nullable=False),
        sa.Column("publisher", sa.String(255), nullable=False),
    )
