"""The writes proved on a test copy: lock, confirm, return, release, and the counters back."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.config import SourceConfig
from services.faults import Conflict
from services.number_source import NumberSourceSlot
from services.registration import RegistrationRecord
from services.registration_states import LIVING, REGISTERED, RELEASED, RETURNED
from yilian.onboarding.findings import Findings
from yilian.onboarding.rules import DAYS, NOBODY

_C = "Registration"


@contextmanager
def copied(config: SourceConfig) -> Iterator[SourceConfig]:
    """The source over a copy of its SQLite file, which goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="yilian-write-test-"))
    try:
        copy = folder / "copy.db"
        address = f"{Path(config.url.database or '').absolute().as_uri()}?mode=ro"
        with (
            closing(sqlite3.connect(address, uri=True)) as original,
            closing(sqlite3.connect(copy)) as target,
        ):
            original.backup(target)
        changes = {"url": config.url.set(database=str(copy)), "read_only": False}
        yield config.model_copy(update=changes)
    finally:
        shutil.rmtree(folder)


def prove(findings: Findings, offers: list[str], patients: list[str]) -> None:
    """Every write of the offered contracts that is proved here."""
    if _C in offers:
        findings.adapter.housekeeping()
        _registration(findings, patients)
    if "LabResults" in offers:
        _printed(findings, patients)


def _registration(findings: Findings, patients: list[str]) -> None:
    adapter: Any = findings.adapter
    slot = _open_session(adapter)
    if slot is None:
        findings.outcome("LockNumber").breaks(
            "没有可试的号源（开放、未停诊、有余号），无法试写",
            "no session to try: open, not stopped, with numbers left",
        )
        return
    free = [one for one in patients if not _holds_a_number(adapter, one, slot)]
    if len(free) < 2:
        findings.outcome("LockNumber").breaks(
            f"号源 {slot.ScheduleId} 没有两位尚未挂号的样本病人，无法试写；可用 --patient 指定",
            f"no two of the patients are without a number of session {slot.ScheduleId}; name "
            "others with --patient",
        )
        return
    kept = adapter.settings_model.model_validate(adapter.source.config.settings)
    first, second = free[:2]
    key = f"ScheduleId={slot.ScheduleId}"
    fees = slot.RegistrationFee + slot.ConsultationFee

    def left(operation: str, fewer: int, what: str) -> None:
        now = findings.call("NumberSource", "GetNumberSource", ScheduleId=slot.ScheduleId)
        if now is None:
            return  # its Fault is kept
        wanted = None if slot.Remaining is None else slot.Remaining - fewer
        findings.rule(
            operation,
            now.Remaining == wanted,
            f"{key} {what}后余号是 {now.Remaining}，应为 {wanted}",
            f"{key}: {now.Remaining} left and should be {wanted}",
        )
        findings.rule(
            operation,
            replace(now, Remaining=None) == replace(slot, Remaining=None),
            f"{key} {what}后除余号外也变了",
            f"{key}: more than Remaining changed",
        )

    def write(operation: str, **arguments: Any) -> Any:
        """The call, and the same once more, which must change nothing."""
        given = {"RequestId": f"write-test-{uuid.uuid4().hex}", **arguments}
        answer = findings.call(_C, operation, **given)
        if answer is not None:
            again = findings.call(_C, operation, **given)
            findings.rule(
                operation,
                again == answer,
                "同一请求重发，答复不同",
                "a repeat is answered otherwise",
            )
        return answer

    who: dict[str, Any] = {"ScheduleId": slot.ScheduleId, "PatientId": first}
    lock = write("LockNumber", **who)
    if lock is None:
        return
    left("LockNumber", 1, "锁号")
    again = {"RequestId": uuid.uuid4().hex, **who}
    findings.refuses("LockNumber", Conflict, "同一病人再锁同一号源", "a second lock", **again)
    strange = {**again, "RequestId": uuid.uuid4().hex, "PatientId": NOBODY}
    findings.unknown("LockNumber", **strange)
    left("LockNumber", 1, "被拒绝的锁号")
    paid = {"LockId": lock.LockId, "PaymentReference": "write-test", "Amount": fees}
    record = write("ConfirmRegistration", **paid)
    if record is not None:
        findings.rule("ConfirmRegistration", record.State == REGISTERED, "状态应为 R", "not R")
        left("ConfirmRegistration", 1, "确认")
        _listed(findings, first, lock.LockId, record.State)
        returned = write("CancelRegistration", RegistrationId=lock.LockId, Reason="试写")
        if returned is not None:
            findings.rule("CancelRegistration", returned.State == RETURNED, "状态应为 C", "not C")
            _listed(findings, first, lock.LockId, RETURNED)
            gone = 1 if kept.returned_number == "kept" else 0
            left("CancelRegistration", gone, "退号")
            if gone:
                return
    other = write("LockNumber", ScheduleId=slot.ScheduleId, PatientId=second)
    if other is not None:
        released = write("ReleaseLock", LockId=other.LockId)
        findings.rule(
            "ReleaseLock", released is None or released.State == RELEASED, "状态应为 X", "not X"
        )
        left("ReleaseLock", 0, "解锁")
    direct = write("Register", ScheduleId=slot.ScheduleId, PatientId=second, Amount=fees)
    if direct is not None:
        left("Register", 1, "挂号")
        if slot.ScheduleDate == date.today():
            write("CheckIn", RegistrationId=direct.RegistrationId)


def _holds_a_number(adapter: Any, patient_id: str, slot: NumberSourceSlot) -> bool:
    records: list[RegistrationRecord] = adapter.ListRegistrations(PatientId=patient_id)
    return any(one.ScheduleId == slot.ScheduleId and one.State in LIVING for one in records)


def _listed(findings: Findings, patient_id: str, registration_id: str, state: str) -> None:
    records = findings.call(_C, "ListRegistrations", PatientId=patient_id) or []
    found = [one.State for one in records if one.RegistrationId == registration_id]
    findings.rule(
        "ListRegistrations",
        found == [state],
        f"RegistrationId={registration_id} 应列出一次且状态为 {state}，而是 {found}",
        f"RegistrationId={registration_id} should be listed once as {state} and is {found}",
    )


def _open_session(adapter: Any) -> NumberSourceSlot | None:
    """A session that takes registrations, not of today if there is another: today's may end
    while it is tried."""
    today = datetime.now().date()
    for ahead in (*range(1, DAYS), 0):
        for slot in adapter.QueryNumberSource(ScheduleDate=today + timedelta(days=ahead)):
            if slot.OpenToRemote and not slot.Stopped and (slot.Remaining or 0) > 1:
                found: NumberSourceSlot = slot
                return found
    return None


def _printed(findings: Findings, patients: list[str]) -> None:
    for patient_id in patients:
        for master in findings.call("LabResults", "QueryLabMaster", PatientId=patient_id) or []:
            if not master.Final or master.Printed:
                continue
            given = {"RequestId": f"write-test-{uuid.uuid4().hex}", "TestNo": master.TestNo}
            marked = findings.call("LabResults", "MarkLabPrinted", **given)
            masters = findings.call("LabResults", "QueryLabMaster", PatientId=patient_id) or []
            now = [one.Printed for one in masters if one.TestNo == master.TestNo]
            findings.rule(
                "MarkLabPrinted",
                marked is None or now == [True],
                f"TestNo={master.TestNo} 标记后仍未显示已打印",
                f"TestNo={master.TestNo} is not shown as printed afterwards",
            )
            return
