"""LabResults over LAB_TEST_MASTER, LAB_TEST_ITEMS and LAB_RESULT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, select, update

from adapters import values as v
from adapters.columns import Statement, with_columns
from adapters.database import Source
from adapters.dictionary import named
from adapters.junwei import codes, tables
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches
from adapters.lab import REPORTED, in_order, not_confirmed, unknown_test
from adapters.ledger import Ledger
from adapters.marks import abnormal
from adapters.orders import Recognised
from services.faults import SourceError
from services.lab_results import LabMaster, LabReport, LabResultItem
from services.terms import CONFIRMED, LAB

_M = tables.LAB_TEST_MASTER.c
_MASTERS = select(
    *(_M.TEST_NO, _M.NAME, _M.CHARGE_TYPE, _M.SEX, _M.AGE, _M.TEST_CAUSE),
    *(_M.RELEVANT_CLINIC_DIAG, _M.SPECIMEN, _M.NOTES_FOR_SPCM, _M.ORDERING_DEPT),
    *(_M.REQUESTED_DATE_TIME, _M.RESULTS_RPT_DATE_TIME, _M.ORDERING_PROVIDER, _M.PERFORMED_BY),
    *(_M.WORKING_ID, _M.TRANSCRIPTIONIST, _M.VERIFIED_BY, _M.RESULT_STATUS, _M.PRINT_INDICATOR),
)
_HEAD = select(_M.TEST_NO, _M.PATIENT_ID, _M.RESULT_STATUS)
_I = tables.LAB_TEST_ITEMS.c
_ORDERED = select(_I.TEST_NO, _I.ITEM_NO, _I.ITEM_CODE)


class LabTests:
    """The queries of LabResults, with one hospital's settings."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._departments = codes.departments(settings)
        self._ledger = Ledger(source)
        self._recognised = Recognised(
            source, LAB, settings.recognised_items, settings.dictionary_seconds
        )
        reference = settings.reference_column
        results = with_columns(tables.LAB_RESULT, reference).c
        self._test_no: Column[Any] = results.TEST_NO
        order = [results.ITEM_NO, results.PRINT_ORDER]
        if settings.print_order == "report":
            order.reverse()
        chosen = [
            *(results.ITEM_NO, results.PRINT_ORDER, results.REPORT_ITEM_CODE),
            *(results.REPORT_ITEM_NAME, results.RESULT, results.UNITS),
            *(results.ABNORMAL_INDICATOR, results.RESULT_DATE_TIME),
        ]
        self._has_reference = bool(reference)
        if reference:
            chosen.append(results[reference])
        self._results = select(*chosen).order_by(*order)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield from (_MASTERS, _HEAD, _ORDERED, self._results, self._departments.statement)

    def masters(
        self, patient_id: str, since: datetime | None, until: datetime | None
    ) -> list[LabMaster]:
        """QueryLabMaster."""
        statement = _MASTERS.where(matches(_M.PATIENT_ID, patient_id, self._settings.char_padding))
        if since is not None:
            statement = statement.where(_M.REQUESTED_DATE_TIME >= since)
        if until is not None:
            statement = statement.where(_M.REQUESTED_DATE_TIME < until)
        self._recognised.prepare()
        with self._source.connect() as connection:
            found = self._read(connection, statement, _M.PATIENT_ID, patient_id)
        return in_order(found)

    def mark_printed(self, arguments: Mapping[str, Any]) -> LabMaster:
        """MarkLabPrinted."""
        test_no: str = arguments["TestNo"]
        padding = self._settings.char_padding
        this = matches(_M.TEST_NO, test_no, padding)

        def work(connection: Connection) -> LabMaster:
            confirmed = _M.RESULT_STATUS == CONFIRMED
            printed = update(tables.LAB_TEST_MASTER).where(this, confirmed)
            changed = connection.execute(printed.values(PRINT_INDICATOR=1)).rowcount
            found = self._read(connection, _MASTERS.where(this), _M.TEST_NO, test_no)
            if not found:
                raise unknown_test(self._source, test_no)
            if not changed:
                raise not_confirmed(self._source, test_no, "TestNo")
            return found[0]

        self._recognised.prepare()
        return self._ledger.once("MarkLabPrinted", arguments, LabMaster, work)

    def _read(
        self, connection: Connection, statement: Statement, key: Column[Any], value: str
    ) -> list[LabMaster]:
        """The tests that ``statement`` selects, which are those where ``key`` is ``value``."""
        # A member's virtual department has a name also where DEPT_DICT does not know it.
        departments = {**self._settings.virtual_departments, **self._departments.read(connection)}
        rows = connection.execute(statement).all()
        recognised = self._recognised_tests(
            connection, matches(key, value, self._settings.char_padding)
        )
        found = []
        for row in rows:
            try:
                found.append(_master(row, departments, recognised))
            except v.Unreadable as unreadable:
                raise self._broken("LAB_TEST_MASTER", row[0], unreadable) from None
        return found

    def _recognised_tests(
        self, connection: Connection, which: ColumnElement[bool]
    ) -> frozenset[str]:
        """Of these tests, the numbers of those whose every ordered item is recognised."""
        codes = self._recognised.codes(connection)
        if not codes:
            return frozenset()
        tests = select(_M.TEST_NO).where(which, _M.RESULT_STATUS == CONFIRMED)
        ordered: dict[str, list[str]] = {}
        for test_no, _, code in connection.execute(_ORDERED.where(_I.TEST_NO.in_(tests))):
            ordered.setdefault(str(test_no).rstrip(" "), []).append(str(code or "").rstrip(" "))
        return frozenset(number for number, items in ordered.items() if codes.issuperset(items))

    def report(self, test_no: str) -> LabReport:
        """GetLabResult."""
        padding = self._settings.char_padding
        self._recognised.prepare()
        with self._source.connect() as connection:
            head = connection.execute(_HEAD.where(matches(_M.TEST_NO, test_no, padding))).first()
            if head is None:
                raise unknown_test(self._source, test_no)
            try:
                number = v.required(head[0], "TEST_NO")
                patient_id = v.required(head[1], "PATIENT_ID")
                status = v.result_status(head[2], "RESULT_STATUS")
            except v.Unreadable as unreadable:
                raise self._broken("LAB_TEST_MASTER", test_no, unreadable) from None
            items: list[LabResultItem] = []
            if status in REPORTED:
                marked = self._marked_items(connection, test_no) if status == CONFIRMED else None
                rows = connection.execute(
                    self._results.where(matches(self._test_no, test_no, padding))
                ).all()
                for row in rows:
                    try:
                        items.append(self._item(row, len(items) + 1, marked))
                    except v.Unreadable as unreadable:
                        key = f"{test_no}, ITEM_NO={row[0]}, PRINT_ORDER={row[1]}"
                        raise self._broken("LAB_RESULT", key, unreadable) from None
        return LabReport(number, patient_id, status, status == CONFIRMED, items)

    def _marked_items(
        self, connection: Connection, test_no: str
    ) -> tuple[frozenset[str], frozenset[int]]:
        """The recognised codes, and the numbers of this test's ordered items among them."""
        codes = self._recognised.codes(connection)
        if not codes:
            return codes, frozenset()
        ordered = _ORDERED.where(matches(_I.TEST_NO, test_no, self._settings.char_padding))
        numbers = [
            number
            for _, number, code in connection.execute(ordered)
            if str(code or "").rstrip(" ") in codes
        ]
        return codes, frozenset(numbers)

    def _item(
        self,
        row: Sequence[Any],
        number: int,
        marked: tuple[frozenset[str], frozenset[int]] | None,
    ) -> LabResultItem:
        """``marked``: what is recognised, in a confirmed report."""
        mark = v.text(row[6], "ABNORMAL_INDICATOR")
        code = v.text(row[2], "REPORT_ITEM_CODE")
        reference = self._settings.reference_column
        return LabResultItem(
            ItemNo=str(number),
            ItemCode=code,
            ItemName=v.text(row[3], "REPORT_ITEM_NAME"),
            Result=v.text(row[4], "RESULT"),
            Units=v.text(row[5], "UNITS"),
            Abnormal=abnormal(mark, self._settings.abnormal_marks),
            Reference=v.text(row[8], reference) if self._has_reference else None,
            ResultDateTime=v.moment(row[7], "RESULT_DATE_TIME"),
            RecognitionMark=Recognised.MARK
            if marked is not None and (code in marked[0] or row[0] in marked[1])
            else None,
        )

    def _broken(self, table: str, key: str, unreadable: v.Unreadable) -> SourceError:
        return self._source.broken_row(table, f"TEST_NO={key}", unreadable)


def _master(
    row: Sequence[Any], departments: Mapping[str, str], recognised: frozenset[str]
) -> LabMaster:
    (test_no, name, charge_type, sex, age, cause, diagnosis, specimen, notes) = row[:9]
    (dept, requested, reported, doctor, performer, working_id, writer, verifier, status) = row[9:18]
    number = v.required(test_no, "TEST_NO")
    result_status = v.result_status(status, "RESULT_STATUS")
    return LabMaster(
        TestNo=number,
        Name=v.text(name, "NAME"),
        ChargeType=v.text(charge_type, "CHARGE_TYPE"),
        Sex=v.sex(sex, "SEX"),
        Age=v.age(age, "AGE"),
        TestCause=v.text(cause, "TEST_CAUSE"),
        RelevantClinicDiag=v.text(diagnosis, "RELEVANT_CLINIC_DIAG"),
        Specimen=v.text(specimen, "SPECIMEN"),
        NotesForSpcm=v.text(notes, "NOTES_FOR_SPCM"),
        OrderingDept=named(dept, departments, "ORDERING_DEPT"),
        RequestedDateTime=v.moment(requested, "REQUESTED_DATE_TIME"),
        ResultsRptDateTime=v.moment(reported, "RESULTS_RPT_DATE_TIME"),
        OrderingProvider=v.text(doctor, "ORDERING_PROVIDER"),
        PerformedBy=named(performer, departments, "PERFORMED_BY"),
        WorkingId=v.text(working_id, "WORKING_ID"),
        Transcriptionist=v.text(writer, "TRANSCRIPTIONIST"),
        VerifiedBy=v.text(verifier, "VERIFIED_BY"),
        ResultStatus=result_status,
        Final=result_status == CONFIRMED,
        Printed=v.yes(row[18], "PRINT_INDICATOR"),
        RecognitionMark=Recognised.MARK if number in recognised else None,
    )
