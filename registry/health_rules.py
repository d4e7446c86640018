"""From probes to a state: passing, warning, critical; flapping damped. Pure functions.

    unknown   never probed, or it cannot be told from here
    passing   it answers
    warning   it fails since fewer than FALL probes, or it is slow, or has failed and answers again
              since fewer than RISE probes, or it changes too often
    critical  FALL failures in a row

A first failure warns at once and alarms only when it stays; a recovery has to last, too. So a
binding that fails every other time is warning all the while and never swings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

HealthState = Literal["unknown", "passing", "warning", "critical"]

#: failures in a row until critical; successes in a row until passing again
FALL, RISE = 3, 2
#: turning critical as often within the window is flapping: warning until the window has fewer
FLAPS, FLAP_WINDOW_MS = 3, 30 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """``fall``, ``rise``: probes in a row; ``slow_ms``: an answer that takes longer warns."""

    fall: int = FALL
    rise: int = RISE
    slow_ms: float = 3000.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a binding stands after its last probe. Moments are milliseconds since 1970.

    ``successes`` and ``failures`` are in a row, one of them 0. ``falls``: when it turned critical
    within the window. ``answered``: it ever did; ``answered_now``: in the last probe.
    """

    state: HealthState = "unknown"
    since: int | None = None
    successes: int = 0
    failures: int = 0
    falls: tuple[int, ...] = ()
    answered: bool = False
    answered_now: bool = False
    zh: str = "尚未探测"
    en: str = "not probed yet"


UNKNOWN = Standing()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found. ``ok``: the service answered as a living one does. ``told``: that it
    could be told from here at all; a probe that the gateway refuses, or an inside address that
    was never reachable from the registry, says nothing of the service."""

    ok: bool
    latency_ms: float
    zh: str
    en: str
    told: bool = True


def judged(before: Standing, finding: Finding, moment: int, rules: Rules) -> Standing:
    """The standing after a probe at ``moment``."""
    if not finding.told:
        return _moved(
            replace(before, successes=0, failures=0, answered_now=False),
            "unknown", moment, finding.zh, finding.en,
        )  # fmt: skip
    successes = before.successes + 1 if finding.ok else 0
    failures = 0 if finding.ok else before.failures + 1
    falls = tuple(at for at in before.falls if 0 <= moment - at < FLAP_WINDOW_MS)
    counted = replace(
        before,
        successes=successes,
        failures=failures,
        falls=falls,
        answered=before.answered or finding.ok,
        answered_now=finding.ok,
    )
    if not finding.ok:
        if failures >= rules.fall:
            if before.state != "critical":
                counted = replace(counted, falls=(*falls, moment))
            return _moved(counted, "critical", moment, finding.zh, finding.en)
        return _moved(counted, "warning", moment, finding.zh, finding.en)
    recovering = before.failures > 0 or before.state in ("warning", "critical")
    if recovering and successes < rules.rise:
        zh = f"已恢复应答，连续 {successes}/{rules.rise} 次"
        en = f"it answers again, {successes} of {rules.rise} in a row"
        return _moved(counted, "warning", moment, zh, en)
    if len(falls) >= FLAPS:
        zh = f"半小时内中断 {len(falls)} 次，时好时坏"
        en = f"it broke down {len(falls)} times within half an hour: it comes and goes"
        return _moved(counted, "warning", moment, zh, en)
    if finding.latency_ms > rules.slow_ms:
        zh = f"应答用时 {finding.latency_ms:.0f} 毫秒，超过 {rules.slow_ms:.0f}"
        en = f"the answer took {finding.latency_ms:.0f} ms, more than {rules.slow_ms:.0f}"
        return _moved(counted, "warning", moment, zh, en)
    return _moved(counted, "passing", moment, finding.zh, finding.en)


def _moved(standing: Standing, state: HealthState, moment: int, zh: str, en: str) -> Standing:
    since = standing.since if standing.state == state else moment
    return replace(standing, state=state, since=since, zh=zh, en=en)
