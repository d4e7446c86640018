"""What is known of every binding's health: its state now, and the history of its probes.

The catalogue says who offers what; this book says whether it answers. registry/probing.py asks,
registry/health_rules.py judges, and here it is kept: single probes for ``RAW_HOURS``, then one
row an hour for ``HOURLY_DAYS``, so that the book stays bounded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.engine import Connection, Engine

from registry.health_rules import UNKNOWN, HealthState, Standing
from registry.reading import chunks, rows_where
from registry.tables import entity, metadata

__all__ = ["BindingHealth", "HealthBook", "HealthState", "Probe", "Result"]

#: how long single probes are kept, hours; and their hourly summary, days
RAW_HOURS = 24
HOURLY_DAYS = 30

_HOUR_MS = 3_600_000

#: the worst last
_STATES: tuple[HealthState, ...] = ("passing", "unknown", "warning", "critical")
_SEVERITIES = {state: number for number, state in enumerate(_STATES)}

binding_health = Table(
    "binding_health",
    metadata,
    Column("binding_key", String(255), primary_key=True),
    # what it is a face of, as of the last probe
    Column("service_key", String(255), nullable=False),
    Column("state", String(8), nullable=False),
    Column("since", BigInteger),
    Column("checked", BigInteger, nullable=False),
    Column("latency_ms", Float),
    Column("successes", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("falls", Text, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Index("health_by_service", "service_key", "state", "checked"),
)

probe = Table(
    "probe",
    metadata,
    Column("binding_key", String(255), primary_key=True),
    Column("moment", BigInteger, primary_key=True, autoincrement=False),
    Column("ok", Boolean, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("fault", String(255), nullable=False),
    Index("probe_by_moment", "moment"),
)

probe_hour = Table(
    "probe_hour",
    metadata,
    Column("binding_key", String(255), primary_key=True),
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("probes", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("fault", String(255), nullable=False),
    Index("probe_hour_by_hour", "hour"),
)


@dataclass(frozen=True, slots=True)
class BindingHealth:
    """``since``: when it came into this state; ``checked``: the last probe; ``latency_ms``: that
    probe's, None where it got no answer. ``zh`` and ``en`` say why, for people."""

    binding_key: str
    state: HealthState
    since: datetime | None
    checked: datetime | None
    latency_ms: float | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe, or an hour of them: then ``ok`` means that none failed, ``latency_ms`` is their
    mean and ``fault`` says how many failed. ``fault`` is "" where all was well."""

    moment: datetime
    ok: bool
    latency_ms: float
    fault: str


@dataclass(frozen=True, slots=True)
class Result:
    """A probe and what the binding's standing came to by it. ``moment``: milliseconds, UTC."""

    binding_key: str
    service_key: str
    moment: int
    ok: bool
    latency_ms: float
    fault: str
    standing: Standing


class HealthBook:
    """``stale_seconds``: a binding that was not probed for as long is unknown again.
    ``clock``: seconds since 1970."""

    def __init__(
        self,
        engine: Engine,
        *,
        stale_seconds: float = 900,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._writing = engine.execution_options(writes=True)
        self.stale_seconds = stale_seconds
        self._clock = clock

    # --- reading -----------------------------------------------------------------------------

    def of(self, keys: Iterable[str]) -> dict[str, BindingHealth]:
        """The health of each of these bindings; one that was never probed is unknown."""
        wanted = list(dict.fromkeys(keys))
        found = {key: _never(key) for key in wanted}
        oldest = self._now() - int(self.stale_seconds * 1000)
        with self._engine.connect() as connection:
            for part in chunks(wanted):
                query = select(binding_health).where(binding_health.c.binding_key.in_(part))
                for row in connection.execute(query):
                    found[row.binding_key] = _health(row, oldest)
        return found

    def services(self) -> Counter[HealthState]:
        """How many services are in each state, of those that were ever probed: each in the worst
        state of its bindings."""
        worst = self._worst().subquery()
        query = select(worst.c.severity, func.count()).group_by(worst.c.severity)
        with self._engine.connect() as connection:
            return Counter({_STATES[row[0]]: row[1] for row in connection.execute(query)})

    def troubled(self) -> list[str]:
        """The keys of services that are critical or warning, in this order, and those that have
        been so for the shortest time first."""
        severity = self._severity().label("severity")
        query = select(binding_health.c.service_key, severity, binding_health.c.since).where(
            severity > _STATES.index("unknown")
        )
        worst: dict[str, tuple[int, int]] = {}
        with self._engine.connect() as connection:
            for key, *found in connection.execute(query).all():
                one = (found[0], found[1] or 0)
                worst[key] = max(one, worst.get(key, one))
        return sorted(worst, key=lambda key: (*worst[key], key), reverse=True)

    def _severity(self) -> Any:
        oldest = self._now() - int(self.stale_seconds * 1000)
        found = case(_SEVERITIES, value=binding_health.c.state, else_=_STATES.index("unknown"))
        return case((binding_health.c.checked < oldest, _STATES.index("unknown")), else_=found)

    def _worst(self) -> Select[Any]:
        severity = func.max(self._severity()).label("severity")
        return select(binding_health.c.service_key, severity).group_by(binding_health.c.service_key)

    def known(self) -> list[str]:
        """The keys of all bindings that were ever probed."""
        query = select(binding_health.c.binding_key).order_by(binding_health.c.binding_key)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def answering(self, keys: Sequence[str]) -> set[str]:
        """Those of these bindings whose last probe, not long ago, was answered as it should."""
        return {
            key
            for key, health in self.of(keys).items()
            if health.latency_ms is not None and health.state in ("passing", "warning")
        }

    def history(self, binding_key: str, since: datetime) -> list[Probe]:
        """The probes from ``since`` on, the oldest first: hours where single ones are no longer
        kept, then single ones."""
        start = int(since.timestamp() * 1000)
        with self._engine.connect() as connection:
            single = connection.execute(
                select(probe)
                .where(probe.c.binding_key == binding_key, probe.c.moment >= start)
                .order_by(probe.c.moment)
            ).all()
            first = single[0].moment if single else self._now()
            hours = connection.execute(
                select(probe_hour)
                .where(
                    probe_hour.c.binding_key == binding_key,
                    probe_hour.c.hour >= start - start % _HOUR_MS,
                    probe_hour.c.hour < first - first % _HOUR_MS,
                )
                .order_by(probe_hour.c.hour)
            ).all()
        return [
            *(Probe(_moment(h.hour), h.failures == 0, h.latency_ms, h.fault) for h in hours),
            *(Probe(_moment(p.moment), p.ok, p.latency_ms, p.fault) for p in single),
        ]

    def standings(self) -> dict[str, Standing]:
        """Every binding's standing as it was written last: where the prober goes on."""
        with self._engine.connect() as connection:
            return {
                row.binding_key: _standing(row)
                for row in connection.execute(select(binding_health))
            }

    # --- writing -----------------------------------------------------------------------------

    def record(self, results: Sequence[Result]) -> None:
        """Write these probes, each a binding's newest, in one transaction."""
        if not results:
            return
        with self._writing.begin() as connection:
            latest = {result.binding_key: result for result in results}
            for part in chunks(list(latest)):
                old = binding_health.c.binding_key.in_(part)
                connection.execute(delete(binding_health).where(old))
            connection.execute(insert(binding_health), [_row(r) for r in latest.values()])
            unique = {(result.binding_key, result.moment): result for result in results}
            for result in unique.values():
                # A clock that was set back may come to the same millisecond again.
                connection.execute(
                    delete(probe).where(
                        probe.c.binding_key == result.binding_key, probe.c.moment == result.moment
                    )
                )
            connection.execute(
                insert(probe),
                [
                    {
                        "binding_key": result.binding_key,
                        "moment": result.moment,
                        "ok": result.ok,
                        "latency_ms": result.latency_ms,
                        "fault": result.fault[:255],
                    }
                    for result in unique.values()
                ],
            )

    def forget_gone(self, keys: Sequence[str]) -> list[str]:
        """Drop those of these bindings that the catalogue no longer has, with their history."""
        if not keys:
            return []
        with self._writing.begin() as connection:
            there = {row.key for row in rows_where(connection, entity.c.key, keys)}
            gone = [key for key in keys if key not in there]
            for part in chunks(gone):
                for table in (binding_health, probe, probe_hour):
                    connection.execute(delete(table).where(table.c.binding_key.in_(part)))
        return gone

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _row(result: Result) -> dict[str, Any]:
    standing = result.standing
    return {
        "binding_key": result.binding_key,
        "service_key": result.service_key,
        "state": standing.state,
        "since": standing.since,
        "checked": result.moment,
        "latency_ms": result.latency_ms if standing.answered_now else None,
        "successes": standing.successes,
        "failures": standing.failures,
        "falls": " ".join(map(str, standing.falls)),
        "answered": standing.answered,
        "zh": standing.zh,
        "en": standing.en,
    }


def _standing(row: Any) -> Standing:
    return Standing(
        state=row.state,
        since=row.since,
        successes=row.successes,
        failures=row.failures,
        falls=tuple(map(int, row.falls.split())),
        answered=row.answered,
        answered_now=row.latency_ms is not None,
        zh=row.zh,
        en=row.en,
    )


def _never(key: str) -> BindingHealth:
    return BindingHealth(key, "unknown", None, None, None, UNKNOWN.zh, UNKNOWN.en)


def _health(row: Any, oldest: int) -> BindingHealth:
    checked = _moment(row.checked)
    if row.checked < oldest:
        zh = f"自 {checked:%Y-%m-%d %H:%M} UTC 起未再探测"
        en = f"not probed since {checked:%Y-%m-%d %H:%M} UTC"
        return BindingHealth(row.binding_key, "unknown", None, checked, None, zh, en)
    since = None if row.since is None else _moment(row.since)
    return BindingHealth(row.binding_key, row.state, since, checked, row.latency_ms, row.zh, row.en)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def roll_up(connection: Connection, now: int) -> None:
    """Summarise whole hours that are older than ``RAW_HOURS`` and drop their single probes; drop
    hours older than ``HOURLY_DAYS``. ``now``: milliseconds. Bounded: one call takes the oldest
    hour that is due, so that no transaction is long."""
    due = now - RAW_HOURS * _HOUR_MS
    oldest = connection.execute(select(probe.c.moment).order_by(probe.c.moment).limit(1)).scalar()
    if oldest is not None and oldest < due:
        hour = oldest - oldest % _HOUR_MS
        end = hour + _HOUR_MS
        if end <= due:
            _summarise(connection, hour, end)
    connection.execute(
        delete(probe_hour).where(probe_hour.c.hour < now - HOURLY_DAYS * 24 * _HOUR_MS)
    )


def _summarise(connection: Connection, hour: int, end: int) -> None:
    inside = (probe.c.moment >= hour, probe.c.moment < end)
    sums: dict[str, list[Any]] = {}
    for row in connection.execute(select(probe).where(*inside).order_by(probe.c.moment)):
        one = sums.setdefault(row.binding_key, [0, 0, 0.0, ""])
        one[0] += 1
        one[2] += row.latency_ms
        if not row.ok:
            one[1] += 1
            one[3] = row.fault
    keys = list(sums)
    for part in chunks(keys):
        again = (probe_hour.c.hour == hour, probe_hour.c.binding_key.in_(part))
        connection.execute(delete(probe_hour).where(*again))
    rows = [
        {
            "binding_key": key,
            "hour": hour,
            "probes": probes,
            "failures": failures,
            "latency_ms": total / probes,
            "fault": f"{failures}/{probes}: {fault}"[:255] if failures else "",
        }
        for key, (probes, failures, total, fault) in sums.items()
    ]
    connection.execute(insert(probe_hour), rows)
    connection.execute(delete(probe).where(*inside))
