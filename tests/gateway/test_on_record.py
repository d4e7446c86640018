"""Every call is in the audit before it is answered: who, what, by which rule, and how it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.gateway.conftest import SOAP_1_1, MakeGateway, RunningGateway, lab_call, lab_results
from tests.gateway.scripted_node import ScriptedNode, answering, envelope, http


def calls_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The lines of calls, by request id."""
    lines = [
        json.loads(line)
        for file in sorted(folder.glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    return {line["id"]: line for line in lines if line.get("k") == "call"}


def test_what_is_on_record_when_the_answer_arrives(
    make_gateway: MakeGateway, node: ScriptedNode, tmp_path: Path
) -> None:
    folder = tmp_path / "audit"
    gateway: RunningGateway = make_gateway(
        [lab_results(node)], sections={"audit": {"folder": str(folder)}}
    )
    body = lab_call("<PatientId>110101199001011234</PatientId>")
    passed = gateway.post("/hx/LabResults", body)
    told = calls_in(folder)[passed.header("X-Request-Id") or ""]
    assert told["outcome"] == "ok"
    assert (told["caller"], told["hospital"], told["service"]) == ("local", "hx", "LabResults")
    assert told["operation"] == "GetLabResult"
    assert told["in"] == len(body)
    assert told["out"] == len(passed.body)
    assert told["patient"] and "1101" not in json.dumps(told)

    refused = gateway.post("/hx/LabResults", body, {**SOAP_1_1, "SOAPAction": "MarkLabPrinted"})
    told = calls_in(folder)[refused.header("X-Request-Id") or ""]
    assert (told["outcome"], told["step"], told["rule"]) == ("refused", "message", "SOAPAction")
    assert told["fault"] == "UnknownOperation"

    fault = envelope(b"<x><Code>NotFound</Code></x>")
    node.script = answering(http(fault, "500 Internal Server Error"))
    failed = gateway.post("/hx/LabResults", body)
    told = calls_in(folder)[failed.header("X-Request-Id") or ""]
    assert (told["outcome"], told["fault"]) == ("fault", "NotFound")
    assert gateway.health()["audit"]["writable"]


def test_what_cannot_be_put_on_record_is_not_forwarded(
    make_gateway: MakeGateway, node: ScriptedNode, tmp_path: Path
) -> None:
    full = {"folder": str(tmp_path / "audit"), "min_free_bytes": 10**17}
    gateway: RunningGateway = make_gateway([lab_results(node)], sections={"audit": full})
    refused = gateway.post("/hx/LabResults")
    assert refused.status == 500
    assert "<Code>SourceUnavailable</Code>" in refused.text
    assert node.requests == []
    line = gateway.call_line(refused)
    assert (line["step"], line["rule"]) == ("audit", "audit.on_failure")
    assert gateway.health()["refusals"]["audit"] >= 1

    going_on: RunningGateway = make_gateway(
        [lab_results(node)],
        sections={"audit": {**full, "folder": str(tmp_path / "b"), "on_failure": "answer"}},
    )
    assert going_on.post("/hx/LabResults").status == 200
