"""Lab tests of a demo hospital, in every state, with the awkward values of real life."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from yilian.demo_data.panels import PANELS, Panel
from yilian.demo_data.people import Person
from yilian.demo_data.staff import LABORATORY, Doctor, Staff

#: how many in a hundred; None is NULL
STATUSES: dict[str | None, int] = {
    **{"4": 80, "3": 5, "2": 4, "1": 3, "0": 3, "7": 2, "9": 1},
    None: 2,
}
#: in which the LIS holds results, whether or not they may be shown
WITH_RESULTS = frozenset({"2", "3", "4", "7"})

# Unconfirmed states, so that a reader of patient 1 meets each of them.
_FIRST_PATIENT: tuple[str | None, ...] = (*"444444", "3", "2", "1", "0", "7", "9", None)
_DAYS_BACK = 730

_CAUSES = ("查体", "诊断", "复查", "术前", "筛查")
_DIAGNOSES = ("高血压病", "2型糖尿病", "冠心病", "上呼吸道感染", "慢性胃炎", "健康查体", "肺部感染")
_NOTES = ("空腹", "晨尿", "餐后2小时", "急", "溶血", "脂血")
AWKWARD_DIAGNOSES = (
    "高血压病3级|极高危?\n2型糖尿病",
    "发热待查？|肺炎?",
    "冠心病|心功能II级",
    "胸痛原因?\r\n心绞痛",
    "𠮷𠮷病|㐂㐂?\n朱镕喆",
)
AWKWARD_NOTES = ("空腹|晨尿?\n复查", "急|溶血?", "采血\n困难")
_TECHNICIANS = ("李敏", "赵静", "孙莉", "周洁")


@dataclass(frozen=True, slots=True)
class LabTest:
    """One test, as the hospital's own tables will say it. ``number`` is ``yyMMdd`` and four
    digits. What is None is NULL."""

    number: str
    patient: Person
    panel: Panel
    status: str | None
    requested: datetime | None
    reported: datetime | None
    cause: str | None
    diagnosis: str | None
    specimen: str | None
    notes: str | None
    doctor: Doctor | None
    performed_by: str | None
    working_id: str | None
    reporter: str | None
    verifier: str | None
    #: whether this row's CHAR columns are padded
    padded: bool
    results: tuple[tuple[str, str], ...]


def lab_tests(
    random: Random, patients: tuple[Person, ...], staff: Staff, count: int, today: date
) -> Iterator[LabTest]:
    """``count`` tests of the two years before ``today``, oldest first. The first patient has
    six confirmed ones, of which the first is awkward, and one in each other state."""
    first = len(_FIRST_PATIENT)
    plan: list[tuple[datetime, int]] = []
    for index in range(max(count, first)):
        # The first patient's tests are recent, and the awkward one is the most recent.
        back = 2 + index * 9 if index < first else random.randrange(1, _DAYS_BACK)
        moment = datetime.combine(today - timedelta(days=back), time(7))
        plan.append((moment + timedelta(seconds=random.randrange(10 * 3600)), index))
    plan.sort()
    day, sequence = "", 0
    for requested, index in plan:
        sequence = sequence + 1 if f"{requested:%y%m%d}" == day else 1
        day = f"{requested:%y%m%d}"
        number = f"{day}{sequence:04d}"
        if index < first:
            status = _FIRST_PATIENT[index]
            yield _test(random, number, patients[0], staff, status, requested, index == 0)
        else:
            status = random.choices(list(STATUSES), list(STATUSES.values()))[0]
            patient = patients[random.randrange(len(patients))]
            yield _test(random, number, patient, staff, status, requested, False)


def _test(
    random: Random,
    number: str,
    patient: Person,
    staff: Staff,
    status: str | None,
    requested: datetime,
    awkward: bool,
) -> LabTest:
    chance = random.random
    panel = PANELS[int(chance() * len(PANELS))]
    diagnosis = _DIAGNOSES[int(chance() * len(_DIAGNOSES))]
    notes = _NOTES[int(chance() * len(_NOTES))] if chance() < 0.5 else None
    if awkward:
        diagnosis, notes = AWKWARD_DIAGNOSES[0], AWKWARD_NOTES[0]
    elif chance() < 0.02:
        diagnosis = random.choice(AWKWARD_DIAGNOSES)
        notes = random.choice(AWKWARD_NOTES)
    sparse = not awkward and chance() < 0.04
    reported = status in ("3", "4", "7")
    return LabTest(
        number=number,
        patient=patient,
        panel=panel,
        status=status,
        requested=None if sparse and chance() < 0.3 else requested,
        reported=requested + timedelta(minutes=30 + int(chance() * 300)) if reported else None,
        cause=None if sparse else _CAUSES[int(chance() * len(_CAUSES))],
        diagnosis=None if sparse and chance() < 0.5 else diagnosis,
        specimen=None if sparse and chance() < 0.5 else panel.specimen,
        notes=notes,
        doctor=None if sparse else staff.doctors[int(chance() * len(staff.doctors))],
        performed_by=None if sparse and chance() < 0.5 else LABORATORY,
        working_id=None if status in ("0", None) else f"A{int(chance() * 90) + 10}",
        reporter=_TECHNICIANS[int(chance() * 4)] if reported else None,
        verifier=_TECHNICIANS[int(chance() * 4)] if status == "4" else None,
        padded=chance() < 0.25,
        results=tuple([item.result(random) for item in panel.items])
        if status in WITH_RESULTS
        else (),
    )
