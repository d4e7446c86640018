"""Registration as rows: one for a registration, one for each that a stop hits."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services import his_registration
from services.delimited import bind, split
from services.registration import AffectedRegistration, StopNotice

OPERATIONS = {operation.name: operation for operation in his_registration.OPERATIONS}


def test_stop_notices_are_one_row_for_each_registration() -> None:
    session: Any = ("S1", date(2026, 11, 22), "0301A", "心内科", None, "1")
    hits = [AffectedRegistration("Y1", "0001", 3), AffectedRegistration("H-2", "0002", None)]
    reply = OPERATIONS["getstopnotice"].reply(
        [StopNotice(*session, hits), StopNotice("S2", *session[1:], [])]
    )
    assert reply[0] == 3
    assert [row[0] for row in split(reply[1])] == ["S1", "S1", "S2"]
    assert [row[6:] for row in split(reply[1])] == [
        ["Y1", "0001", "3"],
        ["H-2", "0002", ""],
        ["", "", ""],
    ]


def test_optional_arguments_may_be_empty_and_amounts_are_amounts() -> None:
    seen: dict[str, Any] = {}

    async def invoke(**arguments: Any) -> Any:
        seen.update(arguments)
        raise AssertionError("enough")

    call = bind(OPERATIONS["regist"], invoke)
    given = {"RequestId": "r", "ScheduleId": "s", "PatientId": "p", "PaymentReference": ""}
    with pytest.raises(AssertionError):
        asyncio.run(call(**given, Amount="25.5"))
    assert seen["Amount"] == Decimal("25.5") and seen["PaymentReference"] is None
    with pytest.raises(AssertionError):
        asyncio.run(call(**given, Amount=None))
    assert seen["Amount"] is None
    for wrong in ("NaN", "1e99", "25.001", "Infinity", "二十五"):
        code, message = asyncio.run(call(**given, Amount=wrong))
        assert code == -1 and "Amount" in message
