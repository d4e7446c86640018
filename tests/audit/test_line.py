"""A line of the trail: what is sealed reads back, and nothing changed does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.line import GENESIS, NotALine, read_line, seal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
records = st.dictionaries(
    texts.filter(lambda name: name not in ("n", "h", "k")),
    st.one_of(
        texts, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
    ),
    max_size=6,
)


@given(records, st.integers(0, 2**40))
def test_what_is_sealed_reads_back(record: dict[str, Any], n: int) -> None:
    raw, digest = seal(GENESIS, n, {"k": "call", **record})
    assert raw.count(b"\n") == 1
    line = read_line(raw, GENESIS)
    assert line.follows
    assert (line.n, line.kind, line.h) == (n, "call", digest)
    assert line.fields == {"n": n, "k": "call", **record}


@given(records, st.data())
def test_a_changed_byte_is_seen(record: dict[str, Any], data: st.DataObject) -> None:
    raw, _ = seal(GENESIS, 7, record)
    position = data.draw(st.integers(0, len(raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[position]))
    changed = raw[:position] + bytes([other]) + raw[position + 1 :]
    with contextlib.suppress(NotALine):  # that is seeing it, too
        assert not read_line(changed, GENESIS).follows


def test_a_line_follows_only_its_own_predecessor() -> None:
    first, h = seal(GENESIS, 0, {"k": "open"})
    second, _ = seal(h, 1, {"k": "call"})
    assert read_line(second, h).follows
    assert not read_line(second, GENESIS).follows
    assert read_line(first, GENESIS).follows


@pytest.mark.parametrize(
    "raw",
    [b"", b"\n", b"{}\n", b'{"n":1}\n', b'{"n":1,"h":"' + b"0" * 64 + b'"}', b"\xff" * 90 + b"\n"],
)
def test_anything_else_is_no_line(raw: bytes) -> None:
    with pytest.raises(NotALine):
        read_line(raw, GENESIS)
