"""Registration as a caller meets it: the faults by name, the window's own, what the HIS gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import insert, inspect, select

from adapters.junwei import tables
from adapters.junwei.settings import JunweiSettings
from services.faults import Conflict, NotFound, SourceError
from tests.writes_once.hospital import DAY, FEES, NOON, TODAY, Hospital, hospital, patient_id

M = tables.CLINIC_MASTER.c


@pytest.fixture(params=["junwei", "bsoft"])
def his(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hospital]:
    (tmp_path / "his.db").touch()
    with hospital(request.param, f"sqlite:///{tmp_path}/his.db") as made:
        yield made


@pytest.fixture
def junwei(tmp_path: Path) -> Iterator[Hospital]:
    (tmp_path / "his.db").touch()
    with hospital("junwei", f"sqlite:///{tmp_path}/his.db") as made:
        yield made


def refused(call: Callable[[], Any], *words: str) -> None:
    with pytest.raises(Conflict) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_what_is_not_there(his: Hospital) -> None:
    node = his.open()
    for session in ("nonsense", his.session[:-1] + "9", "K-20261122-9-1"):
        with pytest.raises(NotFound) as caught:
            node.LockNumber("r", session, patient_id(1))
        assert caught.value.field == "ScheduleId"
    with pytest.raises(NotFound) as caught:
        node.LockNumber("r", his.session, "nobody")
    assert caught.value.field == "PatientId"
    for identifier in ("Y0", "H-", "H-x", "H-20261122-77", "H-99999999999999999999"):
        with pytest.raises(NotFound):
            node.GetRegistration(identifier)
        with pytest.raises(NotFound):
            node.CancelRegistration("r", identifier, "x")
    assert his.counters() == (0, 1)


def test_stopped_past_full_and_twice(his: Hospital) -> None:
    clock = [NOON]
    node = his.open(lambda: clock[0])
    his.stop()
    refused(lambda: node.LockNumber("a", his.session, patient_id(1)), "停诊", "stopped")
    his.stop(False)
    clock[0] = datetime.combine(DAY, datetime.min.time()).replace(hour=12)
    refused(lambda: node.LockNumber("a", his.session, patient_id(1)), "已过时", "past")
    clock[0] -= timedelta(minutes=1)  # the shift's last minute
    # The refused request was undone whole, and so it may be sent again.
    node.LockNumber("a", his.session, patient_id(1))
    refused(lambda: node.Register("b", his.session, patient_id(1)), "不能重复")
    his.limit(1)
    refused(lambda: node.LockNumber("c", his.session, patient_id(2)), "挂满", "full")
    assert his.counters() == (1, 2)


def test_closed_to_remote(his: Hospital) -> None:
    node = his.open(remote_default=False)
    refused(lambda: node.LockNumber("a", his.session, patient_id(1)), "未开放远程挂号")


def test_full_is_answered_after_expired_locks_are_swept(his: Hospital) -> None:
    clock = [NOON]
    node = his.open(lambda: clock[0], returned_number="reused")
    his.limit(1)
    lock = node.LockNumber("a", his.session, patient_id(1))
    assert lock.ExpiresAt == NOON + timedelta(minutes=15)
    clock[0] = lock.ExpiresAt - timedelta(seconds=1)
    refused(lambda: node.LockNumber("b", his.session, patient_id(2)), "full")
    clock[0] = lock.ExpiresAt
    again = node.LockNumber("b", his.session, patient_id(2))
    assert again.SequenceNo == lock.SequenceNo
    found = node.GetRegistration(lock.LockId)
    assert (found.State, found.EndedAt) == ("E", lock.ExpiresAt)
    assert his.counters() == (1, 2)


def test_payment(his: Hospital) -> None:
    node = his.open()
    lock = node.LockNumber("a", his.session, patient_id(1))
    assert lock.RegistrationFee + lock.ConsultationFee == Decimal(FEES)
    refused(
        lambda: node.ConfirmRegistration("b", lock.LockId, "WX", Decimal("25.99")), "退款", "26.00"
    )
    his.stop()
    refused(lambda: node.ConfirmRegistration("b", lock.LockId, "WX", Decimal(FEES)), "停诊")
    his.stop(False)
    made = node.ConfirmRegistration("b", lock.LockId, "WX", Decimal("26"))
    assert (made.State, made.Amount, made.PaymentReference) == ("R", Decimal(FEES), "WX")
    assert made.RegistrationId == lock.LockId and made.RegisteredAt == NOON
    generous = his.open(charge_check="none")
    assert generous.Register("c", his.session, patient_id(2), "X", Decimal("0.01")).State == "R"


def test_the_windows_registrations(his: Hospital) -> None:
    node = his.open()
    one = his.window(1, sequence=1)
    found = node.GetRegistration(one)
    assert (found.State, found.PatientId, found.ScheduleId) == ("R", patient_id(1), his.session)
    assert (found.DeptName, found.DoctorName) == (found.DeptName, "王建国")
    refused(lambda: node.LockNumber("a", his.session, patient_id(1)), "不能重复")
    (listed,) = node.ListRegistrations(patient_id(1), DAY)
    assert listed == found
    assert node.ListRegistrations(patient_id(1), DAY + timedelta(days=1)) == []

    places = {"REGISTRATION_NUM": 1, "CURRENT_NO": 2}
    his.change(**(places if his.adapter == "junwei" else {"YGRS": 1, "JZXH": 2}))
    back = node.CancelRegistration("b", one, "行程有变")
    assert (back.State, back.EndReason, back.RegistrationId) == ("C", "行程有变", one)
    assert node.GetRegistration(one).State == "C"
    assert his.counters() == (0, 2) and his.visits() == 0 and his.returns() == 1
    assert len(node.ListRegistrations(patient_id(1))) == 1

    # Returned at the window: its number was given back there, and the patient may come again.
    mine = node.Register("c", his.session, patient_id(1))
    his.returned_at_the_window(mine.RegistrationId)
    his.change(**({"REGISTRATION_NUM": 0} if his.adapter == "junwei" else {"YGRS": 0}))
    again = node.Register("d", his.session, patient_id(1))
    assert again.SequenceNo != mine.SequenceNo
    assert node.GetRegistration(mine.RegistrationId).State == "C"
    assert his.counters()[0] == 1


def test_arrival_also_of_the_windows(his: Hospital) -> None:
    clock = [NOON]
    node = his.open(lambda: clock[0])
    ids = [his.window(1), node.Register("r", his.session, patient_id(2)).RegistrationId]
    for one in ids:
        refused(lambda one=one: node.CheckIn(f"early{one}", one), "当日")
    clock[0] = datetime.combine(DAY, datetime.min.time()).replace(hour=7, minute=50)
    for one in ids:
        found = node.CheckIn(f"now{one}", one)
        assert (found.State, found.ArrivedAt, found.RegistrationId) == ("A", clock[0], one)
        refused(lambda one=one: node.CheckIn(f"twice{one}", one), "已报到")


def test_stop_notices(his: Hospital) -> None:
    node = his.open()
    assert node.ListStopNotices(TODAY) == []
    lock = node.LockNumber("a", his.session, patient_id(1))
    node.ReleaseLock("b", node.LockNumber("c", his.session, patient_id(2)).LockId)
    window = his.window(3, sequence=3)
    his.stop()
    notices = [one for one in node.ListStopNotices(TODAY) if one.ScheduleId == his.session]
    (notice,) = notices
    assert {hit.RegistrationId for hit in notice.Affected} == {lock.LockId, window}
    assert notice.ScheduleDate == DAY and notice.DoctorName == "王建国"
    assert node.ListStopNotices(DAY + timedelta(days=1)) == []


def test_a_number_that_the_window_gave_too_is_passed_over(junwei: Hospital) -> None:
    junwei.window(1, sequence=1)  # and CURRENT_NO, written back too low, still says 1
    node = junwei.open()
    assert node.LockNumber("a", junwei.session, patient_id(2)).SequenceNo == 2
    assert junwei.counters() == (1, 3)


def test_the_row_that_the_his_gets(junwei: Hospital) -> None:
    node = junwei.open(operator="联盟", insurance_no="CLINIC_MASTER")
    with junwei.engine.begin() as connection:
        begins = datetime.combine(DAY, datetime.min.time())
        connection.execute(
            insert(tables.CLINIC_MASTER).values(
                VISIT_DATE=begins, VISIT_NO=41, PATIENT_ID=patient_id(9)
            )
        )
    made = node.Register("a", junwei.session, patient_id(1), "WX", Decimal(FEES))
    node.CancelRegistration("b", made.RegistrationId, "x")
    with junwei.engine.connect() as connection:
        mine = select(tables.CLINIC_MASTER).where(patient_id(1) == M.PATIENT_ID)
        row = connection.execute(mine).one()
        account = connection.execute(select(tables.CLINIC_RETURNED_ACCT)).one()
    assert (row.VISIT_NO, row.SERIAL_NO, row.NAME, row.SEX) == (42, 1, "病人1", "男")
    assert (row.CLINIC_LABEL, row.VISIT_TIME_DESC, row.VISIT_DEPT) == ("0301A", "上午", "0301")
    assert (row.CLINIC_TYPE, row.DOCTOR, row.CHARGE_TYPE) == ("专家", "王建国", "自费")
    assert (row.REGIST_FEE, row.CLINIC_FEE, row.CLINIC_CHARGE) == (1, 25, 26)
    assert (row.OPERATOR, row.RETURNED_OPERATOR, row.REGISTRATION_STATUS) == ("联盟", "联盟", 1)
    assert (account.VISIT_NO, account.PATIENT_NAME, account.TIME_DESC) == (42, "病人1", "上午")
    assert account.CLINIC_CHARGE == 26


def test_a_lock_that_is_written_looks_returned_until_it_is_paid(junwei: Hospital) -> None:
    node = junwei.open(unpaid_lock="returned_row")
    lock = node.LockNumber("a", junwei.session, patient_id(1))
    assert junwei.visits() == 0
    assert node.GetRegistration(lock.LockId).State == "L"
    node.ConfirmRegistration("b", lock.LockId, "WX", Decimal(FEES))
    assert junwei.visits() == 1
    assert node.GetRegistration(lock.LockId).State == "R"
    node.ReleaseLock("c", node.LockNumber("d", junwei.session, patient_id(2)).LockId)
    assert junwei.visits() == 1 and junwei.returns() == 0


@pytest.mark.parametrize(
    ("settings", "freed", "numbers"),
    [
        ({"returned_number": "freed"}, True, [1, 2, 3]),
        ({"returned_number": "reused"}, True, [1, 2, 1]),
        ({"returned_number": "kept"}, False, [1, 2]),
        ({"taken": "CURRENT_NO"}, False, [1, 2]),
        ({"taken": "CURRENT_NO", "returned_number": "reused"}, True, [1, 2, 1]),
    ],
)
def test_returned_number(
    junwei: Hospital, settings: dict[str, Any], freed: bool, numbers: list[int]
) -> None:
    node = junwei.open(**settings)
    junwei.limit(2)
    one = node.Register("a", junwei.session, patient_id(1))
    two = node.Register("b", junwei.session, patient_id(2))
    node.CancelRegistration("c", one.RegistrationId, "x")
    given = [one.SequenceNo, two.SequenceNo]
    if freed:
        given.append(node.Register("d", junwei.session, patient_id(3)).SequenceNo)
    else:
        refused(lambda: node.Register("d", junwei.session, patient_id(3)), "full")
    assert given == numbers


def test_an_abandoned_lock_costs_no_place_where_numbers_count_places(junwei: Hospital) -> None:
    node = junwei.open(taken="CURRENT_NO", returned_number="kept")
    junwei.limit(1)
    for n in range(1, 4):
        lock = node.LockNumber(f"a{n}", junwei.session, patient_id(n))
        assert lock.SequenceNo == 1
        node.ReleaseLock(f"b{n}", lock.LockId)


def test_settings_that_cannot_be() -> None:
    with pytest.raises(ValidationError, match="CURRENT_NO"):
        JunweiSettings(taken="CURRENT_NO", returned_number="freed")
    with pytest.raises(ValidationError, match="4 个汉字"):
        JunweiSettings(operator="医联体平台")


def test_a_database_that_is_only_read_is_left_alone(his: Hospital) -> None:
    reader = his.open(read_only=True)
    reader.housekeeping()
    refused(
        lambda: reader.LockNumber("a", his.session, patient_id(1)),
        "read_only = false",
        "LockNumber",
    )
    assert "YILIAN_REQUEST" not in _tables(his)
    his.open().housekeeping()
    assert {"YILIAN_REQUEST", "YILIAN_REGISTRATION"} <= _tables(his)


def test_tables_that_the_account_may_not_make(his: Hospital) -> None:
    patients, name = (
        ("PAT_MASTER_INDEX", "NAME") if his.adapter == "junwei" else ("MS_BRDA", "BRXM")
    )
    with his.engine.begin() as connection:  # SQLite refuses a table of an index's name
        connection.exec_driver_sql(f'CREATE INDEX "YILIAN_REQUEST" ON {patients} ({name})')
    with pytest.raises(SourceError) as caught:
        his.open().LockNumber("a", his.session, patient_id(1))
    assert "无权建表" in caught.value.zh and 'CREATE TABLE "YILIAN_REQUEST"' in caught.value.zh
    assert 'CREATE INDEX "YILIAN_REG_PATIENT"' in caught.value.en


def _tables(his: Hospital) -> set[str]:
    return set(inspect(his.engine).get_table_names())
