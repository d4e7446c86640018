"""What a PACS is to a node: an archive that knows which studies belong to a report or a patient.

An archive implements no contract: reports come from the HIS, and a node completes their Images
from its archives (yilian/exam_images.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel

from adapters.http_source import HttpSource
from services.exam_results import ImageStudy


@dataclass(frozen=True, slots=True)
class ArchivedStudy:
    """A study with what it is filed under. ``PatientName`` is for people who check that the
    archive's character sets are right; it is never logged."""

    Image: ImageStudy
    PatientId: str
    AccessionNumber: str
    PatientName: str = field(repr=False)


class ImageArchive(ABC):
    """Base of all archives. Methods are synchronous, safe in several threads at once, run
    through ``source.run``, and raise ``services.faults.Fault``s."""

    settings_model: ClassVar[type[BaseModel]]

    def __init__(self, source: HttpSource, settings: Mapping[str, Any]) -> None:
        """``settings`` as configured; a pydantic ValidationError says what is wrong with them."""
        self.source = source

    @abstractmethod
    def studies_of_report(
        self, PatientId: str, ExamNo: str, StudyUids: Sequence[str]
    ) -> list[ImageStudy]:
        """The studies of those UIDs, or, where the HIS knows none, those of the examination.
        Oldest first."""

    @abstractmethod
    def studies_of_patient(self, PatientId: str) -> list[ArchivedStudy]:
        """What is filed under that patient id, newest first."""

    @abstractmethod
    def check(self) -> str:
        """Which system answers, with its version. Raises SourceUnavailable, SourceTimeout, or a
        SourceError that says what is wrong with the answer."""
