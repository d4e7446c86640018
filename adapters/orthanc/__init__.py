"""Orthanc: a PACS that many hospitals run, asked by its REST API (1.10 and later)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ssl import create_default_context
from typing import Any

from adapters.http_source import HttpSource
from adapters.image_archive import ArchivedStudy, ImageArchive
from adapters.orthanc.settings import OrthancSettings
from adapters.orthanc.studies import Finding, Studies
from services.exam_results import ImageStudy


class Orthanc(ImageArchive):
    """The studies of one Orthanc."""

    settings_model = OrthancSettings

    def __init__(self, source: HttpSource, settings: Mapping[str, Any]) -> None:
        super().__init__(source, settings)
        self._settings = OrthancSettings.model_validate(settings)
        if self._settings.ca_file is not None:
            source.tls = create_default_context(cafile=self._settings.ca_file)
        self._links = self._settings.links

    def studies_of_report(
        self, PatientId: str, ExamNo: str, StudyUids: Sequence[str]
    ) -> list[ImageStudy]:
        wanted: dict[str, Sequence[str]] = (
            {"StudyInstanceUID": StudyUids} if StudyUids else {"AccessionNumber": [ExamNo]}
        )
        # Where the ids are the same, another patient's study tells nothing of this report, whatever
        # UID the HIS has.
        if self._settings.patient_ids == "same":
            wanted["PatientID"] = [PatientId]
        with self.source.session() as session:
            studies = Studies(session, self.source, self._links).find(Finding(wanted))
        return sorted((one.Image for one in studies), key=lambda one: str(one.StudyDate or ""))

    def studies_of_patient(self, PatientId: str) -> list[ArchivedStudy]:
        with self.source.session() as session:
            found = Studies(session, self.source, self._links).find(
                Finding({"PatientID": [PatientId]})
            )
        return sorted(found, key=lambda one: str(one.Image.StudyDate or ""), reverse=True)

    def check(self) -> str:
        with self.source.session() as session:
            try:
                system = session.get("/system")
            except LookupError:
                system = None
        version = system.get("Version") if isinstance(system, dict) else None
        if not isinstance(version, str) or "DicomAet" not in system:
            raise self.source.wrong_answer("不是 Orthanc 的 /system", "it is no Orthanc's /system")
        return f"Orthanc {version}"
