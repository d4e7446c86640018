"""LabResults out of mapped queries: order, bounds, Final and what a report shows are the
contract's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from adapters import values as v
from adapters.database import Source
from adapters.lab import REPORTED, in_order, not_confirmed, unknown_test
from adapters.ledger import Ledger
from adapters.mapped.rows import Values, complete
from adapters.mapped.running import Runner
from adapters.printed import PRINTED, note_printed, printed_among
from services.faults import SourceError, UnknownOperation
from services.lab_results import LabMaster, LabReport, LabResultItem
from services.terms import CONFIRMED

_QUERY = ("LabResults", "QueryLabMaster")
_ITEMS = ("LabResults", "GetLabResult")
_MARK = ("LabResults", "MarkLabPrinted")


class LabTests:
    """The operations of LabResults over one mapping."""

    def __init__(self, source: Source, runner: Runner, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._runner = runner
        self._clock = clock
        self._ledger = Ledger(source, clock, (PRINTED,))

    def masters(
        self, patient_id: str, since: datetime | None, until: datetime | None
    ) -> list[LabMaster]:
        """QueryLabMaster."""
        self._ledger.prepare()
        asked = {"PatientId": patient_id, "Since": since, "Until": until}
        with self._source.connect() as connection:
            masters = [master for master, _ in self._read(connection, asked)]
        # Bounds that the statement does not use are kept here; a test without the time is out.
        if since is not None:
            masters = [one for one in masters if _at(one) is not None and _at(one) >= since]  # type: ignore[operator]
        if until is not None:
            masters = [one for one in masters if _at(one) is not None and _at(one) < until]  # type: ignore[operator]
        return in_order(masters)

    def report(self, test_no: str) -> LabReport:
        """GetLabResult."""
        if not self._runner.mapping.has(*_ITEMS):
            raise self._not_mapped("GetLabResult")
        with self._source.connect() as connection:
            master, patient_id = self._one(connection, test_no)
            items: list[LabResultItem] = []
            if master.ResultStatus in REPORTED:
                for values in self._runner.rows(connection, *_ITEMS, {"TestNo": test_no}):
                    items.append(self._item(test_no, values, len(items) + 1))
        if patient_id is None:
            raise self._source.broken_row(
                f"（{'.'.join(_QUERY)}）",
                f"TestNo={test_no}",
                v.Unreadable("PatientId", "不能为空", "must not be empty"),
            )
        status = master.ResultStatus
        return LabReport(master.TestNo, patient_id, status, status == CONFIRMED, items)

    def mark_printed(self, arguments: Mapping[str, Any]) -> LabMaster:
        """MarkLabPrinted."""
        test_no: str = arguments["TestNo"]

        def work(connection: Connection) -> LabMaster:
            master, _ = self._one(connection, test_no)
            if not master.Final:
                raise not_confirmed(self._source, test_no, "TestNo")
            if not self._runner.mapping.has(*_MARK):
                note_printed(connection, master.TestNo)
            elif not master.Printed:
                given = {"TestNo": test_no, "Now": self._clock().replace(microsecond=0)}
                if self._runner.steps(connection, *_MARK, given) is None:
                    last = self._runner.mapping.statements[_MARK][-1]
                    raise self._runner.wrong_rows(last, 0)
            return replace(master, Printed=True)

        if not self._by_number:
            raise self._not_mapped("MarkLabPrinted")
        return self._ledger.once("MarkLabPrinted", arguments, LabMaster, work)

    # --- inside -----------------------------------------------------------------------------------

    @property
    def _by_number(self) -> bool:
        return "TestNo" in self._runner.mapping.one(*_QUERY).sql.names

    def _not_mapped(self, operation: str) -> UnknownOperation:
        return self._source.fault(
            UnknownOperation,
            f"医院 {self._source.hospital} 未开放 {operation}（映射文件中没有）。",
            f"Hospital {self._source.hospital} does not offer {operation}: it is not mapped.",
        )

    def _one(self, connection: Connection, test_no: str) -> tuple[LabMaster, str | None]:
        read = self._read(connection, {"TestNo": test_no})
        # Compared again: a database may take other spellings for the same number.
        found = [one for one in read if one[0].TestNo == test_no]
        if not found:
            raise unknown_test(self._source, test_no)
        if len(found) > 1:
            raise self._source.fault(
                SourceError,
                f"医院 {self._source.hospital} 有 {len(found)} 张检验单 {test_no}。请更正。",
                f"Hospital {self._source.hospital} has {len(found)} tests {test_no}.",
                field="TestNo",
            )
        return found[0]

    def _read(
        self, connection: Connection, asked: Mapping[str, Any]
    ) -> list[tuple[LabMaster, str | None]]:
        found: list[tuple[LabMaster, str | None]] = []
        for values in self._runner.rows(connection, *_QUERY, asked):
            patient_id = values.get("PatientId")
            values["Final"] = values.get("ResultStatus") == CONFIRMED
            values["Printed"] = bool(values.get("Printed"))
            try:
                complete_ = complete(self._runner.mapping.one(*_QUERY), values)
            except v.Unreadable as unreadable:
                key = f"TestNo={values.get('TestNo')}"
                raise self._source.broken_row(f"（{'.'.join(_QUERY)}）", key, unreadable) from None
            if not values["Final"]:
                complete_["RecognitionMark"] = None
            found.append((LabMaster(**complete_), patient_id))
        return self._printed(connection, found)

    def _printed(
        self, connection: Connection, found: list[tuple[LabMaster, str | None]]
    ) -> list[tuple[LabMaster, str | None]]:
        # A source that is only read from has no table of ours, and nothing was noted there.
        if self._runner.mapping.has(*_MARK) or self._source.config.read_only:
            return found
        printed = printed_among(connection, [one.TestNo for one, _ in found if one.Final])
        return [
            (replace(one, Printed=one.Printed or one.TestNo in printed), patient)
            for one, patient in found
        ]

    def _item(self, test_no: str, values: Values, number: int) -> LabResultItem:
        values["ItemNo"] = values.get("ItemNo") or str(number)
        values["Abnormal"] = values.get("Abnormal") or "U"
        try:
            return LabResultItem(**complete(self._runner.mapping.one(*_ITEMS), values))
        except v.Unreadable as unreadable:
            key = f"TestNo={test_no}, ItemNo={values['ItemNo']}"
            raise self._source.broken_row(f"（{'.'.join(_ITEMS)}）", key, unreadable) from None


def _at(master: LabMaster) -> datetime | None:
    return master.RequestedDateTime
