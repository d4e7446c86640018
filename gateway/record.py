"""What log and audit say of a call, gathered on its way."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from gateway.audit.entry import Entry, Outcome, moment
from services.soap.version import SoapVersion


@dataclass(slots=True)
class Record:
    """``policy``: the rule that let it pass; ``step`` and ``rule``: what refused it. ``node``: the
    access point that it was sent to. ``patient`` is for the audit alone, which marks it."""

    request_id: str
    peer: str = ""
    path: str | None = None
    caller: str | None = None
    hospital: str | None = None
    service: str | None = None
    operation: str | None = None
    patient: str | None = None
    policy: str | None = None
    node: str | None = None
    request_bytes: int = 0
    fault: str | None = None
    reason: str | None = None
    step: str | None = None
    rule: str | None = None
    version: SoapVersion | None = None
    moment: float = field(default_factory=time.time)
    begun: float = field(default_factory=time.perf_counter)

    @property
    def ms(self) -> float:
        return round((time.perf_counter() - self.begun) * 1000, 1)

    def line(self, method: str, status: int, answer_bytes: int) -> dict[str, Any]:
        """The members of the call's log line."""
        return {
            "request_id": self.request_id,
            "peer": self.peer,
            "caller": self.caller,
            "method": method,
            "path": self.path,
            "hospital": self.hospital,
            "service": self.service,
            "operation": self.operation,
            "status": status,
            "fault": self.fault,
            "step": self.step,
            "rule": self.rule,
            "policy": self.policy,
            "reason": self.reason,
            "request_bytes": self.request_bytes,
            "answer_bytes": answer_bytes,
            "ms": self.ms,
        }

    def entry(self, outcome: Outcome, answer_bytes: int) -> Entry:
        """The call as the audit has it."""
        return Entry(
            moment(self.moment),
            self.request_id,
            self.peer,
            self.caller or "",
            self.hospital or "",
            self.service or "",
            self.operation or "",
            self.patient or "",
            outcome,
            self.fault or "",
            self.step or "",
            self.rule or "",
            self.request_bytes,
            answer_bytes,
            self.ms,
            self.node or "",
        )
