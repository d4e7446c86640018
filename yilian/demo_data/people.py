"""The people of the demo: patients whose identity numbers check, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random

from yilian.demo_data.names import RARE_NAMES, full_name

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_REGIONS = ("110105", "130203", "210103", "310115", "330106", "370202", "420106", "510107")
_STREETS = ("和平路", "解放街", "石桥镇", "新华里", "幸福小区", "人民路", "东风村", "清河街道")
_FIRST_BIRTH = date(1932, 1, 1)
_BIRTH_DAYS = (date(2025, 1, 1) - _FIRST_BIRTH).days

#: names as in CHARGE_TYPE, with how common they are and whether they come with an insurance number
PAYERS = {"自费": 25, "职工医保": 40, "居民医保": 25, "公费": 4, "商业保险": 6}
INSURED = frozenset({"职工医保", "居民医保", "公费"})


@dataclass(frozen=True, slots=True)
class Person:
    """``number`` is the patient's number in the hospital; the rest belongs to the person."""

    number: int
    name: str
    male: bool
    birth: date
    id_no: str
    phone: str
    address: str
    payer: str
    insurance_no: str | None

    @property
    def patient_id(self) -> str:
        return f"{self.number:010d}"

    @property
    def sex(self) -> str:
        return "男" if self.male else "女"

    def age(self, day: date) -> int:
        """Whole years on that day; 0 before birth."""
        before = (day.month, day.day) < (self.birth.month, self.birth.day)
        return max(0, day.year - self.birth.year - before)


def check_digit(first17: str) -> str:
    """The last character of an identity number, by GB 11643."""
    return _CHECK[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def identity_number(region: str, birth: date, order: int) -> str:
    """Eighteen characters; ``order`` is odd for a man."""
    first17 = f"{region}{birth:%Y%m%d}{order:03d}"
    return first17 + check_digit(first17)


@lru_cache(2)
def core_patients(seed: int, count: int) -> tuple[Person, ...]:
    """Patients 1 to ``count`` of the core hospital."""
    random = Random(f"{seed}/people/hx")
    return tuple(_person(random, number) for number in range(1, count + 1))


@lru_cache(2)
def community_patients(seed: int, count: int, core_count: int) -> tuple[Person, ...]:
    """Patients 1 to ``count`` of the community hospital. The first is the core hospital's
    first, and every tenth is one of its patients, by another number."""
    core = core_patients(seed, core_count)
    random = Random(f"{seed}/people/sq")
    people = []
    for number in range(1, count + 1):
        person = _person(random, number)
        other = 0 if number == 1 else number // 10
        if number == 1 or (number % 10 == 0 and other < core_count):
            person = _with_number(core[other], number)
        people.append(person)
    return tuple(people)


def _with_number(person: Person, number: int) -> Person:
    return Person(number, *(getattr(person, name) for name in Person.__slots__[1:]))


def _person(random: Random, number: int) -> Person:
    male = random.random() < 0.5
    name = full_name(random, male)
    # Older people are ill more often.
    birth = _FIRST_BIRTH + timedelta(days=int(random.triangular(0, _BIRTH_DAYS, 12_000)))
    payer = random.choices(list(PAYERS), list(PAYERS.values()))[0]
    if number == 1:
        name, male, birth, payer = "张伟", True, date(1980, 5, 17), "职工医保"
    elif number - 2 < len(RARE_NAMES) or random.random() < 0.002:
        name = RARE_NAMES[(number - 2) % len(RARE_NAMES)]
    order = random.randrange(0, 499) * 2 + male
    return Person(
        number,
        name,
        male,
        birth,
        identity_number(random.choice(_REGIONS), birth, order),
        f"1{random.choice('3578')}{random.randrange(10**9):09d}",
        f"{random.choice(_STREETS)}{random.randrange(1, 200)}号",
        payer,
        f"YB{random.randrange(10**10):010d}" if payer in INSURED else None,
    )
