"""Studies by Orthanc's REST API: /tools/find, and for each study its series."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from adapters.http_source import HttpSource, Session
from adapters.image_archive import ArchivedStudy
from adapters.orthanc.text import as_meant, moment, person_name
from services.exam_results import ImageStudy

#: most studies that one question is answered with
MOST = 100

# What ImageStudy has room for.
_MODALITY, _DESCRIPTION, _URL, _UID = 16, 256, 1024, 128

# To /tools/find these are patterns and lists: "*" as a patient id would be every patient.
_PATTERN = set("*?\\")

# Orthanc's own ids stand in paths.
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")

Wrong = Callable[[], Exception]


@dataclass(frozen=True)
class Finding:
    """DICOM tags, each with the values of which a study must have one, exactly."""

    tags: Mapping[str, Sequence[str]]

    def query(self) -> dict[str, str] | None:
        """The Query of /tools/find; None where no study can be meant."""
        query = {}
        for tag, values in self.tags.items():
            plain = [value for value in values if value.strip() and not _PATTERN & set(value)]
            if not plain:
                return None
            query[tag] = "\\".join(plain)
        return query

    def meets(self, tags: Mapping[str, str]) -> bool:
        """Whether a study's tags are what is meant."""
        return all(
            tags.get(tag, "") in [value.strip() for value in values]
            for tag, values in self.tags.items()
        )


class Studies:
    """The questions of one call."""

    def __init__(self, session: Session, source: HttpSource, links: str) -> None:
        self._session = session
        self._source = source
        self._links = links

    def find(self, finding: Finding) -> list[ArchivedStudy]:
        """The studies that are meant, at most ``MOST``, in no order."""
        query = finding.query()
        if query is None:
            return []
        question = {"Level": "Study", "Expand": True, "CaseSensitive": True, "Limit": MOST}
        try:
            answer = self._session.post("/tools/find", {**question, "Query": query})
        except LookupError:
            raise self._not_orthanc() from None
        found = []
        for one in _list(answer, self._not_orthanc):
            tags = _tags(one, "MainDicomTags") | _tags(one, "PatientMainDicomTags")
            if not tags.get("StudyInstanceUID") or not finding.meets(tags):
                continue
            try:
                found.append(self._study(_id(one.get("ID"), self._not_orthanc), tags))
            except LookupError:
                continue  # deleted since it was found
        return found

    def _study(self, orthanc_id: str, tags: Mapping[str, str]) -> ArchivedStudy:
        answer = self._session.get(f"/studies/{orthanc_id}/series")
        series = [_Series.of(one, self._not_orthanc) for one in _list(answer, self._not_orthanc)]
        series.sort(key=lambda one: (-len(one.instances), one.number, one.uid))
        uid = tags["StudyInstanceUID"]
        accession = tags.get("AccessionNumber", "")
        image = ImageStudy(
            StudyUid=uid[:_UID],
            Modality=_modalities(series),
            StudyDate=moment(tags.get("StudyDate", ""), tags.get("StudyTime", "")),
            Description=tags.get("StudyDescription", "")[:_DESCRIPTION] or None,
            ImageCount=sum(len(one.instances) for one in series),
            Url=self._link(orthanc_id, uid, accession, series),
        )
        name = person_name(tags.get("PatientName", ""))
        return ArchivedStudy(image, tags.get("PatientID", ""), accession, name)

    def _link(
        self, orthanc_id: str, uid: str, accession: str, series: Sequence[_Series]
    ) -> str | None:
        link = self._links
        values = {"OrthancId": orthanc_id, "StudyUid": uid, "AccessionNumber": accession}
        first = series[0] if series else None
        if "{SeriesUid}" in link or "{ObjectUid}" in link:
            if first is None or not first.instances:
                return None
            values["SeriesUid"] = first.uid
        if first is not None and "{ObjectUid}" in link:
            answer = self._session.get(f"/instances/{first.instances[0]}")
            values["ObjectUid"] = _tags(answer, "MainDicomTags").get("SOPInstanceUID", "")
        for name, value in values.items():
            if f"{{{name}}}" in link:
                if not value:
                    return None
                link = link.replace(f"{{{name}}}", quote(value, safe=""))
        return link if 0 < len(link) <= _URL else None

    def _not_orthanc(self) -> Exception:
        return self._source.wrong_answer(
            "不是 Orthanc REST 接口的答复", "it is no answer of Orthanc's REST API"
        )


@dataclass(frozen=True)
class _Series:
    uid: str
    modality: str
    number: int
    instances: list[str]

    @classmethod
    def of(cls, answer: Any, wrong: Wrong) -> _Series:
        tags = _tags(answer, "MainDicomTags")
        number = tags.get("SeriesNumber", "")
        instances = answer.get("Instances") if isinstance(answer, dict) else None
        return cls(
            uid=tags.get("SeriesInstanceUID", ""),
            modality=tags.get("Modality", ""),
            number=int(number) if number.isdecimal() else 2**31,
            instances=[_id(one, wrong) for one in _list(instances, wrong)],
        )


def _modalities(series: Sequence[_Series]) -> str | None:
    """The kinds of series, the one with most images first, as CT/SR; as many as there is room."""
    text = ""
    for modality in dict.fromkeys(one.modality for one in series if one.modality):
        longer = f"{text}/{modality}" if text else modality
        if len(longer) > _MODALITY:
            break
        text = longer
    return text or None


def _list(answer: Any, wrong: Wrong) -> list[Any]:
    if not isinstance(answer, list):
        raise wrong()
    return answer


def _tags(answer: Any, name: str) -> dict[str, str]:
    tags = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(tags, dict):
        return {}
    return {key: as_meant(value) for key, value in tags.items() if isinstance(value, str)}


def _id(value: Any, wrong: Wrong) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise wrong()
    return value
