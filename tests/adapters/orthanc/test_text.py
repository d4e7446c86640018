"""DICOM text: mislabelled Chinese, names, dates."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.orthanc.text import as_meant, moment, person_name

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=20)
GB2312 = HAN.filter(lambda text: text.encode("gb2312", "ignore").decode("gb2312") == text)


@given(HAN)
def test_utf_8_that_was_declared_latin_1(text: str) -> None:
    assert as_meant(text.encode().decode("latin-1")) == text


@given(GB2312, st.sampled_from(["", "CT ", "^"]))
def test_gb2312_that_was_declared_latin_1(text: str, before: str) -> None:
    meant = before + text
    seen = meant.encode("gb2312").decode("latin-1")
    # Some pairs are UTF-8 as well; such a text cannot be told from its bytes.
    try:
        seen.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        assert as_meant(seen) == meant


@pytest.mark.parametrize(
    "text", ["Müller", "José", "Ægir Ö", "CT Thorax", "±5°", "胸部CT", "张伟é"]
)
def test_what_is_right_stays(text: str) -> None:
    assert as_meant(text) == text


@given(st.text())
def test_any_text_can_stand_in_xml(text: str) -> None:
    element = etree.Element("a")
    element.text = as_meant(text)
    assert as_meant(as_meant(text) + " ") is not None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Zhang^Wei=张^伟", "张伟"),
        ("张^伟", "张伟"),
        ("张伟", "张伟"),
        ("=欧阳^娜娜", "欧阳娜娜"),
        ("Zhang^Wei^^Dr", "Zhang Wei Dr"),
        ("Zhang^Wei==", "Zhang Wei"),
        ("Zhang^Wei=^=", "Zhang Wei"),
        ("张^伟".encode("gb2312").decode("latin-1"), "张伟"),
        ("Zhang^Wei=" + "张^伟".encode().decode("latin-1"), "张伟"),
        ("", ""),
    ],
)
def test_names(written: str, name: str) -> None:
    assert person_name(written) == name


@pytest.mark.parametrize(
    ("day", "time", "found"),
    [
        ("20261120", "100203.123456", datetime(2026, 11, 20, 10, 2, 3)),
        ("20261120", "1002", datetime(2026, 11, 20, 10, 2)),
        ("20261120", "10", datetime(2026, 11, 20, 10)),
        ("20261120", "", datetime(2026, 11, 20)),
        ("20261120 ", "noon", datetime(2026, 11, 20)),
        ("20261120", "256161", datetime(2026, 11, 20)),
        ("20261120", "235960", datetime(2026, 11, 20, 23, 59, 59)),
        ("2026.11.20", "10:02:03", datetime(2026, 11, 20, 10, 2, 3)),
        ("20261320", "10", None),
        ("20261131", "10", None),
        ("00000000", "", None),
        ("", "100203", None),
    ],
)
def test_moments(day: str, time: str, found: datetime | None) -> None:
    assert moment(day, time) == found


@given(st.text("0123456789.: ", max_size=12), st.text("0123456789.: ", max_size=16))
def test_no_moment_is_an_error(day: str, time: str) -> None:
    found = moment(day, time)
    assert found is None or found.tzinfo is None
