"""Trails copied into a database: once, whole, and verifiable there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select, update
from typer.testing import CliRunner

from gateway.audit.anchors import load_key
from gateway.audit.collected import collect, streams_in, trail
from gateway.audit.verify import verify_lines
from tests.audit.conftest import OpenTrail, call
from yilian.cli import app


def record(open_trail: OpenTrail, numbers: range, stream: str = "gw.w0") -> None:
    async def scene() -> None:
        async with open_trail(stream) as opened:
            for number in numbers:
                await opened.record(call(number))

    asyncio.run(scene())


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'collected.db'}")


def test_lines_are_copied_once_whatever_is_run_again(
    open_trail: OpenTrail, tmp_path: Path, engine: Engine
) -> None:
    record(open_trail, range(20))
    record(open_trail, range(5), "gw.w1")
    assert collect(tmp_path / "audit", engine) == {"gw.w0": 22, "gw.w1": 7}
    assert collect(tmp_path / "audit", engine) == {"gw.w0": 0, "gw.w1": 0}
    record(open_trail, range(20, 30))
    assert collect(tmp_path / "audit", engine) == {"gw.w0": 12, "gw.w1": 0}
    with engine.connect() as connection:
        count = select(func.count()).where(trail.c.kind == "call", trail.c.hospital == "hx")
        assert connection.execute(count).scalar() == 35


def test_a_copy_that_was_changed_is_found(
    open_trail: OpenTrail, tmp_path: Path, engine: Engine
) -> None:
    record(open_trail, range(20))
    collect(tmp_path / "audit", engine)
    key = load_key(tmp_path / "audit" / "audit.key")
    [report] = verify_lines(streams_in(engine), key, [])
    assert report.whole and report.calls == 20
    changed = func.replace(trail.c.line, "sq-his", "xx-his")
    with engine.begin() as connection:
        connection.execute(update(trail).where(trail.c.n == 7).values(line=changed))
    [report] = verify_lines(streams_in(engine), key, [])
    assert [found.line for found in report.findings] == [8]


def test_the_command(open_trail: OpenTrail, tmp_path: Path) -> None:
    record(open_trail, range(3))
    arguments = ["audit", "collect", str(tmp_path / "audit"), "--check", "--to"]
    result = CliRunner().invoke(app, [*arguments, f"sqlite:///{tmp_path / 'all.db'}"])
    assert result.exit_code == 0, result.output
    assert "gw.w0: +5" in result.stdout and "✓" in result.stdout
    for url, said in (("nothing", "no usable database URL"), ("sqlite:////no/a.db", "refused")):
        result = CliRunner().invoke(app, [*arguments, url])
        assert said in str(result.exception)
