"""A node killed at every step of an order or of noting a print, started again and asked again: it
happened once, whole."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.junwei import tables
from tests.adapters.conftest import Database
from tests.adapters.order_hospital import OFFERS, counts, rows, with_offers
from tests.writes_once.nodes import Nodes

PATIENT = "<Name>王芳</Name><Sex>2</Sex><IdentityNo>ID{n}</IdentityNo>"

#: a call is killed some twenty times, and the machine may be busy
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "his.db")
    made.create(tables.METADATA)
    with_offers(made)
    yield made
    made.close()


@pytest.fixture
def nodes(db: Database, tmp_path: Path, nursery: subprocess.Popen[str]) -> Iterator[Nodes]:
    made = Nodes(
        tmp_path,
        {
            "adapter": "junwei",
            "url": f"sqlite:///{db.path}",
            "offers": OFFERS,
            "settings": {"virtual_departments": {"V001": "石桥社区"}},
        },
        nursery,
    )
    yield made
    made.end()


def an_order(nodes: Nodes, db: Database, n: int) -> str:
    patient = PATIENT.format(n=n)
    lines = "".join(
        f"<OrderLine><ItemCode>{code}</ItemCode></OrderLine>" for code in ("BRT", "CRP")
    )
    return (
        f"<RequestId>req{n}.</RequestId><Patient>{patient}</Patient><Items>{lines}</Items>"
        "<ClinicalDiagnosis>高血压病</ClinicalDiagnosis><VirtualDept>V001</VirtualDept>"
        "<OrderingProvider>赵医生</OrderingProvider>"
    )


def an_exam_order(nodes: Nodes, db: Database, n: int) -> str:
    return an_order(nodes, db, n).replace("BRT", "CT1").replace("CRP", "CT2")


def an_order_to_cancel(nodes: Nodes, db: Database, n: int) -> str:
    made = nodes.send("PlaceLabOrder", "Ordering", an_order(nodes, db, 100 + n))
    return (
        f"<RequestId>req{n}.</RequestId><OrderNo>{made['OrderNo']}</OrderNo><Reason>重复</Reason>"
    )


def a_specimen(nodes: Nodes, db: Database, n: int) -> str:
    made = nodes.send("PlaceLabOrder", "Ordering", an_order(nodes, db, 100 + n))
    return (
        f"<RequestId>req{n}.</RequestId><OrderNo>{made['OrderNo']}</OrderNo><Event>C</Event>"
        "<At>2026-11-21T09:40:00</At><Person>李敏</Person>"
    )


def a_lab_report(nodes: Nodes, db: Database, n: int) -> str:
    row = {"TEST_NO": f"T{n}", "PATIENT_ID": "0000000001", "RESULT_STATUS": "4"}
    db.insert("LAB_TEST_MASTER", **row)
    return f"<RequestId>req{n}.</RequestId><TestNo>T{n}</TestNo>"


def an_exam_report(nodes: Nodes, db: Database, n: int) -> str:
    row = {"EXAM_NO": f"E{n}", "PATIENT_ID": "0000000001", "RESULT_STATUS": "4"}
    db.insert("EXAM_MASTER", **row)
    return f"<RequestId>req{n}.</RequestId><ExamNo>E{n}</ExamNo>"


#: operation: its service, what it is asked with, and how many rows of each table one request adds
LAB = {"LAB_TEST_MASTER": 1, "LAB_TEST_ITEMS": 2}
EXAM = {"EXAM_MASTER": 1, "EXAM_APPOINTS": 1, "EXAM_ITEMS": 2}
PLACED = {"OUTP_ORDERS": 1, "OUTP_TREAT_REC": 2, "YILIAN_ORDER": 1, "YILIAN_REQUEST": 1}
NEW_PATIENT = {"PAT_MASTER_INDEX": 1, "YILIAN_PATIENT": 1}
OPERATIONS: dict[str, tuple[str, Callable[[Nodes, Database, int], str], dict[str, int]]] = {
    "PlaceLabOrder": ("Ordering", an_order, LAB | PLACED | NEW_PATIENT),
    "PlaceExamOrder": ("Ordering", an_exam_order, EXAM | PLACED | NEW_PATIENT),
    "CancelOrder": (
        "Ordering",
        an_order_to_cancel,
        {"OUTP_ORDERS": -1, "OUTP_TREAT_REC": -2, "YILIAN_REQUEST": 1},
    ),
    "RecordSpecimenEvent": (
        "Ordering",
        a_specimen,
        {"YILIAN_SPECIMEN_EVENT": 1, "YILIAN_REQUEST": 1},
    ),
    "MarkLabPrinted": ("LabResults", a_lab_report, {"printed tests": 1, "YILIAN_REQUEST": 1}),
    "MarkExamPrinted": ("ExamResults", an_exam_report, {"printed exams": 1, "YILIAN_REQUEST": 1}),
}


def standing(path: Path) -> dict[str, int]:
    """How many rows there are of each kind that an operation adds to."""
    return {
        **counts(path),
        "printed tests": len(rows(path, "LAB_TEST_MASTER", where="PRINT_INDICATOR = 1")),
        "printed exams": len(rows(path, "EXAM_MASTER", where="PRINT_STATUS = '1'")),
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_killed_at_every_step(db: Database, nodes: Nodes, operation: str) -> None:
    service, prepare, change = OPERATIONS[operation]
    step = 1
    died_at: list[str] = []
    begin(nodes, step)
    while True:
        # Prepared by the node that is to die: the code tables are in its memory then.
        arguments = prepare(nodes, db, step)
        before = standing(db.path)
        try:
            nodes.send(operation, service, arguments)
            break  # the call has fewer steps than this: it was killed at all of them
        except (ConnectionError, http.client.HTTPException):
            died_at = nodes.died()
            assert len(died_at) == step
        begin(nodes, step + 1)
        first = nodes.send(operation, service, arguments)
        assert nodes.send(operation, service, arguments) == first
        after = standing(db.path)
        changed = {name: after[name] - before[name] for name in after}
        assert {name: by for name, by in changed.items() if by} == change
        step += 1
    steps = nodes.steps()
    assert steps == died_at
    assert (steps[0], steps[-1]) == ("received", "before the answer")
    assert {"before INSERT", "after INSERT", "before commit", "after commit"} <= set(steps)
    numbers = rows(db.path, "YILIAN_ORDER", "ORDER_NO")
    assert len(numbers) == len(set(numbers)) == (step if service == "Ordering" else 0)


def begin(nodes: Nodes, step: int) -> None:
    nodes.start(f"req{step}.", step)
    # Code tables are kept for a while; a call that reads them would have other steps.
    nodes.ask("ListOrderableItems", "Ordering")
    nodes.ask("QueryLabMaster", "LabResults", PatientId="0000000001")
    nodes.ask("QueryExamMaster", "ExamResults", PatientId="0000000001")
