"""Simple values: accepted and refused as XML Schema does, and never silently changed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from services.soap import values

XSD = "http://www.w3.org/2001/XMLSchema"
PIECES = st.text("0123456789+-.:TZ eE\t\n", max_size=28)
MOMENTS = st.builds(
    lambda d, s, z: d.isoformat(timespec=s) + z,
    st.datetimes(),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
    st.sampled_from(["", "Z", "+08:00", "-05:00", "+14:00", "+14:01", "+8:00"]),
)


def _schema(kind: str, facets: str = "") -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.fromstring(
            f'<s:schema xmlns:s="{XSD}"><s:element name="e"><s:simpleType>'
            f'<s:restriction base="s:{kind}">{facets}</s:restriction></s:simpleType></s:element>'
            f"</s:schema>"
        )
    )


def _valid(schema: etree.XMLSchema, text: str) -> bool:
    element = etree.Element("e")
    element.text = text
    return schema.validate(element)


def _reads(reader, text: str) -> bool:  # type: ignore[no-untyped-def]
    try:
        reader(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "reader", "texts"),
    [
        ("int", values.read_int, PIECES | st.integers(-(2**33), 2**33).map(str)),
        (
            "boolean",
            values.read_bool,
            st.sampled_from(["true", "false", "1", "0", "True", "TRUE", "2", "t"]),
        ),
        ("decimal", values.read_decimal, PIECES | st.decimals(allow_nan=False).map(str)),
        ("dateTime", values.read_datetime, MOMENTS | PIECES),
    ],
    ids=["int", "boolean", "decimal", "dateTime"],
)
def test_a_reader_accepts_what_the_schema_accepts(kind, reader, texts) -> None:  # type: ignore[no-untyped-def]
    schema = _schema(kind)

    @given(texts)
    @example(" 1 ")
    @example("")
    @example("2024-02-29T24:00:00")
    @example("2023-02-29T00:00:00Z")
    @example("2024-01-01T24:00:01")
    @example("2024-01-01T23:59:60")
    @example("１")
    @example("+0")
    @example(".")
    @example("1.")
    def check(text: str) -> None:
        assert _reads(reader, text) == _valid(schema, text), text

    check()


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
@example(Decimal("0"))
@example(Decimal("1E+3"))
@example(Decimal("100.10"))
@example(Decimal("0.001"))
def test_digits_are_counted_as_the_schema_counts_them(value: Decimal) -> None:
    schema = _schema("decimal", '<s:totalDigits value="5"/><s:fractionDigits value="2"/>')
    assert values.fits(value, 5, 2) == _valid(schema, format(value, "f"))


@given(st.dates())
def test_a_date_is_the_day_as_written(day: date) -> None:
    for zone in ("", "Z", "+08:00"):
        assert values.read_date(f"\n {day.isoformat()}{zone} ") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-21T00:00:00", date(2026, 11, 21)),
        ("2026-11-21T00:00:00+08:00", date(2026, 11, 21)),
        ("2026-11-20T16:00:00Z", date(2026, 11, 21)),  # Axis at +08:00 sends a day like this
        ("2026-11-20T15:59:59.999Z", date(2026, 11, 20)),
    ],
)
def test_a_datetime_for_a_date_is_the_local_day(text: str, day: date) -> None:
    assert values.read_date(text) == day


def test_a_zone_is_converted_and_never_dropped() -> None:
    expected = datetime(2026, 1, 1, 7, 30)
    for text in ("2025-12-31T23:30:00Z", "2026-01-01T07:30:00+08:00", "2026-01-01T07:30:00"):
        assert values.read_datetime(text) == expected


@given(st.text())
def test_escaped_text_is_read_back_as_it_was(text: str) -> None:
    parsed = etree.fromstring(f"<e>{values.escape(text)}</e>".encode()).text or ""
    illegal = {c for c in parsed if c == "\ufffd"} - set(text)
    if not illegal:
        assert parsed == text
    else:
        assert len(parsed) == len(text)
