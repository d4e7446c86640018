"""The contracts' versions: every WSDL that was published, kept, and no broken one let in."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.engine import Connection

from registry.changes import Entry, record
from registry.keys import fold
from registry.store import Store
from registry.tables import metadata
from registry.uddi.soap import parse_xml
from registry.uddi.wsdl_mapping import WsdlNames, read_names
from services.soap.wsdl_diff import Change, NotWsdl, compare

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


@dataclass(frozen=True, slots=True)
class InUse:
    """The version that a hospital's service has in a namespace, and since when."""

    hospital: str
    namespace: str
    version_id: int
    published: datetime


class Breaks(Exception):
    """A WSDL that breaks a published version without a new namespace. ``changes``: what breaks;
    ``whose``: the hospital's own published version, or the alliance's."""

    def __init__(self, version: Version, changes: Sequence[Change], whose: str) -> None:
        super().__init__(version, changes)
        self.version = version
        self.changes = tuple(changes)
        self.whose = whose

    @property
    def message(self) -> str:
        day = f"{self.version.published:%Y-%m-%d}"
        return (
            f"{self.version.service} 的 WSDL 与 {day} 发布的同一命名空间版本不兼容"
            f"（{self.version.namespace}）；不兼容的改变须用新的命名空间 / the WSDL of "
            f"{self.version.service} breaks the version of that namespace that was published on "
            f"{day} ({self.whose}); a change that breaks needs a new namespace"
        )


class Versions:
    """``clock``: seconds since 1970."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def of(self, service: str) -> list[Version]:
        """Every version of a service by its name in any case, the oldest first."""
        with self._store.engine.connect() as connection:
            return [_version(row) for row in _rows(connection, fold(service))]

    def services(self) -> list[str]:
        """The names of all services that have a version."""
        query = select(contract_version.c.name).distinct().order_by(contract_version.c.name)
        with self._store.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def in_use(self, service: str) -> list[InUse]:
        """Which hospital has which version of a service."""
        query = select(contract_in_use).where(contract_in_use.c.service == fold(service))
        with self._store.engine.connect() as connection:
            return [
                InUse(row.hospital, row.namespace, row.version_id, _moment(row.published))
                for row in connection.execute(query.order_by(contract_in_use.c.hospital))
            ]

    def publish(self, publisher: str, hospital: str, wsdl: bytes) -> tuple[Version, bool]:
        """Keep a hospital's WSDL; the version that it is, and whether that was not there before.

        Breaks: it breaks what this hospital has published under its namespace, or it is neither
        a successor nor a predecessor of the alliance's newest version there (hospitals do not
        upgrade on one day). NotWsdl: it is no WSDL of one service.
        """
        names = read_names(wsdl)
        if max(map(len, (names.namespace, names.service, hospital))) > 255:
            raise NotWsdl("名称或命名空间超过 255 字符 / a name or the namespace exceeds 255")
        digest = promise(wsdl)
        service, moment = fold(names.service), int(self._clock() * 1000)

        def work(connection: Connection) -> tuple[Version, bool]:
            _lock(connection, f"{service} {names.namespace}")
            rows = [r for r in _rows(connection, service) if r.namespace == names.namespace]
            known = {row.id: _version(row) for row in rows}
            same = [row.id for row in rows if row.digest == digest]
            mine = (
                contract_in_use.c.hospital == fold(hospital),
                contract_in_use.c.service == service,
                contract_in_use.c.namespace == names.namespace,
            )
            used = connection.execute(select(contract_in_use.c.version_id).where(*mine)).scalar()
            if same and used == same[0]:
                return known[same[0]], False
            if used in known:
                changes = compare(known[used].wsdl, wsdl).breaking
                if changes:
                    raise Breaks(known[used], changes, f"hospital {hospital}")
            if not same and rows:
                newest = known[rows[-1].id]
                changes = compare(newest.wsdl, wsdl).breaking
                if changes and compare(wsdl, newest.wsdl).breaking:
                    raise Breaks(newest, changes, "the alliance")
            version_id = (
                same[0] if same else _keep(connection, names, digest, moment, publisher, wsdl)
            )
            connection.execute(delete(contract_in_use).where(*mine))
            connection.execute(
                insert(contract_in_use).values(
                    hospital=fold(hospital),
                    service=service,
                    namespace=names.namespace,
                    version_id=version_id,
                    published=moment,
                    publisher=publisher,
                )
            )
            record(connection, publisher, [Entry("publish", "contract", fold(names.namespace))])
            row = connection.execute(
                select(contract_version).where(contract_version.c.id == version_id)
            ).one()
            return _version(row), not same

        return self._store.write(work)


def promise(wsdl: bytes) -> str:
    """A digest of what a WSDL says, whatever its addresses, documentation and layout."""
    root = parse_xml(wsdl)
    for address in root.iter("{*}address"):
        address.attrib.pop("location", None)
    for note in list(root.iter("{*}documentation")):
        parent = note.getparent()
        if parent is not None:
            parent.remove(note)
    text = etree.canonicalize(etree.tostring(root, encoding="unicode"), strip_text=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _keep(
    connection: Connection,
    names: WsdlNames,
    digest: str,
    moment: int,
    publisher: str,
    wsdl: bytes,
) -> int:
    made = connection.execute(
        insert(contract_version).values(
            service=fold(names.service),
            name=names.service,
            namespace=names.namespace,
            digest=digest,
            published=moment,
            publisher=publisher,
            wsdl=wsdl,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def _lock(connection: Connection, what: str) -> None:
    """One publication of a contract at a time. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def _rows(connection: Connection, service: str) -> list[Any]:
    query = select(contract_version).where(contract_version.c.service == service)
    return list(connection.execute(query.order_by(contract_version.c.id)))


def _version(row: Any) -> Version:
    return Version(row.id, row.name, row.namespace, _moment(row.published), row.publisher, row.wsdl)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
