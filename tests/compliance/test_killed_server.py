"""The database server killed at every step of a write, started again and asked again: the write
has happened once, whole, and the node that lived on needs nobody's help."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from services.faults import ServerFault
from tests.compliance.wards import Bsoft, Junwei, Printing, Third, Ward
from tests.databases.targets import Target

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


class Bomb:
    """Kills the server at one step of what a source does: before or after a statement, before or
    after a commit."""

    def __init__(self, source: Any, target: Target) -> None:
        self._target = target
        self._count = 0
        self._at = 0
        self._steps: list[str] = []
        self.last: list[str] = []  # the steps of the last call
        engine = source._engine
        event.listen(engine, "before_cursor_execute", lambda *a: self._step("before a statement"))
        event.listen(engine, "after_cursor_execute", lambda *a: self._step("after a statement"))
        event.listen(engine, "commit", lambda *a: self._step("before commit"))
        original = engine.dialect.do_commit

        def commit(connection: Any) -> None:
            original(connection)
            self._step("after commit")

        engine.dialect.do_commit = commit

    def set(self, at: int) -> None:
        if at:
            self._steps = self.last = []
        self._at, self._count = at, 0

    @property
    def went_off(self) -> bool:
        return 0 < self._at <= self._count

    def _step(self, name: str) -> None:
        if not self._at:
            return
        self._count += 1
        self._steps.append(name)
        if self._count == self._at:
            self._target.server.stop()


#: driver, hospital and operation: every operation of each kind, every driver, each adapter
CASES = [
    ("postgresql+psycopg", Junwei, "Register"),
    ("postgresql+psycopg", Bsoft, "CancelRegistration"),
    ("postgresql+psycopg", Junwei, "CheckIn"),
    ("postgresql+psycopg", Printing, "MarkExamPrinted"),
    ("postgresql+psycopg", Third, "Register"),
    ("postgresql+pyodbc", Bsoft, "Register"),
    ("postgresql+pyodbc", Printing, "MarkLabPrinted"),
    ("mariadb+pymysql", Junwei, "Register"),
    ("mariadb+pymysql", Bsoft, "ConfirmRegistration"),
    ("mariadb+pymysql", Bsoft, "CheckIn"),
    ("mariadb+pymysql", Printing, "MarkLabPrinted"),
    ("mariadb+pymysql", Third, "CancelRegistration"),
    ("mariadb+pyodbc", Bsoft, "Register"),
    ("mariadb+pyodbc", Printing, "MarkExamPrinted"),
    ("mariadb+pyodbc", Third, "MarkLabPrinted"),
]


@pytest.mark.parametrize(
    ("drivername", "kind", "operation"),
    CASES,
    ids=lambda v: v.__name__ if isinstance(v, type) else str(v),
)
def test_killed_at_every_step(
    drivername: str, kind: type[Ward], operation: str, tmp_path: Path
) -> None:
    target = Target(drivername)
    url = target.url(target.server.database()).render_as_string(hide_password=False)
    with closing(kind(url, tmp_path)) as ward:
        bomb = Bomb(ward.node.source, target)
        step = 1
        while killed(ward, operation, bomb, target, step):
            step += 1
        assert step > 6
        assert {"before commit", "after commit"} <= set(bomb.last)


def killed(ward: Ward, operation: str, bomb: Bomb, target: Target, step: int) -> bool:
    """Whether the call came to that step; if so, all is as it must be."""
    arguments = ward.prepared(operation, step)
    call = getattr(ward.node, operation)
    before = ward.standing()
    bomb.set(step)
    try:
        call(f"r{step}", *arguments)
    except ServerFault:
        assert bomb.went_off
    finally:
        if bomb.went_off:
            target.server.start()
    if not bomb.went_off:
        return False
    steps = bomb.last
    bomb.set(0)
    ward.forget_connections()
    first = call(f"r{step}", *arguments)
    assert call(f"r{step}", *arguments) == first
    change = ward.changes[operation]
    assert ward.standing() == tuple(was + by for was, by in zip(before, change, strict=True)), steps
    numbers = ward.numbers()
    assert len(numbers) == len(set(numbers))
    return True
