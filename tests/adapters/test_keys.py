"""Packed keys: whatever is packed comes back, and is safe where it is written."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.columns import gbk_length
from adapters.keys import pack, unpack

PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)


@given(PARTS)
@example(["_2d_", "-", "__"])
@example(["", ""])
def test_what_was_packed_comes_back(parts: list[str]) -> None:
    packed = pack(*parts)
    assert unpack(packed) == parts
    assert all(c.isalnum() or c in "-_" for c in packed)


@given(st.text())
@example("a_d800_")
@example("_110000_")
@example("_0_")
@example("_2D_")
def test_a_text_has_one_reading_at_most(text: str) -> None:
    parts = unpack(text)
    if parts is not None:
        assert pack(*parts) == text
        "".join(parts).encode()  # no half characters, which no database can be asked for


def test_gbk_lengths() -> None:
    assert [gbk_length(text) for text in ("", "ab", "张a", "𠮷")] == [0, 2, 3, 4]
