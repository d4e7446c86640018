"""What a check finds: operations that were called, rules that were kept or broken."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.adapter import Adapter
from services.catalogue import CONTRACTS
from services.contract import Operation, describe
from services.faults import Fault, NotFound
from yilian.onboarding.facets import breaches

#: kept; broken; not looked at, with the reason
Mark = Literal["✓", "✗", "–"]

#: told of one operation; the rest is counted
_MOST = 20


@dataclass
class Outcome:
    """What became of one operation: how often it was called, how long the slowest took, what
    broke which rule."""

    operation: str
    calls: int = 0
    slowest: float = 0.0
    broken: dict[str, str] = field(default_factory=dict)  # Chinese -> English
    skipped: tuple[str, str] | None = None
    rows: int = 0

    @property
    def mark(self) -> Mark:
        return "✗" if self.broken else "–" if self.skipped or not self.calls else "✓"

    def breaks(self, zh: str, en: str) -> None:
        self.broken.setdefault(zh, en)


class Findings:
    """Calls the operations of one adapter and keeps what it finds."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter
        self.outcomes: dict[str, Outcome] = {}

    @property
    def broken(self) -> bool:
        return any(one.broken for one in self.outcomes.values())

    def outcome(self, operation: str) -> Outcome:
        return self.outcomes.setdefault(operation, Outcome(operation))

    def skip(self, operation: str, zh: str, en: str) -> None:
        self.outcome(operation).skipped = (zh, en)

    def call(self, contract: str, operation: str, **arguments: Any) -> Any:
        """The answer, looked through for what breaks the contract; None after a Fault, which is
        kept as what is broken."""
        outcome = self.outcome(operation)
        try:
            answer = self._timed(outcome, operation, arguments)
        except Fault as fault:
            outcome.breaks(f"{fault.code}：{fault.zh}", f"{fault.code}: {fault.en}")
            return None
        outcome.rows += len(answer) if isinstance(answer, list) else 1
        for key, zh, en in breaches(operation_of(contract, operation).result, answer):
            outcome.breaks(f"{key} {zh}", f"{key} {en}")
        return answer

    def refuses(
        self, operation: str, kind: type[Fault], zh: str, en: str, **arguments: Any
    ) -> None:
        """The operation must answer that fault; ``zh`` and ``en`` say for what."""
        outcome = self.outcome(operation)
        try:
            self._timed(outcome, operation, arguments)
        except kind:
            return
        except Fault as fault:
            got_zh, got_en = f"{fault.code}：{fault.zh}", f"{fault.code}: {fault.en}"
        else:
            got_zh = got_en = "—"
        outcome.breaks(
            f"{zh}，应答 {kind.__name__}，而答了 {got_zh}",
            f"{en} should be answered {kind.__name__} and was {got_en}",
        )

    def unknown(self, operation: str, **arguments: Any) -> None:
        """What exists nowhere must be NotFound."""
        self.refuses(operation, NotFound, "不存在的标识", "an id that nothing has", **arguments)

    def rule(self, operation: str, kept: bool, zh: str, en: str) -> None:
        if not kept:
            self.outcome(operation).breaks(zh, en)

    def _timed(self, outcome: Outcome, operation: str, arguments: dict[str, Any]) -> Any:
        called: Callable[..., Any] = getattr(self.adapter, operation)
        began = time.perf_counter()
        try:
            return called(**arguments)
        finally:
            outcome.calls += 1
            outcome.slowest = max(outcome.slowest, time.perf_counter() - began)


def operation_of(contract: str, name: str) -> Operation:
    return describe(CONTRACTS[contract]).operation(name)


def told(broken: dict[str, str]) -> list[tuple[str, str]]:
    """What is shown of it: some, and how many more there are."""
    shown = list(broken.items())[:_MOST]
    if len(broken) > _MOST:
        more = len(broken) - _MOST
        shown.append((f"……还有 {more} 处", f"... and {more} more"))
    return shown
