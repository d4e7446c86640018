"""A real Orthanc with DICOM files: names, links and troubles as a hospital has them."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.adapters.conftest import Database
from tests.adapters.orthanc.conftest import Archives
from tests.adapters.orthanc.pacs_node import EXAM, UID, P, examined, images, node, report
from tests.adapters.orthanc.real_orthanc import RealOrthanc, dicom, real_orthanc, required

pytestmark = [pytest.mark.full, pytest.mark.timeout(300)]

WADO = (
    "{base}/wado?requestType=WADO&studyUID={StudyUid}&seriesUID={SeriesUid}"
    "&objectUID={ObjectUid}&contentType=image/jpeg"
)


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealOrthanc]:
    required()
    with real_orthanc(tmp_path_factory.mktemp("orthanc"), DefaultEncoding="Utf8") as made:
        for _ in range(3):
            made.store(dicom(UID, "ISO_IR 192"))
        made.store(dicom(UID, "ISO_IR 192", modality="SR", series=2))
        other: dict[str, Any] = {"patient": "0000000002", "number": "26E0000002", "modality": "MR"}
        other |= {"name": "Wang^Fang=王^芳䶮", "description": "头颅MR平扫䶮"}
        made.store(dicom("1.2.840.2", "GB18030", **other))
        yield made


def test_which_system_it_is(orthanc: RealOrthanc, archive: Archives) -> None:
    assert archive(orthanc.url).check().startswith("Orthanc 1.")


@pytest.mark.parametrize("uid", [UID, None], ids=["by study UID", "by examination number"])
def test_a_report_of_the_his_with_its_images(
    orthanc: RealOrthanc, junwei_database: Database, uid: str | None
) -> None:
    examined(junwei_database, uid)
    base = f"http://127.0.0.1:{orthanc.port}"
    pacs = {"url": orthanc.url, "settings": {"link_base": base, "link": WADO}}
    with node(junwei_database, pacs=pacs) as made:
        (one,) = images(report(made))
    link = one.pop("Url")
    assert one == {
        "StudyUid": UID,
        "Modality": "CT/SR",
        "StudyDate": "2026-11-20T10:00:00",
        "Description": "胸部CT平扫",
        "ImageCount": "4",
    }
    parts = urlsplit(link)
    image = orthanc.read(f"{parts.path}?{parts.query}")  # WADO-URI, as an asker follows it
    assert image.startswith(b"\xff\xd8\xff")  # JPEG


def test_the_link_of_the_explorer(orthanc: RealOrthanc, archive: Archives) -> None:
    base = "http://172.20.1.9:2019"
    (one,) = archive(orthanc.url, {"link_base": base}).studies_of_report(P, EXAM, [UID])
    assert one.Url is not None and one.Url.startswith(f"{base}/app/explorer.html#study?uuid=")
    orthanc_id = one.Url.rsplit("=", 1)[1]
    assert orthanc.ask(f"/studies/{orthanc_id}")["MainDicomTags"]["StudyInstanceUID"] == UID
    assert b"<html" in orthanc.read("/app/explorer.html")


def test_names_in_utf_8_and_gb18030(orthanc: RealOrthanc, archive: Archives) -> None:
    made = archive(orthanc.url)
    (first,), (second,) = made.studies_of_patient(P), made.studies_of_patient("0000000002")
    assert (first.PatientName, first.Image.Description) == ("张伟", "胸部CT平扫")
    assert (second.PatientName, second.Image.Description) == ("王芳䶮", "头颅MR平扫䶮")
    assert made.studies_of_patient("0000000003") == []


def test_several_uids_and_another_patients(orthanc: RealOrthanc, archive: Archives) -> None:
    uids = [UID, "1.2.840.2", "1.2.840.3"]
    assert [one.StudyUid for one in archive(orthanc.url).studies_of_report(P, EXAM, uids)] == [UID]
    own = archive(orthanc.url, {"patient_ids": "own"})
    assert sorted(one.StudyUid for one in own.studies_of_report(P, EXAM, uids)) == uids[:2]
    assert archive(orthanc.url).studies_of_patient("*") == []


@pytest.mark.parametrize(
    ("default", "charset", "write"),
    [
        ("Utf8", None, "utf-8"),
        ("Chinese", None, "gb18030"),
        ("Utf8", "ISO_IR 100", "utf-8"),
        ("Utf8", "ISO_IR 100", "gb18030"),
        ("Chinese", "ISO_IR 192", ""),
        ("Utf8", "GBK", ""),
    ],
)
def test_character_sets_as_devices_have_them(
    tmp_path: Path, archive: Archives, default: str, charset: str | None, write: str
) -> None:
    required()
    with real_orthanc(tmp_path, DefaultEncoding=default) as made:
        made.store(dicom(UID, charset, write=write))
        (one,) = archive(made.url).studies_of_patient(P)
    assert (one.PatientName, one.Image.Description) == ("张伟", "胸部CT平扫")


def test_a_wrong_password(orthanc: RealOrthanc, archive: Archives) -> None:
    from services.faults import SourceError

    with pytest.raises(SourceError, match="401"):
        archive(f"http://yilian:x@127.0.0.1:{orthanc.port}").check()


def until_stopped(pid: int) -> None:
    """Every thread of it: the signal is not there for all of them at once."""
    tasks = Path(f"/proc/{pid}/task")
    deadline = time.monotonic() + 20
    while not all(
        (task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()
    ):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_stopped_hung_and_back(tmp_path: Path, junwei_database: Database) -> None:
    """The report is there all the time, and the images again as soon as Orthanc is."""
    required()
    examined(junwei_database)
    with real_orthanc(tmp_path) as orthanc:
        orthanc.store(dicom(UID, "ISO_IR 192"))
        given: dict[str, Any] = {"url": orthanc.url, "statement_timeout_seconds": 1.0}
        with node(junwei_database, pacs=given) as made:
            count = [images(report(made))[0].get("ImageCount")]
            orthanc.stop()
            count.append(images(report(made))[0].get("ImageCount"))
            assert made.sources["pacs"].state()["last_fault"]["code"] == "SourceUnavailable"
            orthanc.start()
            count.append(images(report(made))[0].get("ImageCount"))
            assert orthanc.process is not None
            orthanc.process.send_signal(signal.SIGSTOP)
            try:
                count.append(images(report(made))[0].get("ImageCount"))
            finally:
                orthanc.process.send_signal(signal.SIGCONT)
            assert made.sources["pacs"].state()["last_fault"]["code"] == "SourceTimeout"
            orthanc.ask("/system")  # it is awake
            count.append(images(report(made))[0].get("ImageCount"))
    assert count == ["1", None, "1", None, "1"]
