"""A binding's probes as two small pictures: latency over time, and a band of states. Numbers for
an SVG that a template draws; nothing here is markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from registry.web.seams import Probe, State
from services.soap.values import LOCAL

#: of the picture, in its own units; the latency above, the band of states below
WIDTH, LEFT, TOP, HEIGHT, BAND = 1240, 64, 10, 130, 28
_BUCKETS = 120
#: heights of the band's bars: a state is told by height as well as by colour
_TALL: dict[State, int] = {"passing": 8, "warning": 16, "critical": BAND, "unknown": 2}


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time in the band. ``top`` is from the band's own top."""

    x: float
    width: float
    top: int
    tall: int
    state: State


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across with its label; ``at`` is x of a time, or y of a latency."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``lines`` are polylines' points: a gap in the probes is a gap in the line. ``low`` and
    ``high`` of each stretch make the shadow behind it. Latencies in ms, None without a probe."""

    lines: tuple[str, ...]
    shadows: tuple[str, ...]
    failures: tuple[float, ...]
    bars: tuple[Bar, ...]
    times: tuple[Tick, ...]
    levels: tuple[Tick, ...]
    probes: int
    failed: int
    typical: float | None
    slow: float | None
    worst: float | None

    @property
    def answered(self) -> str:
        """Per cent of the probes that were answered."""
        if not self.probes:
            return ""
        share = 100 * (self.probes - self.failed) / self.probes
        # 99.96 is not 100: what failed must be seen.
        return "100" if not self.failed else f"{min(share, 99.99):.2f}".rstrip("0").rstrip(".")


@dataclass
class _Bucket:
    latencies: list[float]
    ok: int = 0
    failed: int = 0

    @property
    def state(self) -> State:
        if not self.ok and not self.failed:
            return "unknown"
        if not self.failed:
            return "passing"
        return "warning" if self.ok else "critical"


def chart(probes: Sequence[Probe], since: datetime, until: datetime) -> Chart:
    """The picture of these probes, the oldest first, between two moments."""
    span = max((until - since).total_seconds(), 1.0)
    inner = WIDTH - LEFT
    buckets = [_Bucket([]) for _ in range(_BUCKETS)]
    for probe in probes:
        place = (probe.moment - since).total_seconds() / span
        if 0 <= place <= 1:
            bucket = buckets[min(int(place * _BUCKETS), _BUCKETS - 1)]
            if probe.ok:
                bucket.ok += 1
                bucket.latencies.append(probe.latency_ms)
            else:
                bucket.failed += 1
    latencies = sorted(value for bucket in buckets for value in bucket.latencies)
    top = _nice(_quantile(latencies, 0.99) * 1.15) if latencies else 100.0
    wide = inner / _BUCKETS

    def x(number: int) -> float:
        return round(LEFT + (number + 0.5) * wide, 1)

    def y(latency: float) -> float:
        return round(TOP + HEIGHT * (1 - min(latency, top) / top), 1)

    lines: list[str] = []
    shadows: list[str] = []
    run: list[tuple[float, list[float]]] = []
    for number, bucket in [*enumerate(buckets), (_BUCKETS, _Bucket([]))]:
        if bucket.latencies:
            run.append((x(number), sorted(bucket.latencies)))
            continue
        if run:
            # A single stretch is a dot; a polyline needs two ends.
            ends = run if len(run) > 1 else [(run[0][0] - wide / 2, run[0][1]), *run]
            lines.append(" ".join(f"{at:g},{y(median(values)):g}" for at, values in ends))
            above = [f"{at:g},{y(_quantile(values, 0.95)):g}" for at, values in ends]
            below = [f"{at:g},{y(_quantile(values, 0.05)):g}" for at, values in reversed(ends)]
            shadows.append(" ".join([*above, *below]))
            run = []
    failed = sum(bucket.failed for bucket in buckets)
    return Chart(
        lines=tuple(lines),
        shadows=tuple(shadows),
        failures=tuple(x(number) for number, bucket in enumerate(buckets) if bucket.failed),
        bars=_bars(buckets, wide),
        times=_times(since, until, span, inner),
        levels=tuple(Tick(y(top * part), _ms(top * part)) for part in (0, 0.5, 1)),
        probes=failed + sum(bucket.ok for bucket in buckets),
        failed=failed,
        typical=median(latencies) if latencies else None,
        slow=_quantile(latencies, 0.95) if latencies else None,
        worst=latencies[-1] if latencies else None,
    )


def _bars(buckets: list[_Bucket], wide: float) -> tuple[Bar, ...]:
    """Neighbours of the same state as one."""
    bars: list[Bar] = []
    for number, bucket in enumerate(buckets):
        state = bucket.state
        if bars and bars[-1].state == state:
            last = bars.pop()
            bars.append(Bar(last.x, round(last.width + wide, 2), last.top, last.tall, state))
        else:
            tall = _TALL[state]
            at = round(LEFT + number * wide, 2)
            bars.append(Bar(at, round(wide, 2), BAND - tall, tall, state))
    return tuple(bars)


def _times(since: datetime, until: datetime, span: float, inner: int) -> tuple[Tick, ...]:
    """At whole hours or days of Beijing time, seven or so."""
    step = next(
        (hours for hours in (1, 2, 4, 6, 12, 24, 48, 96, 168) if span / 3600 / hours <= 8), 720
    )
    local = since.astimezone(LOCAL)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = int((local - midnight).total_seconds() // 3600 // step + 1) * step
    moment = midnight + timedelta(hours=hours)
    ticks = []
    while moment < until:
        at = LEFT + inner * (moment - since).total_seconds() / span
        label = moment.strftime("%m-%d" if moment.hour == 0 else "%H:%M")
        if LEFT + 20 < at < WIDTH - 20:  # its label must have room
            ticks.append(Tick(round(at, 1), label))
        moment += timedelta(hours=step)
    return tuple(ticks)


def _quantile(ordered: list[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def _nice(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    power = 1.0
    while True:
        for digit in (1, 2, 5):
            if value <= digit * power:
                return digit * power
        power *= 10


def _ms(value: float) -> str:
    return f"{value:g}"
