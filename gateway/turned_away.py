"""Connections refused before there is a request: counted, told of in the log, put on record.

A flood of them is counted one by one, and told of and recorded in sums: it must not fill the disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gateway.audit.entry import moment
from gateway.audit.trail import Trail
from gateway.counters import Counters
from gateway.log import Log

#: how long refusals are summed up before they are told of, seconds: at first, and as long as they
#: go on twice as long each time, up to the longest
TELL_SECONDS = 1.0
_LONGEST_SECONDS = 60.0
#: lines each time, beside one a rule for all the others
MOST_LINES = 20
#: kinds of refusal (peer, rule, reason) that are told apart in one sum
_MOST_APART = 1000


@dataclass(frozen=True, slots=True)
class Why:
    """``rule``: which check refused it. ``fault``: the code that stands for it. ``reason``: more
    for the operator; never anything that the peer has chosen freely."""

    rule: str
    fault: str = "Overloaded"
    reason: str = ""


@dataclass(slots=True)
class _Sum:
    """``first`` and ``last``: when, seconds since 1970. ``peers``: how many are in it, where that
    is more than one."""

    times: int
    first: float
    last: float
    peers: int = 0


class TurnedAway:
    """Of one worker, on its event loop."""

    def __init__(self, counters: Counters, log: Log, trail: Trail | None) -> None:
        self._counters = counters
        self._log = log
        self._trail = trail
        self._sums: dict[tuple[str, Why], _Sum] = {}
        self._every = TELL_SECONDS
        self._timer: asyncio.TimerHandle | None = None

    def add(self, peer: str, why: Why) -> None:
        self._counters.refused("connection", why.rule)
        now = time.time()
        key = peer, why
        if key not in self._sums and len(self._sums) >= _MOST_APART:
            key = "", Why(why.rule, why.fault)
        found = self._sums.get(key)
        if found is None:
            self._sums[key] = _Sum(1, now, now)
        else:
            found.times, found.last = found.times + 1, now
        if self._timer is None:
            self._wait()

    def close(self) -> None:
        """Tell of what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every, self._told)

    def _told(self) -> None:
        self._timer = None
        if not self._sums:
            self._every = TELL_SECONDS
            return
        self._tell()
        self._every = min(2 * self._every, _LONGEST_SECONDS)
        self._wait()

    def _tell(self) -> None:
        sums, self._sums = self._sums, {}
        for (peer, why), found in _fewer(sums):
            self._log.warning(
                "connections_refused",
                step="connection",
                rule=why.rule,
                reason=why.reason or None,
                peer=peer,
                peers=found.peers or None,
                times=found.times,
            )
            if self._trail is not None:
                self._trail.note(_line(peer, why, found), found.times)


def _fewer(sums: dict[tuple[str, Why], _Sum]) -> Iterator[tuple[tuple[str, Why], _Sum]]:
    """Those that happened most, and one sum a rule for all the others."""
    most = sorted(sums.items(), key=lambda one: one[1].times, reverse=True)
    yield from sorted(most[:MOST_LINES], key=lambda one: one[1].first)
    others: dict[Why, _Sum] = {}
    for (_, why), found in most[MOST_LINES:]:
        rule = Why(why.rule, why.fault)
        known = others.setdefault(rule, _Sum(0, found.first, found.last))
        known.times += found.times
        known.peers += 1
        known.first = min(known.first, found.first)
        known.last = max(known.last, found.last)
    yield from ((("", why), found) for why, found in others.items())


def _line(peer: str, why: Why, found: _Sum) -> dict[str, Any]:
    """The members of the audit's line."""
    line: dict[str, Any] = {"k": "connection", "t": moment(found.first)}
    if peer:
        line["peer"] = peer
    line.update(outcome="refused", fault=why.fault, step="connection", rule=why.rule)
    if why.reason:
        line["reason"] = why.reason
    line["times"] = found.times
    if found.times > 1:
        line["last"] = moment(found.last)
    if found.peers:
        line["peers"] = found.peers
    return line
