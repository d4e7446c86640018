"""Hospitals on a server in which one write after the other is done, and what stands in them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Engine, func, insert, select, text

from adapters.junwei import tables as j
from adapters.ledger import REQUEST
from adapters.printed import PRINTED
from services.registration_states import LIVING
from tests.compliance.copying import copied, engine_of
from tests.onboarding.third_hospital import files, open_on_server
from tests.writes_once.hospital import DAY, FEES, NOON, hospital, patient_id

Counts = tuple[int, ...]


class Ward(ABC):
    """``node`` is the adapter; ``changes``: what one call of an operation adds to ``standing``."""

    changes: ClassVar[dict[str, Counts]]
    node: Any
    engine: Engine

    def __init__(self) -> None:
        self.stack = ExitStack()

    @abstractmethod
    def prepared(self, operation: str, n: int) -> tuple[Any, ...]:
        """The arguments of the n-th call, behind its RequestId."""

    @abstractmethod
    def standing(self) -> Counts: ...

    def numbers(self) -> list[int]:
        """Sequence numbers that living registrations hold."""
        return []

    def forget_connections(self) -> None:
        """Of the one who looks; the node's are its own matter."""
        self.engine.dispose()

    def count(self, sql: str) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text(sql)).scalar_one())

    def requests(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(REQUEST)).scalar_one())

    def close(self) -> None:
        self.stack.close()


class _Registering(Ward):
    adapter: ClassVar[str]
    #: places taken, living rows of the HIS, returned ones, rows of ours, requests
    changes: ClassVar = {
        "Register": (1, 1, 0, 1, 1),
        "ConfirmRegistration": (0, 1, 0, 0, 1),
        "CancelRegistration": (-1, -1, 1, 0, 1),
        "CheckIn": (0, 0, 0, 0, 1),
    }

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        self.his = self.stack.enter_context(hospital(self.adapter, url))
        self.engine = self.his.engine
        self.his.limit(0)
        self.clock = NOON
        self.node = self.his.open(lambda: self.clock)
        self.node.housekeeping()

    def prepared(self, operation: str, n: int) -> tuple[Any, ...]:
        session, patient = self.his.session, patient_id(n)
        if operation == "Register":
            return (session, patient, "WX", Decimal(FEES))
        if operation == "ConfirmRegistration":
            lock = self.node.LockNumber(f"lock{n}", session, patient)
            return (lock.LockId, f"WX{n}", Decimal(FEES))
        self.clock = NOON
        made = self.node.Register(f"made{n}", session, patient).RegistrationId
        if operation == "CheckIn":
            self.clock = datetime.combine(DAY, time(8))
            return (made,)
        return (made, "行程有变")

    def standing(self) -> Counts:
        his = self.his
        counters = his.counters()[0], his.visits(), his.returns()
        return (*counters, len(his.kept()), self.requests())

    def numbers(self) -> list[int]:
        return [number for state, _, number in self.his.kept() if state in LIVING]


class Junwei(_Registering):
    adapter = "junwei"


class Bsoft(_Registering):
    adapter = "bsoft"


class Printing(Ward):
    """A junwei hospital's laboratory and examination rooms."""

    #: printed tests, printed examinations, requests
    changes: ClassVar = {"MarkLabPrinted": (1, 0, 1), "MarkExamPrinted": (0, 1, 1)}

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        self.his = self.stack.enter_context(hospital("junwei", url))
        self.engine = self.his.engine
        names = ("LAB_TEST_MASTER", "LAB_TEST_ITEMS", "EXAM_MASTER", "EXAM_ITEMS")
        with self.engine.begin() as connection:
            new = [j.METADATA.tables[name] for name in names]
            j.METADATA.create_all(connection, new, checkfirst=False)
        self.his.limits = {"offers": ["LabResults", "ExamResults"]}
        self.node = self.his.open()
        # The tables of ours are made, and the code tables read, by a print that does not count.
        self.node.MarkLabPrinted("warm1", *self.prepared("MarkLabPrinted", 0))
        self.node.MarkExamPrinted("warm2", *self.prepared("MarkExamPrinted", 0))

    def prepared(self, operation: str, n: int) -> tuple[Any, ...]:
        lab = operation == "MarkLabPrinted"
        place = j.LAB_TEST_MASTER if lab else j.EXAM_MASTER
        key = "TEST_NO" if lab else "EXAM_NO"
        row = {key: f"N{n}", "PATIENT_ID": patient_id(1), "RESULT_STATUS": "4"}
        with self.engine.begin() as connection:
            connection.execute(insert(place).values(row))
        return (f"N{n}",)

    def standing(self) -> Counts:
        lab, exam = j.LAB_TEST_MASTER.c.PRINT_INDICATOR, j.EXAM_MASTER.c.PRINT_STATUS
        with self.engine.connect() as connection:
            printed = connection.scalar(select(func.count()).where(lab == 1)) or 0
            examined = connection.scalar(select(func.count()).where(exam == "1")) or 0
        return (printed, examined, self.requests())


class Third(Ward):
    """The hospital of docs/onboarding.md, by the mapped adapter."""

    #: places taken, living rows of the HIS, returned ones, printed tests, requests
    changes: ClassVar = {
        "Register": (1, 1, 0, 0, 1),
        "CancelRegistration": (-1, -1, 1, 0, 1),
        "MarkLabPrinted": (0, 0, 0, 1, 1),
    }
    #: a session without a limit
    SESSION = "107"

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        files(folder, patients=80)
        copied(folder / "his.db", url)
        self.engine = engine_of(url)
        self.stack.callback(self.engine.dispose)
        self.node = open_on_server(folder, url)
        self.stack.callback(self.node.source.close)
        self.node.housekeeping()
        self.node.MarkLabPrinted("warm", "T000400")

    def prepared(self, operation: str, n: int) -> tuple[Any, ...]:
        if operation == "MarkLabPrinted":
            return (f"T{n:05}0",)
        patient = patient_id(n)
        if operation == "Register":
            return (self.SESSION, patient)
        return (self.node.Register(f"made{n}", self.SESSION, patient).RegistrationId, "行程有变")

    def standing(self) -> Counts:
        with self.engine.connect() as connection:
            reports = connection.execute(select(func.count()).select_from(PRINTED)).scalar_one()
        taken = self.count(f"SELECT 已挂 FROM 出诊安排 WHERE 安排号 = {self.SESSION}")
        living = self.count("SELECT count(*) FROM 挂号流水 WHERE 记录状态 = '0'")
        returned = self.count("SELECT count(*) FROM 挂号流水 WHERE 记录状态 <> '0'")
        return (taken, living, returned, int(reports), self.requests())
