"""Patients 病人: found before they are registered or ordered for.

The paper's function 2 begins here: a patient found by patient id or insurance number, the
details shown, and only then a number taken.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated

from services import terms as t
from services.contract import Contract, Doc, Text, read
from services.faults import InvalidArgument


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as the hospital knows them; what it does not hold is absent."""

    PatientId: t.PatientId
    Name: t.PersonName
    Sex: t.Sex
    BirthDate: t.BirthDate | None
    Age: t.Age | None
    IdentityType: t.IdentityType | None
    IdentityNo: t.IdentityNo | None
    InsuranceNo: t.InsuranceNo | None
    VisitCardNo: t.VisitCardNo | None
    ChargeType: t.ChargeType | None
    Phone: t.Phone | None
    Address: Annotated[str, Text(256), Doc("住址", "address", "建设路12号")] | None


class Patients(Contract, version=1, zh="病人查询"):
    """病人查询：按病人标识号、医保号、证件号或就诊卡号查找，多于一人时全部列出。

    Patients, found by patient id, insurance number, identity number or visit card. More than one
    match is answered as such.
    """

    @read("查找病人", probe={"PatientId": t.NOBODY})
    @abstractmethod
    def FindPatients(
        self,
        PatientId: t.PatientId | None = None,
        InsuranceNo: t.InsuranceNo | None = None,
        IdentityNo: t.IdentityNo | None = None,
        VisitCardNo: t.VisitCardNo | None = None,
    ) -> list[Patient]:
        """Every patient who matches all that is given, ordered by patient id, at most
        MOST_MATCHES of them. At least one criterion is needed. Numbers match whole, letters in
        either case (the X of an identity number). None is answered by an empty list."""

    @read("按病人标识号读取")
    @abstractmethod
    def GetPatient(self, PatientId: t.PatientId) -> Patient:
        """One patient. Raises NotFound."""


#: more matches than this are a criterion that identifies nobody (a number of zeros, say)
MOST_MATCHES = 50


def criteria(**given: str | None) -> dict[str, str]:
    """The criteria that were given, stripped; InvalidArgument if there is none."""
    named = {name: value.strip() for name, value in given.items() if value and value.strip()}
    if not named:
        raise InvalidArgument(
            f"请至少给出一个查找条件：{'、'.join(given)}",
            f"give at least one of {', '.join(given)}",
            field=next(iter(given)),
        )
    return named
