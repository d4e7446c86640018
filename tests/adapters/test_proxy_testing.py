"""An order's life after it was placed: states, cancelling, and the specimen's way from below."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from adapters.junwei import Junwei
from adapters.junwei.ordering import STATES
from services.faults import Conflict, Fault, InvalidArgument, NotFound
from services.order_states import (
    ORDER_STATE,
    ORDER_TRANSITIONS,
    SPECIMEN_EVENT,
    SPECIMEN_TRANSITIONS,
)
from services.ordering import SpecimenRecord
from services.terms import RESULT_STATUS
from tests.adapters.conftest import Database, Opener
from tests.adapters.order_hospital import NOW, at, counts, exam, hospital, lab, rows, with_offers

LATER = datetime(2026, 11, 21, 10, 0)


@pytest.fixture
def db(junwei_database: Database) -> Database:
    with_offers(junwei_database)
    return junwei_database


def happened(adapter: Junwei, order_no: str, event: str, **more: Any) -> SpecimenRecord:
    arguments: dict[str, Any] = {"At": NOW, "Person": "李敏", **more}
    arguments.setdefault("Reason", "溶血" if event == "J" else None)
    request = arguments.pop("request", None) or f"{order_no}{event}{arguments['At']}"
    return adapter.RecordSpecimenEvent(request, order_no, event, **arguments)


def master(db: Database) -> tuple[Any, ...]:
    columns = "RESULT_STATUS, SPCM_SAMPLE_DATE_TIME, SPCM_RECEIVED_DATE_TIME"
    (row,) = rows(db.path, "LAB_TEST_MASTER", columns)
    return row


# --- the tables of states -------------------------------------------------------------------------


def test_every_result_status_is_a_state() -> None:
    assert set(STATES) == set(RESULT_STATUS.table)
    assert set(STATES.values()) == set(ORDER_STATE.table)


def test_every_state_and_event_can_be_reached() -> None:
    for table, codes in (
        (ORDER_TRANSITIONS, ORDER_STATE.table),
        (SPECIMEN_TRANSITIONS, SPECIMEN_EVENT.table),
    ):
        assert set(table) == {"", *codes}
        reached = set("".join(table.values()))
        assert reached <= set(codes)
        assert set(codes) - reached <= {"U"}


@pytest.mark.parametrize("last", SPECIMEN_TRANSITIONS)
@pytest.mark.parametrize("event", SPECIMEN_EVENT.table)
def test_an_event_follows_another_only_by_the_table(
    db: Database, opened: Opener, last: str, event: str
) -> None:
    way = {"": "", "C": "C", "S": "CS", "D": "CSD", "R": "CSR", "J": "CSJ"}[last]
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    for step in way:
        happened(adapter, number, step)
    if event in SPECIMEN_TRANSITIONS[last]:
        happened(adapter, number, event, At=LATER)
        assert adapter.GetOrderStatus(number).SpecimenState == event
    else:
        with pytest.raises(Conflict) as refused:
            happened(adapter, number, event, At=LATER)
        assert all(code in refused.value.zh for code in SPECIMEN_TRANSITIONS[last])
    made = [one.Event for one in adapter.ListSpecimenEvents(number)]
    recorded = way + event if event in SPECIMEN_TRANSITIONS[last] else way
    assert "".join(made) == recorded


# --- proxy testing, from the order below to the result below --------------------------------------


def test_from_the_order_below_to_the_result_below(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    order = lab(adapter, "r1", "BRT")
    number = order.OrderNo
    assert master(db) == ("0", None, None)
    drawn = happened(adapter, number, "C", At=NOW, Person="孙护士", Place="石桥社区采血室")
    assert drawn == SpecimenRecord(number, "C", NOW, "孙护士", "石桥社区采血室", None)
    assert master(db) == ("0", "2026-11-21 09:30:00", None)
    happened(adapter, number, "S", At=datetime(2026, 11, 21, 10), Person="周师傅")
    happened(adapter, number, "D", At=datetime(2026, 11, 21, 11), Person="周师傅")
    happened(adapter, number, "R", At=datetime(2026, 11, 21, 11, 5), Person="李敏", Place="检验科")
    assert master(db) == ("1", "2026-11-21 09:30:00", "2026-11-21 11:05:00")
    assert adapter.GetOrderStatus(number).State == "A"
    assert [one.Person for one in adapter.ListSpecimenEvents(number)] == [
        *("孙护士", "周师傅", "周师傅", "李敏")
    ]
    # The laboratory above tests and reports, in its own program.
    db.insert(
        "LAB_RESULT",
        **{"TEST_NO": number, "ITEM_NO": 1, "PRINT_ORDER": 1, "REPORT_ITEM_CODE": "WBC"},
        **{"REPORT_ITEM_NAME": "白细胞计数", "RESULT": "6.21", "UNITS": "10^9/L"},
    )
    db.script("UPDATE LAB_TEST_MASTER SET RESULT_STATUS = '4', VERIFIED_BY = '赵静'")
    assert adapter.GetOrderStatus(number).State == "R"
    (found,) = adapter.QueryLabMaster(order.PatientId)
    assert (found.TestNo, found.OrderingDept, found.Final) == (number, "石桥社区", True)
    report = adapter.GetLabResult(number)
    assert [(item.ItemCode, item.Result) for item in report.Items] == [("WBC", "6.21")]
    # 血常规 is recognised by the members, and so is each of its results.
    assert (found.RecognitionMark, report.Items[0].RecognitionMark) == ("HR", "HR")
    with pytest.raises(Conflict):
        happened(adapter, number, "J", At=datetime(2026, 11, 21, 12))


def test_a_rejected_specimen_is_drawn_again(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    for step in "CSR":
        happened(adapter, number, step)
    rejected = happened(adapter, number, "J", At=LATER, Reason=" 溶血|重采? ")
    assert rejected.Reason == "溶血|重采?"
    assert master(db) == ("0", None, None)
    assert adapter.GetOrderStatus(number).State == "N"
    happened(adapter, number, "C", At=LATER)
    assert master(db) == ("0", "2026-11-21 10:00:00", None)


def test_a_specimen_does_not_undo_the_laboratory(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    for step in "CS":
        happened(adapter, number, step)
    db.script("UPDATE LAB_TEST_MASTER SET RESULT_STATUS = '2'")
    happened(adapter, number, "R")
    assert master(db)[0] == "2"


@pytest.mark.parametrize(
    ("event", "more", "kind", "field"),
    [
        ("S", {"At": datetime(2026, 11, 21, 9, 29, 59)}, InvalidArgument, "At"),
        ("S", {"At": datetime(2027, 11, 21)}, InvalidArgument, "At"),
        ("D", {}, Conflict, "Event"),
        ("S", {"number": "2611219999"}, NotFound, "OrderNo"),
    ],
)
def test_an_event_that_is_refused_leaves_nothing(
    db: Database, opened: Opener, event: str, more: Any, kind: type[Fault], field: str
) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    happened(adapter, number, "C")
    before = counts(db.path)
    with pytest.raises(kind) as refused:
        happened(adapter, more.pop("number", number), event, request="x", **more)
    assert refused.value.field == field
    assert counts(db.path) == before


def test_a_rejection_needs_a_reason(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    for step in "CS":
        happened(adapter, number, step)
    with pytest.raises(InvalidArgument) as refused:
        happened(adapter, number, "J", Reason=" ")
    assert refused.value.field == "Reason"


def test_an_event_sent_again_is_recorded_once(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    first = happened(adapter, number, "C", request="e1")
    assert happened(adapter, number, "C", request="e1") == first
    assert len(adapter.ListSpecimenEvents(number)) == 1


def test_of_two_events_at_once_one_is_recorded(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    together = threading.Barrier(6)

    def collect(caller: int) -> bool:
        together.wait()
        try:
            happened(adapter, number, "C", request=f"e{caller}")
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(collect, range(6))) == 1
    assert len(adapter.ListSpecimenEvents(number)) == 1


def test_the_way_of_an_unknown_order_is_not_found(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = exam(adapter, "r1").OrderNo
    with pytest.raises(NotFound):
        adapter.ListSpecimenEvents(number)


# --- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [lab, exam])
def test_a_cancelled_order_is_void_and_off_the_cashiers_list(
    db: Database, opened: Opener, kind: Any
) -> None:
    adapter = hospital(db, opened)
    other = kind(adapter, "r0")
    order = kind(adapter, "r1")
    at(adapter, LATER)
    cancelled = adapter.CancelOrder("c1", order.OrderNo, "病人拒绝")
    assert (cancelled.State, cancelled.CancelledAt, cancelled.CancelReason) == (
        *("C", LATER),
        "病人拒绝",
    )
    assert [item.ItemCode for item in cancelled.Items] == [item.ItemCode for item in order.Items]
    assert adapter.GetOrderStatus(order.OrderNo) == cancelled
    assert adapter.CancelOrder("c1", order.OrderNo, "病人拒绝") == cancelled
    # What is left in the cashier's and the department's lists is the other order.
    for table, column in (("OUTP_ORDERS", "SERIAL_NO"), ("OUTP_TREAT_REC", "APPOINT_NO")):
        assert rows(db.path, table, column) == [(other.OrderNo,)]
    if kind is exam:
        assert rows(db.path, "EXAM_APPOINTS", "EXAM_NO") == [(other.OrderNo,)]
    master, key = ("LAB_TEST_MASTER", "TEST_NO") if kind is lab else ("EXAM_MASTER", "EXAM_NO")
    assert rows(db.path, master, key, "RESULT_STATUS") == [
        *((other.OrderNo, "0"), (order.OrderNo, "7"))
    ]
    with pytest.raises(Conflict):
        adapter.CancelOrder("c2", order.OrderNo, "again")
    if kind is lab:
        with pytest.raises(Conflict):
            happened(adapter, order.OrderNo, "C")


@pytest.mark.parametrize("status", ["1", "2", "3", "4", "9", None])
@pytest.mark.parametrize("kind", [lab, exam])
def test_an_accepted_order_stays(
    db: Database, opened: Opener, kind: Any, status: str | None
) -> None:
    adapter = hospital(db, opened)
    number = kind(adapter, "r1").OrderNo
    written = "NULL" if status is None else f"'{status}'"
    db.script(f"UPDATE LAB_TEST_MASTER SET RESULT_STATUS = {written}")
    db.script(f"UPDATE EXAM_MASTER SET RESULT_STATUS = {written}")
    before = counts(db.path)
    with pytest.raises(Conflict):
        adapter.CancelOrder("c1", number, "病人拒绝")
    assert counts(db.path) == before


def test_a_paid_order_is_refunded_first(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    number = lab(adapter, "r1").OrderNo
    db.script("UPDATE OUTP_TREAT_REC SET CHARGE_INDICATOR = 1")
    before = counts(db.path)
    with pytest.raises(Conflict) as refused:
        adapter.CancelOrder("c1", number, "病人拒绝")
    assert "退费" in refused.value.zh and counts(db.path) == before
    assert adapter.GetOrderStatus(number).State == "N"


def test_only_orders_from_outside_are_cancelled_from_outside(db: Database, opened: Opener) -> None:
    db.insert("LAB_TEST_MASTER", TEST_NO="2611210001", PATIENT_ID="1", RESULT_STATUS="0")
    adapter = hospital(db, opened)
    with pytest.raises(Conflict):
        adapter.CancelOrder("c1", "2611210001", "x")
    with pytest.raises(NotFound):
        adapter.CancelOrder("c2", "2611210002", "x")
    assert master(db)[0] == "0"


# --- where an order stands ------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "state"), [*STATES.items(), (None, "U"), ("5", "U")])
def test_states_of_the_hospitals_own_orders(
    db: Database, opened: Opener, status: str | None, state: str
) -> None:
    row = {"PATIENT_ID": "1", "ORDERING_DEPT": "0301", "RESULT_STATUS": status, "CHARGES": 20}
    db.insert("LAB_TEST_MASTER", TEST_NO="2611210001", **row)
    db.insert("LAB_TEST_ITEMS", TEST_NO="2611210001", ITEM_NO=1, ITEM_NAME="血常规")
    order = hospital(db, opened).GetOrderStatus("2611210001")
    assert (order.State, order.ItemClass, order.VirtualDept) == (state, "03", "0301")
    # An item without a code is told by its name, and one that nobody charges has no price.
    assert [(i.ItemCode, i.ItemName, i.Price) for i in order.Items] == [("血常规", "血常规", None)]


def test_an_appointment_is_an_order_that_nobody_has_accepted(db: Database, opened: Opener) -> None:
    db.insert("EXAM_APPOINTS", EXAM_NO="26E0000001", PATIENT_ID="1", REQ_DEPT="0301")
    order = hospital(db, opened).GetOrderStatus("26E0000001")
    assert (order.ItemClass, order.State, order.VirtualDept) == ("02", "N", "0301")


def test_one_number_for_two_orders(db: Database, opened: Opener) -> None:
    db.insert("LAB_TEST_MASTER", TEST_NO="2611200001", PATIENT_ID="1")
    db.insert("EXAM_MASTER", EXAM_NO="2611200001", PATIENT_ID="2")
    adapter = hospital(db, opened)
    with pytest.raises(Conflict) as refused:
        adapter.GetOrderStatus("2611200001")
    assert refused.value.field == "ItemClass"
    assert adapter.GetOrderStatus("2611200001", "02").PatientId == "2"
    assert adapter.GetOrderStatus("2611200001", "03").PatientId == "1"
    # The order from outside is meant where the hospital makes another of its number later.
    number = lab(adapter, "r1").OrderNo
    db.insert("EXAM_MASTER", EXAM_NO=number, PATIENT_ID="3")
    assert adapter.GetOrderStatus(number).ItemClass == "03"
    assert adapter.GetOrderStatus(number, "02").PatientId == "3"


def test_an_unknown_order(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    for item_class in (None, "02", "03"):
        with pytest.raises(NotFound):
            adapter.GetOrderStatus("2611210001", item_class)
