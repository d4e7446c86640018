"""The SQL behind an operation: out of the mapping, or what another adapter sends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.adapter import Adapter
from adapters.mapped import Mapped
from adapters.mapped.mapping import MappingFile
from adapters.mapped.vocabulary import ENTRIES
from services.catalogue import CONTRACTS
from services.contract import Field, Operation, Scalar, describe
from services.faults import Fault
from yilian.onboarding.statements import watched
from yilian.refused import Refused

#: a line that says what the text below is, and the text
Part = tuple[str, str]

#: a statement, and the parameters that it is given
Use = tuple[str, str, set[str]]

_SLOT: Use = ("NumberSource", "GetNumberSource", {"ScheduleId"})
_PATIENT: Use = ("Patients", "FindPatients", {"PatientId"})
_BY_KEY: Use = ("Registration", "visits", {"Key"})
_AT: Use = ("Registration", "visits", {"ScheduleId"})


def _step(name: str) -> Use:
    return ("Registration", name, {one.name for one in ENTRIES["Registration"][name].parameters})


_TAKING = [_step("take"), _SLOT, _PATIENT, _AT, _step("advance"), _step("given")]
_USES: dict[str, list[Use]] = {
    "LockNumber": [*_TAKING, _step("add_visit")],
    "Register": [*_TAKING, _step("add_visit"), _BY_KEY],
    "ConfirmRegistration": [_SLOT, _step("add_visit"), _step("pay_visit"), _BY_KEY],
    "ReleaseLock": [_step("hold"), _step("give_back"), _SLOT],
    "CancelRegistration": [
        *(_BY_KEY, _SLOT, _step("hold"), _step("give_back"), _step("return_visit")),
    ],
    "GetRegistration": [_BY_KEY, _SLOT],
    "ListRegistrations": [("Registration", "visits", {"PatientId", "SinceDate"}), _SLOT],
    "CheckIn": [_BY_KEY, _SLOT],
    "ListStopNotices": [("NumberSource", "QueryNumberSource", {"SinceDate"}), _AT],
    "GetNumberSource": [_SLOT],
    "GetPatient": [_PATIENT],
    "GetLabResult": [
        *(("LabResults", "QueryLabMaster", {"TestNo"}), ("LabResults", "GetLabResult", {"TestNo"})),
    ],
    "MarkLabPrinted": [
        ("LabResults", "QueryLabMaster", {"TestNo"}),
        ("LabResults", "MarkLabPrinted", {"TestNo", "Now"}),
    ],
}


def find(offers: list[str], name: str) -> tuple[str, Operation] | None:
    """The contract and the operation of that name among the offered ones."""
    for contract in offers:
        for operation in describe(CONTRACTS[contract]).operations:
            if operation.name == name:
                return contract, operation
    return None


def explained(
    adapter: Adapter, contract: str, operation: Operation, arguments: dict[str, str]
) -> Iterator[Part]:
    """Every statement of the operation."""
    if isinstance(adapter, Mapped):
        yield from _mapped(adapter.runner.mapping, contract, operation)
    else:
        yield from _sent(adapter, operation, arguments)


def _mapped(mapping: MappingFile, contract: str, operation: Operation) -> Iterator[Part]:
    every = {one.name for one in operation.parameters}
    for where, name, given in _USES.get(operation.name, [(contract, operation.name, every)]):
        written_late = not mapping.has(where, "pay_visit")
        if (operation.name, name) == ("LockNumber", "add_visit") and written_late:
            continue  # a lock stands in our own table alone
        if name == "GetNumberSource" and not mapping.has(where, name):
            name = "QueryNumberSource"
        for statement in mapping.statements.get((where, name), ()):
            packed = {part for rule in statement.rules.values() for part in rule.pack}
            shown = given | (packed if "ScheduleId" in given else set())
            guard = "" if statement.rows is None else f"（须改动 must change {statement.rows}）"
            written = statement.sql.shown(shown | set(statement.sql.always)).strip()
            yield f"-- {statement.spot.zh} {guard}".rstrip(), written
    if operation.writes:
        yield "-- 同一事务中还写 YILIAN_REQUEST 等本系统的表 / and our own tables, with them", ""


def _sent(adapter: Adapter, operation: Operation, arguments: dict[str, str]) -> Iterator[Part]:
    if operation.writes:
        raise Refused(
            f"{operation.name} 会写数据库，不为说明而执行；映射适配器的写语句可以不执行就列出。",
            f"{operation.name} writes and is not run to be explained; a mapped adapter's writes "
            "are listed without running.",
        )
    given = {
        one.name: _value(one, arguments.get(one.name, one.doc.example))
        for one in operation.parameters
        if one.required or one.name in arguments
    }
    with watched() as sent:
        try:
            getattr(adapter, operation.name)(**given)
        except Fault as fault:
            yield f"-- {fault.code}: {fault.en}", ""
    for one in sent:
        yield f"-- {one.seconds * 1000:.1f} ms", one.sql


def _value(field: Field, text: str) -> Any:
    assert isinstance(field.type, Scalar)
    readers: dict[type, Any] = {
        **{date: date.fromisoformat, datetime: datetime.fromisoformat, Decimal: Decimal},
        **{int: int, bool: lambda written: written == "true", str: str},
    }
    try:
        return readers[field.type.python](text)
    except (ValueError, ArithmeticError):
        raise Refused(
            f"{field.name}={text} 不能读作 {field.type.python.__name__}。",
            f"{field.name}={text} is no {field.type.python.__name__}.",
        ) from None
