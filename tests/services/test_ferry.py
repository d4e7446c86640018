"""The ferry's files: what is packed is unpacked, and nothing else is."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services import ferry
from services.ferry import ANSWER, REQUEST, Cargo, NotCargo, load_key, pack, unpack, write_whole

KEY = bytes(range(32))
ID = "0123456789abcdef" * 2
unhurried = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
heads = st.dictionaries(st.sampled_from(["path", "status", "路"]), st.text() | st.integers())
cargos = st.builds(Cargo, st.just(ID), st.just(1_790_000_000.125), heads, st.binary(max_size=200))


@unhurried
@given(cargos)
def test_what_is_packed_is_unpacked(cargo: Cargo) -> None:
    assert unpack(REQUEST, pack(REQUEST, cargo, KEY), KEY) == cargo


@unhurried
@given(cargos, st.data())
def test_whatever_is_changed_is_refused(cargo: Cargo, data: st.DataObject) -> None:
    packed = pack(REQUEST, cargo, KEY)
    position = data.draw(st.integers(0, len(packed) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != packed[position]))
    with pytest.raises(NotCargo):
        unpack(REQUEST, packed[:position] + bytes([other]) + packed[position + 1 :], KEY)


@unhurried
@given(cargos, st.data())
def test_whatever_is_cut_is_refused(cargo: Cargo, data: st.DataObject) -> None:
    packed = pack(REQUEST, cargo, KEY)
    with pytest.raises(NotCargo):
        unpack(REQUEST, packed[: data.draw(st.integers(0, len(packed) - 1))], KEY)


def test_another_kind_another_key_and_another_name_are_refused() -> None:
    cargo = Cargo(ID, 1.0, {}, b"")
    with pytest.raises(NotCargo):
        unpack(ANSWER, pack(REQUEST, cargo, KEY), KEY)
    with pytest.raises(NotCargo):
        unpack(REQUEST, pack(REQUEST, cargo, KEY), b"x" * 32)
    with pytest.raises(NotCargo, match="32 hex digits"):
        unpack(REQUEST, pack(REQUEST, cargo._replace(id="../../etc/passwd"), KEY), KEY)


def test_a_file_that_cannot_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ferry.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "a", b"data")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "secret", "00" * 31, "zz" * 32])
def test_a_key_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_text(text)
    with pytest.raises(ValueError, match="openssl rand -hex 32"):
        load_key(tmp_path / "key")
    (tmp_path / "key").write_text("00" * 32 + "\n")
    assert load_key(tmp_path / "key") == bytes(32)
