"""From probes to a state: pure functions, and what they promise for any history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.health_rules import FLAPS, UNKNOWN, Finding, Rules, Standing, judged

RULES = Rules(fall=3, rise=2, slow_ms=1000)
MINUTE = 60_000


def after(marks: str, rules: Rules = RULES, every: int = MINUTE) -> Standing:
    """The standing after probes: + answered, - failed, s answered slowly, ? could not be told."""
    standing = UNKNOWN
    for number, mark in enumerate(marks):
        finding = Finding(mark in "+s", 5000.0 if mark == "s" else 5.0, "因", "why", mark != "?")
        standing = judged(standing, finding, (number + 1) * every, rules)
    return standing


def states(marks: str) -> list[str]:
    return [after(marks[: end + 1]).state for end in range(len(marks))]


def test_a_binding_that_was_never_probed_is_unknown() -> None:
    assert UNKNOWN.state == "unknown"


def test_the_first_answer_passes_and_the_third_failure_is_critical() -> None:
    assert states("+---") == ["passing", "warning", "warning", "critical"]
    assert states("---") == ["warning", "warning", "critical"]


def test_a_recovery_has_to_last() -> None:
    assert states("---+-+")[3:] == ["warning", "warning", "warning"]
    assert states("---++")[3:] == ["warning", "passing"]


def test_a_binding_that_fails_every_other_time_never_swings() -> None:
    assert set(states("+-" * 50)[1:]) == {"warning"}


def test_one_that_breaks_down_again_and_again_is_flapping_until_it_is_quiet() -> None:
    cycle = "---++"
    assert after(cycle * (FLAPS - 1)).state == "passing"
    flapping = after(cycle * FLAPS)
    assert flapping.state == "warning"
    assert "时好时坏" in flapping.zh
    assert after(cycle * FLAPS + "+" * 40).state == "passing"


def test_a_slow_answer_warns() -> None:
    assert states("+s+") == ["passing", "warning", "passing"]


def test_what_cannot_be_told_is_unknown_and_alarms_nobody() -> None:
    assert states("+???????") == ["passing"] + ["unknown"] * 7
    assert after("??+").state == "passing"


def test_since_is_when_the_state_began() -> None:
    assert after("+++").since == MINUTE
    assert after("+---").since == 4 * MINUTE
    assert after("+-----").since == 4 * MINUTE


@given(st.text("+-s?", max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_for_any_history(marks: str, fall: int, rise: int) -> None:
    rules = Rules(fall, rise, 1000)
    before = UNKNOWN
    for end in range(1, len(marks) + 1):
        now = after(marks[:end], rules)
        last = marks[max(0, end - fall) : end]
        if now.state == "critical":
            assert set(last) == {"-"}, "never critical but by failures in a row"
            assert len(last) == fall
        if len(last) == fall and set(last) == {"-"}:
            assert now.state == "critical"
        if before.state == "critical" and now.state == "passing":
            assert rise == 1
        if marks[end - 1] == "-":
            assert now.state in ("warning", "critical")
        assert len(now.falls) <= len(marks)
        assert (now.successes == 0) or (now.failures == 0)
        before = now
