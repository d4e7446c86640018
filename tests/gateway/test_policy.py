"""Which policy decides: their order, "*", the default, and who may read a WSDL."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_config.model import GatewayConfig
from gateway_config.policy import NO_POLICY, decide

EVERY = {"callers": ["*"], "hospitals": ["*"], "services": ["*"], "operations": ["*"]}


def config(*policies: dict[str, Any]) -> GatewayConfig:
    return GatewayConfig.model_validate(
        {
            "registry": {"url": "http://r.example"},
            "hospitals": {"hx": {}, "sq": {}},
            "callers": {"a": {"networks": ["10.0.0.1/32"]}, "b": {"networks": ["10.0.0.2/32"]}},
            "policies": [
                {"name": f"p{index}", **EVERY, **policy} for index, policy in enumerate(policies)
            ],
        }
    )


def test_without_policies_everything_is_refused() -> None:
    decision = decide(config(), "a", "hx", "LabResults", "GetLabResult")
    assert decision == NO_POLICY
    assert not decision.allowed and decision.rule == ""


@pytest.mark.parametrize(
    "caller, hospital, service, operation, allowed",
    [
        ("a", "hx", "LabResults", "GetLabResult", True),
        ("b", "hx", "LabResults", "GetLabResult", False),
        ("a", "sq", "LabResults", "GetLabResult", False),
        ("a", "hx", "Ordering", "GetLabResult", False),
        ("a", "hx", "LabResults", "FindLabMasters", False),
        ("a", "hx", "LabResults", "getlabresult", False),
    ],
)
def test_every_part_of_a_policy_must_match(
    caller: str, hospital: str, service: str, operation: str, allowed: bool
) -> None:
    one = config(
        {
            "callers": ["a"],
            "hospitals": ["hx"],
            "services": ["LabResults"],
            "operations": ["GetLabResult"],
        }
    )
    for _ in range(2):  # the second time from what is remembered
        assert decide(one, caller, hospital, service, operation).allowed is allowed


def test_the_first_match_decides() -> None:
    one = config({"callers": ["b"], "allow": False}, {})
    assert decide(one, "a", "hx", "S", "O").rule == "p1"
    refused = decide(one, "b", "hx", "S", "O")
    assert (refused.allowed, refused.rule) == (False, "p0")
    assert "p0" in refused.zh and "p0" in refused.en
    other_way = config({}, {"callers": ["b"], "allow": False})
    assert decide(other_way, "b", "hx", "S", "O").allowed


def test_a_wsdl_may_be_read_by_who_may_call_one_of_its_operations() -> None:
    one = config(
        {"callers": ["b"], "operations": ["Book"], "allow": False},
        {"callers": ["b"], "hospitals": ["hx"]},
        {"callers": ["a"], "allow": False},
        {"callers": ["a"]},
    )
    assert decide(one, "b", "hx", "S", None).rule == "p1"
    assert not decide(one, "b", "sq", "S", None).allowed
    assert not decide(one, "a", "hx", "S", None).allowed
