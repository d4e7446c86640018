"""The contracts' rules, asked of a live database by reading alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import inspect

from adapters.mapped import Mapped
from services.contract import describe
from services.faults import InvalidArgument
from yilian.onboarding.facets import key_of
from yilian.onboarding.findings import Findings

#: an id that no hospital has
NOBODY = "YILIAN-0-NOBODY"
#: days of sessions that are looked at, today first
DAYS = 8


def check_contract(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    """Every rule of one contract that can be seen by reading."""
    _CHECKS.get(contract, _plainly)(findings, contract, patients, today)
    for operation in describe_operations(contract):
        if operation.writes and operation.name not in findings.outcomes:
            findings.skip(
                operation.name,
                "会写数据库；用 --write-test 在测试副本上验证",
                "writes; proved by --write-test on a test copy",
            )


def describe_operations(contract: str) -> tuple[Any, ...]:
    from services.catalogue import CONTRACTS

    return describe(CONTRACTS[contract]).operations


def _number_source(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    query, get = "QueryNumberSource", "GetNumberSource"
    seen: dict[str, date] = {}
    some = []
    for ahead in range(DAYS):
        day = today + timedelta(days=ahead)
        slots = findings.call(contract, query, ScheduleDate=day)
        if slots is None:
            continue
        order = [(s.DeptCode, s.ClinicLabel, s.Shift) for s in slots]
        findings.rule(
            query, order == sorted(order), f"{day} 未按科室、号别、班次排序", "not in order"
        )
        for slot in slots:
            key = key_of(slot)
            findings.rule(
                query,
                seen.setdefault(slot.ScheduleId, day) == day and slot.ScheduleDate == day,
                f"{key} 的日期不是所问的 {day}，或在两天出现",
                f"{key} is not of {day} as asked, or stands on two days",
            )
            findings.rule(
                query,
                slot.Unlimited == (slot.Limit is None) == (slot.Remaining is None),
                f"{key} 的限号、余号与不限号不相符",
                f"{key}: Limit, Remaining and Unlimited do not agree",
            )
            findings.rule(
                query,
                slot.Limit is None or (slot.Remaining or 0) <= slot.Limit,
                f"{key} 余号多于限号",
                f"{key} has more left than its limit",
            )
        ids = [slot.ScheduleId for slot in slots]
        for one in {one for one in ids if ids.count(one) > 1}:
            findings.rule(query, False, f"ScheduleId={one} 出现多次", f"ScheduleId={one} is twice")
        if slots:
            some += slots[:2]
            dept = slots[0].DeptCode
            of_dept = findings.call(contract, query, ScheduleDate=day, DeptCode=dept)
            findings.rule(
                query,
                of_dept is None or of_dept == [one for one in slots if one.DeptCode == dept],
                f"{day} 按科室 {dept} 查询与全部查询不符",
                f"{day}: asking for department {dept} gives other sessions than asking for all",
            )
    if not some:
        findings.rule(
            query,
            bool(findings.outcome(query).broken),
            f"{today} 起 {DAYS} 天没有任何号源：日期格式或条件可能不对",
            f"no session from {today} in {DAYS} days: a date's format or a condition may be wrong",
        )
    for slot in some:
        again = findings.call(contract, get, ScheduleId=slot.ScheduleId)
        findings.rule(
            get,
            again is None or again == slot,
            f"{key_of(slot)} 与查询所得不同",
            f"{key_of(slot)} differs from what the query answered",
        )
    findings.unknown(get, ScheduleId=NOBODY)


def _patients(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    find, get = "FindPatients", "GetPatient"
    for patient_id in patients:
        patient = findings.call(contract, get, PatientId=patient_id)
        found = findings.call(contract, find, PatientId=patient_id)
        if patient is None or found is None:
            continue
        key = f"PatientId={patient_id}"
        findings.rule(
            find,
            found == [patient],
            f"{key} 查找与读取所得不同",
            f"{key}: finding and getting differ",
        )
        findings.rule(
            get,
            patient.BirthDate is None or patient.BirthDate <= today,
            f"{key} 的出生日期在今天之后",
            f"{key} is born after today",
        )
        for name in ("IdentityNo", "InsuranceNo", "VisitCardNo"):
            number = getattr(patient, name)
            if number is None:
                continue
            others = findings.call(contract, find, **{name: number})
            findings.rule(
                find,
                others is None or patient in others,
                f"{key} 不能按 {name} 找到",
                f"{key} is not found by {name}",
            )
    if not patients:
        _no_patients(findings, find, get)
    findings.unknown(get, PatientId=NOBODY)
    findings.refuses(find, InvalidArgument, "没有任何条件", "no criterion at all")


def _lab_results(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    query, get = "QueryLabMaster", "GetLabResult"
    numbers: dict[str, str] = {}
    for patient_id in patients:
        masters = findings.call(contract, query, PatientId=patient_id)
        if not masters:
            continue
        order = [(m.RequestedDateTime or datetime.min, m.TestNo) for m in masters]
        findings.rule(
            query, order == sorted(order, reverse=True), "未按申请时间从新到旧", "not newest first"
        )
        for master in masters:
            findings.rule(
                query,
                master.Final == (master.ResultStatus == "4"),
                f"{key_of(master)} 的 Final 与状态不符",
                f"{key_of(master)}: Final does not follow the status",
            )
            numbers.setdefault(master.TestNo, master.ResultStatus)
        middle = masters[len(masters) // 2].RequestedDateTime
        if middle is not None:
            part = findings.call(contract, query, PatientId=patient_id, Since=middle)
            wanted = [m for m in masters if m.RequestedDateTime and m.RequestedDateTime >= middle]
            findings.rule(
                query,
                part is None or part == wanted,
                f"PatientId={patient_id} 自 {middle} 起的检验单不符",
                f"PatientId={patient_id}: Since {middle} gives other tests",
            )
    if not patients:
        _no_patients(findings, query)
    if isinstance(findings.adapter, Mapped) and not findings.adapter.runner.mapping.has(
        contract, get
    ):
        findings.skip(get, "映射文件中没有", "not mapped")
        findings.skip("MarkLabPrinted", "映射文件中没有", "not mapped")
        return
    shown = {status: number for number, status in numbers.items()}
    for number in dict.fromkeys([*shown.values(), *list(numbers)[:10]]):
        report = findings.call(contract, get, TestNo=number)
        if report is None:
            continue
        findings.rule(
            get,
            not report.Items or report.ResultStatus in ("3", "4"),
            f"TestNo={number} 状态 {report.ResultStatus} 不应有结果",
            f"TestNo={number} of status {report.ResultStatus} must not have items",
        )
        findings.rule(
            get,
            bool(report.Items) or report.ResultStatus != "4",
            f"TestNo={number} 已确认却没有结果",
            f"TestNo={number} is confirmed and has no items",
        )
    if not numbers and patients:
        findings.skip(get, "样本病人没有检验单", "the sampled patients have no tests")
    findings.unknown(get, TestNo=NOBODY)


def _registration(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    source = findings.adapter.source
    with source.connect() as connection:
        ours = inspect(connection).has_table("YILIAN_REGISTRATION")
    reads = ("GetRegistration", "ListRegistrations", "ListStopNotices")
    if not ours:
        for name in reads:
            findings.skip(
                name,
                "库中还没有 YILIAN_REGISTRATION；节点首次启动时建立，只读检查不建",
                "no YILIAN_REGISTRATION yet: the node makes it at its first start, a check does "
                "not",
            )
        return
    findings.call(contract, reads[2], SinceDate=today)
    for patient_id in patients:
        for record in (findings.call(contract, reads[1], PatientId=patient_id) or [])[:3]:
            again = findings.call(contract, reads[0], RegistrationId=record.RegistrationId)
            findings.rule(
                reads[0],
                again is None or again == record,
                f"{key_of(record)} 与列表所得不同",
                f"{key_of(record)} differs from the list's",
            )
    findings.unknown(reads[0], RegistrationId=NOBODY)


def _plainly(findings: Findings, contract: str, patients: list[str], today: date) -> None:
    """A contract without rules of its own here: what can be asked by patient or day, is."""
    samples: dict[str, list[Any]] = {"PatientId": list(patients), "SinceDate": [today]}
    for operation in describe_operations(contract):
        if operation.writes:
            continue
        needed = [one.name for one in operation.parameters if one.required]
        if len(needed) > 1 or not set(needed) <= set(samples):
            names = "、".join(needed)
            findings.skip(operation.name, f"没有 {names} 的样本", f"no sample of {names}")
            continue
        for value in samples[needed[0]] if needed else [None]:
            findings.call(contract, operation.name, **({needed[0]: value} if needed else {}))


def _no_patients(findings: Findings, *operations: str) -> None:
    for name in operations:
        findings.skip(
            name,
            "没有样本病人；请用 --patient 病人标识号",
            "no patient to ask for; give --patient ID",
        )


_CHECKS: dict[str, Callable[[Findings, str, list[str], date], None]] = {
    "NumberSource": _number_source,
    "Patients": _patients,
    "LabResults": _lab_results,
    "Registration": _registration,
}
