"""A trail that is verified, searched and collected while its gateway goes on writing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.audit import collected, verify
from gateway.audit.anchors import anchor, append, load_key
from gateway.audit.files import files_in
from gateway.audit.line import read_line, seal
from tests.audit.conftest import OpenTrail, call
from yilian.cli import app


@pytest.fixture
def folder(open_trail: OpenTrail, tmp_path: Path) -> Path:
    async def scene() -> None:
        async with open_trail() as trail:
            await trail.record(call(1))

    asyncio.run(scene())
    return tmp_path / "audit"


def goes_on(folder: Path) -> None:
    """The gateway writes another file, and anchors its end."""
    (last,) = files_in(folder, "gw.w0")[-1:]
    *_, raw = last.lines()
    end = read_line(raw, "")
    line, h = seal(end.h, end.n + 1, {"k": "open", "stream": "gw.w0", "after": end.h})
    name = last.name.replace(f"{last.number:08d}", f"{last.number + 1:08d}")
    (folder / name).write_bytes(line)
    append(folder, anchor(load_key(folder / "audit.key"), "gw.w0", end.n + 1, h))


def test_half_a_line_is_the_last_that_is_read(folder: Path) -> None:
    (file,) = files_in(folder)
    whole = file.path.read_bytes()
    with file.path.open("ab") as writing:
        writing.write(b'{"n":3,"k"')
        writing.flush()
        reading = file.lines()
        seen = [next(reading) for _ in range(4)]
        writing.write(b':"call"}\n')
        writing.flush()
        assert list(reading) == []
    assert b"".join(seen) == whole + b'{"n":3,"k"'


def test_what_is_anchored_meanwhile_is_no_end_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = verify.files_in

    def then_more(where: Path) -> object:
        files = found(where)
        goes_on(where)
        return files

    monkeypatch.setattr(verify, "files_in", then_more)
    result = CliRunner().invoke(app, ["audit", "verify", str(folder)])
    assert result.exit_code == 0, result.output


def test_what_is_anchored_while_it_is_copied_is_no_end_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    collect = collected.collect

    def then_more(where: Path, engine: object) -> object:
        copied = collect(where, engine)  # type: ignore[arg-type]
        goes_on(where)
        return copied

    monkeypatch.setattr(collected, "collect", then_more)
    to = f"sqlite:///{tmp_path / 'all.db'}"
    result = CliRunner().invoke(app, ["audit", "collect", str(folder), "--check", "--to", to])
    assert result.exit_code == 0, result.output
    again = CliRunner().invoke(app, ["audit", "collect", str(folder), "--check", "--to", to])
    assert again.exit_code == 0 and "gw.w0: +1" in again.output
