"""ExamResults over EXAM_MASTER, EXAM_ITEMS, EXAM_REPORT and PACSSTUDY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, select, update

from adapters import values as v
from adapters.columns import Statement
from adapters.database import Source
from adapters.dictionary import named
from adapters.junwei import codes, tables
from adapters.junwei.settings import JunweiSettings
from adapters.keys import matches
from adapters.lab import REPORTED, not_confirmed
from adapters.ledger import Ledger
from adapters.orders import Recognised
from services.exam_results import ExamItem, ExamMaster, ExamReport, ImageStudy
from services.faults import NotFound
from services.terms import CONFIRMED, EXAMINATION, VOID

_M = tables.EXAM_MASTER.c
_MASTERS = select(
    *(_M.EXAM_NO, _M.NAME, _M.SEX, _M.EXAM_CLASS, _M.EXAM_SUB_CLASS, _M.CLIN_DIAG, _M.REQ_DEPT),
    *(_M.REQ_PHYSICIAN, _M.REQ_DATE_TIME, _M.EXAM_DATE_TIME, _M.REPORT_DATE_TIME),
    *(_M.PERFORMED_BY, _M.REPORTER, _M.CONFIRM_DOCT, _M.RESULT_STATUS, _M.PRINT_STATUS),
    _M.STUDY_UID,
)
_HEAD = select(_M.EXAM_NO, _M.PATIENT_ID, _M.RESULT_STATUS, _M.STUDY_UID)
_I = tables.EXAM_ITEMS.c
_ITEMS = select(_I.EXAM_NO, _I.EXAM_ITEM_NO, _I.EXAM_ITEM_CODE, _I.EXAM_ITEM)
_R = tables.EXAM_REPORT.c
_REPORT = select(
    *(_R.EXAM_NO, _R.EXAM_PARA, _R.DESCRIPTION, _R.IMPRESSION, _R.RECOMMENDATION, _R.IS_ABNORMAL)
)
_S = tables.PACSSTUDY.c
_STUDIES = select(_S.SUID, _S.MODALITY, _S.SDATE, _S.STUDYDESC, _S.IMGSUM)

_PRINTED = "1"


class Examinations:
    """The operations of ExamResults, with one hospital's settings."""

    def __init__(self, source: Source, settings: JunweiSettings) -> None:
        self._source = source
        self._settings = settings
        self._departments = codes.departments(settings)
        self._ledger = Ledger(source)
        self._recognised = Recognised(
            source, EXAMINATION, settings.recognised_items, settings.dictionary_seconds
        )

    def statements(self) -> Iterable[Statement]:
        """Selects that name every table and column in use."""
        yield from (_MASTERS, _HEAD, _ITEMS, _REPORT, _STUDIES, self._departments.statement)

    def masters(
        self, patient_id: str, since: datetime | None, until: datetime | None
    ) -> list[ExamMaster]:
        """QueryExamMaster."""
        which = [matches(_M.PATIENT_ID, patient_id, self._settings.char_padding)]
        if since is not None:
            which.append(_M.REQ_DATE_TIME >= since)
        if until is not None:
            which.append(_M.REQ_DATE_TIME < until)
        self._recognised.prepare()
        with self._source.connect() as connection:
            found = self._read(connection, *which)
        # Sorted here: databases disagree on where NULLs go and on how text compares.
        found.sort(key=lambda one: (one.ReqDateTime or datetime.min, one.ExamNo), reverse=True)
        return found

    def report(self, exam_no: str) -> ExamReport:
        """GetExamReport."""
        padding = self._settings.char_padding
        self._recognised.prepare()
        with self._source.connect() as connection:
            head = connection.execute(_HEAD.where(matches(_M.EXAM_NO, exam_no, padding))).first()
            if head is None:
                raise self._unknown(exam_no)
            with _row_of("EXAM_MASTER", exam_no):
                number = v.required(head[0], "EXAM_NO")
                patient_id = v.required(head[1], "PATIENT_ID")
                status = v.result_status(head[2], "RESULT_STATUS")
                uid = v.text(head[3], "STUDY_UID")
            items = self._items(connection, matches(_I.EXAM_NO, exam_no, padding))
            mine = items.get(number, [])
            text: Sequence[Any] | None = None
            if status in REPORTED:
                text = connection.execute(
                    _REPORT.where(matches(_R.EXAM_NO, exam_no, padding))
                ).first()
            images = [] if uid is None or status == VOID else self._images(connection, uid)
            recognised = self._recognised.codes(connection)
        with _row_of("EXAM_REPORT", exam_no):
            names = _REPORT.selected_columns.keys()
            texts = [
                None if text is None else v.text(text[place], names[place]) for place in range(1, 5)
            ]
            abnormal = None if text is None else v.text(text[5], "IS_ABNORMAL")
        return ExamReport(
            ExamNo=number,
            PatientId=patient_id,
            ResultStatus=status,
            Final=status == CONFIRMED,
            ExamPara=texts[0],
            Description=texts[1],
            Impression=texts[2],
            Recommendation=texts[3],
            Abnormal=None if abnormal is None else v.yes(abnormal, "IS_ABNORMAL"),
            RecognitionMark=_mark(status, mine, recognised),
            Items=mine,
            Images=images,
        )

    def mark_printed(self, arguments: Mapping[str, Any]) -> ExamMaster:
        """MarkExamPrinted."""
        exam_no: str = arguments["ExamNo"]
        this = matches(_M.EXAM_NO, exam_no, self._settings.char_padding)

        def work(connection: Connection) -> ExamMaster:
            confirmed = update(tables.EXAM_MASTER).where(this, _M.RESULT_STATUS == CONFIRMED)
            changed = connection.execute(confirmed.values(PRINT_STATUS=_PRINTED)).rowcount
            found = self._read(connection, this)
            if not found:
                raise self._unknown(exam_no)
            if not changed:
                raise not_confirmed(self._source, exam_no, "ExamNo")
            return found[0]

        self._recognised.prepare()
        return self._ledger.once("MarkExamPrinted", arguments, ExamMaster, work)

    # --- inside -----------------------------------------------------------------------------------

    def _read(self, connection: Connection, *which: ColumnElement[bool]) -> list[ExamMaster]:
        departments = {**self._settings.virtual_departments, **self._departments.read(connection)}
        rows = connection.execute(_MASTERS.where(*which)).all()
        items = self._items(connection, _I.EXAM_NO.in_(select(_M.EXAM_NO).where(*which)))
        recognised = self._recognised.codes(connection)
        found = []
        for row in rows:
            with _row_of("EXAM_MASTER", row[0]):
                found.append(_master(row, departments, items, recognised))
        return found

    def _items(
        self, connection: Connection, which: ColumnElement[bool]
    ) -> dict[str, list[ExamItem]]:
        """Examined items by EXAM_NO, in their order."""
        by_exam: dict[str, list[Any]] = {}
        for row in connection.execute(_ITEMS.where(which)).all():
            by_exam.setdefault(str(row[0]).rstrip(" "), []).append(row)
        made: dict[str, list[ExamItem]] = {}
        for number, rows in by_exam.items():
            rows.sort(key=lambda row: (row[1] is None, row[1] or 0, str(row[3])))
            with _row_of("EXAM_ITEMS", number):
                made[number] = [
                    ExamItem(
                        v.count(row[1], "EXAM_ITEM_NO") or place,
                        v.text(row[2], "EXAM_ITEM_CODE"),
                        v.required(row[3], "EXAM_ITEM"),
                    )
                    for place, row in enumerate(rows, 1)
                ]
        return made

    def _images(self, connection: Connection, uid: str) -> list[ImageStudy]:
        """The study as the PACS lists it. One that it does not list can still be opened, for
        some sites keep that list elsewhere."""
        url = self._settings.image_url.replace("{StudyUid}", quote(uid, safe="")) or None
        rows = connection.execute(
            _STUDIES.where(matches(_S.SUID, uid, self._settings.char_padding))
        ).all()
        if not rows:
            return [] if url is None else [ImageStudy(uid, None, None, None, None, url)]
        studies = []
        for row in rows:
            with _row_of("PACSSTUDY", uid, "SUID"):
                images = v.text(row[4], "IMGSUM")
                studies.append(
                    ImageStudy(
                        StudyUid=uid,
                        Modality=v.text(row[1], "MODALITY"),
                        StudyDate=v.moment(row[2], "SDATE"),
                        Description=v.text(row[3], "STUDYDESC"),
                        ImageCount=None if images is None else v.count(images, "IMGSUM"),
                        Url=url,
                    )
                )
        return studies

    def _unknown(self, exam_no: str) -> NotFound:
        return self._source.fault(
            NotFound,
            f"医院 {self._source.hospital} 没有检查单 {exam_no}。请核对检查单号。",
            f"Hospital {self._source.hospital} has no examination {exam_no}. Check the number.",
            field="ExamNo",
        )


class _row_of:
    """Tells an Unreadable which row it is about."""

    def __init__(self, table: str, key: Any, column: str = "EXAM_NO") -> None:
        self._table = table
        self._key = f"{column}={key}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, v.Unreadable):
            error.table, error.key = self._table, self._key


def _mark(status: str, items: Sequence[ExamItem], recognised: frozenset[str]) -> str | None:
    if status != CONFIRMED or not items or any(one.ItemCode not in recognised for one in items):
        return None
    return Recognised.MARK


def _master(
    row: Sequence[Any],
    departments: Mapping[str, str],
    items: Mapping[str, list[ExamItem]],
    recognised: frozenset[str],
) -> ExamMaster:
    (exam_no, name, sex, kind, sub_kind, diagnosis, dept, doctor) = row[:8]
    (requested, examined, reported, performer, reporter, verifier, state, printed, uid) = row[8:]
    number = v.required(exam_no, "EXAM_NO")
    status = v.result_status(state, "RESULT_STATUS")
    mine = items.get(number, [])
    return ExamMaster(
        ExamNo=number,
        Name=v.text(name, "NAME"),
        Sex=v.sex(sex, "SEX"),
        ExamClass=v.text(kind, "EXAM_CLASS"),
        ExamSubClass=v.text(sub_kind, "EXAM_SUB_CLASS"),
        ExamItems="、".join(item.ItemName for item in mine) or None,
        ClinDiag=v.text(diagnosis, "CLIN_DIAG"),
        ReqDept=named(dept, departments, "REQ_DEPT"),
        ReqPhysician=v.text(doctor, "REQ_PHYSICIAN"),
        ReqDateTime=v.moment(requested, "REQ_DATE_TIME"),
        ExamDateTime=v.moment(examined, "EXAM_DATE_TIME"),
        ReportDateTime=v.moment(reported, "REPORT_DATE_TIME"),
        PerformedBy=named(performer, departments, "PERFORMED_BY"),
        Reporter=v.text(reporter, "REPORTER"),
        VerifiedBy=v.text(verifier, "CONFIRM_DOCT"),
        ResultStatus=status,
        Final=status == CONFIRMED,
        Printed=v.yes(printed, "PRINT_STATUS") or v.text(printed, "PRINT_STATUS") == "已打印",
        StudyUid=v.text(uid, "STUDY_UID"),
        RecognitionMark=_mark(status, mine, recognised),
    )
