"""Reports of a HIS completed from a PACS; a PACS that fails takes nothing from the report."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from services.exam_results import ImageStudy
from tests.adapters.conftest import Database
from tests.adapters.orthanc.fake_pacs import Orthanc, Talk, always, fake_pacs, http, hung, study
from tests.adapters.orthanc.pacs_node import (
    BASE,
    EXAM,
    UID,
    called,
    examined,
    images,
    node,
    node_config,
    report,
)
from tests.host.running import running, until
from yilian.exam_images import merged
from yilian.host import app_of

LINKED = {"settings": {"link_base": BASE}}
COMPLETED = {
    "StudyUid": UID,
    "Modality": "CT",
    "StudyDate": "2026-11-20T10:00:00",
    "Description": "胸部CT平扫",
    "ImageCount": "2",
    "Url": f"{BASE}/app/explorer.html#study?uuid=aaaa-1",
}
KNOWN = {"StudyUid": UID, "Url": f"http://old.example/v?s={UID}"}


def text(answer: Any, name: str) -> str | None:
    found: str | None = answer.findtext(f".//{{urn:yilian:ExamResults:1}}{name}")
    return found


@pytest.mark.parametrize("uid", [UID, None], ids=["by study UID", "by examination number"])
def test_a_report_with_its_images(junwei_database: Database, uid: str | None) -> None:
    examined(junwei_database, uid)
    with (
        fake_pacs(Orthanc(study(1))) as pacs,
        node(junwei_database, pacs={"url": pacs.url, **LINKED}) as made,
    ):
        answer = report(made)
        assert images(answer) == [COMPLETED]
        assert text(answer, "Description") == "两肺纹理增多"
        assert made.images is not None
        assert made.images.state() == {
            "pacs": {"completed": 1, "without_images": 0, "failing": False}
        }


def test_a_void_report_asks_for_no_image(junwei_database: Database) -> None:
    examined(junwei_database, status="7")
    with (
        fake_pacs(Orthanc(study(1))) as pacs,
        node(junwei_database, pacs={"url": pacs.url}) as made,
    ):
        assert images(report(made)) == []
        assert pacs.requests == []


def test_an_unknown_number_asks_for_no_image(junwei_database: Database) -> None:
    with (
        fake_pacs(Orthanc(study(1))) as pacs,
        node(junwei_database, pacs={"url": pacs.url}) as made,
        pytest.raises(AssertionError, match="NotFound"),
    ):
        report(made, "26E0000009")
    assert pacs.requests == []


def test_another_patients_study_tells_nothing(junwei_database: Database) -> None:
    examined(junwei_database)
    with (
        fake_pacs(Orthanc(study(1, patient="0000000002"))) as pacs,
        node(junwei_database, pacs={"url": pacs.url, **LINKED}) as made,
    ):
        assert images(report(made)) == [KNOWN]


def test_two_archives(junwei_database: Database) -> None:
    examined(junwei_database)
    with (
        fake_pacs(Orthanc(study(1))) as first,
        fake_pacs(Orthanc(study(1, ("US", 9)), study(2))) as second,
        node(junwei_database, one={"url": first.url}, two={"url": second.url}) as made,
    ):
        (found,) = images(report(made))
        assert (found["Modality"], found["Url"]) == ("CT", KNOWN["Url"])


def refusing() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (None, "SourceUnavailable"),
        (hung, "SourceTimeout"),
        (always(http({}, "500 Internal Server Error")), "SourceError"),
        (always(http(b"<html>")), "SourceError"),
    ],
    ids=["stopped", "hung", "broken", "something else"],
)
def test_a_pacs_that_fails(
    junwei_database: Database,
    talk: Talk | None,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    examined(junwei_database)
    with fake_pacs(talk or hung) as pacs:
        given = {"url": pacs.url if talk else refusing(), "statement_timeout_seconds": 0.2}
        with node(junwei_database, pacs={**given, **LINKED}) as made:
            for _ in range(2):
                answer = report(made)
                assert images(answer) == [KNOWN]
                assert text(answer, "Impression") == "支气管炎"
            assert made.images is not None
            (state,) = made.images.state().values()
            assert state == {"completed": 0, "without_images": 2, "failing": True}
            source = made.sources["pacs"].state()
            assert (source["failing"], source["last_fault"]["code"]) == (True, code)
            assert not made.sources["his"].state()["failing"]
    logged = capsys.readouterr().out
    assert logged.count("report without images") == 1  # said once
    assert code in logged
    assert "张伟" not in logged and EXAM not in logged


def test_a_pacs_that_comes_back(
    junwei_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    examined(junwei_database)
    with (
        fake_pacs(always(http({}, "503 Service Unavailable"))) as pacs,
        node(junwei_database, pacs={"url": pacs.url, **LINKED}) as made,
    ):
        assert images(report(made)) == [KNOWN]
        pacs.talk = Orthanc(study(1))
        assert images(report(made)) == [COMPLETED]
        assert made.images is not None
        assert made.images.state()["pacs"]["failing"] is False
    assert "images again" in capsys.readouterr().out


def test_a_defect_of_ours_takes_nothing_from_the_report(
    junwei_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    examined(junwei_database)
    with fake_pacs(hung) as pacs, node(junwei_database, pacs={"url": pacs.url}) as made:

        def defect(**arguments: Any) -> Any:
            raise KeyError("张伟")

        monkeypatch.setattr(made.archives[0], "studies_of_report", defect)
        assert images(report(made)) == [KNOWN]
    logged = capsys.readouterr().out
    assert "KeyError" in logged and "张伟" not in logged


def test_health_tells_of_the_pacs(junwei_database: Database) -> None:
    examined(junwei_database)
    with (
        fake_pacs(Orthanc(study(1))) as pacs,
        node(junwei_database, pacs={"url": pacs.url.replace("//", "//u:secret@")}) as made,
        running(app_of(made), None) as served,
    ):
        url = f"http://127.0.0.1:{served.port}/health"
        until(lambda: pacs.paths() == ["/system"])  # looked at by itself, at start
        pacs.talk = always(http({}, "500 Internal Server Error"))
        raw = requests.get(url, timeout=20)
        assert raw.json()["images"] == {
            "pacs": {"completed": 0, "without_images": 0, "failing": False}
        }
        assert raw.json()["sources"]["pacs"]["adapter"] == "orthanc"
        assert "secret" not in raw.text

        asyncio.run_coroutine_threadsafe(_reported(made), served.loop).result(20)
        told = requests.get(url, timeout=20).json()
    assert told["images"]["pacs"]["without_images"] == 1
    assert told["images"]["pacs"]["failing"] is True
    assert told["status"] == "degraded"


async def _reported(made: Any) -> None:
    from services.soap import envelope
    from services.soap.exchange import Request
    from services.soap.version import SOAP_1_1

    body = (
        f'<GetExamReport xmlns="urn:yilian:ExamResults:1"><ExamNo>{EXAM}</ExamNo></GetExamReport>'
    )
    request = Request(envelope.wrap(SOAP_1_1, body), "text/xml; charset=utf-8", None)
    assert (await made.endpoints["/hx/ExamResults"].call(request)).status == 200


def test_the_legacy_face_has_them_too(junwei_database: Database) -> None:
    examined(junwei_database)
    with (
        fake_pacs(Orthanc(study(1))) as pacs,
        node(junwei_database, pacs={"url": pacs.url, **LINKED}) as made,
    ):
        # What HisService parts rows by is written in full width, as docs/pacs.md says.
        link = COMPLETED["Url"].replace("?", "？")
        body = f'<getexamreport xmlns="http://tempuri.org/"><ExamNo>{EXAM}</ExamNo></getexamreport>'
        answer = called(made, "HisService.asmx", body)
        assert any(link in (one.text or "") for one in answer.iter("*"))


def test_merging() -> None:
    known = ImageStudy("1", "CT", None, "旧", 3, "http://old")
    same = ImageStudy("1", None, None, "新", 0, None)
    other = ImageStudy("2", "MR", None, None, 5, "http://new")
    assert merged([], []) == []
    assert merged([known], []) == [known]
    assert merged([known], [other, same, other]) == [
        replace(known, Description="新", ImageCount=0),
        other,
    ]


def problems(error: pytest.ExceptionInfo[ValidationError]) -> list[tuple[Any, ...]]:
    return [
        (*one["loc"], *getattr(one.get("ctx", {}).get("error"), "where", ()))
        for one in error.value.errors()
    ]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"url": "sqlite:////x.db"}, "url"),
        ({"url": "http://"}, "url"),
        ({"url": "http://p:8042/?a=b"}, "url"),
        ({"url": "ftp://p/"}, "url"),
        ({"url": "http://p:8042", "read_only": False}, "read_only"),
        ({"url": "http://p:8042", "offers": ["ExamResults"]}, "offers"),
        ({"url": "http://p:8042", "settings": {"linkbase": "x"}}, "settings"),
    ],
)
def test_configurations_that_are_refused(
    junwei_database: Database, given: dict[str, Any], key: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        node_config(junwei_database, pacs=given)
    assert problems(caught)[0][:3] == ("sources", "pacs", key)


def test_a_database_adapter_needs_a_database(junwei_database: Database) -> None:
    with pytest.raises(ValidationError) as caught:
        node_config(
            junwei_database, pacs={"url": "http://p", "adapter": "bsoft", "offers": ["Patients"]}
        )
    assert problems(caught) == [("sources", "pacs", "url")]


def test_a_pacs_alone_has_nothing_to_complete(junwei_database: Database) -> None:
    config = node_config(junwei_database).model_dump()
    config["sources"] = {"pacs": {"adapter": "orthanc", "url": "http://p:8042"}}
    with pytest.raises(ValidationError, match="ExamResults"):
        type(node_config(junwei_database)).model_validate(config)
