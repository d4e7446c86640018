"""The contracts' rules, kept by the third hospital's mapping."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.mapped import Mapped
from services.faults import Conflict, Fault, InvalidArgument, NotFound, UnknownOperation
from tests.adapters.mapped.conftest import Open
from tests.onboarding.third_hospital import NOW, TODAY, mapping

Execute = Callable[..., list[Any]]
FEES = Decimal("25.50")


def confirmed(adapter: Mapped, patient: str, schedule: str = "105") -> str:
    lock = adapter.LockNumber(f"lock {schedule} {patient}", schedule, patient)
    adapter.ConfirmRegistration(f"pay {schedule} {patient}", lock.LockId, "WX1", FEES)
    return lock.LockId


# --- reading ---------------------------------------------------------------------------------


def test_number_source(opened: Open) -> None:
    slots = opened().QueryNumberSource(TODAY)
    assert [(s.ScheduleId, s.DeptCode, s.Shift) for s in slots] == [
        *(("105", "0301", "1"), ("106", "0301", "2"), ("107", "0502", "3"), ("108", "0502", "1")),
    ]
    first, third = slots[0], slots[2]
    assert (first.Limit, first.Remaining, first.Unlimited) == (4, 4, False)
    assert (third.Limit, third.Remaining, third.Unlimited) == (None, None, True)
    assert (first.DoctorName, first.Expert, third.DoctorName) == ("王建国", True, None)
    assert first.RegistrationFee + first.ConsultationFee == FEES
    assert (first.OpenToRemote, slots[3].OpenToRemote) == (True, False)


def test_filters_hold_whether_the_statement_has_them_or_not(opened: Open) -> None:
    adapter = opened()
    assert [s.ScheduleId for s in adapter.QueryNumberSource(TODAY, DeptCode="0301")] == [
        *("105", "106"),
    ]
    # The statement of the docs does not know the label.
    labelled = adapter.QueryNumberSource(TODAY, ClinicLabel="0301D02")
    assert [s.ScheduleId for s in labelled] == ["106"]
    assert adapter.QueryNumberSource(date(2020, 1, 1)) == []


@pytest.mark.parametrize("schedule_id", ["999", "", "105 ", "0105", "x' OR '1'='1", "病"])
def test_an_unknown_session(opened: Open, schedule_id: str) -> None:
    with pytest.raises(NotFound):
        opened().GetNumberSource(schedule_id)


def test_a_schedule_id_of_several_columns(opened: Open) -> None:
    text = mapping().replace("a.安排号 AS ScheduleId, a.出诊日,", "a.出诊日, a.科室号, a.班,", 1)
    text = text.replace(
        "AND a.安排号 = :ScheduleId",
        "AND a.出诊日 = :出诊日 AND a.科室号 = :科室号 AND a.班 = :班",
        1,
    )
    text = text.replace(
        "[fields]\n", '[fields]\nScheduleId = { pack = ["出诊日", "科室号", "班"] }\n'
    )
    adapter = opened(text, ["NumberSource"])
    slots = adapter.QueryNumberSource(TODAY)
    assert [s.ScheduleId for s in slots][:2] == ["20261121-0301-A", "20261121-0301-P"]
    for slot in slots:
        assert adapter.GetNumberSource(slot.ScheduleId) == slot
    for unknown in ("20261121-0301", "20261121-0301-Z", "x-y-z-w", "_-"):
        with pytest.raises(NotFound):
            adapter.GetNumberSource(unknown)


def test_patients(opened: Open) -> None:
    adapter = opened()
    patient = adapter.GetPatient("0000000001")
    assert adapter.GetPatient("1") == patient  # padded as the hospital pads it
    assert (patient.Sex, patient.BirthDate, patient.Age) == ("2", date(1951, 2, 15), 75)
    assert adapter.FindPatients(IdentityNo="11010119510215001x") == [patient]
    assert adapter.FindPatients(InsuranceNo="YB00000001", VisitCardNo="JZ00000001") == [patient]
    assert adapter.FindPatients(InsuranceNo="YB00000001", VisitCardNo="JZ00000002") == []
    with pytest.raises(NotFound):
        adapter.GetPatient("999")
    with pytest.raises(InvalidArgument):
        adapter.FindPatients()


def test_a_number_that_the_hospital_does_not_keep(opened: Open) -> None:
    text = mapping().replace("[? AND 就诊卡 = :VisitCardNo ?]", "")
    with pytest.raises(InvalidArgument) as caught:
        opened(text).FindPatients(VisitCardNo="JZ00000001")
    assert caught.value.field == "VisitCardNo"


def test_lab_results(opened: Open) -> None:
    adapter = opened()
    masters = adapter.QueryLabMaster("1")
    assert [m.TestNo for m in masters] == ["T000010", "T000011", "T000012"]
    assert [(m.ResultStatus, m.Final) for m in masters] == [
        *(("4", True), ("3", False), ("0", False)),
    ]
    day = datetime(2026, 11, 20, 8, 30)
    assert [m.TestNo for m in adapter.QueryLabMaster("1", Since=day)] == ["T000010", "T000011"]
    assert [m.TestNo for m in adapter.QueryLabMaster("1", Until=day)] == ["T000012"]
    report = adapter.GetLabResult("T000010")
    assert [(i.ItemNo, i.ItemCode, i.Abnormal) for i in report.Items] == [
        *(("1", "WBC", "H"), ("2", "RBC", "U")),
    ]
    assert (report.Final, report.PatientId) == (True, "0000000001")
    assert len(adapter.GetLabResult("T000011").Items) == 2
    assert adapter.GetLabResult("T000012").Items == []  # nothing has been reported yet
    with pytest.raises(NotFound):
        adapter.GetLabResult("T999999")


def test_a_test_without_a_time_is_out_as_soon_as_one_bound_is_given(
    opened: Open, execute: Execute
) -> None:
    execute("UPDATE 化验单 SET 申请时刻 = '                ' WHERE 单号 = 'T000011'")
    adapter = opened()
    assert [m.TestNo for m in adapter.QueryLabMaster("1")][-1] == "T000011"
    since = adapter.QueryLabMaster("1", Since=datetime(2000, 1, 1))
    assert "T000011" not in [m.TestNo for m in since]


def test_printed(opened: Open, execute: Execute) -> None:
    adapter = opened()
    assert adapter.MarkLabPrinted("R1", "T000010").Printed
    assert adapter.MarkLabPrinted("R1", "T000010").Printed
    assert [m.Printed for m in adapter.QueryLabMaster("1")] == [True, False, False]
    with pytest.raises(Conflict):
        adapter.MarkLabPrinted("R2", "T000011")
    with pytest.raises(Conflict):
        opened(read_only=True, offers=["LabResults"]).MarkLabPrinted("R3", "T000010")


def test_printed_in_the_hospitals_own_column(opened: Open, execute: Execute) -> None:
    execute("ALTER TABLE 化验单 ADD 打印 CHAR(1)")
    text = mapping().replace(
        "状态 AS ResultStatus FROM", "状态 AS ResultStatus, 打印 AS Printed FROM"
    )
    update = "UPDATE 化验单 SET 打印 = 'Y' WHERE 单号 = :TestNo"
    text += f'\n[LabResults.MarkLabPrinted]\nsql = "{update}"\n'
    adapter = opened(text)
    assert adapter.MarkLabPrinted("R1", "T000010").Printed
    assert execute("SELECT 单号 FROM 化验单 WHERE 打印 = 'Y'") == [("T000010",)]
    assert adapter.QueryLabMaster("1")[0].Printed


def test_what_is_not_mapped_is_said(opened: Open) -> None:
    text = mapping().partition("[LabResults.GetLabResult]")[0]
    text = text.replace("[? AND 单号 = :TestNo ?]", "")
    adapter = opened(text, ["LabResults"])
    assert len(adapter.QueryLabMaster("1")) == 3
    for call in (
        lambda: adapter.GetLabResult("T000010"),
        lambda: adapter.MarkLabPrinted("R", "T000010"),
    ):
        with pytest.raises(UnknownOperation):
            call()


# --- registration ----------------------------------------------------------------------------


def test_lock_confirm_and_return(opened: Open, execute: Execute) -> None:
    adapter = opened()
    lock = adapter.LockNumber("R1", "105", "0000000001")
    assert lock.ExpiresAt == NOW + timedelta(minutes=15)
    assert adapter.LockNumber("R1", "105", "0000000001") == lock
    assert adapter.GetNumberSource("105").Remaining == 3
    assert execute("SELECT COUNT(*) FROM 挂号流水") == [(0,)]  # not before it is paid
    record = adapter.ConfirmRegistration("R2", lock.LockId, "WX1", FEES)
    assert (record.State, record.SequenceNo, record.DeptName) == ("R", 1, "心血管内科")
    assert execute("SELECT 病人号, 姓名, 序号, 金额, 挂号时刻, 记录状态 FROM 挂号流水") == [
        ("0000000001", adapter.GetPatient("1").Name, 1, 25.5, "2026112109:00:00", "0"),
    ]
    returned = adapter.CancelRegistration("R3", lock.LockId, "行程有变")
    assert (returned.State, returned.EndReason) == ("C", "行程有变")
    assert execute("SELECT 记录状态, 退号时刻 FROM 挂号流水") == [("1", "2026112109:00:00")]
    assert adapter.GetNumberSource("105").Remaining == 4
    # The place comes back, the number does not.
    assert adapter.LockNumber("R4", "105", "0000000002").SequenceNo == 2


def test_full(opened: Open) -> None:
    adapter = opened()
    numbers = [adapter.LockNumber(f"R{n}", "105", f"000000000{n}").SequenceNo for n in range(1, 5)]
    assert numbers == [1, 2, 3, 4]
    with pytest.raises(Conflict):
        adapter.LockNumber("R5", "105", "0000000005")
    assert adapter.GetNumberSource("105").Remaining == 0


@pytest.mark.parametrize(
    ("schedule", "kind"), [("114", Conflict), ("108", Conflict), ("101", Conflict), ("1", NotFound)]
)
def test_stopped_closed_past_and_unknown_sessions(
    opened: Open, execute: Execute, schedule: str, kind: type[Fault]
) -> None:
    adapter = opened()
    with pytest.raises(kind):
        adapter.LockNumber("R1", schedule, "0000000001")
    assert execute("SELECT SUM(已挂), SUM(下一号) - COUNT(*) FROM 出诊安排") == [(0, 0)]


def test_the_windows_registrations_are_seen_and_returned(opened: Open, execute: Execute) -> None:
    execute(
        "INSERT INTO 挂号流水 VALUES (77, '0000000003', '某', 105, 1, 25.5, '2026112020:00:00', "
        "'窗口', '0', 'N', NULL)"
    )
    execute("UPDATE 出诊安排 SET 已挂 = 1, 下一号 = 2 WHERE 安排号 = 105")
    adapter = opened()
    (record,) = adapter.ListRegistrations("0000000003")
    assert (record.RegistrationId, record.State, record.SequenceNo) == ("H-77", "R", 1)
    with pytest.raises(Conflict):
        adapter.LockNumber("R1", "105", "0000000003")  # holds one already
    assert adapter.LockNumber("R2", "105", "0000000001").SequenceNo == 2
    assert adapter.CancelRegistration("R3", "H-77", "改期").State == "C"
    assert execute("SELECT 记录状态 FROM 挂号流水 WHERE 流水号 = 77") == [("1",)]
    assert adapter.ListRegistrations("0000000003", date(2026, 11, 22)) == []


def test_a_visit_that_took_place_is_not_returned(opened: Open, execute: Execute) -> None:
    adapter = opened()
    registration = confirmed(adapter, "0000000001")
    execute("UPDATE 挂号流水 SET 就诊 = 'Y'")
    assert adapter.GetRegistration(registration).State == "V"
    with pytest.raises(Conflict):
        adapter.CancelRegistration("R9", registration, "x")


def test_stop_notices(opened: Open, execute: Execute) -> None:
    adapter = opened()
    registration = confirmed(adapter, "0000000001")
    execute("UPDATE 出诊安排 SET 停诊 = 'T' WHERE 安排号 = 105")
    notices = adapter.ListStopNotices(TODAY)
    assert [(n.ScheduleId, [a.RegistrationId for a in n.Affected]) for n in notices] == [
        *(("105", [registration]), ("114", [])),
    ]


def test_an_expired_lock_gives_its_place_back(opened: Open, execute: Execute) -> None:
    early = opened(clock=lambda: NOW)
    for n in range(1, 5):
        early.LockNumber(f"R{n}", "105", f"000000000{n}")
    late = opened(clock=lambda: NOW + timedelta(minutes=16))
    late.housekeeping()
    assert late.GetNumberSource("105").Remaining == 4


def test_a_rush_sells_no_number_twice(opened: Open, execute: Execute) -> None:
    """Eight callers at once on four places, through two nodes."""
    adapters = [opened(), opened()]
    adapters[0].housekeeping()
    got: list[int] = []
    refused: list[str] = []
    together = threading.Barrier(8)

    def call(n: int) -> None:
        together.wait()
        try:
            record = adapters[n % 2].Register(f"R{n}", "105", f"{n + 1:010}", None, FEES)
            got.append(record.SequenceNo or 0)
        except Conflict as fault:
            refused.append(fault.code)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(got) == [1, 2, 3, 4]
    assert len(refused) == 4
    assert execute(
        "SELECT COUNT(*), COUNT(DISTINCT 序号), COUNT(DISTINCT 流水号) FROM 挂号流水"
    ) == [
        (4, 4, 4),
    ]
    assert execute("SELECT 已挂, 下一号 FROM 出诊安排 WHERE 安排号 = 105") == [(4, 5)]


def test_a_key_that_another_took_is_counted_up(opened: Open, execute: Execute) -> None:
    """The window inserts between our MAX and our INSERT: here by a step that does the same."""
    step = '[[Registration.add_visit]]\nsql = "'
    insert = "INSERT INTO 挂号流水 (流水号, 病人号, 安排号, 记录状态, 就诊)"
    other = f"{insert} VALUES (:Key, :PatientId, 0, '1', 'N')"
    text = mapping().replace(f"{step}SELECT 姓名", f'{step}{other}"\n{step}SELECT 姓名')
    assert other in text
    adapter = opened(text)
    confirmed(adapter, "0000000001")
    assert execute("SELECT 流水号, 安排号 FROM 挂号流水 ORDER BY 1") == [(1, 0), (2, 105)]


def test_a_failed_guard_undoes_everything(opened: Open, execute: Execute) -> None:
    guard = """
[[Registration.add_visit]]
sql = "UPDATE 病人档案 SET 住址 = '' WHERE 病人号 = :PatientId AND 费别 = '自费'"
otherwise = "Conflict"
message = "只收自费 / only self-paid"
"""
    text = mapping().replace("[Registration.return_visit]", f"{guard}\n[Registration.return_visit]")
    adapter = opened(text)
    with pytest.raises(Conflict) as caught:
        adapter.Register("R1", "105", "0000000001", None, FEES)
    assert (caught.value.zh, caught.value.en) == ("只收自费", "only self-paid")
    assert execute("SELECT COUNT(*) FROM 挂号流水") == [(0,)]
    assert execute("SELECT 已挂, 下一号 FROM 出诊安排 WHERE 安排号 = 105") == [(0, 1)]
    execute("UPDATE 病人档案 SET 费别 = '自费'")
    # The same request again: the first one left nothing behind.
    assert adapter.Register("R1", "105", "0000000001", None, FEES).State == "R"


def test_a_write_that_changes_too_many_rows_is_undone(opened: Open, execute: Execute) -> None:
    text = mapping().replace(
        "WHERE 安排号 = :ScheduleId AND (限号", "WHERE 安排号 >= :ScheduleId AND (限号"
    )
    adapter = opened(text)
    with pytest.raises(Fault) as caught:
        adapter.LockNumber("R1", "105", "0000000001")
    assert caught.value.code == "SourceError"
    assert "Registration.take" in caught.value.zh
    assert execute("SELECT SUM(已挂) FROM 出诊安排") == [(0,)]


def test_a_procedure_that_refuses_by_its_first_row(opened: Open, execute: Execute) -> None:
    """SQLite has no procedures; a SELECT answers the same row as one."""
    refusing = (
        "[[Registration.add_visit]]\nsql = \"SELECT CASE WHEN 费别 = '黑名单' THEN 'F' ELSE 'T' END"
        " AS 结果, '欠费未清' AS 说明 FROM 病人档案 WHERE 病人号 = :PatientId\"\n"
        'fails = { values = ["F"], message = "说明" }\n'
    )
    text = mapping().replace(
        "[Registration.return_visit]", f"{refusing}\n[Registration.return_visit]"
    )
    adapter = opened(text)
    assert adapter.Register("R1", "105", "0000000001", None, FEES).State == "R"
    execute("UPDATE 病人档案 SET 费别 = '黑名单' WHERE 病人号 = '0000000002'")
    with pytest.raises(Conflict) as caught:
        adapter.Register("R2", "105", "0000000002", None, FEES)
    assert "欠费未清" in caught.value.zh
    assert execute("SELECT COUNT(*) FROM 挂号流水") == [(1,)]


def test_two_phases(opened: Open, execute: Execute) -> None:
    """Winning's way: a row of state 9 at the lock, which does not count, and 0 at the payment."""
    text = mapping().replace(
        "'远程', '0', 'N')", "'远程', CASE :Paid WHEN 1 THEN '0' ELSE '9' END, 'N')"
    )
    text = text.replace(
        "Returned = { values = { 0 = false, 1 = true } }",
        "Returned = { values = { 0 = false, 1 = true, 9 = true } }",
    )
    paid = "UPDATE 挂号流水 SET 记录状态 = '0' WHERE 流水号 = :Key AND 记录状态 = '9'"
    after = "[Registration.return_visit]"
    text = text.replace(after, f'[Registration.pay_visit]\nsql = "{paid}"\n{after}')
    adapter = opened(text)
    lock = adapter.LockNumber("R1", "105", "0000000001")
    assert execute("SELECT 记录状态 FROM 挂号流水") == [("9",)]
    assert adapter.GetRegistration(lock.LockId).State == "L"
    adapter.ConfirmRegistration("R2", lock.LockId, "WX1", FEES)
    assert execute("SELECT 记录状态 FROM 挂号流水") == [("0",)]
    assert adapter.GetRegistration(lock.LockId).State == "R"
