"""Trails copied into a database: once, whole, and verifiable there."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select, update
from typer.testing import CliRunner

from gateway.audit.anchors import load_key
from gateway.audit.collected import collect, search_in, streams_in, trail
from gateway.audit.entry import patient_mark
from gateway.audit.search import Wanted
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


def test_calls_of_all_gateways_are_found_in_the_order_of_their_time(
    open_trail: OpenTrail, tmp_path: Path, engine: Engine
) -> None:
    record(open_trail, range(0, 10, 2))
    record(open_trail, range(1, 10, 2), "gw.w1")
    collect(tmp_path / "audit", engine)

    def found(**wanted: object) -> list[str]:
        return [line["id"] for line in search_in(engine, Wanted(**wanted))]

    everything = [f"request-{number}" for number in range(10)]
    assert found() == everything
    assert found(hospital="hx", caller="sq-his", operation="QueryLabMaster") == everything
    assert found(request_id="request-7") == ["request-7"]
    assert found(outcome="refused") == found(hospital="sq") == []
    since, until = (datetime.fromtimestamp(1_790_000_000 + n, UTC) for n in (3, 6))
    assert found(since=since, until=until) == everything[3:6]
    key = load_key(tmp_path / "audit" / "audit.key")
    assert found(patients=(patient_mark("hash", key)("0000000004"),)) == ["request-4"]
    (line,) = search_in(engine, Wanted(request_id="request-4"))
    assert line["stream"] == "gw.w0" and line["in"] == 700


def test_what_is_too_long_for_a_column_is_copied_all_the_same(
    open_trail: OpenTrail, tmp_path: Path, engine: Engine
) -> None:
    """PostgreSQL would refuse the row, and all that follow."""

    async def scene() -> None:
        async with open_trail("gw.w0", patient="plain") as opened:
            await opened.record(call(1, patient="p" * 100_000, service="s" * 1000, fault="F" * 99))

    asyncio.run(scene())
    assert collect(tmp_path / "audit", engine) == {"gw.w0": 3}
    with engine.connect() as connection:
        ((patient, service, fault),) = connection.execute(
            select(trail.c.patient, trail.c.service, trail.c.fault).where(trail.c.kind == "call")
        ).all()
    assert (len(patient), len(service), len(fault)) == (128, 255, 64)
    (line,) = search_in(engine, Wanted())
    assert (len(line["patient"]), len(line["service"]), len(line["fault"])) == (128, 1000, 99)


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
    search = ["audit", "search", str(tmp_path / "audit"), "--patient", "0000000002", "--format"]
    search += ["json", "--collected"]
    result = CliRunner().invoke(app, [*search, f"sqlite:///{tmp_path / 'all.db'}"])
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == ["request-2"]
    for words in (arguments, search):
        for url, said in (("nothing", "no usable database URL"), ("sqlite:////no/a.db", "refused")):
            result = CliRunner().invoke(app, [*words, url])
            assert said in str(result.exception)
