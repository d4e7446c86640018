"""Databases in GBK, and those that do not know what their text is in."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

from tests.databases.targets import TARGETS, Target

pytestmark = pytest.mark.full

#: what GBK has of the basic 20,902: all
HAN = "".join(map(chr, range(0x4E00, 0x9FA6)))
T = Table(
    "T",
    MetaData(),
    Column("N", Integer, primary_key=True, autoincrement=False),
    Column("NAME", String(200)),
)

CASES = [
    *((t, "ENCODING 'EUC_CN'", "") for t in TARGETS if t.startswith("postgresql")),
    *((t, "ENCODING 'SQL_ASCII'", "gbk") for t in TARGETS if t.startswith("postgresql")),
    *((t, "ENCODING 'SQL_ASCII'", "gb18030") for t in TARGETS if t.startswith("postgresql")),
    *((t, "CHARACTER SET gbk", "") for t in TARGETS if t.startswith("mariadb")),
]


@pytest.mark.parametrize(("drivername", "options", "encoding"), CASES)
def test_text_of_a_gbk_database(drivername: str, options: str, encoding: str) -> None:
    target = Target(drivername)
    database = target.server.database(options)
    codec = "gb2312" if "EUC_CN" in options else "gbk"
    known = HAN.encode(codec, "ignore").decode(codec)
    rows = [{"N": n, "NAME": known[n : n + 100]} for n in range(0, len(known), 100)]
    with target.source(database, text_encoding=encoding) as source:
        with source.transaction() as connection:
            T.create(connection, checkfirst=False)
            connection.execute(insert(T), rows)
        with source.connect() as connection:
            found = connection.execute(select(T).order_by(T.c.N)).all()
            assert [tuple(row) for row in found] == [(r["N"], r["NAME"]) for r in rows]
            hit = select(T.c.N).where(rows[3]["NAME"] == T.c.NAME)
            assert connection.execute(hit).scalars().all() == [rows[3]["N"]]
    if encoding:
        assert stored(target, database) == rows[0]["NAME"].encode(encoding)


def stored(target: Target, database: str) -> bytes:
    """The bytes that another program of the hospital finds."""
    with target.server.administrator(database) as connection:
        query = 'SELECT convert_to("NAME", \'SQL_ASCII\') FROM "T" WHERE "N" = 0'
        (row,) = connection.execute(query).fetchall()
        return bytes(row[0])
