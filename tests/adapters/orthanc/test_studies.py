"""Studies out of what Orthanc answers: which are meant, what is told of them, their links."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.orthanc.settings import OrthancSettings
from services.exam_results import ImageStudy
from services.faults import SourceError
from tests.adapters.orthanc.conftest import Archives
from tests.adapters.orthanc.fake_pacs import Orthanc, always, fake_pacs, http, study

P, EXAM, UID = "0000000001", "26E0000001", "1.2.840.1"
BASE = "http://172.20.1.9:2019/pacs"


def test_a_study_with_everything(archive: Archives) -> None:
    with fake_pacs(Orthanc(study(1, ("SR", 1), ("CT", 120)))) as pacs:
        (one,) = archive(pacs.url, {"link_base": BASE}).studies_of_report(P, EXAM, [UID])
        assert pacs.queries() == [{"StudyInstanceUID": UID, "PatientID": P}]
    assert one == ImageStudy(
        StudyUid=UID,
        Modality="CT/SR",
        StudyDate=datetime(2026, 11, 20, 10),
        Description="胸部CT平扫",
        ImageCount=121,
        Url=f"{BASE}/app/explorer.html#study?uuid=aaaa-1",
    )


def test_without_a_uid_the_examination_number_finds_it(archive: Archives) -> None:
    with fake_pacs(Orthanc(study(2, StudyDate="20261121"), study(1))) as pacs:
        found = archive(pacs.url).studies_of_report(P, EXAM, [])
        assert pacs.queries() == [{"AccessionNumber": EXAM, "PatientID": P}]
    assert [one.StudyUid for one in found] == ["1.2.840.1", "1.2.840.2"]  # oldest first
    assert [one.Url for one in found] == [None, None]  # no link_base


def test_several_uids_are_one_question(archive: Archives) -> None:
    with fake_pacs(Orthanc(study(1), study(2), study(3))) as pacs:
        found = archive(pacs.url).studies_of_report(P, EXAM, ["1.2.840.1", "1.2.840.3"])
        assert pacs.queries()[0]["StudyInstanceUID"] == "1.2.840.1\\1.2.840.3"
    assert [one.StudyUid for one in found] == ["1.2.840.1", "1.2.840.3"]


def test_another_patients_study_is_never_shown(archive: Archives) -> None:
    stranger = study(1, patient="0000000002")
    with fake_pacs(Orthanc(stranger)) as pacs:
        assert archive(pacs.url).studies_of_report(P, EXAM, [UID]) == []
        assert archive(pacs.url).studies_of_report(P, EXAM, []) == []
        assert archive(pacs.url).studies_of_patient(P) == []


def test_an_archive_with_patient_ids_of_its_own(archive: Archives) -> None:
    stranger = study(1, patient="CT-7731")
    with fake_pacs(Orthanc(stranger)) as pacs:
        made = archive(pacs.url, {"patient_ids": "own"})
        assert len(made.studies_of_report(P, EXAM, [UID])) == 1
        assert len(made.studies_of_report(P, EXAM, [])) == 1
        assert made.studies_of_report(P, "26E0000002", []) == []
        assert pacs.queries()[:2] == [{"StudyInstanceUID": UID}, {"AccessionNumber": EXAM}]


@pytest.mark.parametrize("pattern", ["*", "0000?00001", "a\\b", " ", ""])
def test_what_would_be_a_pattern_is_not_asked(archive: Archives, pattern: str) -> None:
    with fake_pacs(Orthanc(study(1))) as pacs:
        made = archive(pacs.url)
        assert made.studies_of_patient(pattern) == []
        assert made.studies_of_report(pattern, EXAM, [UID]) == []
        assert made.studies_of_report(P, pattern, []) == []
        assert pacs.requests == []


def test_a_study_that_goes_away_in_between(archive: Archives) -> None:
    gone, there = study(1), study(2)
    del gone["series"]
    with fake_pacs(Orthanc(gone, there)) as pacs:
        found = archive(pacs.url).studies_of_patient(P)
    assert [one.Image.StudyUid for one in found] == ["1.2.840.2"]


def test_studies_of_a_patient_newest_first_with_names(archive: Archives) -> None:
    with fake_pacs(Orthanc(study(1), study(2, StudyDate="20261121", AccessionNumber="A-2"))) as p:
        found = archive(p.url).studies_of_patient(P)
    assert [(one.AccessionNumber, one.PatientName) for one in found] == [
        ("A-2", "张伟"),
        (EXAM, "张伟"),
    ]
    assert "张伟" not in repr(found)


def test_sparse_and_odd_tags(archive: Archives) -> None:
    sparse: dict[str, Any] = {
        "ID": "aaaa-1",
        "MainDicomTags": {"StudyInstanceUID": UID, "StudyDescription": "断\u0001层\ud800 " * 200},
        "PatientMainDicomTags": {"PatientID": f"{P} "},
        "series": [
            {"MainDicomTags": {"Modality": kind, "SeriesNumber": "x"}, "Instances": ["i1"]}
            for kind in ("PT", "CT", "CT", "SEGMENTATION", "OT")
        ],
    }
    nameless = {**sparse, "ID": "aaaa-2", "MainDicomTags": {}}
    with fake_pacs(Orthanc(sparse, nameless)) as pacs:
        (one,) = archive(pacs.url, {"link_base": BASE}).studies_of_report(P, EXAM, [UID])
    assert (one.StudyDate, one.Modality, one.ImageCount) == (None, "PT/CT", 5)
    assert one.Description is not None
    assert one.Description.startswith("断层 断层") and len(one.Description) == 256


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("{base}/ohif?StudyInstanceUIDs={StudyUid}", f"{BASE}/ohif?StudyInstanceUIDs={UID}"),
        (
            "{base}/wado?requestType=WADO&studyUID={StudyUid}&seriesUID={SeriesUid}"
            "&objectUID={ObjectUid}&contentType=image/jpeg",
            f"{BASE}/wado?requestType=WADO&studyUID={UID}&seriesUID={UID}.2"
            "&objectUID=9.20&contentType=image/jpeg",
        ),
        ("{base}/open?acc={AccessionNumber}", f"{BASE}/open?acc=26E%2F%E7%94%B2%20%261"),
    ],
)
def test_links(archive: Archives, link: str, url: str) -> None:
    one = study(1, ("SR", 1), ("CT", 3), AccessionNumber="26E/甲 &1")
    with fake_pacs(Orthanc(one)) as pacs:
        made = archive(pacs.url, {"link_base": f"{BASE}/", "link": link})
        (found,) = made.studies_of_report(P, EXAM, [UID])
    assert found.Url == url


@pytest.mark.parametrize("link", ["{base}/s?acc={AccessionNumber}", "{base}/w?o={ObjectUid}"])
def test_no_link_where_its_part_is_missing(archive: Archives, link: str) -> None:
    one = study(1, ("CT", 0), AccessionNumber="")
    with fake_pacs(Orthanc(one)) as pacs:
        made = archive(pacs.url, {"link_base": BASE, "link": link})
        (found,) = made.studies_of_report(P, EXAM, [UID])
    assert (found.Url, found.ImageCount) == (None, 0)


@pytest.mark.parametrize(
    "answer", [{}, ["x"], [{**study(1), "ID": "../x"}], [{**study(1), "ID": None}]]
)
def test_answers_of_something_else(archive: Archives, answer: Any) -> None:
    with fake_pacs(always(http(answer))) as pacs:
        made = archive(pacs.url)
        if answer == ["x"]:  # an entry without tags is no study that was meant
            assert made.studies_of_patient(P) == []
            return
        with pytest.raises(SourceError, match="Orthanc"):
            made.studies_of_patient(P)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"link": "{base}/x?u={PatientName}"}, "PatientName"),
        ({"link": "{base}/x"}, "StudyUid"),
        ({"link": "/x?u={StudyUid}"}, "http"),
        ({"link": "javascript:{StudyUid}"}, "http"),
        ({"link": "http://v.example/?u={StudyUid}", "link_base": BASE}, "base"),
        ({"link_base": "172.20.1.9:2019"}, "pattern"),
        ({"link_base": "http://v.example/?a=b"}, "pattern"),
        ({"patient_ids": "other"}, "own"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca.pem"),
        ({"links": "x"}, "links"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        OrthancSettings.model_validate(settings)
