"""Contracts have versions: what breaks is refused, by name; what does not is kept."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from registry_server import PASSWORDS, Running, service_wsdl
from typer.testing import CliRunner

from registry.living_client import ContractBreaks, LivingClient
from registry.versions import promise
from services.catalogue import CONTRACTS
from services.soap.interface import typed_interface
from services.soap.wsdl import wsdl as made
from tests.web_site import web_site
from yilian.cli import app
from yilian.refused import Refused

PROJECT = Path(__file__).parents[2]


def published(name: str = "LabResults") -> bytes:
    return (PROJECT / "wsdl" / f"{name}.wsdl").read_bytes()


def put(registry: Running, wsdl: bytes, hospital: str = "hx", user: str = "", name="LabResults"):
    client = LivingClient(registry.url, timeout=30)
    user = user or hospital
    token = client.get_auth_token(user, PASSWORDS[user])
    return client.put_contract(token, hospital, name, wsdl)


def listed(registry: Running, name: str = "LabResults") -> list[dict]:
    return json.loads(registry.send("GET", f"/contracts/{name}").body)["versions"]


def grown(wsdl: bytes) -> bytes:
    """The same with an optional argument more, which breaks nobody."""
    old = b'<xs:element name="Until" type="xs:dateTime" minOccurs="0"/>'
    assert wsdl.count(old) == 1
    return wsdl.replace(old, old + b'<xs:element name="Most" type="xs:int" minOccurs="0"/>')


BREAKING = {
    "an operation is gone": (b'name="MarkLabPrinted"', b'name="MarkPrinted"'),
    "an element is gone": (b'<xs:element name="Since" type="xs:dateTime" minOccurs="0"/>', b""),
    "a type is narrowed": (b'<xs:maxLength value="32"/>', b'<xs:maxLength value="31"/>'),
    "a required element is added": (
        b'<xs:element name="Since" type="xs:dateTime" minOccurs="0"/>',
        b'<xs:element name="Since" type="xs:dateTime"/>',
    ),
    "the order changed": (
        b'<xs:element name="Since" type="xs:dateTime" minOccurs="0"/>\n'
        b'            <xs:element name="Until" type="xs:dateTime" minOccurs="0"/>',
        b'<xs:element name="Until" type="xs:dateTime" minOccurs="0"/>\n'
        b'            <xs:element name="Since" type="xs:dateTime" minOccurs="0"/>',
    ),
    "the SOAPAction changed": (
        b'soapAction="urn:yilian:LabResults:1/QueryLabMaster"',
        b'soapAction="urn:yilian:LabResults:1/Query"',
    ),
    "the style changed": (b'style="document"', b'style="rpc"'),
    "the encoding changed": (b'use="literal"', b'use="encoded"'),
    "elements left the namespace": (b'elementFormDefault="qualified"', b""),
}


@pytest.mark.parametrize("what", BREAKING)
def test_what_breaks_a_published_version_is_refused_and_named(registry: Running, what: str):
    old, new = BREAKING[what]
    document = published()
    assert old in document
    assert put(registry, document)
    with pytest.raises(ContractBreaks) as refused:
        put(registry, document.replace(old, new))
    assert refused.value.breaks
    assert "新的命名空间" in str(refused.value)
    (kept,) = listed(registry)
    reply = registry.send("GET", f"/contracts/LabResults/{kept['version']}")
    assert reply.body == document


def test_a_new_namespace_is_a_new_version_whatever_else_changed(registry: Running) -> None:
    assert put(registry, published())
    second = published().replace(b"urn:yilian:LabResults:1", b"urn:yilian:LabResults:2")
    second = second.replace(b'<xs:maxLength value="32"/>', b'<xs:maxLength value="16"/>')
    assert put(registry, second)
    assert [one["namespace"] for one in listed(registry)] == [
        "urn:yilian:LabResults:1",
        "urn:yilian:LabResults:2",
    ]
    with pytest.raises(ContractBreaks):
        put(registry, second.replace(b'value="16"', b'value="8"'))
    with pytest.raises(ContractBreaks):  # the first version is kept to as well
        put(registry, published().replace(b'name="Until"', b'name="To"'))


def test_the_same_contract_at_another_address_is_the_same_version(registry: Running) -> None:
    interface = typed_interface(CONTRACTS["LabResults"])
    assert put(registry, made(interface, "http://gateway/hx/LabResults"))
    assert not put(registry, made(interface, "http://gateway/hx/LabResults"))
    assert not put(registry, made(interface, "http://other:1/sq/LabResults"), "sq")
    (version,) = listed(registry)
    assert version["hospitals"] == ["hx", "sq"]
    assert version["publisher"] == "hx"
    assert promise(published()) == promise(made(interface, "http://x/"))


def test_hospitals_need_not_upgrade_on_one_day(registry: Running) -> None:
    document = published()
    assert put(registry, document)
    assert put(registry, grown(document), "sq"), "a successor that breaks nobody"
    assert not put(registry, document), "the older one is still what it was"
    assert [one["hospitals"] for one in listed(registry)] == [["hx"], ["sq"]]
    with pytest.raises(ContractBreaks, match="hospital sq"):
        put(registry, document, "sq")  # its callers may use what it has offered
    third = document.replace(b'name="Until" type', b'name="Up" type')
    with pytest.raises(ContractBreaks):
        put(registry, third, "xx", "admin")


def test_an_older_predecessor_may_join_later(registry: Running) -> None:
    document = published()
    assert put(registry, grown(document), "sq")
    assert put(registry, document, "hx")


def test_two_contracts_that_contradict_each_other_sent_at_once_do_not_both_stand(
    registry: Running,
) -> None:
    one = published()
    other = one.replace(b'name="Until" type="xs:dateTime"', b'name="Upto" type="xs:dateTime"')
    barrier, outcomes = threading.Barrier(2), []

    def send(hospital: str, document: bytes) -> None:
        barrier.wait()
        try:
            outcomes.append(put(registry, document, hospital))
        except ContractBreaks:
            outcomes.append(None)

    threads = [threading.Thread(target=send, args=pair) for pair in (("hx", one), ("sq", other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes, key=str) == [None, True]
    assert len(listed(registry)) == 1


def test_versions_can_be_compared_there(registry: Running) -> None:
    put(registry, published())
    put(registry, grown(published()), "sq")
    old, new = (one["version"] for one in listed(registry))
    path = f"/contracts/LabResults/diff?old={old}&new={new}"
    found = json.loads(registry.send("GET", path).body)
    assert found["breaking"] == []
    assert [change["where"] for change in found["compatible"]] == [
        "LabResults/QueryLabMaster/input/Most"
    ]


@pytest.mark.parametrize(
    ("path", "token", "body", "status"),
    [
        ("/contracts/hx/LabResults", "", b"", 401),
        ("/contracts/sq/LabResults", "hx", b"", 403),
        ("/contracts/hx/LabResults", "hx", b"nonsense", 400),
        ("/contracts/hx/LabResults", "hx", service_wsdl("NumberSource"), 400),
        ("/contracts/hx/LabResults", "hx", b"<a/>", 400),
        ("/contracts/hx/LabResults", "hx", b"x" * (2 * 1024 * 1024 + 1), 413),
    ],
)
def test_what_is_no_publication_is_refused(registry: Running, path, token, body, status) -> None:
    headers = {"Authorization": f"Bearer {registry.token(token)}"} if token else {}
    assert registry.send("PUT", path, body, headers).status == status
    assert json.loads(registry.send("GET", "/contracts").body) == {"services": []}


def test_who_published_a_version_stands_in_the_history(registry: Running) -> None:
    put(registry, published())
    lines = LivingClient(registry.url).history("urn:yilian:LabResults:1".lower())
    every = LivingClient(registry.url).history()
    published_now = [line for line in every if line.kind == "contract"]
    assert [(line.publisher, line.action) for line in published_now] == [("hx", "publish")]
    assert lines == published_now


def test_publishing_a_wsdl_by_hand_asks_the_same(registry: Running, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORDS["hx"], "utf-8")
    served = {"document": published()}

    def publish(site: str) -> str:
        url = f"{site}/lab.wsdl"
        options = ["--hospital", "hx", "--user", "hx", "--password-file", str(password)]
        command = ["uddi", "publish-wsdl", url, *options, "--registry", registry.url]
        result = CliRunner().invoke(app, command)
        if isinstance(result.exception, Refused):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    with web_site(lambda path: (200, [served["document"]])) as site:
        assert "✓ uddi:yilian:hx:labresults" in publish(site)
        assert len(listed(registry)) == 1
        before = registry.client().get_service_detail(["uddi:yilian:hx:labresults"])
        served["document"] = published().replace(b'name="Until"', b'name="To"')
        with pytest.raises(Refused, match="LabResults/QueryLabMaster/input/Until"):
            publish(site)
        assert registry.client().get_service_detail(["uddi:yilian:hx:labresults"]) == before
