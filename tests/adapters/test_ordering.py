"""Ordering over junwei: exactly known rows, once, whole or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from adapters.junwei import order_numbers, tables
from services.faults import Conflict, InvalidArgument, NotFound
from services.ordering import MOST_ITEMS, OrderableItem, OrderedItem
from tests.adapters.conftest import Database, Opener
from tests.adapters.order_hospital import (
    NOW,
    WANG,
    at,
    counts,
    exam,
    hospital,
    lab,
    rows,
    with_offers,
)


@pytest.fixture
def db(junwei_database: Database) -> Database:
    with_offers(junwei_database)
    return junwei_database


def test_what_is_on_offer(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    found = adapter.ListOrderableItems()
    assert [(one.ItemClass, one.ItemCode) for one in found] == [
        *[("02", "CT1"), ("02", "CT2"), ("02", "US1")],
        *[("03", "BRT"), ("03", "CRP"), ("03", "TB"), ("03", "URT")],
    ]
    assert adapter.ListOrderableItems("03")[1] == OrderableItem(
        "CRP", "C反应蛋白", "03", "静脉血", Decimal("35.50"), "2001", "检验科"
    )
    # A department that the dictionary lacks is told by its code.
    assert adapter.ListOrderableItems("03")[2].PerformedByName == "2005"


def test_every_row_of_a_lab_order(db: Database, opened: Opener) -> None:
    order = lab(hospital(db, opened), "r1", "BRT", "CRP", Notes="空腹")
    assert order.OrderNo == "2611210001"
    assert (order.ItemClass, order.State, order.PatientId) == ("03", "N", "Y000000001")
    assert (order.VirtualDept, order.OrderingProvider) == ("V001", "赵医生")
    assert (order.OrderedAt, order.Charges) == (NOW, Decimal("55.50"))
    assert (order.Specimen, order.Notes, order.SpecimenState) == ("静脉血", "空腹", None)
    assert order.Items == [
        OrderedItem(1, "BRT", "血常规", Decimal("20.00")),
        OrderedItem(2, "CRP", "C反应蛋白", Decimal("35.50")),
    ]
    path, stamp = db.path, "2026-11-21 09:30:00"
    assert rows(
        path,
        "LAB_TEST_MASTER",
        *("TEST_NO, PATIENT_ID, NAME, CHARGE_TYPE, SEX, AGE, RELEVANT_CLINIC_DIAG, SPECIMEN",),
        *("NOTES_FOR_SPCM, REQUESTED_DATE_TIME, ORDERING_DEPT, ORDERING_PROVIDER",),
        *("PERFORMED_BY, RESULT_STATUS, COSTS, CHARGES, SPCM_SAMPLE_DATE_TIME, SUBJECT",),
    ) == [
        (
            *("2611210001", "Y000000001", "王芳", "自费", "女", 36, "高血压病", "静脉血"),
            *("空腹", stamp, "V001", "赵医生", "2001", "0", 55.5, 55.5, None),
            "血常规+C反应蛋白",
        )
    ]
    assert rows(path, "LAB_TEST_ITEMS") == [
        ("2611210001", 1, "血常规", "BRT", 0),
        ("2611210001", 2, "C反应蛋白", "CRP", 0),
    ]
    assert rows(path, "OUTP_ORDERS") == [
        ("Y000000001", "2026-11-21 00:00:00", 0, "2611210001", "V001", "赵医生", stamp, None, None)
    ]
    columns = "SERIAL_NO, ITEM_NO, ITEM_CLASS, ITEM_CODE, CHARGES, CHARGE_INDICATOR, APPOINT_NO"
    assert rows(path, "OUTP_TREAT_REC", columns, "APPOINT_ITEM_NO") == [
        ("2611210001", 1, "C", "BRT", 20, 0, "2611210001", 1),
        ("2611210001", 2, "C", "CRP", 35.5, 0, "2611210001", 2),
    ]
    columns = "PATIENT_ID, NAME, SEX, DATE_OF_BIRTH, ID_NO, ID_TYPE, CHARGE_TYPE"
    assert rows(path, "PAT_MASTER_INDEX", columns, "PHONE_NUMBER_HOME", "OPERATOR") == [
        (
            *("Y000000001", "王芳", "女", "1990-02-03 00:00:00", "11010119900203002X", "01"),
            *("自费", "13800000000", "V001"),
        )
    ]


def test_every_row_of_an_examination(db: Database, opened: Opener) -> None:
    order = exam(hospital(db, opened), "r1", "CT1", "CT2", Notes="体内无金属")
    assert (order.OrderNo, order.ItemClass, order.State) == ("2611210001", "02", "N")
    assert order.Charges == Decimal("740.00")
    assert [item.Price for item in order.Items] == [Decimal("260.00"), Decimal("480.00")]
    columns = "EXAM_NO, PATIENT_ID, NAME, SEX, EXAM_CLASS, EXAM_SUB_CLASS, CLIN_DIAG"
    more = "PERFORMED_BY, REQ_DATE_TIME, REQ_DEPT, REQ_PHYSICIAN, REQ_MEMO, CHARGES"
    told = (
        *("2611210001", "Y000000001", "王芳", "女", "CT", "胸部", "肺部感染", "2002"),
        *("2026-11-21 09:30:00", "V001", "赵医生", "体内无金属", 740),
    )
    assert rows(db.path, "EXAM_MASTER", columns, more, "RESULT_STATUS") == [(*told, "0")]
    assert rows(db.path, "EXAM_APPOINTS", columns, more, "WORKED_INDICATOR") == [(*told, 0)]
    assert rows(db.path, "EXAM_ITEMS") == [
        ("2611210001", 1, "胸部CT平扫", "CT1", 260, 0),
        ("2611210001", 2, "胸部CT增强", "CT2", 480, 0),
    ]
    assert rows(db.path, "OUTP_TREAT_REC", "ITEM_CLASS", "APPOINT_NO") == [
        ("D", "2611210001"),
        ("D", "2611210001"),
    ]


def test_a_request_sent_again_orders_once(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    first = lab(adapter, "r1")
    before = counts(db.path)
    at(adapter, datetime(2026, 11, 22))
    assert lab(adapter, "r1") == first
    assert counts(db.path) == before
    with pytest.raises(Conflict) as refused:
        lab(adapter, "r1", "CRP")
    assert refused.value.field == "RequestId"
    assert counts(db.path) == before


# --- the number ---------------------------------------------------------------------------------


def test_numbers_follow_the_hospitals_own(db: Database, opened: Opener) -> None:
    db.insert("LAB_TEST_MASTER", TEST_NO="2611210041", PATIENT_ID="1")
    db.insert("LAB_TEST_MASTER", TEST_NO="26112100XX", PATIENT_ID="1")
    db.insert("LAB_TEST_MASTER", TEST_NO="2611200500", PATIENT_ID="1")
    db.insert("EXAM_MASTER", EXAM_NO="2611210042", PATIENT_ID="1")
    adapter = hospital(db, opened)
    assert lab(adapter, "r1").OrderNo == "2611210043"
    assert exam(adapter, "r2").OrderNo == "2611210044"
    at(adapter, datetime(2026, 11, 22, 8))
    assert lab(adapter, "r3").OrderNo == "2611220001"


def test_numbers_from_where_the_hospital_says(db: Database, opened: Opener) -> None:
    db.insert("LAB_TEST_MASTER", TEST_NO="2611210041", PATIENT_ID="1")
    assert lab(hospital(db, opened, order_number_start=9000), "r1").OrderNo == "2611219000"


def test_after_9999_there_are_letters_and_then_no_more(db: Database, opened: Opener) -> None:
    db.insert("LAB_TEST_MASTER", TEST_NO="2611219999", PATIENT_ID="1")
    adapter = hospital(db, opened)
    assert [lab(adapter, f"r{n}").OrderNo for n in range(2)] == ["261121A000", "261121A001"]
    db.insert("LAB_TEST_MASTER", TEST_NO="261121Z999", PATIENT_ID="1")
    with pytest.raises(Conflict):
        lab(adapter, "r3")


@given(st.integers(1, 35_998))
def test_each_number_is_followed_by_a_greater_one_of_ten_characters(position: int) -> None:
    day = date(2026, 11, 21)
    this = "261121" + order_numbers._suffix(position)
    after = next(order_numbers.following(day, [this]))
    assert len(after) == 10 and after > this
    assert order_numbers._position(after[6:]) == position + 1


def test_orders_at_once_never_share_a_number(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    together = threading.Barrier(8)

    def place(caller: int) -> list[tuple[str, str]]:
        together.wait()
        made = []
        for n in range(4):
            kind = lab if (caller + n) % 2 else exam
            order = kind(adapter, f"{caller}-{n}")
            made.append((order.OrderNo, order.PatientId))
        return made

    with ThreadPoolExecutor(8) as pool:
        orders = [one for made in pool.map(place, range(8)) for one in made]
    assert len({number for number, _ in orders}) == 32
    # And one unknown patient, met eight times at once, became one patient.
    assert {patient for _, patient in orders} == {"Y000000001"}
    found = counts(db.path)
    assert (found["PAT_MASTER_INDEX"], found["YILIAN_ORDER"], found["OUTP_ORDERS"]) == (1, 32, 32)
    assert found["LAB_TEST_MASTER"] + found["EXAM_MASTER"] == 32


def test_a_number_that_is_taken_meanwhile_is_passed_over(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    taken = adapter._orders._taken
    db.insert("OUTP_ORDERS", SERIAL_NO="2611210001")
    db.insert("EXAM_MASTER", EXAM_NO="2611210002", PATIENT_ID="1")
    adapter._orders._taken = lambda connection, prefix: set()  # type: ignore[method-assign]
    assert exam(adapter, "r1").OrderNo == "2611210003"
    adapter._orders._taken = taken  # type: ignore[method-assign]
    assert len(rows(db.path, "EXAM_ITEMS")) == 1


# --- whole or not at all ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [lab, exam])
def test_an_order_broken_off_anywhere_leaves_nothing(
    db: Database, opened: Opener, kind: Any
) -> None:
    adapter = hospital(db, opened)
    adapter.ListOrderableItems()  # makes our tables
    empty = counts(db.path)
    engine = adapter.source._engine
    writes: list[str] = []
    stop_at = [10**9]

    @event.listens_for(engine, "before_cursor_execute")
    def broken_off(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            writes.append(statement)
            if len(writes) == stop_at[0]:
                raise RuntimeError("broken off")

    for step in range(1, 100):
        writes.clear()
        stop_at[0] = step
        try:
            kind(adapter, "r1", *(("CT1", "CT2") if kind is exam else ("BRT", "CRP")))
        except RuntimeError:
            assert counts(db.path) == empty, f"left behind before {writes[-1]}"
        else:
            break
    assert step > 8  # each of its writes was tried
    full = counts(db.path)
    assert full["YILIAN_REQUEST"] == full["YILIAN_ORDER"] == full["OUTP_ORDERS"] == 1


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "changed", "field", "words"),
    [
        (("BRT", "BRT"), {}, "Items", "重复"),
        (("XXX",), {}, "Items", "XXX"),
        (("CT1",), {}, "Items", "CT1"),
        (("BRT", "URT"), {}, "Items", "尿液、静脉血"),
        (("BRT", "TB"), {}, "Items", "2001、2005"),
        ((), {"Items": []}, "Items", "没有项目"),
        ((), {"VirtualDept": "V002"}, "VirtualDept", "V002"),
        ((), {"OrderingProvider": "欧阳修远志"}, "OrderingProvider", "4 个字符"),
        ((), {"OrderingProvider": " "}, "OrderingProvider", "缺少"),
        ((), {"ClinicalDiagnosis": "病" * 41}, "ClinicalDiagnosis", "40 个字符"),
        ((), {"Notes": "空腹八小时以上采血"}, "Notes", "8 个字符"),
        ((), {"Specimen": "𠮷𠮷𠮷"}, "Specimen", "2 个字符"),
        ((), {"Patient": replace(WANG, Name="啊" * 11)}, "Patient.Name", "10 个字符"),
        ((), {"Patient": replace(WANG, ChargeType="城镇职工医保")}, "Patient.ChargeType", "4 个"),
        (
            (),
            {"Patient": replace(WANG, IdentityNo=None, BirthDate=None)},
            "Patient.IdentityNo",
            "出生日期",
        ),
    ],
)
def test_what_cannot_be_ordered(
    db: Database, opened: Opener, codes: tuple[str, ...], changed: Any, field: str, words: str
) -> None:
    adapter = hospital(db, opened)
    with pytest.raises(InvalidArgument) as refused:
        lab(adapter, "r1", *codes, **changed)
    assert refused.value.field == field and words in refused.value.zh
    assert "王芳" not in str(refused.value)
    found = counts(db.path)
    assert not any(found.values()), found


def test_too_many_items(db: Database, opened: Opener) -> None:
    codes = [f"N{n}" for n in range(MOST_ITEMS + 1)]
    for code in codes:
        item = {"ITEM_CLASS": "03", "ITEM_CODE": code, "ITEM_NAME": code, "PERFORMED_BY": "2001"}
        db.insert("YILIAN_ITEM", **item, PRICE=1)
    adapter = hospital(db, opened)
    with pytest.raises(InvalidArgument):
        lab(adapter, "r1", *codes)
    assert len(lab(adapter, "r1", *codes[:-1]).Items) == MOST_ITEMS


def test_examinations_of_two_kinds_are_two_orders(db: Database, opened: Opener) -> None:
    with pytest.raises(InvalidArgument) as refused:
        exam(hospital(db, opened), "r1", "CT1", "US1")
    assert "分开" in refused.value.zh


def test_a_given_specimen_overrides_that_of_the_offer(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    assert lab(adapter, "r1", "BRT", "URT", Specimen=" 末梢血 ").Specimen == "末梢血"


def test_awkward_texts_are_kept_as_they_are(db: Database, opened: Opener) -> None:
    text = "高血压|极高危?\n𠮷㐂 <&>"
    adapter = hospital(db, opened)
    order = lab(adapter, "r1", ClinicalDiagnosis=text, Notes="a'b\"c|?")
    assert (order.ClinicalDiagnosis, order.Notes) == (text, "a'b\"c|?")
    assert (
        adapter.GetOrderStatus(order.OrderNo)
        == order
        == lab(adapter, "r1", ClinicalDiagnosis=text, Notes="a'b\"c|?")
    )


# --- patients -------------------------------------------------------------------------------------


def known(db: Database, patient_id: str, name: str = "王芳", **more: Any) -> None:
    row = {"SEX": "女  ", "DATE_OF_BIRTH": "1990-02-03 00:00:00", "CHARGE_TYPE": "职工医保"}
    db.insert("PAT_MASTER_INDEX", PATIENT_ID=patient_id, NAME=name, **{**row, **more})


def test_a_known_identity_number_is_that_patient(db: Database, opened: Opener) -> None:
    known(db, "0000000007", "王 芳", ID_NO="11010119900203002x")
    order = lab(hospital(db, opened), "r1")
    assert order.PatientId == "0000000007"
    # The order says what the hospital knows, not what the sender wrote.
    told = rows(db.path, "LAB_TEST_MASTER", "NAME", "CHARGE_TYPE", "SEX")
    assert told == [("王 芳", "职工医保", "女")]
    assert counts(db.path)["PAT_MASTER_INDEX"] == 1


def test_by_patient_id(db: Database, opened: Opener) -> None:
    known(db, "0000000007", ID_NO="11010119900203002X")
    adapter = hospital(db, opened)
    by_id = replace(WANG, PatientId="0000000007", IdentityNo=None)
    assert lab(adapter, "r1", Patient=by_id).PatientId == "0000000007"
    with pytest.raises(NotFound) as unknown:
        lab(adapter, "r2", Patient=replace(WANG, PatientId="8"))
    assert unknown.value.field == "Patient.PatientId"
    with pytest.raises(Conflict) as other_name:
        lab(adapter, "r3", Patient=replace(by_id, Name="王方"))
    assert other_name.value.field == "Patient.Name" and "王" not in other_name.value.zh
    with pytest.raises(Conflict) as other_number:
        lab(adapter, "r4", Patient=replace(by_id, IdentityNo="110101198103050011"))
    assert other_number.value.field == "Patient.IdentityNo"


def test_nobody_is_guessed(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    known(db, "1", "王方", ID_NO="11010119900203002X")
    with pytest.raises(Conflict):
        lab(adapter, "r1")  # the number of somebody else
    known(db, "2", ID_NO="11010119900203002X")
    with pytest.raises(Conflict) as two:
        lab(adapter, "r1")
    assert "2" in two.value.zh and two.value.field == "Patient.IdentityNo"
    assert counts(db.path)["YILIAN_REQUEST"] == 0


def test_by_insurance_number(db: Database, opened: Opener) -> None:
    db.script("CREATE TABLE INSURANCE_ACCOUNTS (PATIENT_ID TEXT, INSURANCE_NO TEXT)")
    known(db, "0000000007")
    db.insert("INSURANCE_ACCOUNTS", PATIENT_ID="0000000007", INSURANCE_NO="YB1")
    adapter = hospital(db, opened, insurance_no="INSURANCE_ACCOUNTS")
    insured = replace(WANG, IdentityNo=None, InsuranceNo="YB1")
    assert lab(adapter, "r1", Patient=insured).PatientId == "0000000007"
    new = replace(insured, InsuranceNo="YB2")
    assert lab(adapter, "r2", Patient=new).PatientId == "Y000000001"
    assert ("Y000000001", "YB2") in rows(db.path, "INSURANCE_ACCOUNTS")


def test_a_padded_insurance_number_is_found(db: Database, opened: Opener) -> None:
    known(db, "0000000007")
    width = tables.CLINIC_MASTER.c.INSURANCE_NO.type.length
    db.insert(
        "CLINIC_MASTER",
        **{"VISIT_DATE": "2026-11-01 00:00:00", "VISIT_NO": 1},
        **{"PATIENT_ID": "0000000007", "INSURANCE_NO": "YB1".ljust(width)},
    )
    insured = replace(WANG, IdentityNo=None, InsuranceNo="YB1", BirthDate=None)
    adapter = hospital(db, opened, char_padding="bytes")
    assert lab(adapter, "r1", Patient=insured).PatientId == "0000000007"


def test_new_patients_have_ids_of_their_own(db: Database, opened: Opener) -> None:
    known(db, "YL00000041", "某甲")
    known(db, "YLX", "某乙")
    adapter = hospital(db, opened, patient_id_prefix="YL")
    assert lab(adapter, "r1").PatientId == "YL00000042"
    assert lab(adapter, "r2").PatientId == "YL00000042"  # now known by identity number
    baby = replace(WANG, Name="王芳之子", IdentityNo=None, BirthDate=date(2026, 11, 20))
    assert lab(adapter, "r3", Patient=baby).PatientId == "YL00000043"
    assert rows(db.path, "LAB_TEST_MASTER", "AGE", where="PATIENT_ID = 'YL00000043'") == [(0,)]


def test_a_date_of_birth_is_read_from_an_identity_card(db: Database, opened: Opener) -> None:
    lab(hospital(db, opened), "r1", Patient=replace(WANG, BirthDate=None))
    assert rows(db.path, "PAT_MASTER_INDEX", "DATE_OF_BIRTH") == [("1990-02-03 00:00:00",)]


def test_a_patient_merged_away_since_is_made_anew(db: Database, opened: Opener) -> None:
    adapter = hospital(db, opened)
    lab(adapter, "r1")
    db.script("DELETE FROM PAT_MASTER_INDEX")
    assert lab(adapter, "r2").PatientId == "Y000000001"
    assert counts(db.path)["PAT_MASTER_INDEX"] == 1
