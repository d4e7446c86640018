"""An unmodified zeep, which knows this registry by its WSDLs alone."""

import pytest
import zeep
from lxml import etree
from registry_server import PASSWORDS, config, running, service_wsdl

from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.uddi.dispatch import PORTS
from registry.uddi.wsdl import ANSWERS

XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture
def published(registry):
    entry = ServiceEntry(
        "LabResults", service_wsdl(), "http://gw/hx/LabResults", "http://node/hx/LabResults"
    )
    hospital = HospitalEntry("hx", "华夏中心医院", "Huaxia")
    publish_node(registry.client(), "hx", PASSWORDS["hx"], hospital, [entry])
    return registry


def client(registry, port):
    return zeep.Client(f"{registry.url}/uddi/{port}?wsdl")


def test_zeep_finds_a_business_its_service_and_its_bindings(published):
    uddi = client(published, "inquiry").service
    found = uddi.find_business(
        findQualifiers={"findQualifier": ["approximateMatch", "caseInsensitiveMatch"]},
        name=[{"_value_1": "华夏%", "_attr_1": {XML_LANG: "zh"}}],
    )
    (info,) = found.businessInfos.businessInfo
    assert info.name[0]._value_1 == "华夏中心医院"
    services = uddi.find_service(
        businessKey=info.businessKey,
        categoryBag={
            "keyedReference": [
                {"tModelKey": "uddi:uddi.org:wsdl:types", "keyValue": "service"},
                {"tModelKey": "uddi:uddi.org:xml:localname", "keyValue": "LabResults"},
            ]
        },
    )
    (service,) = services.serviceInfos.serviceInfo
    detail = uddi.get_serviceDetail(serviceKey=[service.serviceKey])
    bindings = detail.businessService[0].bindingTemplates.bindingTemplate
    assert [binding.accessPoint._value_1 for binding in bindings] == [
        "http://gw/hx/LabResults",
        "http://node/hx/LabResults",
    ]


def test_zeep_publishes_and_deletes(registry):
    token = client(registry, "security").service.get_authToken(userID="hx", cred=PASSWORDS["hx"])
    publish = client(registry, "publish").service
    saved = publish.save_business(
        authInfo=token,
        businessEntity=[
            {
                "name": [{"_value_1": "社区医院", "_attr_1": {XML_LANG: "zh"}}],
                "businessServices": {
                    "businessService": [
                        {
                            "name": [{"_value_1": "号源"}],
                            "bindingTemplates": {
                                "bindingTemplate": [
                                    {"accessPoint": {"_value_1": "http://x", "useType": "endPoint"}}
                                ]
                            },
                        }
                    ]
                },
            }
        ],
    )
    (business,) = registry.client().get_business_detail([saved.businessEntity[0].businessKey])
    assert business.names[0].value == "社区医院"
    assert business.services[0].bindings[0].access_point.use_type == "endPoint"
    publish.delete_business(authInfo=token, businessKey=[business.key])
    client(registry, "security").service.discard_authToken(authInfo=token)
    with pytest.raises(zeep.exceptions.Fault) as refused:
        publish.delete_business(authInfo=token, businessKey=[business.key])
    result = refused.value.detail.find("{*}dispositionReport/{*}result")
    assert result.get("errno") == "10120"


def test_every_operation_is_in_a_wsdl_and_no_other(registry):
    served = {name for operations in PORTS.values() for name in operations}
    assert served == set(ANSWERS)
    for port, operations in PORTS.items():
        if operations:
            bindings = client(registry, port).wsdl.bindings.values()
            (binding,) = bindings
            assert set(binding._operations) == set(operations)


def test_the_wsdl_is_flat_and_names_the_asked_address(registry):
    reply = registry.send("GET", "/uddi/inquiry?WSDL", headers={"Host": "registry.example:99"})
    assert reply.headers["content-type"].startswith("text/xml")
    assert b"import" not in reply.body
    address = reply.tree.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == "http://registry.example:99/uddi/inquiry"


def test_the_wsdl_names_the_configured_address(tmp_path):
    listen = {"public_url": "http://10.1.2.3:8081/"}
    with running(config(tmp_path, listen=listen)) as registry:
        tree = registry.send("GET", "/uddi/publish?wsdl").tree
    address = tree.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == "http://10.1.2.3:8081/uddi/publish"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/uddi/inquiry", 405), ("/uddi/security", 405), ("/uddi/nothing?wsdl", 404)],
)
def test_a_get_that_means_nothing_says_what_to_do(registry, path, status):
    reply = registry.send("GET", path)
    assert reply.status == status
    assert b"/" in reply.body


def test_answers_are_as_the_published_schema_says(published):
    from registry.uddi import schema

    checked = 0
    for message in (
        '<find_business xmlns="urn:uddi-org:api_v3" listHead="1"><identifierBag><keyedReference '
        'tModelKey="uddi:yilian:hospital-code" keyValue="hx"/></identifierBag></find_business>',
        '<get_businessDetail xmlns="urn:uddi-org:api_v3"><businessKey>uddi:yilian:hospital:hx'
        "</businessKey></get_businessDetail>",
        '<get_tModelDetail xmlns="urn:uddi-org:api_v3"><tModelKey>uddi:yilian:labresults:binding-v1'
        "</tModelKey></get_tModelDetail>",
        '<get_operationalInfo xmlns="urn:uddi-org:api_v3"><entityKey>uddi:yilian:hospital:hx'
        "</entityKey></get_operationalInfo>",
    ):
        reply = published.uddi("inquiry", message)
        assert reply.status == 200, reply.body
        schema.check(etree.fromstring(etree.tostring(reply.content)))
        checked += 1
    assert checked == 4


def test_zeep_subscribes_and_asks(published):
    token = client(published, "security").service.get_authToken(userID="hx", cred=PASSWORDS["hx"])
    uddi = client(published, "subscription").service
    made = uddi.save_subscription(
        authInfo=token,
        subscription=[
            {
                "subscriptionFilter": {
                    "find_business": {
                        "findQualifiers": {"findQualifier": ["approximateMatch"]},
                        "name": [{"_value_1": "华夏%"}],
                    }
                }
            }
        ],
    )
    key = made[0].subscriptionKey
    assert uddi.get_subscriptions(authInfo=token)[0].subscriptionKey == key
    answered = uddi.get_subscriptionResults(
        authInfo=token, subscriptionKey=key, coveragePeriod={"startPoint": "2020-01-01T00:00:00Z"}
    )
    (info,) = answered.businessList.businessInfos.businessInfo
    assert info.businessKey == "uddi:yilian:hospital:hx"
    uddi.delete_subscription(authInfo=token, subscriptionKey=[key])
