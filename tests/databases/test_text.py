"""Text and values round trip, on every server and driver: what odbc drivers lose in silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import (
    CHAR,
    Column,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from adapters import values
from adapters.database import Source
from tests.databases.targets import Target

pytestmark = pytest.mark.full

HAN = "".join(map(chr, range(0x4E00, 0x9FA6)))
T = Table(
    "病人 Patients",
    MetaData(),
    Column("序号", Integer, primary_key=True, autoincrement=False),
    Column("姓名", String(1000)),
    Column("全文", Text),
    Column("编码", CHAR(10)),
    Column("金额", Numeric(16, 4)),
    Column("时间", DateTime),
    Column("日期文本", String(30)),
)


@pytest.fixture
def source(target: Target, database: str) -> Iterator[Source]:
    with target.source(database) as made:
        with made.transaction() as connection:
            T.create(connection, checkfirst=False)
        yield made


def test_every_basic_han_character(source: Source) -> None:
    assert len(HAN) == 20_902
    rows = [
        {"序号": n, "姓名": HAN[n : n + 100], "全文": HAN[n : n + 100] + "😀|?\\'\"\r\n"}
        for n in range(0, len(HAN), 100)
    ]
    with source.transaction() as connection:
        connection.execute(insert(T), rows)
    with source.connect() as connection:
        found = connection.execute(select(T.c.序号, T.c.姓名, T.c.全文).order_by(T.c.序号)).all()
        assert [tuple(row) for row in found] == [tuple(row.values()) for row in rows]
        # As parameters that are compared, each on its own.
        for row in rows[::7]:
            hit = select(T.c.序号).where(T.c.姓名 == row["姓名"])
            assert connection.execute(hit).scalars().all() == [row["序号"]]


def test_a_whole_text_of_all_of_them(source: Source) -> None:
    with source.transaction() as connection:
        connection.execute(insert(T).values(序号=1, 全文=HAN))
        assert connection.scalar(select(T.c.全文)) == HAN


def test_every_length_of_a_parameter(source: Source) -> None:
    text = ("四变付" * 400)[:1000]
    with source.transaction() as connection:
        for length in range(1001):
            connection.execute(insert(T).values(序号=length, 姓名=text[:length]))
    with source.connect() as connection:
        found = connection.execute(select(T.c.序号, T.c.姓名).order_by(T.c.序号)).all()
        assert [(n, name) for n, name in found] == [(n, text[:n]) for n in range(1001)]
        for length in (1, 126, 127, 128, 129, 255, 256, 999, 1000):
            hit = select(T.c.序号).where(T.c.姓名 == text[:length])
            assert connection.execute(hit).scalars().all() == [length]


def test_padding_amounts_and_dates(source: Source) -> None:
    row = {
        "序号": 1,
        "编码": "内科",
        "金额": Decimal("123456789012.3400"),
        "时间": datetime(2026, 11, 21, 8, 30),
        "日期文本": "2026-11-21 08:30:00",
    }
    with source.transaction() as connection:
        connection.execute(insert(T).values(row))
    c = T.c
    with source.connect() as connection:
        statement = select(c.编码, c.金额, c.时间, c.日期文本)
        found = connection.execute(statement.where(c.编码 == "内科", c.时间 == row["时间"])).one()
        assert values.text(found[0], "编码") == "内科"
        assert type(found[1]) is Decimal and found[1] == row["金额"]
        assert found[2] == row["时间"]
        assert values.moment(found[3], "日期文本") == row["时间"]
        assert connection.scalar(select(func.count()).where(c.编码 == "内科        ")) == 1
        named = connection.execute(select(c.姓名.label("患者姓名"))).mappings().one()
        assert list(named) == ["患者姓名"] and named["患者姓名"] is None


def test_an_empty_text_is_not_null(source: Source) -> None:
    with source.transaction() as connection:
        connection.execute(insert(T).values(序号=1, 姓名="", 全文=None))
        assert connection.execute(select(T.c.姓名, T.c.全文)).one() == ("", None)
