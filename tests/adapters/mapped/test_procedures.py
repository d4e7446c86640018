"""A HIS that registers through a stored procedure with a Chinese name, which tells its errors as a
first row ("F", why): on PostgreSQL and MariaDB, natively and by ODBC."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.mapped import Mapped
from services.faults import Conflict
from tests.compliance.copying import copied
from tests.databases.targets import TARGETS, Target
from tests.onboarding.third_hospital import files, open_on_server
from yilian.onboarding.checking import check_source

pytestmark = pytest.mark.full

INSERT = (
    "INSERT INTO 挂号流水 (流水号, 病人号, 姓名, 安排号, 序号, 金额, 挂号时刻, 操作员, 记录状态,"
    " 就诊) SELECT 号, 病人号, 姓名, 安排, 序, 钱, 时, '远程', '0', 'N' FROM 病人档案"
    " WHERE 病人号 = 病人"
)
PROCEDURES = {
    "postgresql": f"""
        CREATE FUNCTION 挂号 (病人 CHAR(10), 安排 INTEGER, 序 INTEGER, 钱 NUMERIC, 时 TEXT)
        RETURNS TABLE (结果 TEXT, 说明 TEXT, "Key" INTEGER) LANGUAGE plpgsql AS $$
        DECLARE 号 INTEGER;
        BEGIN
          IF (SELECT 费别 FROM 病人档案 WHERE 病人号 = 病人) = '黑名单' THEN
            RETURN QUERY SELECT 'F', '欠费未清', NULL::INTEGER;
          ELSE
            SELECT COALESCE(MAX(流水号), 0) + 1 INTO 号 FROM 挂号流水;
            {INSERT};
            RETURN QUERY SELECT 'T', '', 号;
          END IF;
        END $$""",
    "mariadb": f"""
        CREATE PROCEDURE 挂号 (病人 CHAR(10), 安排 INTEGER, 序 INTEGER, 钱 DECIMAL(8,2),
                               时 CHAR(16))
        BEGIN
          DECLARE 号 INTEGER;
          IF (SELECT 费别 FROM 病人档案 WHERE 病人号 = 病人) = '黑名单' THEN
            SELECT 'F' AS 结果, '欠费未清' AS 说明, NULL AS `Key`;
          ELSE
            SELECT COALESCE(MAX(流水号), 0) + 1 INTO 号 FROM 挂号流水;
            {INSERT};
            SELECT 'T' AS 结果, '' AS 说明, 号 AS `Key`;
          END IF;
        END""",
}
CALLS = {
    "postgresql": "SELECT * FROM 挂号(:PatientId, :ScheduleId, :SequenceNo, :Amount, :Now)",
    "mariadb": "CALL 挂号(:PatientId, :ScheduleId, :SequenceNo, :Amount, :Now)",
}
#: MariaDB's way to answer through a parameter: a variable of the session, read by the next step
OUT_PROCEDURE = f"""
    CREATE PROCEDURE 挂号出参 (病人 CHAR(10), 安排 INTEGER, 序 INTEGER, 钱 DECIMAL(8,2),
                              时 CHAR(16), OUT 号 INTEGER)
    BEGIN
      SELECT COALESCE(MAX(流水号), 0) + 1 INTO 号 FROM 挂号流水;
      {INSERT};
    END"""
OUT_STEPS = (
    "CALL 挂号出参(:PatientId, :ScheduleId, :SequenceNo, :Amount, :Now, @o)",
    "SELECT @o AS `Key`",
)


def with_visits_by(*steps: str) -> Callable[[str], str]:
    """The page's mapping, with these steps in place of its add_visit."""

    def change(mapping: str) -> str:
        first = mapping.index("[[Registration.add_visit]]")
        last = mapping.index("[Registration.return_visit]")
        return mapping[:first] + "\n".join(steps) + "\n" + mapping[last:]

    return change


def step(sql: str, *keys: str) -> str:
    return "\n".join(["[[Registration.add_visit]]", f"sql = '{sql}'", *keys])


#: of tomorrow: the first of the third hospital's third day
SESSION = "109"
FAILS = 'fails = { values = ["F"], message = "说明", fault = "Conflict" }'


@pytest.fixture
def open_with(tmp_path: Path) -> Iterator[Callable[..., tuple[Mapped, Any]]]:
    """``open_with(target, procedure, *steps)``: the adapter, and what runs SQL as the HIS."""
    made: list[Mapped] = []

    def opened(target: Target, procedure: str, *steps: str) -> tuple[Mapped, Any]:
        files(tmp_path, date.today())
        database = target.server.database()
        url = target.url(database)
        copied(tmp_path / "his.db", url)
        # Owned by the source's user, as everything else of the HIS.
        with target.source(database) as owner, owner.transaction() as connection:
            connection.exec_driver_sql(re.sub(r"\s+", " ", procedure).replace("%", "%%"))
        adapter = open_on_server(tmp_path, url, with_visits_by(*steps))
        made.append(adapter)
        return adapter, lambda sql: target.server.do(sql, database=database)

    yield opened
    for one in made:
        one.source.close()


@pytest.mark.parametrize("drivername", TARGETS)
def test_a_procedure_registers_and_refuses(drivername: str, open_with: Any) -> None:
    target = Target(drivername)
    kind = drivername.partition("+")[0]
    adapter, execute = open_with(target, PROCEDURES[kind], step(CALLS[kind], FAILS))
    record = adapter.Register("R1", SESSION, "0000000001")
    assert (record.State, record.SequenceNo, record.DoctorName) == ("R", 1, "王建国")
    assert adapter.Register("R1", SESSION, "0000000001") == record
    execute("UPDATE 病人档案 SET 费别 = '黑名单' WHERE 病人号 = '0000000002'")
    with pytest.raises(Conflict) as refused:
        adapter.Register("R2", SESSION, "0000000002")
    assert "欠费未清" in refused.value.zh and "欠费未清" in refused.value.en
    # The place that was taken for it is free again, and so is the request.
    assert adapter.GetNumberSource(SESSION).Remaining == 3
    execute("UPDATE 病人档案 SET 费别 = '自费' WHERE 病人号 = '0000000002'")
    assert adapter.Register("R2", SESSION, "0000000002").SequenceNo == 2
    assert [one.State for one in adapter.ListRegistrations("0000000002")] == ["R"]
    assert adapter.CancelRegistration("R3", record.RegistrationId, "行程有变").State == "C"
    config, today = adapter.source.config, date.today()
    report = check_source(
        *("his", "third", config), patients=[], today=today, write_test=True, write_here=True
    )
    told = [
        (name, one.operation, one.broken)
        for name, findings in report.findings.items()
        for one in findings.outcomes.values()
        if one.broken
    ]
    assert not report.broken, (report.fault, report.broken_rows, told)


@pytest.mark.parametrize("drivername", ["postgresql+psycopg", "postgresql+pyodbc"])
def test_nothing_is_run_to_see_whether_it_would(drivername: str, open_with: Any) -> None:
    """A node that starts, and a check that only reads, leave sequences and functions alone."""
    sequence = "CREATE SEQUENCE 流水 START 500"
    first = re.sub(r"\s+", " ", PROCEDURES["postgresql"])
    counting = first.replace(
        "SELECT COALESCE(MAX(流水号), 0) + 1 INTO 号 FROM 挂号流水", "号 := 起"
    )
    counting = counting.replace("时 TEXT)", "时 TEXT, 起 INTEGER)")
    steps = (
        step("SELECT nextval($$流水$$) AS 起"),
        step(CALLS["postgresql"].replace(":Now)", ":Now, CAST(:起 AS INTEGER))"), FAILS),
    )
    adapter, _ = open_with(Target(drivername), f"{sequence}; {counting}", *steps)
    config = adapter.source.config
    for _ in range(2):
        report = check_source(
            *("his", "third", config),
            **{"patients": [], "today": date.today(), "write_test": False, "write_here": False},
        )
        assert not report.broken
    adapter.check()
    assert adapter.Register("R1", SESSION, "0000000001").State == "R"
    with adapter.source.connect() as connection:
        found = connection.exec_driver_sql("SELECT 流水号 FROM 挂号流水").scalars().all()
    assert found == [500]


@pytest.mark.parametrize("drivername", ["mariadb+pymysql", "mariadb+pyodbc"])
def test_what_a_procedure_answers_is_known_only_when_it_runs(
    drivername: str, open_with: Any
) -> None:
    """A later step may use a column that a CALL will answer, which nobody can ask for before."""
    note = "INSERT INTO 操作日志 (时刻, 内容) VALUES (:Now, CONCAT(:结果, :Key))"
    steps = step(CALLS["mariadb"], FAILS), step(note)
    adapter, _ = open_with(Target(drivername), PROCEDURES["mariadb"], *steps)
    assert adapter.Register("R1", SESSION, "0000000001").State == "R"
    with adapter.source.connect() as connection:
        found = connection.exec_driver_sql("SELECT 内容 FROM 操作日志").scalars().all()
    assert "T1" in found


@pytest.mark.parametrize("drivername", ["mariadb+pymysql", "mariadb+pyodbc"])
def test_an_answer_through_a_parameter(drivername: str, open_with: Any) -> None:
    call, answer = OUT_STEPS
    steps = step(call, 'expect_rows = "any"'), step(answer)
    adapter, _ = open_with(Target(drivername), OUT_PROCEDURE, *steps)
    for n in (1, 2):
        record = adapter.Register(f"R{n}", SESSION, f"000000000{n}")
        assert (record.State, record.SequenceNo) == ("R", n)
    assert adapter.CancelRegistration("R3", record.RegistrationId, "行程有变").State == "C"
