"""Dates that are kept as text."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mapped.formats import date_format

FORMS = ["yyyymmddhh:mm:ss", "yyyymmdd hhmiss", "yyyy年mm月dd日 hh:mi:ss", "dd/mm/yyyy HH:MM:SS"]


@pytest.mark.parametrize("written", FORMS)
@given(moment=st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))
def test_there_and_back(written: str, moment: datetime) -> None:
    form = date_format(written)
    moment = moment.replace(microsecond=0)
    assert form.read(form.write(moment)) == moment


def test_mm_behind_hh_is_the_minute() -> None:
    moment = datetime(2026, 11, 21, 8, 30, 5)
    assert date_format("yyyymmddhh:mm:ss").write(moment) == "2026112108:30:05"
    assert date_format("yyyymmddhhmmss").read("20261121083005") == moment


@pytest.mark.parametrize("text", ["", "        ", "00000000", "0000-00-00"])
def test_nothing(text: str) -> None:
    assert date_format("yyyymmdd").read(text) is None


@pytest.mark.parametrize("text", ["2026112", "20261131", "2026-11-21", "明天", "202611211"])
def test_what_is_no_such_date(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        date_format("yyyymmdd").read(text)


@pytest.mark.parametrize("written", ["", "yyyy", "hh:mm:ss", "mmdd"])
def test_what_is_no_format(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        date_format(written)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_it(written: str, text: str) -> None:
    try:
        form = date_format("yyyymmdd" + written)
        form.read(text)
    except ValueError:
        pass
