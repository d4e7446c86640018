"""LabResults over LAB_TEST_MASTER and LAB_RESULT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, select

from adapters import values as v
from adapters.columns import Statement, with_columns
from adapters.database import Source
from adapters.dictionary import named
from adapters.junwei import codes, tables
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches
from adapters.lab import REPORTED, in_order, unknown_test
from adapters.marks import abnormal
from services.faults import SourceError
from services.lab_results import LabMaster, LabReport, LabResultItem
from services.terms import CONFIRMED

_M = tables.LAB_TEST_MASTER.c
_MASTERS = select(
    *(_M.TEST_NO, _M.NAME, _M.CHARGE_TYPE, _M.SEX, _M.AGE, _M.TEST_CAUSE),
    *(_M.RELEVANT_CLINIC_DIAG, _M.SPECIMEN, _M.NOTES_FOR_SPCM, _M.ORDERING_DEPT),
    *(_M.REQUESTED_DATE_TIME, _M.RESULTS_RPT_DATE_TIME, _M.ORDERING_PROVIDER, _M.PERFORMED_BY),
    *(_M.WORKING_ID, _M.TRANSCRIPTIONIST, _M.VERIFIED_BY, _M.RESULT_STATUS),
)
_HEAD = select(_M.TEST_NO, _M.PATIENT_ID, _M.RESULT_STATUS)


class LabTests:
    """The queries of LabResults, with one hospital's settings."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._departments = codes.departments(settings)
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
        yield from (_MASTERS, _HEAD, self._results, self._departments.statement)

    def masters(
        self, patient_id: str, since: datetime | None, until: datetime | None
    ) -> list[LabMaster]:
        """QueryLabMaster."""
        statement = _MASTERS.where(matches(_M.PATIENT_ID, patient_id, self._settings.char_padding))
        if since is not None:
            statement = statement.where(_M.REQUESTED_DATE_TIME >= since)
        if until is not None:
            statement = statement.where(_M.REQUESTED_DATE_TIME < until)
        found = []
        with self._source.connect() as connection:
            departments = self._departments.read(connection)
            for row in connection.execute(statement).all():
                try:
                    found.append(_master(row, departments))
                except v.Unreadable as unreadable:
                    raise self._broken("LAB_TEST_MASTER", row[0], unreadable) from None
        return in_order(found)

    def report(self, test_no: str) -> LabReport:
        """GetLabResult."""
        padding = self._settings.char_padding
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
                rows = connection.execute(
                    self._results.where(matches(self._test_no, test_no, padding))
                ).all()
                for row in rows:
                    try:
                        items.append(self._item(row, len(items) + 1))
                    except v.Unreadable as unreadable:
                        key = f"{test_no}, ITEM_NO={row[0]}, PRINT_ORDER={row[1]}"
                        raise self._broken("LAB_RESULT", key, unreadable) from None
        return LabReport(number, patient_id, status, status == CONFIRMED, items)

    def _item(self, row: Sequence[Any], number: int) -> LabResultItem:
        mark = v.text(row[6], "ABNORMAL_INDICATOR")
        reference = self._settings.reference_column
        return LabResultItem(
            ItemNo=str(number),
            ItemCode=v.text(row[2], "REPORT_ITEM_CODE"),
            ItemName=v.text(row[3], "REPORT_ITEM_NAME"),
            Result=v.text(row[4], "RESULT"),
            Units=v.text(row[5], "UNITS"),
            Abnormal=abnormal(mark, self._settings.abnormal_marks),
            Reference=v.text(row[8], reference) if self._has_reference else None,
            ResultDateTime=v.moment(row[7], "RESULT_DATE_TIME"),
        )

    def _broken(self, table: str, key: str, unreadable: v.Unreadable) -> SourceError:
        return self._source.broken_row(table, f"TEST_NO={key}", unreadable)


def _master(row: Sequence[Any], departments: Mapping[str, str]) -> LabMaster:
    (test_no, name, charge_type, sex, age, cause, diagnosis, specimen, notes) = row[:9]
    (dept, requested, reported, doctor, performer, working_id, writer, verifier, status) = row[9:]
    result_status = v.result_status(status, "RESULT_STATUS")
    return LabMaster(
        TestNo=v.required(test_no, "TEST_NO"),
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
    )
