"""A node whose reports come from a junwei HIS and whose images from a PACS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lxml import etree

from services.soap import envelope
from services.soap.exchange import Request
from services.soap.version import SOAP_1_1
from tests.adapters.conftest import Database
from yilian.config import NodeConfig
from yilian.node import Node, assemble

P, EXAM, UID = "0000000001", "26E0000001", "1.2.840.1"
BASE = "http://172.20.1.9:2019/pacs"
VIEWER = "http://old.example/v?s={StudyUid}"


def examined(db: Database, uid: str | None = UID, status: str = "4", number: str = EXAM) -> None:
    """An examination as the HIS has it."""
    db.insert(
        "EXAM_MASTER",
        **{"EXAM_NO": number, "PATIENT_ID": P, "NAME": "张伟", "RESULT_STATUS": status},
        **{"STUDY_UID": uid, "REQ_DATE_TIME": "2026-11-20 08:30:00"},
    )
    db.insert("EXAM_REPORT", EXAM_NO=number, DESCRIPTION="两肺纹理增多", IMPRESSION="支气管炎")


def node_config(db: Database, **pacs: Any) -> NodeConfig:
    """``pacs``: sources with adapter orthanc, by name."""
    return NodeConfig.model_validate(
        {
            "hospital": {"code": "hx", "name": "华夏中心医院", "name_en": "Huaxia"},
            "listen": {"host": "127.0.0.1", "port": 1, "public_url": "http://127.0.0.1:1"},
            "sources": {
                "his": {
                    "adapter": "junwei",
                    "url": f"sqlite:///{db.path}",
                    "offers": ["ExamResults"],
                    "settings": {"image_url": VIEWER},
                },
                **{name: {"adapter": "orthanc", **given} for name, given in pacs.items()},
            },
        }
    )


@contextmanager
def node(db: Database, **pacs: Any) -> Iterator[Node]:
    made = assemble(node_config(db, **pacs))
    try:
        yield made
    finally:
        asyncio.run(made.close())


def called(node: Node, service: str, body: str) -> etree._Element:
    request = Request(envelope.wrap(SOAP_1_1, body), "text/xml; charset=utf-8", None)
    reply = asyncio.run(node.endpoints[f"/hx/{service}"].call(request))
    assert reply.status == 200, reply.body.decode()
    return etree.fromstring(reply.body)


def report(node: Node, number: str = EXAM) -> etree._Element:
    """GetExamReport as SOAP answers it."""
    return called(
        node,
        "ExamResults",
        f'<GetExamReport xmlns="urn:yilian:ExamResults:1"><ExamNo>{number}</ExamNo>'
        "</GetExamReport>",
    )


def images(answer: etree._Element) -> list[dict[str, str]]:
    """The ImageStudy elements, as what stands in them."""
    return [
        {etree.QName(field).localname: field.text or "" for field in one}
        for one in answer.iter("{urn:yilian:ExamResults:1}ImageStudy")
    ]
