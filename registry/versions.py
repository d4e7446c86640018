"""The contracts' versions: every WSDL that was published, kept, and no broken one let in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    select,
)

from registry.keys import fold
from registry.store import Store
from registry.tables import metadata

_Id = BigInteger().with_variant(Integer, "sqlite")

contract_version = Table(
    "contract_version",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("service", String(255), nullable=False),  # folded
    Column("name", String(255), nullable=False),
    Column("namespace", String(255), nullable=False),
    Column("digest", String(64), nullable=False),  # of what the document promises
    Column("published", BigInteger, nullable=False),  # milliseconds
    Column("publisher", String(255), nullable=False),
    Column("wsdl", LargeBinary, nullable=False),
    UniqueConstraint("service", "namespace", "digest", name="contract_version_once"),
)

#: Which version a hospital's service has now, in each namespace that it was published in.
contract_in_use = Table(
    "contract_in_use",
    metadata,
    Column("hospital", String(64), primary_key=True),
    Column("service", String(255), primary_key=True),
    Column("namespace", String(255), primary_key=True),
    Column("version_id", BigInteger, nullable=False),
    Column("published", BigInteger, nullable=False),
    Column("publisher", String(255), nullable=False),
)


@dataclass(frozen=True, slots=True)
class Version:
    """One published WSDL. ``wsdl`` is as its first publisher sent it, address included."""

    id: int
    service: str
    namespace: str
    published: datetime
    publisher: str
    wsdl: bytes


class Versions:
    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, service: str) -> list[Version]:
        """Every version of a service by its name in any case, the oldest first."""
        query = select(contract_version).where(contract_version.c.service == fold(service))
        with self._store.engine.connect() as connection:
            rows = connection.execute(query.order_by(contract_version.c.id)).all()
        return [
            Version(
                row.id,
                row.name,
                row.namespace,
                datetime.fromtimestamp(row.published / 1000, UTC),
                row.publisher,
                row.wsdl,
            )
            for row in rows
        ]
