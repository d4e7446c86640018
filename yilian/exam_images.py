"""Joins a hospital's PACS to its examination reports: Images of GetExamReport are completed.

The HIS writes the report and the PACS keeps the images; neither knows the other, so the
composition root joins them. A PACS that fails, is slow or is busy never makes a report fail: it
is then answered with the images that the HIS knows, which is logged and counted for /health.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog

from adapters.image_archive import ImageArchive
from services.exam_results import ExamReport, ImageStudy
from services.faults import Fault
from services.soap.exchange import internal_error
from services.terms import VOID

log = structlog.get_logger()


class ExamImages:
    """The archives of one hospital. More than one: each is asked, at the same time."""

    def __init__(self, archives: Sequence[ImageArchive]) -> None:
        self._archives = [_Archive(archive) for archive in archives]

    def completing(
        self, get_exam_report: Callable[..., Awaitable[ExamReport]]
    ) -> Callable[..., Awaitable[ExamReport]]:
        """GetExamReport with its Images completed."""

        async def completed(**arguments: Any) -> ExamReport:
            report = await get_exam_report(**arguments)
            if report.ResultStatus == VOID:  # of which only the head is given
                return report
            found = await asyncio.gather(*(one.studies(report) for one in self._archives))
            images = merged(report.Images, [study for studies in found for study in studies])
            return replace(report, Images=images)

        return completed

    def state(self) -> dict[str, Any]:
        """For /health, by source: how many reports were completed from it, and how many were
        answered without it; whether the last one was."""
        return {one.source: one.state() for one in self._archives}


def merged(known: Sequence[ImageStudy], archived: Sequence[ImageStudy]) -> list[ImageStudy]:
    """The studies that the HIS knows, in its order, each with what the archive tells of it, and
    then those that only the archive knows. Where both tell something, the archive is right."""
    by_uid = {study.StudyUid: study for study in reversed(archived)}
    images = [
        _completed(study, by_uid.pop(study.StudyUid)) if study.StudyUid in by_uid else study
        for study in known
    ]
    return images + [study for study in archived if by_uid.pop(study.StudyUid, None) is not None]


def _completed(known: ImageStudy, archived: ImageStudy) -> ImageStudy:
    return ImageStudy(
        StudyUid=known.StudyUid,
        Modality=archived.Modality or known.Modality,
        StudyDate=archived.StudyDate or known.StudyDate,
        Description=archived.Description or known.Description,
        ImageCount=known.ImageCount if archived.ImageCount is None else archived.ImageCount,
        Url=archived.Url or known.Url,
    )


class _Archive:
    """One archive, and how it has done."""

    def __init__(self, archive: ImageArchive) -> None:
        self._archive = archive
        self._completed = 0
        self._without = 0
        self._trouble = ""  # the last one; empty: the last report was completed

    @property
    def source(self) -> str:
        return self._archive.source.name

    def state(self) -> dict[str, Any]:
        return {
            "completed": self._completed,
            "without_images": self._without,
            "failing": bool(self._trouble),
        }

    async def studies(self, report: ExamReport) -> list[ImageStudy]:
        """Its studies of the report; none where it fails."""
        source = self._archive.source
        try:
            found = await source.run(
                self._archive.studies_of_report,
                PatientId=report.PatientId,
                ExamNo=report.ExamNo,
                StudyUids=[image.StudyUid for image in report.Images],
            )
        except Fault as fault:
            self._failed(fault.code, str(fault))
            return []
        except Exception as error:
            # A defect of ours; even then the report is there, and its reader needs it.
            defect = internal_error(error, source.hospital)  # logs it, without its text
            self._failed(defect.code, str(defect))
            return []
        self._completed += 1
        if self._trouble:
            log.info("images again", hospital=source.hospital, source=source.name)
            self._trouble = ""
        return found

    def _failed(self, code: str, say: str) -> None:
        self._without += 1
        if code == self._trouble:
            return  # said once, not with every report for as long as a PACS is away
        self._trouble = code
        source = self._archive.source
        log.warning(
            "report without images",
            **{"hospital": source.hospital, "source": source.name, "fault": code, "say": say},
        )
