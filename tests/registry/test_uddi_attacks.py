"""Messages that would take the registry away from others, or cost it more than it has."""

from __future__ import annotations

import threading

import pytest
from registry_server import config, running, v3

from registry.model import BusinessEntity, BusinessService, Find, LangText
from registry.uddi.dispatch import MOST_ASKED, MOST_ITEMS, MOST_SAVED

V3, V2, SUB = "urn:uddi-org:api_v3", "urn:uddi-org:api_v2", "urn:uddi-org:sub_v3"
LOCALNAME = "uddi:uddi.org:xml:localname"
REFERENCE = f'<keyedReference tModelKey="{LOCALNAME}" keyValue="x"/>'
KEY = "<tModelKey>uddi:uddi.org:wsdl:types</tModelKey>"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        yield server


def entity(content: str) -> str:
    return f'<businessEntity businessKey=""><name>x</name>{content}</businessEntity>'


def groups(count: int, references: int) -> str:
    one = f'<keyedReferenceGroup tModelKey="{LOCALNAME}">{REFERENCE * references}'
    return f"<categoryBag>{(one + '</keyedReferenceGroup>') * count}</categoryBag>"


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("publish", v3("save_business", entity(f"<categoryBag>{REFERENCE * MOST_SAVED}"
                                               "</categoryBag>"))),
        ("publish", v3("save_business", entity("<description>d</description>" * MOST_SAVED))),
        ("publish", v3("save_tModel", "<tModel><name>t</name></tModel>" * (MOST_ITEMS + 1))),
        ("publish", v3("delete_tModel", KEY * (MOST_ITEMS + 1))),
        ("publish", v3("add_publisherAssertions", "<publisherAssertion/>" * (MOST_ITEMS + 1))),
        ("publish", f'<delete_tModel generic="2.0" xmlns="{V2}">{KEY * (MOST_ITEMS + 1)}'
                    "</delete_tModel>"),
        ("inquiry", v3("get_tModelDetail", KEY * (MOST_ASKED + 1))),
        ("inquiry", v3("find_business", groups(2, 60))),
        ("inquiry", v3("find_business", groups(101, 0))),
        ("inquiry", v3("find_business", "<discoveryURLs>" + "<discoveryURL>http://x</discoveryURL>"
                       * 101 + "</discoveryURLs>")),
        ("inquiry", v3("find_relatedBusinesses", "<findQualifiers>" + "<findQualifier>orAllKeys"
                       "</findQualifier>" * 101 + "</findQualifiers><businessKey>uddi:x"
                       "</businessKey>")),
        ("inquiry", v3("find_service", "<find_tModel>" + groups(2, 60) + "</find_tModel>")),
        ("subscription", f'<save_subscription xmlns="{SUB}">' + "<subscription/>" * (MOST_ITEMS + 1)
                         + "</save_subscription>"),
    ],
    ids=range(13),
)  # fmt: skip
def test_more_than_one_call_can_do_is_refused_unread(registry, port, message):
    reply = registry.uddi(port, message)
    assert reply.error == (30110, "E_messageTooLarge")


def test_a_get_of_everything_is_cut_and_says_so(tmp_path):
    with running(config(tmp_path, inquiry={"max_rows": 3})) as registry:
        entity_key = KEY.replace("tModelKey", "entityKey")
        for operation, key in (("get_tModelDetail", KEY), ("get_operationalInfo", entity_key)):
            whole = registry.uddi("inquiry", v3(operation, key * 3)).content
            assert (len(whole), whole.get("truncated")) == (3, None)
            cut = registry.uddi("inquiry", v3(operation, key * 4000)).content
            assert (len(cut), cut.get("truncated")) == (3, "true")


def test_finds_nested_in_finds_do_not_nest_further(registry):
    deep = "<find_tModel>" * 200 + "</find_tModel>" * 200
    assert registry.uddi("inquiry", v3("find_business", deep)).error[0] == 10500
    twice = "<find_tModel><find_tModel/></find_tModel>"
    assert registry.uddi("inquiry", v3("find_business", twice)).error[0] == 10500


@pytest.mark.parametrize("namespace", [V3, V2, "urn:uddi-org:api"])
def test_entities_and_dtds_never_get_in(registry, namespace):
    generic = {V2: '"2.0"', "urn:uddi-org:api": '"1.0"'}.get(namespace, '""')
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
        '<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<find_business generic={generic} xmlns="{namespace}"><name>&b;&x;</name>'
        "</find_business></e:Body></e:Envelope>"
    )
    reply = registry.send("POST", "/uddi/inquiry", bomb.encode(), {"Content-Type": "text/xml"})
    assert reply.status == 500
    assert "DTD" in reply.content.findtext("faultstring")
    assert b"root:" not in reply.body


@pytest.mark.parametrize("name", ["%" * 255, "%a" * 127, "_" * 255, "\\" * 255, "%\\%" * 85])
def test_patterns_that_could_go_on_for_ever(registry, name):
    for version, generic in ((V3, ""), (V2, 'generic="2.0"')):
        qualifiers = (
            "<findQualifiers><findQualifier>approximateMatch</findQualifier></findQualifiers>"
            if version == V3
            else ""
        )
        message = (
            f'<find_business {generic} xmlns="{version}">{qualifiers}<name>{name}</name>'
            "</find_business>"
        )
        assert registry.uddi("inquiry", message).status == 200


def test_a_hundred_publishers_at_once(registry):
    """Each one's entity is there whole, and nobody is turned away."""
    client, token = registry.client(), registry.token("admin")
    failures: list[Exception] = []
    together = threading.Barrier(100)

    def publish(number: int) -> None:
        business = BusinessEntity(
            key=f"uddi:yilian:crowd:{number}",
            names=(LangText(f"crowd {number}"),),
            services=(BusinessService(names=(LangText("s"),)),),
        )
        try:
            together.wait(60)
            client.save_businesses(token, [business])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not failures
    found = client.find_business(Find(("approximateMatch",), (LangText("crowd %"),)))
    assert len(found) == 100
    for business in client.get_business_detail(found):
        assert len(business.services) == 1


def test_a_hundred_publishers_of_one_key(registry):
    """One entity, and every save of it either whole or refused; never a mixture."""
    client, token = registry.client(), registry.token("admin")
    refused: list[Exception] = []

    def publish(number: int) -> None:
        services = tuple(BusinessService(names=(LangText(str(number)),)) for _ in range(3))
        business = BusinessEntity(
            key="uddi:yilian:fought", names=(LangText(str(number)),), services=services
        )
        try:
            client.save_businesses(token, [business])
        except Exception as error:
            refused.append(error)

    threads = [threading.Thread(target=publish, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert not refused
    (business,) = client.get_business_detail(["uddi:yilian:fought"])
    names = {business.names[0].value, *(s.names[0].value for s in business.services)}
    assert len(names) == 1 and len(business.services) == 3
