"""bsoft's code tables: registration departments, staff, specialities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from adapters import values as v
from adapters.bsoft import tables
from adapters.bsoft.settings import BsoftSettings
from adapters.columns import with_columns
from adapters.dictionary import Dictionary, of_the_site


@dataclass(frozen=True, slots=True)
class Department:
    """A row of MS_GHKS; ``remote`` is the raw flag, None without one."""

    name: str
    registration_fee: Decimal
    consultation_fee: Decimal
    expert: bool
    place: str | None
    remote: str | None


@dataclass(frozen=True, slots=True)
class Doctor:
    name: str
    title: str | None


def departments(settings: BsoftSettings) -> Dictionary[Department]:
    """Registration departments by KSDM."""
    flag = settings.remote_flag if settings.remote_flag_on == "departments" else ""
    c = with_columns(tables.MS_GHKS, flag).c
    chosen = [c.KSDM, c.KSMC, c.GHF, c.ZLF, c.ZJMZ, c.DDXX, *([c[flag]] if flag else [])]

    def convert(row: Sequence[Any]) -> Department:
        return Department(
            name=v.text(row[1], "KSMC") or v.required(row[0], "KSDM"),
            registration_fee=v.money(row[2], "GHF"),
            consultation_fee=v.money(row[3], "ZLF"),
            expert=v.text(row[4], "ZJMZ") in settings.expert_values,
            place=v.text(row[5], "DDXX"),
            remote=v.text(row[6], flag) if flag else None,
        )

    return Dictionary(select(*chosen), convert, settings.dictionary_seconds)


def staff(settings: BsoftSettings) -> Dictionary[Doctor]:
    """Doctors by YGDM."""
    title_column = settings.title_column
    c = with_columns(tables.GY_YGDM, title_column).c
    chosen = [c.YGDM, c.YGXM, *([c[title_column]] if title_column else [])]

    def convert(row: Sequence[Any]) -> Doctor:
        title = v.text(row[2], title_column) if title_column else None
        return Doctor(
            name=v.text(row[1], "YGXM") or v.required(row[0], "YGDM"),
            title=None if title is None else settings.doctor_titles.get(title, title),
        )

    return Dictionary(select(*chosen), convert, settings.dictionary_seconds)


def specialities(settings: BsoftSettings) -> Dictionary[str] | None:
    """Specialities by the doctor's code; None where the site has none."""
    return of_the_site(settings.speciality, settings.speciality_key, settings.dictionary_seconds)
