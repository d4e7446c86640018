"""Departments, doctors and clinic prices of the two hospitals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from yilian.demo_data.names import full_name

_CORE = {
    **{"0301": "心血管内科", "0302": "呼吸内科", "0303": "消化内科", "0304": "神经内科"},
    **{"0305": "内分泌科", "0306": "肾内科", "0307": "血液内科", "0401": "普通外科"},
    **{"0402": "骨科", "0403": "神经外科", "0404": "泌尿外科", "0405": "心胸外科"},
    **{"0501": "妇科", "0502": "产科", "0601": "儿科", "0701": "眼科", "0702": "耳鼻喉科"},
    **{"0703": "口腔科", "0801": "皮肤科", "0901": "中医科", "1001": "肿瘤科", "1101": "康复科"},
    **{"1201": "感染科", "0101": "急诊科"},
}
_COMMUNITY = {
    **{"101": "全科门诊", "102": "中医门诊", "103": "儿科门诊", "104": "妇科门诊"},
    **{"105": "口腔门诊", "106": "慢病门诊", "107": "康复门诊", "108": "外科门诊"},
}
#: departments that perform instead of receiving patients, by code
PERFORMERS = {"2001": "检验科", "2002": "放射科", "2003": "超声科", "2004": "心电图室"}
LABORATORY = "2001"
EMERGENCY = "0101"

TITLES = {"1": "主任医师", "2": "副主任医师", "3": "主治医师", "4": "医师"}
# Awkward ones among them: a delimiter, a full-width question mark, a line break.
_SKILLS = (
    "{dept}常见病、多发病",
    "{dept}疑难病会诊？可预约",
    "{dept}微创治疗|术后随访",
    "{dept}慢性病长期管理",
    "老年{dept}疾病\n康复指导",
    "{dept}急危重症救治",
)


@dataclass(frozen=True, slots=True)
class Doctor:
    """``number`` is the staff number; ``title`` a key of TITLES. Experts have a speciality."""

    number: str
    name: str
    dept: str
    title: str
    speciality: str | None

    @property
    def expert(self) -> bool:
        return self.speciality is not None


@dataclass(frozen=True)
class Staff:
    """Clinical departments by code, and who works in them."""

    departments: dict[str, str]
    doctors: tuple[Doctor, ...]

    def of(self, dept: str) -> list[Doctor]:
        return [doctor for doctor in self.doctors if doctor.dept == dept]

    def experts_of(self, dept: str) -> list[Doctor]:
        return [doctor for doctor in self.of(dept) if doctor.expert]


@lru_cache(2)
def core_staff(seed: int, scale: float) -> Staff:
    """The core hospital's: six doctors a department, two of them experts."""
    departments = dict(list(_CORE.items())[-_some(len(_CORE), scale) :])
    return _staff(Random(f"{seed}/staff/hx"), departments, "12334" + "4", 1000)


@lru_cache(2)
def community_staff(seed: int, scale: float) -> Staff:
    """The community hospital's: three a department, of whom one is an expert."""
    departments = dict(list(_COMMUNITY.items())[: _some(len(_COMMUNITY), scale)])
    return _staff(Random(f"{seed}/staff/sq"), departments, "234", 1)


def _field(department: str) -> str:
    return department.removesuffix("门诊").removesuffix("科")


def _some(count: int, scale: float) -> int:
    return max(4, min(count, round(count * scale * 4)))


def _staff(random: Random, departments: dict[str, str], titles: str, first: int) -> Staff:
    doctors: list[Doctor] = []
    for dept in departments:
        for title in titles:
            expert = title in "12"
            name = full_name(random, random.random() < 0.5)
            skill = (
                random.choice(_SKILLS).format(dept=_field(departments[dept])) if expert else None
            )
            doctors.append(Doctor(f"{first + len(doctors):04d}", name, dept, title, skill))
    return Staff(departments, tuple(doctors))
