"""What /health tells of each binding: how many calls, how they ended, how many are under way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(slots=True)
class BindingCounters:
    """``faults`` by fault code: those of the gateway and, as far as it can tell, of the node."""

    calls: int = 0
    under_way: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    last_fault: tuple[datetime, str] | None = None

    def ended(self, fault: str | None) -> None:
        self.under_way -= 1
        if fault:
            self.faults[fault] += 1
            self.last_fault = datetime.now(UTC), fault

    def as_json(self) -> dict[str, Any]:
        last = self.last_fault
        return {
            "calls": self.calls,
            "under_way": self.under_way,
            "faults": dict(self.faults),
            "last_fault": {"time": last[0].isoformat(), "code": last[1]} if last else None,
        }


class Counters:
    """By route, since this process began. A route that went away keeps its counters."""

    def __init__(self) -> None:
        self._by_path: dict[str, BindingCounters] = {}
        #: by admission step, and by step and rule
        self.refusals: Counter[str] = Counter()
        self._rules: Counter[tuple[str, str]] = Counter()

    def refused(self, step: str, rule: str = "", times: int = 1) -> None:
        self.refusals[step] += times
        self._rules[step, rule] += times

    def begun(self, path: str) -> BindingCounters:
        counters = self._by_path.get(path)
        if counters is None:
            counters = self._by_path[path] = BindingCounters()
        counters.calls += 1
        counters.under_way += 1
        return counters

    def refusals_by_rule(self) -> dict[str, dict[str, int]]:
        """How many calls were refused since this process began, by step and then by rule."""
        steps: dict[str, dict[str, int]] = {}
        for step, rule, count in sorted(self.by_rule()):
            steps.setdefault(step, {})[rule or "-"] = count
        return steps

    def by_path(self) -> Iterator[tuple[str, BindingCounters]]:
        yield from self._by_path.items()

    def by_rule(self) -> Iterator[tuple[str, str, int]]:
        """Step, rule and how many calls it refused."""
        for (step, rule), count in self._rules.items():
            yield step, rule, count

    def as_json(self, path: str) -> dict[str, Any]:
        return self._by_path.get(path, BindingCounters()).as_json()
