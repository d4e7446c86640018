"""junwei's code tables: departments, clinic types, and what a site keeps about its experts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from adapters import values as v
from adapters.dictionary import Dictionary, names, of_the_site
from adapters.junwei.settings import JunweiSettings
from adapters.junwei.tables import CLINIC_TYPE_DICT, DEPT_DICT


@dataclass(frozen=True, slots=True)
class ClinicType:
    name: str | None
    price: Decimal


def departments(settings: JunweiSettings) -> Dictionary[str]:
    """Department names by code."""
    c = DEPT_DICT.c
    return names(select(c.DEPT_CODE, c.DEPT_NAME), settings.dictionary_seconds)


def clinic_types(settings: JunweiSettings) -> Dictionary[ClinicType]:
    """Clinic types by CLINIC_TYPE."""
    c = CLINIC_TYPE_DICT.c
    statement = select(c.CLINIC_TYPE, c.CLINIC_TYPE_NAME, c.PRICE)
    return Dictionary(statement, _clinic_type, settings.dictionary_seconds)


def specialities(settings: JunweiSettings) -> Dictionary[str] | None:
    """Specialities by clinic label or doctor's name; None where the site has none."""
    return of_the_site(settings.speciality, settings.speciality_key, settings.dictionary_seconds)


def _clinic_type(row: Sequence[Any]) -> ClinicType:
    return ClinicType(v.text(row[1], "CLINIC_TYPE_NAME"), v.money(row[2], "PRICE"))
