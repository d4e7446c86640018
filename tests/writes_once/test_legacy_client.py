"""A legacy client's whole way through HisService: found, locked, paid, listed, returned."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

from services.delimited import split
from services.his_registration import OPERATIONS
from services.soap.exchange import Request
from tests.writes_once.hospital import DAY, FEES, Hospital, patient_id
from yilian.config import NodeConfig
from yilian.node import assemble

COLUMNS = {op.name: [column.field.name for column in op.columns] for op in OPERATIONS}


def test_lock_pay_confirm_cancel(his: Hospital) -> None:
    source = his.config()
    source["offers"] = ["NumberSource", "Patients", "Registration"]
    config = NodeConfig.model_validate(
        {
            "hospital": {"code": "hx", "name": "华夏", "name_en": "Huaxia"},
            "listen": {"port": 1, "public_url": "http://127.0.0.1:1"},
            "sources": {"his": source},
        }
    )
    node = assemble(config)
    endpoint = node.endpoints["/hx/HisService.asmx"]

    def ask(operation: str, **arguments: str) -> tuple[int, list[dict[str, str]]]:
        answer = asyncio.run(_call(endpoint, operation, arguments))
        names = COLUMNS.get(operation, [])
        rows = split(answer[1]) if answer[0] >= 0 else []
        return answer[0], [dict(zip(names, row, strict=False)) for row in rows]

    try:
        assert ask("getpatient", PatientId=patient_id(1))[0] == 1
        lock = {"RequestId": "l", "ScheduleId": his.session, "PatientId": patient_id(1)}
        code, (held,) = ask("locknumber", **lock)
        assert code == 1 and held["SequenceNo"] == "1"
        assert ask("locknumber", **lock) == (1, [held])
        pay = {"RequestId": "c", "LockId": held["LockId"], "PaymentReference": "WX"}
        assert ask("confirmregist", **pay, Amount="1")[0] == -3
        _, (made,) = ask("confirmregist", **pay, Amount=FEES)
        assert (made["State"], made["Amount"]) == ("R", FEES)
        assert ask("getregist", RegistrationId=held["LockId"]) == (1, [made])
        listed = {"PatientId": patient_id(1), "SinceDate": f"{DAY:%Y/%m/%d}"}
        assert ask("getregistlist", **listed) == (1, [made])
        assert ask("checkinregist", RequestId="a", RegistrationId=held["LockId"])[0] == -3
        assert ask("releaselock", RequestId="u", LockId="Y-none")[0] == -2
        his.stop()
        _, (notice,) = ask("getstopnotice", SinceDate=f"{DAY}")
        assert notice["RegistrationId"] == held["LockId"]
        back = {"RequestId": "x", "RegistrationId": held["LockId"], "Reason": "停诊|退?"}
        _, (returned,) = ask("cancelregist", **back)
        assert (returned["State"], returned["EndReason"]) == ("C", "停诊｜退？")
        assert his.counters() == (0, 2)
    finally:
        asyncio.run(node.close())


async def _call(endpoint: Any, operation: str, arguments: dict[str, str]) -> tuple[int, str]:
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in arguments.items())
    body = (
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        f'<{operation} xmlns="http://tempuri.org/">{inner}</{operation}></Body></Envelope>'
    )
    answer = (await endpoint.call(Request(body.encode(), "text/xml; charset=utf-8"))).body.decode()
    number = re.search(rf"<{operation}Result>(-?\d+)</", answer)
    text = re.search(r"<str>(.*?)</str>", answer, re.DOTALL)
    assert number and text, answer
    return int(number[1]), unescape(text[1])
