"""Who may call what: the policies' decision, prepared so that a call costs a look-up.

``decide`` is what admission asks for each call and what ``yilian gateway explain`` prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway_config.policies import Policy

if TYPE_CHECKING:
    from gateway_config.model import GatewayConfig

#: combinations of caller, hospital and service that are remembered
_KEPT = 10_000


class Decision(NamedTuple):
    """``rule``: the name of the policy that decided; empty where none matched."""

    allowed: bool
    rule: str
    zh: str
    en: str


NO_POLICY = Decision(
    False,
    "",
    "没有允许此调用的准入规则，请联系联盟网关的管理员",
    "no policy allows this call; ask whoever runs the alliance's gateway",
)


def decide(
    config: GatewayConfig, caller: str, hospital: str, service: str, operation: str | None
) -> Decision:
    """What the policies say. ``caller``: the name of his entry; ``operation`` None: reading the
    service's WSDL, which who may call any of its operations may do."""
    return config.decisions.decide(caller, hospital, service, operation)


class Policies:
    """Policies in their order. ``decide`` never raises and keeps nothing of what a caller sent:
    hospital and service are those of a route."""

    def __init__(self, policies: Sequence[Policy], callers: Sequence[str] = ()) -> None:
        self._rules = [_Rule(policy) for policy in policies]
        self._callers = frozenset(callers)
        self._known: dict[tuple[str, str, str], tuple[_Rule, ...]] = {}

    def decide(self, caller: str, hospital: str, service: str, operation: str | None) -> Decision:
        key = caller, hospital, service
        rules = self._known.get(key)
        if rules is None:
            rules = self._matching(key)
        for rule in rules:
            if operation is None:
                # A rule that forbids some operations leaves the others to the next rule.
                if rule.decision.allowed or rule.operations is None:
                    return rule.decision
            elif rule.operations is None or operation in rule.operations:
                return rule.decision
        return NO_POLICY

    def _matching(self, key: tuple[str, str, str]) -> tuple[_Rule, ...]:
        rules = tuple(rule for rule in self._rules if rule.concerns(*key))
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = rules
        return rules


class _Rule:
    __slots__ = ("callers", "decision", "hospitals", "operations", "services")

    def __init__(self, policy: Policy) -> None:
        self.callers = _any(policy.callers)
        self.hospitals = _any(policy.hospitals)
        self.services = _any(policy.services)
        self.operations = _any(policy.operations)
        verb_zh, verb_en = ("允许", "allows") if policy.allow else ("拒绝", "refuses")
        self.decision = Decision(
            policy.allow,
            policy.name,
            f"规则“{policy.name}”{verb_zh}此调用",
            f"the policy “{policy.name}” {verb_en} this call",
        )

    def concerns(self, caller: str, hospital: str, service: str) -> bool:
        return (
            (self.callers is None or caller in self.callers)
            and (self.hospitals is None or hospital in self.hospitals)
            and (self.services is None or service in self.services)
        )


def _any(words: tuple[str, ...]) -> frozenset[str] | None:
    """None stands for every one."""
    return None if words == ("*",) else frozenset(words)
