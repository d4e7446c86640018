"""The trail under calls: written before the answer, in groups, through failures."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.audit.anchors import load_key
from gateway.audit.entry import patient_mark
from gateway.audit.files import files_in
from gateway.audit.journal import Journal
from gateway.audit.trail import CannotStart, Trail
from gateway.audit.verify import StreamReport, verify
from gateway_config.audit import Audit
from services.faults import SourceUnavailable
from tests.audit.conftest import Heard, OpenTrail, call


def the_report(folder: Path) -> StreamReport:
    [report] = verify(folder, load_key(folder / "audit.key"))
    return report


def calls_in(folder: Path) -> list[dict[str, object]]:
    lines = [
        json.loads(line)
        for file in files_in(folder)
        for line in file.open().read().splitlines()
        if line.endswith(b"}")
    ]
    return [line for line in lines if line["k"] == "call"]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """The kernel itself cuts writes short beyond this size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("sync", ["write", "fsync"])
def test_a_recorded_call_is_in_the_file(open_trail: OpenTrail, tmp_path: Path, sync: str) -> None:
    async def scene() -> None:
        async with open_trail(sync=sync) as trail:
            trail.ready()
            await asyncio.gather(*(trail.record(call(number)) for number in range(200)))
            assert len(calls_in(tmp_path / "audit")) == 200  # before the trail is closed

    asyncio.run(scene())
    report = the_report(tmp_path / "audit")
    assert report.whole and not report.findings
    assert report.calls == 200
    assert report.lines == 202  # open and close


def test_calls_of_one_turn_are_one_write(
    open_trail: OpenTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[int] = []
    write = Journal.write

    def counted(self: Journal, records: list[dict[str, object]]) -> None:
        groups.append(len(records))
        write(self, records)

    monkeypatch.setattr(Journal, "write", counted)

    async def scene() -> None:
        async with open_trail() as trail:
            await asyncio.gather(*(trail.record(call(number)) for number in range(50)))

    asyncio.run(scene())
    assert groups == [50]


def test_what_a_line_says(open_trail: OpenTrail, tmp_path: Path) -> None:
    async def scene() -> None:
        async with open_trail() as trail:
            await trail.record(call(1, outcome="refused", fault="AccessDenied", step="policy"))

    asyncio.run(scene())
    [line] = calls_in(tmp_path / "audit")
    key = load_key(tmp_path / "audit" / "audit.key")
    assert line.pop("h")
    assert line == {
        "n": 1,
        "k": "call",
        "t": "2026-09-21T14:13:21.000+00:00",
        "id": "request-1",
        "caller": "sq-his",
        "hospital": "hx",
        "service": "LabResults",
        "operation": "QueryLabMaster",
        "patient": patient_mark("hash", key)("0000000001"),
        "outcome": "refused",
        "fault": "AccessDenied",
        "step": "policy",
        "in": 700,
        "out": 1500,
        "ms": 3.25,
        "node": "http://10.1.2.3:8082/hx/LabResults",
    }


@pytest.mark.parametrize(("how", "stands"), [("hash", False), ("plain", True), ("none", False)])
def test_a_patient_stands_as_the_setting_says(
    open_trail: OpenTrail, tmp_path: Path, how: str, stands: bool
) -> None:
    async def scene() -> None:
        async with open_trail(patient=how) as trail:
            await trail.record(call(1, patient="110101199001011234"))

    asyncio.run(scene())
    [line] = calls_in(tmp_path / "audit")
    assert ("110101199001011234" in json.dumps(line)) is stands
    assert ("patient" in line) is (how != "none")


def test_the_key_and_the_files_are_their_owners_alone(
    open_trail: OpenTrail, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with open_trail() as trail:
            await trail.record(call(1))

    asyncio.run(scene())
    for path in (tmp_path / "audit").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_second_process_cannot_write_the_same_stream(open_trail: OpenTrail) -> None:
    async def scene() -> None:
        async with open_trail():
            with pytest.raises(CannotStart, match="another gateway writes"):
                async with open_trail():
                    pass
            async with open_trail("gw.w1") as neighbour:
                await neighbour.record(call(1))

    asyncio.run(scene())


def test_a_folder_that_cannot_be_made_is_said_at_start(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "audit").write_text("not a folder")
    trail = Trail(Audit(folder=tmp_path / "audit"), "gw", heard)
    with pytest.raises(CannotStart, match="cannot be written"):
        asyncio.run(trail.start())


def test_a_key_that_is_none_is_said_at_start(tmp_path: Path, heard: Heard) -> None:
    (tmp_path / "key").write_text("secret")
    trail = Trail(Audit(folder=tmp_path / "audit", key_file=tmp_path / "key"), "gw", heard)
    with pytest.raises(CannotStart, match="64 hex digits"):
        asyncio.run(trail.start())


def test_a_full_disk_refuses_and_recovers_by_itself(
    open_trail: OpenTrail, tmp_path: Path, heard: Heard
) -> None:
    folder = tmp_path / "audit"

    async def scene() -> int:
        accepted = 0
        async with open_trail() as trail:
            with no_file_larger_than(4096):
                with pytest.raises(SourceUnavailable, match="may have been carried out"):
                    for number in range(100):
                        await trail.record(call(number))
                        accepted += 1
                assert 5 < accepted < 100
                with pytest.raises(SourceUnavailable, match="was not forwarded"):
                    trail.ready()
                status = trail.status()
                assert not status["writable"] and status["not_on_record"] == 1
            await until(lambda: trail.status()["writable"])
            trail.ready()
            await trail.record(call(1000))
        return accepted

    accepted = asyncio.run(scene())
    assert "audit unavailable" in heard.names() and "audit writable again" in heard.names()
    report = the_report(folder)
    assert report.whole
    assert [found.en for found in report.findings if "could not be recorded" in found.en]
    assert [found.en for found in report.findings if "not finished" in found.en]
    ids = [line["id"] for line in calls_in(folder)]
    assert ids == [f"request-{number}" for number in range(accepted)] + ["request-1000"]


def test_the_setting_may_let_calls_pass_without_a_record(
    open_trail: OpenTrail, tmp_path: Path, heard: Heard
) -> None:
    async def scene() -> int:
        async with open_trail(on_failure="answer") as trail:
            with no_file_larger_than(2048):
                for number in range(40):
                    trail.ready()
                    await trail.record(call(number))
                lost = int(trail.status()["not_on_record"])
                assert lost
            await until(lambda: trail.status()["writable"])
        return lost

    lost = asyncio.run(scene())
    report = the_report(tmp_path / "audit")
    assert report.whole and report.calls == 40 - lost
    assert [f for f in report.findings if f.en.startswith(f"{lost} calls since")]
    [(_, said)] = [event for event in heard.events if event[0] == "audit unavailable"][:1]
    assert "calls go on without a record" in said["en"]


def test_too_little_space_refuses_before_a_call_is_let_in(open_trail: OpenTrail) -> None:
    async def scene() -> None:
        async with open_trail(min_free_bytes=2**60) as trail:
            with pytest.raises(SourceUnavailable, match="was not forwarded"):
                trail.ready()
            await trail.record(call(1))  # one that was let in before still has its line

    asyncio.run(scene())


def test_it_goes_on_after_a_restart(open_trail: OpenTrail, tmp_path: Path) -> None:
    async def scene() -> None:
        for number in range(3):
            async with open_trail() as trail:
                await trail.record(call(number))

    asyncio.run(scene())
    report = the_report(tmp_path / "audit")
    assert report.whole and (report.files, report.calls, report.lines) == (3, 3, 9)


def test_anchors_stand_in_the_log_and_beside_the_files(
    open_trail: OpenTrail, tmp_path: Path, heard: Heard
) -> None:
    async def scene() -> None:
        async with open_trail(anchor_seconds=1) as trail:
            await trail.record(call(1))
            await until(lambda: "audit anchor" in heard.names())

    asyncio.run(scene())
    report = the_report(tmp_path / "audit")
    assert report.whole and report.anchors == heard.names().count("audit anchor") == 2


def test_a_caller_who_leaves_takes_nobody_elses_record_along(
    open_trail: OpenTrail, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with open_trail() as trail:
            tasks = [asyncio.create_task(trail.record(call(number))) for number in range(10)]
            await asyncio.sleep(0)
            tasks[3].cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            assert isinstance(done[3], asyncio.CancelledError)
            assert all(result is None for i, result in enumerate(done) if i != 3)

    asyncio.run(scene())
    assert len(calls_in(tmp_path / "audit")) == 10


async def until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")
