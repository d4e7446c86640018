"""The third hospital on PostgreSQL and MariaDB, natively and by ODBC: the same answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters import ADAPTERS
from adapters.config import SourceConfig
from adapters.database import Source
from adapters.mapped import Mapped
from services.faults import Conflict, Fault, NotFound
from tests.compliance.copying import copied
from tests.databases.targets import TARGETS, Target
from tests.onboarding.third_hospital import NOW, TODAY, files, open_mapped, server_config
from yilian.onboarding.checking import check_source

pytestmark = pytest.mark.full


@pytest.fixture(params=TARGETS)
def config(request: pytest.FixtureRequest, tmp_path: Path) -> SourceConfig:
    """The third hospital copied to a server."""
    target = Target(request.param)
    files(tmp_path)
    url = target.url(target.server.database())
    copied(tmp_path / "his.db", url)
    return server_config(tmp_path, url)


@pytest.fixture
def adapter(config: SourceConfig) -> Iterator[Mapped]:
    source = Source("his", "third", config)
    made = ADAPTERS["mapped"](source, config.settings, lambda: NOW)  # type: ignore[call-arg]
    assert isinstance(made, Mapped)
    yield made
    source.close()


def test_the_same_answers(adapter: Mapped, tmp_path: Path) -> None:
    original = open_mapped(tmp_path)
    try:
        for ahead in range(-1, 8):
            day = TODAY + timedelta(days=ahead)
            assert adapter.QueryNumberSource(day) == original.QueryNumberSource(day)
            assert adapter.QueryNumberSource(day, "0301") == original.QueryNumberSource(day, "0301")
        assert adapter.GetNumberSource("105") == original.GetNumberSource("105")
        assert adapter.GetPatient("1") == original.GetPatient("1")
        for number in ("11010119510215001x", "11010119510215001X"):
            found = adapter.FindPatients(IdentityNo=number)
            assert found == original.FindPatients(IdentityNo=number) != []
        assert adapter.QueryLabMaster("1") == original.QueryLabMaster("1") != []
        assert adapter.GetLabResult("T000010") == original.GetLabResult("T000010")
        assert adapter.ListStopNotices(TODAY) == original.ListStopNotices(TODAY)
    finally:
        original.source.close()


@pytest.mark.parametrize("drivername", [one for one in TARGETS if one.startswith("postgresql")])
def test_chinese_names_where_the_database_knows_no_encoding(
    drivername: str, tmp_path: Path
) -> None:
    """Tables, columns and values in GBK in a PostgreSQL that takes them for bytes."""
    target = Target(drivername)
    files(tmp_path)
    url = target.url(target.server.database("ENCODING 'SQL_ASCII'"))
    # By ODBC, whose values have no names: psycopg takes a value's name for ASCII.
    copied(tmp_path / "his.db", url.set(drivername="postgresql+pyodbc"), encoding="gbk")
    config = server_config(tmp_path, url).model_copy(update={"text_encoding": "gbk"})
    source, original = Source("his", "third", config), open_mapped(tmp_path)
    try:
        made: Any = ADAPTERS["mapped"](  # type: ignore[call-arg]
            source, config.settings, lambda: NOW
        )
        made.check()
        assert made.QueryNumberSource(TODAY) == original.QueryNumberSource(TODAY) != []
        assert made.GetPatient("1") == original.GetPatient("1")
        assert made.QueryLabMaster("1") == original.QueryLabMaster("1") != []
        record = made.Register("R1", "105", "0000000001")
        assert (record.State, record.DoctorName) == ("R", "王建国")
        assert made.CancelRegistration("R2", record.RegistrationId, "行程有变").State == "C"
    finally:
        source.close()
        original.source.close()


def test_a_registration_and_its_return(adapter: Mapped) -> None:
    lock = adapter.LockNumber("R1", "105", "0000000001")
    assert adapter.LockNumber("R1", "105", "0000000001") == lock
    record = adapter.ConfirmRegistration("R2", lock.LockId, "WX1", Decimal("25.50"))
    assert (record.State, record.SequenceNo, record.DoctorName) == ("R", 1, "王建国")
    assert adapter.GetNumberSource("105").Remaining == 3
    with pytest.raises(Conflict):
        adapter.LockNumber("R3", "105", "0000000001")
    assert [one.State for one in adapter.ListRegistrations("0000000001")] == ["R"]
    assert adapter.CancelRegistration("R4", lock.LockId, "行程有变").State == "C"
    assert adapter.GetNumberSource("105").Remaining == 4
    assert adapter.MarkLabPrinted("R5", "T000010").Printed
    with adapter.source.connect() as connection:
        rows = connection.execute(text("SELECT 病人号, 记录状态, 退号时刻 FROM 挂号流水")).all()
    assert [tuple(row) for row in rows] == [("0000000001", "1", "2026112109:00:00")]


def test_more_callers_than_numbers(adapter: Mapped, config: SourceConfig) -> None:
    """Two nodes, four numbers: each is given once, and every request is answered once."""
    source = Source("his", "third", config.model_copy(update={"queue_length": 100}))
    second: Any = ADAPTERS["mapped"](  # type: ignore[call-arg]
        source, config.settings, lambda: NOW
    )
    adapter.housekeeping()
    nodes = (adapter, second)
    begin = threading.Barrier(16)

    def register(n: int) -> Any:
        begin.wait()
        try:
            return nodes[n % 2].Register(f"R{n}", "105", f"{n:010}")
        except Fault as fault:
            return fault

    try:
        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(register, range(1, 17)))
        given = {n: one for n, one in enumerate(answers, 1) if not isinstance(one, Fault)}
        assert sorted(one.SequenceNo for one in given.values()) == [1, 2, 3, 4]
        refused = [one for one in answers if isinstance(one, Fault)]
        assert len(refused) == 12 and all(type(one) is Conflict for one in refused), refused
        for n, first in given.items():
            assert nodes[(n + 1) % 2].Register(f"R{n}", "105", f"{n:010}") == first
        assert adapter.GetNumberSource("105").Remaining == 0
        with adapter.source.connect() as connection:
            rows = connection.execute(text("SELECT 序号 FROM 挂号流水")).scalars().all()
        assert sorted(int(one) for one in rows) == [1, 2, 3, 4]
    finally:
        source.close()


@pytest.mark.parametrize("odd", ["YILIAN-0", "99999999999999999999", "1'--", "病"])
def test_what_no_number_column_can_hold(adapter: Mapped, odd: str) -> None:
    with pytest.raises(NotFound):
        adapter.GetNumberSource(odd)
    with pytest.raises(NotFound):
        adapter.LockNumber("R1", odd, "0000000001")
    with pytest.raises(NotFound):
        adapter.GetRegistration(f"H-{odd}")
    assert adapter.LockNumber("R1", "105", "0000000001").SequenceNo == 1


def test_the_check(config: SourceConfig) -> None:
    report = check_source(
        "his", "third", config, patients=[], today=TODAY, write_test=False, write_here=False
    )
    told = [(o.operation, o.broken) for f in report.findings.values() for o in f.outcomes.values()]
    assert not report.broken, (report.fault, report.broken_rows, told)


def test_a_large_table_without_an_index(config: SourceConfig, tmp_path: Path) -> None:
    source = Source("his", "third", config)
    with source.transaction() as connection:
        connection.execute(
            text("INSERT INTO 病人档案 (病人号, 姓名, 性别, 就诊卡) VALUES (:a, '某', 'M', :b)"),
            [{"a": f"{n:010}", "b": f"C{n}"} for n in range(1000, 3000)],
        )
    source.close()
    report = check_source(
        "his",
        "third",
        config,
        patients=["0000000001"],
        today=date(2026, 11, 21),
        write_test=False,
        write_here=False,
    )
    assert {one.table for one in report.advice} == {"病人档案"}
    assert "就诊卡" in {column for one in report.advice for column in one.columns}
