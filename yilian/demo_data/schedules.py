"""Number sources of one day: a function of seed, hospital and date, so that days can be added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from yilian.demo_data.staff import EMERGENCY, Doctor, Staff

#: how long before the session its registrations were made: further than sessions lie ahead, so
#: that none was made in the future, whenever the day is written
BOOKED_AHEAD = timedelta(days=31)


@dataclass(slots=True)
class Session:
    """``limit`` 0 is unlimited. ``registered`` numbers are taken, ``appointed`` are reserved."""

    dept: str
    doctor: Doctor | None
    shift: str
    limit: int
    registered: int
    appointed: int
    stopped: bool = False
    remote: bool = True


def sessions(seed: int, hospital: str, staff: Staff, day: date) -> list[Session]:
    """Every session of that day. Among those of doctors one is stopped, one full, one
    unlimited, one closed to remote, and one has numbers left and is open, on every day."""
    random = Random(f"{seed}/schedule/{hospital}/{day}")
    found = [
        _session(random, dept, None, shift)
        for dept in staff.departments
        for shift in _shifts(dept, day)
    ]
    experts = [doctor for doctor in staff.doctors if doctor.expert]
    on_duty = [d for i, d in enumerate(experts) if (i + day.toordinal()) % 7 in (0, 2, 5)]
    # So few experts as in a tiny build are on duty every day, all day.
    shifts = ["上午", "下午"] if len(on_duty) >= 10 else ["上午", "下午", "夜间"]
    of_doctors = [
        _session(random, doctor.dept, doctor, shift)
        for doctor in (on_duty if len(on_duty) >= 10 else experts)
        for shift in shifts
        if len(on_duty) < 10 or random.random() < 0.7 or shift == "上午"
    ]
    _make_examples(of_doctors)
    return found + of_doctors


def _shifts(dept: str, day: date) -> tuple[str, ...]:
    if dept == EMERGENCY:
        return ("上午", "下午", "夜间")
    return ("上午",) if day.weekday() >= 5 else ("上午", "下午")


def _session(random: Random, dept: str, doctor: Doctor | None, shift: str) -> Session:
    limit = 0 if dept == EMERGENCY else random.choice((8, 10, 15) if doctor else (20, 30, 40))
    if random.random() < 0.03:
        limit = 0
    most = limit or 25
    registered = most if random.random() < 0.12 else random.randrange(most)
    appointed = random.randrange(min(3, most - registered) + 1)
    return Session(
        dept,
        doctor,
        shift,
        limit,
        registered,
        appointed,
        stopped=doctor is not None and random.random() < 0.05,
        remote=random.random() >= 0.15,
    )


def _make_examples(of_doctors: list[Session]) -> None:
    stopped, full, unlimited, closed, plain = of_doctors[:5]
    for session in (stopped, full, closed, plain):
        session.limit, session.registered, session.appointed = 10, 4, 1
    for session in (stopped, full, unlimited, closed, plain):
        session.stopped, session.remote = session is stopped, session is not closed
    full.registered, full.appointed = 10, 0
    unlimited.limit = 0
