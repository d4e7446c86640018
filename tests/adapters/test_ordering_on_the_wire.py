"""An order in SOAP, typed and delimited, through a node that was put together from its file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from lxml import etree

from services.soap import envelope
from services.soap.exchange import Endpoint, Request
from services.soap.version import SOAP_1_1
from tests.adapters.conftest import Database
from tests.adapters.order_hospital import OFFERS, counts, with_offers
from yilian.config import NodeConfig
from yilian.node import Node, assemble

TYPED = """
<PlaceLabOrder xmlns="urn:yilian:Ordering:1"><RequestId>w1</RequestId>
<Patient><Name>王芳</Name><Sex>2</Sex><IdentityNo>11010119900203002X</IdentityNo></Patient>
<Items><OrderLine><ItemCode>BRT</ItemCode></OrderLine><OrderLine><ItemCode>CRP</ItemCode>
</OrderLine></Items><ClinicalDiagnosis>高血压&lt;3级|?</ClinicalDiagnosis>
<VirtualDept>V001</VirtualDept><OrderingProvider>赵医生</OrderingProvider></PlaceLabOrder>
"""
LEGACY = """
<putlaborder xmlns="http://tempuri.org/"><RequestId>w2</RequestId><PatientId></PatientId>
<Name>王芳</Name><Sex>2</Sex><IdentityNo>11010119900203002X</IdentityNo>
<Items>BRT?CRP?</Items><ClinicalDiagnosis>高血压</ClinicalDiagnosis>
<VirtualDept>V001</VirtualDept><OrderingProvider>赵医生</OrderingProvider></putlaborder>
"""


@pytest.fixture
def node(junwei_database: Database) -> Iterator[Node]:
    with_offers(junwei_database)
    made = assemble(
        NodeConfig.model_validate(
            {
                "hospital": {"code": "hx", "name": "华夏中心医院", "name_en": "Huaxia"},
                "listen": {"host": "127.0.0.1", "port": 1, "public_url": "http://127.0.0.1:1"},
                "sources": {
                    "his": {
                        "adapter": "junwei",
                        "url": f"sqlite:///{junwei_database.path}",
                        "offers": OFFERS,
                        "read_only": False,
                        "settings": {"virtual_departments": {"V001": "石桥社区"}},
                    }
                },
            }
        )
    )
    yield made
    asyncio.run(made.close())


def called(endpoint: Endpoint, body: str) -> dict[str, list[str]]:
    """The texts of the answer by element name."""
    request = Request(envelope.wrap(SOAP_1_1, body.strip()), "text/xml; charset=utf-8", None)
    reply = asyncio.run(endpoint.call(request))
    assert reply.status == 200, reply.body.decode()
    found: dict[str, list[str]] = {}
    for element in etree.fromstring(reply.body).iter("*"):
        if not len(element):
            found.setdefault(etree.QName(element).localname, []).append(element.text or "")
    return found


def test_a_typed_order(node: Node, junwei_database: Database) -> None:
    endpoint = node.endpoints["/hx/Ordering"]
    first = called(endpoint, TYPED)
    assert first["ItemCode"] == ["BRT", "CRP"] and first["State"] == ["N"]
    assert first["ClinicalDiagnosis"] == ["高血压<3级|?"]
    assert called(endpoint, TYPED) == first
    assert counts(junwei_database.path)["LAB_TEST_MASTER"] == 1
    number = first["OrderNo"][0]
    event = (
        '<RecordSpecimenEvent xmlns="urn:yilian:Ordering:1"><RequestId>w3</RequestId>'
        f"<OrderNo>{number}</OrderNo><Event>C</Event><At>2026-11-21T09:30:00.123</At>"
        "<Person>孙护士</Person></RecordSpecimenEvent>"
    )
    assert called(endpoint, event)["At"] == ["2026-11-21T09:30:00"]


def test_a_delimited_order(node: Node, junwei_database: Database) -> None:
    endpoint = node.endpoints["/hx/HisService.asmx"]
    answer = called(endpoint, LEGACY)
    assert answer["putlaborderResult"] == ["1"]
    row = answer["str"][0].removesuffix("?").split("|")
    assert row[1:4] == ["03", "N", "Y000000001"] and row[-1] == "BRT,CRP"
    assert called(endpoint, LEGACY) == answer
    status = (
        f'<getorderstatus xmlns="http://tempuri.org/"><OrderNo>{row[0]}</OrderNo></getorderstatus>'
    )
    assert called(endpoint, status)["str"] == answer["str"]
    assert counts(junwei_database.path)["LAB_TEST_MASTER"] == 1
    refused = called(endpoint, LEGACY.replace("w2", "w9").replace("CRP?", "CT1?"))
    assert refused["putlaborderResult"] == ["-1"] and "CT1" in refused["str"][0]
