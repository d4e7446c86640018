"""LabResults over a site's sample head table and the view V_LIS_TESTRESULT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    column,
    null,
    or_,
    select,
    table,
    update,
)

from adapters import values as v
from adapters.bsoft_lis.settings import SAMPLE_COLUMNS, BsoftLisSettings
from adapters.columns import Moment, Statement
from adapters.database import Source
from adapters.dictionary import Dictionary, named, names
from adapters.keys import matches
from adapters.lab import REPORTED, in_order, not_confirmed, unknown_test
from adapters.ledger import Ledger
from adapters.marks import abnormal
from adapters.orders import Recognised
from adapters.printed import PRINTED, note_printed, portions, printed_among
from services.faults import SourceError
from services.lab_results import LabMaster, LabReport, LabResultItem
from services.terms import CONFIRMED, LAB

_TIMES = ("RequestedDateTime", "ResultsRptDateTime")
_VIEW = "V_LIS_TESTRESULT"


class LabTests:
    """The queries of LabResults, with one hospital's settings."""

    def __init__(self, source: Source, settings: BsoftLisSettings) -> None:
        self._source = source
        self._settings = settings
        self._column = settings.sample_column
        self._ledger = Ledger(source, tables=(PRINTED,))
        self._recognised = Recognised(source, LAB, settings.recognised_items, 0)
        key_type = String(settings.key_width or None)
        kinds = {**dict.fromkeys(_TIMES, Moment()), "TestNo": key_type, "PatientId": key_type}
        self._head = {
            field: Column(name, kinds.get(field, String()))
            for field in SAMPLE_COLUMNS
            if (name := settings.sample_column(field))
        }
        # One column may serve two fields; a table takes each once.
        unique = {c.name: c for c in self._head.values()}
        sample = self._sample = Table(settings.sample_table, MetaData(), *unique.values())
        self._head = {field: sample.c[c.name] for field, c in self._head.items()}
        self._masters = select(
            *(self._head.get(field, null()) for field in SAMPLE_COLUMNS if field != "PatientId")
        ).select_from(sample)
        self._heads = select(*(self._head[f] for f in ("TestNo", "PatientId", "ResultStatus")))
        self._build_results(key_type)
        self._departments = self._department_names()

    def _build_results(self, key_type: String) -> None:
        extra = (self._settings.reference_column, self._settings.print_order_column)
        view = Table(
            _VIEW,
            MetaData(),
            Column("SAMPLENO", key_type),
            *(Column(n, String) for n in ("TESTID", "CHINESENAME", "TESTRESULT", "HINT", "UNIT")),
            Column("CHECKTIME", Moment),
            *(Column(n, String) for n in dict.fromkeys(extra) if n),
        ).c
        self._sample_no = view.SAMPLENO
        self._reported = select(view.SAMPLENO, view.TESTID)
        self._results = select(
            *(view.TESTID, view.CHINESENAME, view.TESTRESULT, view.UNIT, view.HINT),
            *(view.CHECKTIME, view[extra[0]] if extra[0] else null().label("REFERENCE")),
        ).order_by(*([view[extra[1]]] if extra[1] else []), view.TESTID)

    def _department_names(self) -> Dictionary[str] | None:
        settings = self._settings
        if not settings.department_table:
            return None
        code, name = (
            column(settings.department_code, String),
            column(settings.department_name, String),
        )
        statement = select(code, name).select_from(table(settings.department_table, code, name))
        return names(statement, settings.dictionary_seconds)

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield from (self._masters, self._heads, self._results)
        if self._departments is not None:
            yield self._departments.statement

    def masters(
        self, patient_id: str, since: datetime | None, until: datetime | None
    ) -> list[LabMaster]:
        """QueryLabMaster."""
        requested = self._head["RequestedDateTime"]
        statement = self._masters.where(
            matches(self._head["PatientId"], patient_id, self._settings.char_padding)
        )
        if since is not None:
            statement = statement.where(requested >= since)
        if until is not None:
            statement = statement.where(requested < until)
        self._ledger.prepare()
        with self._source.connect() as connection:
            return in_order(self._read(connection, statement))

    def mark_printed(self, arguments: Mapping[str, Any]) -> LabMaster:
        """MarkLabPrinted."""
        test_no: str = arguments["TestNo"]
        this = matches(self._head["TestNo"], test_no, self._settings.char_padding)

        def work(connection: Connection) -> LabMaster:
            found = self._read(connection, self._masters.where(this).with_for_update())
            if not found:
                raise unknown_test(self._source, test_no)
            if not found[0].Final:
                raise not_confirmed(self._source, test_no, "TestNo")
            if "Printed" in self._head:
                column = self._head["Printed"]
                connection.execute(update(self._sample).where(this).values({column: "1"}))
            else:
                note_printed(connection, found[0].TestNo)
            return replace(found[0], Printed=True)

        return self._ledger.once("MarkLabPrinted", arguments, LabMaster, work)

    def _read(self, connection: Connection, statement: Statement) -> list[LabMaster]:
        departments = self._departments.read(connection) if self._departments else {}
        found = []
        for row in connection.execute(statement).all():
            try:
                found.append(self._master(row, departments))
            except v.Unreadable as unreadable:
                raise self._broken_head(row[0], unreadable) from None
        numbers = [master.TestNo for master in found if master.Final]
        printed = self._printed(connection, numbers)
        recognised = self._recognised_tests(connection, numbers)
        return [
            replace(
                master,
                Printed=master.Printed or master.TestNo in printed,
                RecognitionMark=Recognised.MARK if master.TestNo in recognised else None,
            )
            for master in found
        ]

    def _printed(self, connection: Connection, numbers: list[str]) -> frozenset[str]:
        # A source that is only read from has no table of ours, and nothing was noted there.
        if "Printed" in self._head or self._source.config.read_only:
            return frozenset()
        return printed_among(connection, numbers)

    def _recognised_tests(self, connection: Connection, numbers: list[str]) -> frozenset[str]:
        """Of these confirmed tests, those whose every reported item is recognised."""
        codes = self._recognised.codes(connection)
        if not codes:
            return frozenset()
        reported: dict[str, list[str]] = {}
        for some in portions(numbers):
            which: ColumnElement[bool] = or_(
                *(matches(self._sample_no, one, self._settings.char_padding) for one in some)
            )
            for number, code in connection.execute(self._reported.where(which)):
                reported.setdefault(str(number).rstrip(" "), []).append(str(code).rstrip(" "))
        return frozenset(number for number, items in reported.items() if codes.issuperset(items))

    def report(self, test_no: str) -> LabReport:
        """GetLabResult."""
        padding = self._settings.char_padding
        statement = self._heads.where(matches(self._head["TestNo"], test_no, padding))
        with self._source.connect() as connection:
            head = connection.execute(statement).first()
            if head is None:
                raise unknown_test(self._source, test_no)
            try:
                number = v.required(head[0], self._column("TestNo"))
                patient_id = v.required(head[1], self._column("PatientId"))
                status = self._status(head[2])
            except v.Unreadable as unreadable:
                raise self._broken_head(test_no, unreadable) from None
            items: list[LabResultItem] = []
            recognised = self._recognised.codes(connection)
            if status in REPORTED:
                rows = connection.execute(
                    self._results.where(matches(self._sample_no, test_no, padding))
                ).all()
                for row in rows:
                    try:
                        item = self._item(row, len(items) + 1)
                    except v.Unreadable as unreadable:
                        key = f"SAMPLENO={test_no}, TESTID={row[0]}"
                        raise self._source.broken_row(_VIEW, key, unreadable) from None
                    if status == CONFIRMED and item.ItemCode in recognised:
                        item = replace(item, RecognitionMark=Recognised.MARK)
                    items.append(item)
        return LabReport(number, patient_id, status, status == CONFIRMED, items)

    # --- inside -----------------------------------------------------------------------------------

    def _master(self, row: Sequence[Any], departments: Mapping[str, str]) -> LabMaster:
        (test_no, name, charge_type, sex, age, cause, diagnosis, specimen, notes) = row[:9]
        (dept, requested, reported, doctor, performer, working, writer, verifier, state) = row[9:18]
        column_of = self._column
        status = self._status(state)
        return LabMaster(
            TestNo=v.required(test_no, column_of("TestNo")),
            Name=v.text(name, column_of("Name")),
            ChargeType=v.text(charge_type, column_of("ChargeType")),
            Sex=v.sex(sex, column_of("Sex")),
            Age=v.age(age, column_of("Age")),
            TestCause=v.text(cause, column_of("TestCause")),
            RelevantClinicDiag=v.text(diagnosis, column_of("RelevantClinicDiag")),
            Specimen=v.text(specimen, column_of("Specimen")),
            NotesForSpcm=v.text(notes, column_of("NotesForSpcm")),
            OrderingDept=named(dept, departments, column_of("OrderingDept")),
            RequestedDateTime=v.moment(requested, column_of("RequestedDateTime")),
            ResultsRptDateTime=v.moment(reported, column_of("ResultsRptDateTime")),
            OrderingProvider=v.text(doctor, column_of("OrderingProvider")),
            PerformedBy=named(performer, departments, column_of("PerformedBy")),
            WorkingId=v.text(working, column_of("WorkingId")),
            Transcriptionist=v.text(writer, column_of("Transcriptionist")),
            VerifiedBy=v.text(verifier, column_of("VerifiedBy")),
            ResultStatus=status,
            Final=status == CONFIRMED,
            Printed=v.yes(row[18], column_of("Printed")),
        )

    def _item(self, row: Sequence[Any], number: int) -> LabResultItem:
        return LabResultItem(
            ItemNo=str(number),
            ItemCode=v.text(row[0], "TESTID"),
            ItemName=v.text(row[1], "CHINESENAME"),
            Result=v.text(row[2], "TESTRESULT"),
            Units=v.text(row[3], "UNIT"),
            Abnormal=abnormal(v.text(row[4], "HINT"), self._settings.abnormal_marks),
            Reference=v.text(row[6], self._settings.reference_column),
            ResultDateTime=v.moment(row[5], "CHECKTIME"),
        )

    def _status(self, value: Any) -> str:
        name = self._column("ResultStatus")
        if not self._settings.statuses:
            return v.result_status(value, name)
        return self._settings.statuses.get(v.text(value, name) or "", "9")

    def _broken_head(self, test_no: str, unreadable: v.Unreadable) -> SourceError:
        key = f"{self._column('TestNo')}={test_no}"
        return self._source.broken_row(self._settings.sample_table, key, unreadable)
