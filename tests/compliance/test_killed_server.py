"""The database server killed at every step of a write, started again and asked again: the write
has happened once, whole, and the node that lived on needs nobody's help."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from services.faults import ServerFault
from tests.databases.targets import Target
from tests.writes_once.hospital import FEES, Hospital, hospital, patient_id

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]


class Bomb:
    """Kills the server at one step of what a source does: before or after a statement, before or
    after a commit."""

    def __init__(self, source: Any, target: Target) -> None:
        self._target = target
        self._count = 0
        self._at = 0
        self.steps: list[str] = []
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
        self._at, self._count = at, 0
        self.steps.clear()

    @property
    def went_off(self) -> bool:
        return 0 < self._at <= self._count

    def _step(self, name: str) -> None:
        self._count += 1
        self.steps.append(name)
        if self._count == self._at:
            self._target.server.stop()


CASES = [
    ("postgresql+psycopg", "junwei"),
    ("postgresql+pyodbc", "bsoft"),
    ("mariadb+pymysql", "junwei"),
    ("mariadb+pyodbc", "bsoft"),
]


@pytest.mark.parametrize(("drivername", "adapter"), CASES)
def test_killed_at_every_step_of_a_registration(drivername: str, adapter: str) -> None:
    target = Target(drivername)
    url = target.url(target.server.database()).render_as_string(hide_password=False)
    with hospital(adapter, url) as his:
        his.limit(0)
        node = his.open(datetime.now)
        node.housekeeping()
        bomb = Bomb(node.source, target)
        step = 0
        while True:
            step += 1
            if not killed(his, node, bomb, target, step):
                break
        assert step > 8
        assert {"before commit", "after commit"} <= set(bomb.steps)


def killed(his: Hospital, node: Any, bomb: Bomb, target: Target, step: int) -> bool:
    """Whether the call came to that step; if so, all is as it must be."""
    request = (f"r{step}", his.session, patient_id(step), "WX", Decimal(FEES))
    before = (his.counters()[0], his.visits())
    bomb.set(step)
    try:
        node.Register(*request)
    except ServerFault:
        assert bomb.went_off
    finally:
        if bomb.went_off:
            target.server.start()
    if not bomb.went_off:
        return False
    steps = list(bomb.steps)
    bomb.set(0)
    his.engine.dispose()
    first = node.Register(*request)
    assert node.Register(*request) == first
    assert (his.counters()[0], his.visits()) == (before[0] + 1, before[1] + 1), steps
    assert [s for s, who, _ in his.kept() if who == patient_id(step)] == ["R"]
    numbers = [number for _, _, number in his.kept()]
    assert len(numbers) == len(set(numbers)) == step
    return True
