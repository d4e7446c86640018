"""UDDI by plain GET, and the inspection document."""

from __future__ import annotations

import pytest
from lxml import etree
from registry_server import PASSWORDS, config, running, service_wsdl

from registry.older_keys import older_key
from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.uddi import http_get

HX = "uddi:yilian:hospital:hx"
V3, V2 = "urn:uddi-org:api_v3", "urn:uddi-org:api_v2"
SERVICE = "uddi:yilian:hx:labresults"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        for code in ("hx", "sq"):
            entry = ServiceEntry(
                "LabResults", service_wsdl(), f"http://gw/{code}/LabResults",
                f"http://node/{code}/LabResults", zh="检验",
            )  # fmt: skip
            hospital = HospitalEntry(code, code)
            publish_node(server.client(), code, PASSWORDS[code], hospital, [entry])
        yield server


@pytest.mark.parametrize("path", ["/uddi/get", "/uddi/inquiry"])
@pytest.mark.parametrize(
    ("parameter", "key", "detail", "entity"),
    [
        ("businessKey", HX, "businessDetail", "businessEntity"),
        ("serviceKey", SERVICE.upper(), "serviceDetail", "businessService"),
        ("bindingKey", SERVICE + ":outside", "bindingDetail", "bindingTemplate"),
        ("tModelKey", "uddi:yilian:labresults:porttype-v1", "tModelDetail", "tModel"),
        ("BUSINESSKEY", HX, "businessDetail", "businessEntity"),
    ],
)
def test_an_entity_by_its_key_in_both_versions(registry, path, parameter, key, detail, entity):
    for sent, namespace in ((key, V3), (older_key(key.lower()), V2)):
        if parameter == "tModelKey" and namespace == V2:
            sent = f"UUID:{sent.upper()}"
        reply = registry.send("GET", f"{path}?{parameter}={sent}")
        assert reply.status == 200
        assert reply.headers["content-type"] == "text/xml; charset=utf-8"
        assert reply.tree.tag == f"{{{namespace}}}{detail}"
        assert reply.tree[0].tag == f"{{{namespace}}}{entity}"


@pytest.mark.parametrize(
    ("key", "namespace"),
    [("uddi:none", V3), ("0d7b9e5c-6b1f-4c43-9f0e-5f1d0b3c2a11", V2), ("%3Cx%3E", V3), ("", V3)],
)
def test_an_unknown_key_is_not_found(registry, key, namespace):
    reply = registry.send("GET", f"/uddi/get?serviceKey={key}")
    assert reply.status == 404
    assert reply.tree.tag == f"{{{namespace}}}dispositionReport"
    assert reply.tree[0].get("errno") == "10210"


@pytest.mark.parametrize("query", ["", "?businessKey=a&serviceKey=b", "?key=x"])
def test_a_get_without_one_key_says_what_to_do(registry, query):
    reply = registry.send("GET", f"/uddi/get{query}")
    assert reply.status == 400
    assert "businessKey" in reply.body.decode()


def wsil(registry, path="/inspection.wsil") -> etree._Element:
    reply = registry.send("GET", path)
    assert reply.status == 200
    return reply.tree


def test_the_inspection_document_lists_wsdls_and_uddi_entries(registry):
    root = wsil(registry)
    assert root.tag == "{http://schemas.xmlsoap.org/ws/2001/10/inspection/}inspection"
    services = root.findall("{*}service")
    assert [s.findtext("{*}name") for s in services] == ["LabResults"] * 2
    assert {s.findtext("{*}abstract") for s in services} == {"检验"}
    wsdls = root.findall("{*}service/{*}description[@location]")
    assert sorted(d.get("location") for d in wsdls) == [
        f"http://gw/{code}/LabResults?wsdl" for code in ("hx", "sq")
    ]
    assert root.find("{*}link") is None
    for key in root.iter("{*}serviceKey"):
        entry = key.getparent()
        assert entry.get("location") == f"{registry.url}/uddi/inquiry"
        found = registry.send("GET", f"/uddi/get?serviceKey={key.text}")
        assert found.status == 200
        assert etree.QName(found.tree).namespace == entry.getparent().get("referencedNamespace")


def test_the_inspection_document_comes_in_pages(registry, monkeypatch):
    monkeypatch.setattr(http_get, "_A_PAGE", 1)
    first = wsil(registry)
    link = first.find("{*}link").get("location")
    assert link == f"{registry.url}/inspection.wsil?page=2"
    second = wsil(registry, link.removeprefix(registry.url))
    assert second.find("{*}link") is None
    keys = [page.findtext(".//{*}serviceKey") for page in (first, second)]
    assert len(set(keys)) == 2
    assert len(wsil(registry, "/inspection.wsil?page=3")) == 0
    for page in ("0", "x", "-1", "9999999999"):
        assert registry.send("GET", f"/inspection.wsil?page={page}").status == 400
