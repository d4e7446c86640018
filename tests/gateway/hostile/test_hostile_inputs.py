"""Every hostile input is refused by the step and rule that exist for it, with a Fault, a log line
and a counter; no node is called; and the gateway serves on. What only looks hostile passes."""

from __future__ import annotations

import pytest

from tests.gateway.hostile import caller, connection, further, message
from tests.gateway.hostile.attack import GOOD, LIMITED, Attack, Twin, enveloped, lab, post
from tests.gateway.hostile.conftest import Target

ATTACKS: dict[str, Attack] = {
    f"{module}: {name}": attack
    for module, table in (
        ("connection", connection.ATTACKS),
        ("caller", caller.ATTACKS),
        ("message", message.ATTACKS),
        ("policy", further.POLICY),
        ("contract", further.CONTRACT),
    )
    for name, attack in table.items()
}
TWINS: dict[str, Twin] = {
    f"{module.__name__.rpartition('.')[2]}: {name}": twin
    for module in (connection, caller, message, further)
    for name, twin in module.TWINS.items()
}


def is_refused(target: Target, attack: Attack) -> None:
    calls = len(target.node.requests)
    raw = attack.sent()
    before = target.gateway.health()["refusals"].get(attack.step, 0)
    outcome = target.send(raw, attack.source)
    assert (outcome.status, outcome.code) == (attack.status, attack.code)
    assert b"Traceback" not in outcome.body and b".py" not in outcome.body
    line = target.line_of(outcome)
    assert line["step"] == attack.step
    assert line["fault"] == attack.code
    if attack.rule:
        assert line["rule"] == attack.rule
    assert target.gateway.health()["refusals"][attack.step] == before + 1
    assert len(target.node.requests) == calls
    if outcome.status == 401:
        assert outcome.headers["www-authenticate"].startswith("Basic ")
    if attack.step == "rate":
        assert int(outcome.headers["retry-after"]) >= 1
    # and whoever behaves is served as before
    assert target.send(post()).status == 200


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_input_is_refused(target: Target, attack: Attack) -> None:
    is_refused(target, attack)


def test_there_are_enough_of_them_and_all_are_different() -> None:
    assert len({(one.sent(), one.source) for one in ATTACKS.values()}) >= 250


@pytest.mark.parametrize("twin", TWINS.values(), ids=TWINS)
def test_what_only_looks_hostile_passes(target: Target, twin: Twin) -> None:
    calls = len(target.node.requests)
    raw = twin.sent()
    outcome = target.send(raw, twin.source)
    if raw.startswith(b"GET"):
        assert outcome.status == 502  # it was asked: the scripted node has no WSDL
    else:
        assert outcome.status == 200
    assert len(target.node.requests) == calls + 1


def test_what_goes_beyond_a_rate_is_refused(target: Target) -> None:
    assert target.send(post(), LIMITED).status == 200
    assert target.send(post(path="/zz/LabResults")).status == 200
    for attack in further.RATE.values():
        is_refused(target, attack)


def test_a_token_is_good_once(target: Target) -> None:
    made = caller.TWINS["token"].sent()
    assert target.send(made, caller.UNKNOWN).status == 200
    is_refused(
        target, Attack(made, "caller", "username_token", "NotAuthenticated", 401, caller.UNKNOWN)
    )


def test_no_password_goes_on_to_a_node(target: Target) -> None:
    for name in ("token", "token that must be understood", "Basic"):
        twin = caller.TWINS[name]
        assert target.send(twin.sent(), twin.source).status == 200
        sent = target.node.requests[-1]
        assert b"Security" not in sent.body
        assert b"GetLabResult" in sent.body
        assert sent.all("Authorization") == []
        assert sent.all("Content-Type") == ["text/xml; charset=utf-8"]
    text = target.gateway.log_text.getvalue()
    assert caller.PASSWORD not in text


def test_thousands_of_bytes_at_random_end_nothing(target: Target) -> None:
    import random

    random.seed(20261121)
    whole = GOOD.encode()
    for _ in range(150):
        body = bytearray(whole)
        for _ in range(random.randint(1, 8)):
            at = random.randrange(len(body))
            choice = random.random()
            if choice < 0.4:
                body[at] = random.randrange(256)
            elif choice < 0.7:
                del body[at : at + random.randint(1, 20)]
            else:
                body[at:at] = body[: random.randint(1, 40)]
            if not body:
                break
        outcome = target.send(post(bytes(body)))
        assert outcome.status in (200, 400, 500)
    assert target.send(post(enveloped(lab()))).status == 200
