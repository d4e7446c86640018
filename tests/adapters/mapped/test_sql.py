"""The SQL of a mapping: values, optional parts, and everything else as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from adapters.mapped.sql import BadSql, Sql

LEFT_ALONE = "SELECT 'x :no', \"a:no\", `b:no`, [c:no], d::int -- :no\n/* :no */ , :病人号"


@pytest.mark.parametrize(
    ("written", "names", "always"),
    [
        ("SELECT 1", (), set()),
        ("SELECT a FROM t WHERE b = :PatientId", ("PatientId",), {"PatientId"}),
        ("... [? AND b = :B ?] AND c = :C", ("B", "C"), {"C"}),
        (
            "SELECT 'x :no', \"a:no\", `b:no`, [c:no], d::int -- :no\n/* :no */ , :病人号",
            ("病人号",),
            {"病人号"},
        ),
        ("WHERE t > '08:30:00' AND a[1] = :A", ("A",), {"A"}),
    ],
)
def test_names(written: str, names: tuple[str, ...], always: set[str]) -> None:
    sql = Sql(written)
    assert sql.names == names
    assert sql.always == always


def test_optional_parts() -> None:
    sql = Sql("SELECT 1 WHERE 1 = 1 [? AND a = :A ?] [? AND b BETWEEN :B AND :C ?]")
    assert sql.shown({"A"}).split() == [
        "SELECT",
        "1",
        "WHERE",
        "1",
        "=",
        "1",
        "AND",
        "a",
        "=",
        ":A",
    ]
    assert ":B" not in sql.shown({"A", "B"})
    assert "BETWEEN :B AND :C" in sql.shown({"B", "C"})


@pytest.mark.parametrize(
    "written", ["a [? b = :B", "a [? [? :A ?] ?]", "a [? AND b = 1 ?]", "[?[?"]
)
def test_what_is_refused(written: str) -> None:
    with pytest.raises(BadSql):
        Sql(written)


@pytest.mark.parametrize(
    ("written", "verb", "reads"),
    [
        ("\n  select 1", "SELECT", True),
        ("WITH a AS (SELECT 1) SELECT * FROM a", "WITH", True),
        ("UPDATE t SET a = 1", "UPDATE", False),
        ("EXEC usp_gh :A", "EXEC", False),
    ],
)
def test_the_verb(written: str, verb: str, reads: bool) -> None:
    sql = Sql(written)
    assert (sql.verb, sql.reads) == (verb, reads)


LITERALS = st.text("ab:'\"[]?-/*\\ \n病% ", max_size=30)


@given(LITERALS, LITERALS)
def test_what_is_written_is_what_is_sent(before: str, after: str) -> None:
    """Between values the driver gets every character as it stands in the file."""
    try:
        sql = Sql(f"{before} , :Value , {after}")
    except BadSql:
        return  # it opened an optional part
    compiled = sql.clause(dict.fromkeys(sql.names, (1, None))).compile(
        dialect=sqlite.dialect(paramstyle="named")
    )
    sent = str(compiled)
    for index, name in enumerate(sql.names):
        sent = sent.replace(f":p{index}", f":{name}")
    assert sent == sql.shown(sql.names)


@given(st.text(max_size=60))
def test_no_text_breaks_it(written: str) -> None:
    try:
        sql = Sql(written)
    except BadSql:
        return
    assert set(sql.always) <= set(sql.names)
    assert sql.shown(()).count("[?") <= written.count("[?")
