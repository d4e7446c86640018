"""The core hospital's lab tests, orders and results, in junwei's tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from yilian.demo_data.lab_tests import LabTest
from yilian.demo_data.rows import insert, padded, stored

# The CHAR columns of LAB_TEST_MASTER among those written, by place, with their widths.
_CHARS = {3: 8, 4: 4, 6: 8, 8: 8, 9: 16, 11: 8, 12: 8, 15: 6, 16: 8, 17: 8}


def write_lab_tests(connection: sqlite3.Connection, tests: Iterable[LabTest]) -> None:
    masters, items, results, orders, treatments, costs = ([] for _ in range(6))
    for test in tests:
        masters.append(_master(test))
        panel = test.panel
        items.append((test.number, 1, panel.name, panel.code, 1))
        at = stored(test.reported)
        for order, (item, (result, mark)) in enumerate(
            zip(panel.items, test.results, strict=False), 1
        ):
            results.append(
                (
                    *(test.number, 1, order, item.name, item.code, result, item.unit or None),
                    *(mark if mark != "N" or order % 2 else None, at, item.reference),
                )
            )
        if test.doctor is not None and int(test.number[-2:]) % 5 == 0:
            order_rows = _outpatient_order(test)
            orders.append(order_rows[0])
            treatments.append(order_rows[1])
            costs.append(order_rows[2])
    insert(
        connection,
        "LAB_TEST_MASTER",
        "TEST_NO, PATIENT_ID, NAME, CHARGE_TYPE, SEX, AGE, TEST_CAUSE, RELEVANT_CLINIC_DIAG, "
        "SPECIMEN, NOTES_FOR_SPCM, REQUESTED_DATE_TIME, ORDERING_DEPT, ORDERING_PROVIDER, "
        "RESULT_STATUS, RESULTS_RPT_DATE_TIME, WORKING_ID, TRANSCRIPTIONIST, VERIFIED_BY, "
        "PERFORMED_BY, COSTS, CHARGES, SUBJECT, SPCM_SAMPLE_DATE_TIME, SPCM_RECEIVED_DATE_TIME",
        masters,
    )
    insert(
        connection,
        "LAB_TEST_ITEMS",
        "TEST_NO, ITEM_NO, ITEM_NAME, ITEM_CODE, BILLING_INDICATOR",
        items,
    )
    insert(
        connection,
        "LAB_RESULT",
        "TEST_NO, ITEM_NO, PRINT_ORDER, REPORT_ITEM_NAME, REPORT_ITEM_CODE, RESULT, UNITS, "
        "ABNORMAL_INDICATOR, RESULT_DATE_TIME, PRINT_CONTEXT",
        results,
    )
    insert(
        connection,
        "OUTP_ORDERS",
        "PATIENT_ID, VISIT_DATE, VISIT_NO, SERIAL_NO, ORDERED_BY, DOCTOR, ORDER_DATE, DOCTOR_NO",
        orders,
    )
    insert(
        connection,
        "OUTP_TREAT_REC",
        "VISIT_DATE, VISIT_NO, SERIAL_NO, ITEM_NO, ITEM_CLASS, ITEM_CODE, ITEM_NAME, AMOUNT, "
        "PERFORMED_BY, COSTS, CHARGES, CHARGE_INDICATOR, APPOINT_NO, APPOINT_ITEM_NO",
        treatments,
    )
    insert(
        connection,
        "OUTP_ORDERS_COSTS",
        "PATIENT_ID, VISIT_DATE, VISIT_NO, SERIAL_NO, ORDER_CLASS, ORDER_NO, ITEM_NO, ITEM_CLASS, "
        "ITEM_NAME, ITEM_CODE, AMOUNT, COSTS, CHARGES, PERFORMED_BY",
        costs,
    )


def _master(test: LabTest) -> list[Any]:
    patient, doctor, requested = test.patient, test.doctor, test.requested
    taken = received = None
    if test.status not in ("0", None) and requested is not None:
        taken, received = requested + timedelta(minutes=8), requested + timedelta(minutes=20)
    row: list[Any] = [
        test.number,
        patient.patient_id,
        patient.name,
        patient.payer,
        patient.sex,
        patient.age(requested.date()) if requested and test.cause else None,
        test.cause,
        test.diagnosis,
        test.specimen,
        test.notes,
        stored(requested),
        doctor.dept if doctor else None,
        doctor.name if doctor else None,
        test.status,
        stored(test.reported),
        test.working_id,
        test.reporter,
        test.verifier,
        test.performed_by,
        test.panel.price,
        test.panel.price,
        test.panel.name,
        stored(taken),
        stored(received),
    ]
    if test.padded:
        for place, width in _CHARS.items():
            row[place] = padded(row[place], width)
    return row


def _outpatient_order(test: LabTest) -> tuple[tuple[Any, ...], ...]:
    """The three rows by which the doctor's station ordered the test."""
    patient, doctor, panel = test.patient, test.doctor, test.panel
    assert doctor is not None
    day = stored(test.requested.date()) if test.requested else None
    visit = int(test.number[-4:])
    return (
        (
            *(patient.patient_id, day, visit, test.number, doctor.dept, doctor.name),
            *(stored(test.requested), doctor.number),
        ),
        (
            *(day, visit, test.number, 1, "C", panel.code, panel.name, 1, test.performed_by),
            *(panel.price, panel.price, 1, test.number, 1),
        ),
        (
            *(patient.patient_id, day, visit, test.number, "C", 1, 1, "C", panel.name),
            *(panel.code, 1, panel.price, panel.price, test.performed_by),
        ),
    )
