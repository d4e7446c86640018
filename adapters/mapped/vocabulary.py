"""What may stand in a mapping: every statement's name, the values it is given, what it answers.

Types, lengths and code tables are the contract's own; nothing of them is repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from services import terms as t
from services.contract import Contract, Count, Doc, Field, RecordType, describe, record_type
from services.lab_results import LabMaster, LabResultItem, LabResults
from services.number_source import NumberSource, NumberSourceSlot
from services.patients import Patient, Patients
from services.registration import Registration

#: rows: a query; value: a query's first value; steps: statements that write
Kind = Literal["rows", "value", "steps"]

Moment = Annotated[t.Moment, Doc("时间", "time")]
Flag = Annotated[bool, Doc("标志", "flag")]


@dataclass(frozen=True, slots=True)
class MappedVisit:
    """A registration as the HIS has it, whoever made it."""

    Key: Annotated[t.RegistrationId, Doc("主键", "its row's key")]
    PatientId: t.PatientId
    ScheduleId: t.ScheduleId | None
    ScheduleDate: t.ScheduleDate
    ClinicLabel: t.ClinicLabel | None
    DeptName: t.DeptName | None
    DoctorName: t.DoctorName | None
    Shift: t.ShiftCode
    SequenceNo: t.SequenceNo | None
    Amount: t.Amount | None
    RegisteredAt: Moment | None
    Returned: Flag
    ReturnedAt: Moment | None
    Visited: Flag


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a statement may give or take besides the contract's own names."""

    Taken: Annotated[int, Count(), Doc("已挂号数", "numbers taken")] | None
    PatientId: t.PatientId | None
    TestNo: t.TestNo | None
    ScheduleId: t.ScheduleId | None
    SinceDate: t.SinceDate | None
    Numbered: Annotated[int, Count(0, 1), Doc("取号为 1", "1: take a number too")]
    Key: Annotated[t.RegistrationId, Doc("主键", "the row's key")]
    SequenceNo: t.SequenceNo
    RegistrationFee: Annotated[t.Yuan, Doc("挂号费", "registration fee")]
    ConsultationFee: Annotated[t.Yuan, Doc("诊查费", "consultation fee")]
    Amount: t.Amount
    Now: Moment
    Paid: Annotated[int, Count(0, 1), Doc("已支付为 1", "1: paid; 0: a lock")]


def _fields(record: type, *names: str) -> tuple[Field, ...]:
    every = record_type(record).fields
    return tuple(one for one in every if not names or one.name in names)


@dataclass(frozen=True)
class Entry:
    """A statement's name and what is known of it. ``serves``: how it is used, each a set of the
    parameters that are given; ``needs``: those that it must use."""

    contract: str
    name: str
    kind: Kind
    zh: str
    en: str
    parameters: tuple[Field, ...]
    needs: tuple[str, ...] = ()
    record: RecordType | None = None
    beside: tuple[Field, ...] = ()
    required: bool = True
    #: rows that an UPDATE, INSERT or DELETE must change; None: any number
    rows: int | None = 1
    #: a field is made of these where no column gives it
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What a row may give."""
        return (*(self.record.fields if self.record else ()), *self.beside)


_SLOT = {
    **{"Unlimited": ("Limit",), "Remaining": ("Limit", "Taken"), "ClinicName": ("DeptName",)},
    **{"DeptName": ("DeptCode",), "ClinicLabel": ("DeptCode",)},
}
_MASTER = {"Final": ("ResultStatus",), "Printed": (), "RecognitionMark": ()}
_SESSION = _fields(_Beside, "ScheduleId")
_BOOKING = (
    *_fields(NumberSourceSlot, "ScheduleId", "ScheduleDate", "ClinicLabel", "ClinicName"),
    *_fields(NumberSourceSlot, "DeptCode", "DeptName", "DoctorName", "Shift"),
    *_fields(_Beside, "PatientId", "SequenceNo", "RegistrationFee", "ConsultationFee"),
    *_fields(_Beside, "Amount", "Now", "Paid"),
)
_KEY = _fields(_Beside, "Key")


def _operation(contract: type[Contract], name: str) -> tuple[Field, ...]:
    return describe(contract).operation(name).parameters


_ALL: tuple[Entry, ...] = (
    Entry(
        *("NumberSource", "QueryNumberSource", "rows", "号源", "sessions"),
        (
            *_operation(NumberSource, "QueryNumberSource"),
            *_fields(_Beside, "ScheduleId", "SinceDate"),
        ),
        needs=("ScheduleDate",),
        record=record_type(NumberSourceSlot),
        beside=_fields(_Beside, "Taken"),
        derived=_SLOT,
    ),
    Entry(
        *("NumberSource", "GetNumberSource", "rows", "一个号源", "one session"),
        _SESSION,
        needs=("ScheduleId",),
        record=record_type(NumberSourceSlot),
        beside=_fields(_Beside, "Taken"),
        required=False,
        derived=_SLOT,
    ),
    Entry(
        *("Patients", "FindPatients", "rows", "病人", "patients"),
        _operation(Patients, "FindPatients"),
        needs=("PatientId",),
        record=record_type(Patient),
        derived={"Age": ("BirthDate",)},
    ),
    Entry(
        *("LabResults", "QueryLabMaster", "rows", "检验主记录", "lab tests"),
        (*_operation(LabResults, "QueryLabMaster"), *_fields(_Beside, "TestNo")),
        needs=("PatientId",),
        record=record_type(LabMaster),
        beside=_fields(_Beside, "PatientId"),
        derived=_MASTER,
    ),
    Entry(
        *("LabResults", "GetLabResult", "rows", "检验结果", "a test's items"),
        _operation(LabResults, "GetLabResult"),
        needs=("TestNo",),
        record=record_type(LabResultItem),
        required=False,
        derived={"ItemNo": (), "Abnormal": (), "RecognitionMark": ()},
    ),
    Entry(
        *("LabResults", "MarkLabPrinted", "steps", "标记已打印", "mark as printed"),
        (*_fields(_Beside, "TestNo", "Now"),),
        needs=("TestNo",),
        required=False,
    ),
    Entry(
        *("Registration", "visits", "rows", "挂号记录", "registrations"),
        (*_fields(_Beside, "Key", "PatientId", "ScheduleId", "SinceDate"),),
        needs=("Key", "PatientId", "ScheduleId"),
        record=record_type(MappedVisit),
    ),
    Entry(
        *("Registration", "hold", "steps", "占住号表行", "hold the session's row"),
        _SESSION,
        needs=("ScheduleId",),
        rows=None,
    ),
    Entry(
        *("Registration", "take", "steps", "占一个号", "take a place"),
        (*_SESSION, *_fields(_Beside, "Numbered")),
        needs=("ScheduleId",),
    ),
    Entry(
        *("Registration", "advance", "steps", "取下一序号", "take the next number alone"),
        _SESSION,
        needs=("ScheduleId",),
    ),
    Entry(
        *("Registration", "given", "value", "刚取的序号", "the number just given"),
        _SESSION,
        needs=("ScheduleId",),
    ),
    Entry(
        *("Registration", "give_back", "steps", "退还一个号", "give a place back"),
        _SESSION,
        needs=("ScheduleId",),
        rows=None,
    ),
    Entry(
        *("Registration", "add_visit", "steps", "写挂号记录", "write the registration"),
        _BOOKING,
        needs=("PatientId",),
    ),
    Entry(
        *("Registration", "pay_visit", "steps", "锁号转为挂号", "turn a lock's row into one paid"),
        (*_BOOKING, *_KEY),
        needs=("Key",),
        required=False,
    ),
    Entry(
        *("Registration", "return_visit", "steps", "退号", "return a registration"),
        (*_KEY, *_fields(_Beside, "PatientId", "ScheduleId", "Now")),
        needs=("Key",),
    ),
)

#: by contract and name, in the order in which docs/mapped.md tells of them
ENTRIES: dict[str, dict[str, Entry]] = {}
for _entry in _ALL:
    ENTRIES.setdefault(_entry.contract, {})[_entry.name] = _entry

#: what the adapter can offer
OFFERED: dict[str, type[Contract]] = {
    "NumberSource": NumberSource,
    "Patients": Patients,
    "LabResults": LabResults,
    "Registration": Registration,
}
