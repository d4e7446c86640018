"""Which statements a call sends to the database, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as the driver got it. ``parameters`` are never shown to anybody."""

    sql: str
    parameters: Any
    seconds: float


@contextmanager
def watched() -> Iterator[list[Sent]]:
    """What is sent within the ``with``, by whatever engine of this process."""
    sent: list[Sent] = []

    def before(connection: Any, *_: Any) -> None:
        connection.info["yilian_began"] = time.perf_counter()

    def after(connection: Any, cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        began = connection.info.get("yilian_began", time.perf_counter())
        sent.append(Sent(sql, parameters, time.perf_counter() - began))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)
