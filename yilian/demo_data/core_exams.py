"""Some examinations of the core hospital, with reports and images, in junwei's tables."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from yilian.demo_data.people import Person
from yilian.demo_data.rows import insert, stored
from yilian.demo_data.staff import Staff

_STATUSES = {"1": "收到申请", "2": "已执行", "3": "初步报告", "4": "确认报告", "5": "其它"}
#: class, sub-class, department, modality, body part, findings, impression
KINDS = (
    ("CT", "胸部", "2002", "CT", "CHEST", "双肺纹理增多，未见实变影。", "双肺未见明显异常"),
    ("超声", "腹部", "2003", "US", "ABDOMEN", "肝脏大小形态正常\n胆囊壁光滑|未见结石?", "脂肪肝"),
    ("心电图", "常规", "2004", "ECG", "HEART", "窦性心律，心率 72 次/分。", "正常心电图"),
    ("X线", "胸片", "2002", "DX", "CHEST", "心影不大，膈面光整。", "心肺膈未见异常"),
)
PRICE = 120


def item_code(place: int) -> str:
    """The code of the item of the kind at that place."""
    return f"E{place}"


def item_name(kind: tuple[str, ...]) -> str:
    return f"{kind[1]}{kind[0]}检查"


def write_exams(
    connection: sqlite3.Connection,
    seed: int,
    staff: Staff,
    patients: tuple[Person, ...],
    count: int,
    today: date,
) -> None:
    """``count`` examinations of the year before ``today``; the first five are patient 1's."""
    random = Random(f"{seed}/exams/hx")
    insert(
        connection,
        "EXAM_RESULT_STATUS_DICT",
        "SERIAL_NO, EXAM_RESULT_STATUS_CODE, EXAM_RESULT_STATUS_NAME",
        [(int(code), code, name) for code, name in _STATUSES.items()],
    )
    masters, appoints, items, reports, images, studies = ([] for _ in range(6))
    for index in range(count):
        patient = patients[0] if index < 5 else random.choice(patients)
        kind = KINDS[index % len(KINDS)]
        status = "4" if index < 5 else random.choices(list(_STATUSES), (5, 10, 10, 70, 5))[0]
        at = datetime.combine(today - timedelta(days=random.randrange(1, 365)), time(9))
        at += timedelta(minutes=random.randrange(480))
        number = f"{at:%y}E{index:07d}"
        doctor = random.choice(staff.doctors)
        uid = f"1.2.826.0.1.3680043.8.498.{seed % 10**9}.{index}"
        masters.append(_master(number, patient, kind, status, at, (doctor.dept, doctor.name), uid))
        appoints.append(
            (
                *(number, patient.patient_id, patient.name, patient.sex, kind[0], kind[1]),
                *(kind[2], stored(at), doctor.dept, doctor.name),
            )
        )
        items.append((number, 1, item_name(kind), item_code(index % len(KINDS)), PRICE, 1))
        if status in ("3", "4"):
            reports.append((number, kind[5], kind[6], "随访", "1" if kind[6] == "脂肪肝" else "0"))
            studies.append(
                (uid, patient.patient_id, number, stored(at), kind[3], kind[4], "1", "24")
            )
            file = f"{number}.dcm"
            images.append((number, patient.patient_id, kind[3][:2], "DCM", "VOL1", file))
    insert(
        connection,
        "EXAM_MASTER",
        "EXAM_NO, PATIENT_ID, NAME, SEX, DATE_OF_BIRTH, EXAM_CLASS, EXAM_SUB_CLASS, CLIN_DIAG, "
        "PERFORMED_BY, REQ_DATE_TIME, REQ_DEPT, REQ_PHYSICIAN, EXAM_DATE_TIME, REPORT_DATE_TIME, "
        "REPORTER, CONFIRM_DOCT, RESULT_STATUS, COSTS, CHARGES, CHARGE_TYPE, STUDY_UID",
        masters,
    )
    insert(
        connection,
        "EXAM_APPOINTS",
        "EXAM_NO, PATIENT_ID, NAME, SEX, EXAM_CLASS, EXAM_SUB_CLASS, PERFORMED_BY, "
        "REQ_DATE_TIME, REQ_DEPT, REQ_PHYSICIAN",
        appoints,
    )
    insert(
        connection,
        "EXAM_ITEMS",
        "EXAM_NO, EXAM_ITEM_NO, EXAM_ITEM, EXAM_ITEM_CODE, COSTS, BILLING_INDICATOR",
        items,
    )
    insert(
        connection,
        "EXAM_REPORT",
        "EXAM_NO, DESCRIPTION, IMPRESSION, RECOMMENDATION, IS_ABNORMAL",
        reports,
    )
    insert(
        connection,
        "EXAM_IMAGE_INDEX",
        "EXAM_NO, PATIENT_ID, EXAM_CLASS, IMAGE_TYPE, VOLUME_ID, FILE_NAME",
        images,
    )
    insert(
        connection,
        "PACSSTUDY",
        "SUID, PID, AID, SDATE, MODALITY, BODYPART, SERSUM, IMGSUM",
        studies,
    )


def _master(
    number: str,
    patient: Person,
    kind: tuple[str, ...],
    status: str,
    at: datetime,
    requester: tuple[str, str],
    uid: str,
) -> tuple[Any, ...]:
    done = at + timedelta(hours=2) if status in ("2", "3", "4") else None
    reported = at + timedelta(hours=5) if status in ("3", "4") else None
    return (
        *(number, patient.patient_id, patient.name, patient.sex, stored(patient.birth)),
        *(kind[0], kind[1], "待查", kind[2], stored(at), *requester, stored(done)),
        *(stored(reported), "周洁" if reported else None, "孙莉" if status == "4" else None),
        *(status, PRICE, PRICE, patient.payer, uid if reported else None),
    )
