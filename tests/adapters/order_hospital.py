"""A junwei hospital that takes orders: its rows, written one by one, and what is asked of it."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime
from pathlib import Path
from typing import Any

from adapters.junwei import Junwei
from adapters.ledger import METADATA
from services.ordering import OrderLine, OrderPatient
from tests.adapters.conftest import Database, Opener

OFFERS = ["Ordering", "LabResults", "ExamResults"]
NOW = datetime(2026, 11, 21, 9, 30)
WANG = OrderPatient(
    PatientId=None,
    Name="王芳",
    Sex="2",
    BirthDate=date(1990, 2, 3),
    IdentityType="01",
    IdentityNo="11010119900203002X",
    InsuranceNo=None,
    ChargeType="自费",
    Phone="13800000000",
)
ITEMS = (
    ("03", "BRT", "血常规", "静脉血", 20, "2001", None, None, "HR"),
    ("03", "CRP", "C反应蛋白", "静脉血", 35.5, "2001", None, None, None),
    ("03", "URT", "尿常规", "尿液", 15, "2001", None, None, None),
    ("03", "TB", "结核抗体", "静脉血", 60, "2005", None, None, None),
    ("02", "CT1", "胸部CT平扫", None, 260, "2002", "CT", "胸部", "HR"),
    ("02", "CT2", "胸部CT增强", None, 480, "2002", "CT", "胸部", None),
    ("02", "US1", "腹部超声", None, 120, "2003", "超声", "腹部", None),
)


def with_offers(db: Database) -> None:
    """Departments and what is on offer."""
    for code, name in (("2001", "检验科"), ("2002", "放射科"), ("2003", "超声科")):
        db.insert("DEPT_DICT", DEPT_CODE=code, DEPT_NAME=name)
    db.create(METADATA)
    names = "ITEM_CLASS ITEM_CODE ITEM_NAME SPECIMEN PRICE PERFORMED_BY EXAM_CLASS EXAM_SUB_CLASS"
    for item in ITEMS:
        columns = [*names.split(), "RECOGNITION_MARK"]
        db.insert("YILIAN_ITEM", **dict(zip(columns, item, strict=True)))


def hospital(db: Database, opened: Opener, **settings: Any) -> Junwei:
    """The adapter, at 09:30 on 2026-11-21."""
    config = {"offers": OFFERS, "read_only": False, "queue_length": 200}
    settings = {"virtual_departments": {"V001": "石桥社区"}, **settings}
    adapter = opened(db.path, "junwei", config, **settings)
    assert isinstance(adapter, Junwei)
    at(adapter, NOW)
    return adapter


def at(adapter: Junwei, moment: datetime) -> None:
    """From now on it is that moment."""
    adapter._orders._clock = lambda: moment


def lab(adapter: Junwei, request: str, *codes: str, **changed: Any) -> Any:
    """A lab order, of 血常规 for 王芳 where nothing else is said."""
    return adapter.PlaceLabOrder(**_order(request, codes or ("BRT",), "高血压病") | changed)


def exam(adapter: Junwei, request: str, *codes: str, **changed: Any) -> Any:
    """An order of examinations, of a CT for 王芳 where nothing else is said."""
    return adapter.PlaceExamOrder(**_order(request, codes or ("CT1",), "肺部感染") | changed)


def _order(request: str, codes: tuple[str, ...], diagnosis: str) -> dict[str, Any]:
    return {
        "RequestId": request,
        "Patient": WANG,
        "Items": [OrderLine(code) for code in codes],
        "ClinicalDiagnosis": diagnosis,
        "VirtualDept": "V001",
        "OrderingProvider": "赵医生",
    }


def rows(path: Path, table: str, *columns: str, where: str = "1 = 1") -> list[tuple[Any, ...]]:
    """What stands in a table, as the database has it."""
    connection = sqlite3.connect(path)
    try:
        chosen = ", ".join(columns) or "*"
        return connection.execute(f"SELECT {chosen} FROM {table} WHERE {where}").fetchall()
    finally:
        connection.close()


def counts(path: Path) -> dict[str, int]:
    """How many rows each table has that an order writes to."""
    tables = (
        "PAT_MASTER_INDEX LAB_TEST_MASTER LAB_TEST_ITEMS EXAM_MASTER EXAM_APPOINTS EXAM_ITEMS "
        "OUTP_ORDERS OUTP_TREAT_REC YILIAN_ORDER YILIAN_PATIENT YILIAN_REQUEST "
        "YILIAN_SPECIMEN_EVENT"
    )
    return {table: len(rows(path, table)) for table in tables.split()}
