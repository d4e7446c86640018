"""Nodes publish themselves; what a gateway and a person then find."""

import threading
from dataclasses import replace

import pytest
from registry_server import PASSWORDS, config, running, service_wsdl

from registry.client import UddiClient
from registry.errors import RegistryUnavailable, UddiError
from registry.model import (
    BindingTemplate,
    BusinessEntity,
    BusinessService,
    CategoryBag,
    Contact,
    Find,
    KeyedReference,
    LangText,
    TModel,
    UseText,
)
from registry.publisher import (
    OWNER,
    ContactEntry,
    HospitalEntry,
    PublishError,
    ServiceEntry,
    publish_node,
)
from registry.uddi.wellknown import FACE_INSIDE, WELL_KNOWN, WSDL_TYPES, XML_NAMESPACE
from registry.uddi.wsdl_mapping import map_wsdl
from services.soap.wsdl_reading import NotWsdl

HX = HospitalEntry("hx", "华夏中心医院", "Huaxia Central Hospital")
SQ = HospitalEntry("sq", "社区医院", "Community Hospital")


def entry(hospital: str, name: str = "LabResults", **changes: object) -> ServiceEntry:
    path = f"/{hospital}/{name}"
    values = {
        "name": name,
        "wsdl": service_wsdl(name),
        "outside_address": f"http://gateway:8080{path}",
        "inside_address": f"http://{hospital}-node:8082{path}",
        "zh": "检验结果查询",
    }
    return ServiceEntry(**{**values, **changes})


def publish(registry, hospital: HospitalEntry, *services: ServiceEntry):
    user = hospital.code
    return publish_node(registry.client(), user, PASSWORDS[user], hospital, services)


def test_published_bindings_are_what_the_gateway_needs(registry):
    summary = publish(registry, HX, entry("hx"))
    publish(registry, SQ, entry("sq"))
    assert summary.added == ("uddi:yilian:hx:labresults",)
    assert summary.tmodels_saved == (
        "uddi:yilian:labresults:porttype-v1",
        "uddi:yilian:labresults:binding-v1",
    )
    found = {(b.hospital, b.face): b for b in registry.client().bindings()}
    assert set(found) == {(h, f) for h in ("hx", "sq") for f in ("outside", "inside")}
    inside = found["hx", "inside"]
    assert inside.hospital_name == "华夏中心医院"
    assert inside.service == "LabResults"
    assert inside.namespace == "urn:yilian:LabResults:1"
    assert inside.access_point == "http://hx-node:8082/hx/LabResults"
    assert inside.wsdl_url == "http://gateway:8080/hx/LabResults?wsdl"
    assert inside.binding_key == "uddi:yilian:hx:labresults:inside"
    assert found["sq", "outside"].access_point == "http://gateway:8080/sq/LabResults"


def test_publishing_again_changes_nothing(registry):
    publish(registry, HX, entry("hx"))
    before = registry.client().get_business_detail(["uddi:yilian:hospital:hx"])
    again = publish(registry, HX, entry("hx"))
    assert (again.added, again.changed, again.removed) == ((), (), ())
    assert not again.business_saved
    assert again.tmodels_saved == ()
    assert registry.client().get_business_detail(["uddi:yilian:hospital:hx"]) == before
    assert len(registry.client().bindings()) == 2


def test_a_service_that_is_gone_is_taken_out_of_its_own_hospital_only(registry):
    publish(registry, HX, entry("hx"), entry("hx", "NumberSource"))
    publish(registry, SQ, entry("sq"))
    summary = publish(registry, HX, entry("hx", "NumberSource"))
    assert summary.removed == ("uddi:yilian:hx:labresults",)
    left = {(b.hospital, b.service) for b in registry.client().bindings()}
    assert left == {("hx", "NumberSource"), ("sq", "LabResults")}


def test_a_moved_node_changes_its_inside_address(registry):
    publish(registry, HX, entry("hx"))
    summary = publish(registry, HX, entry("hx", inside_address="http://new:1/hx/LabResults"))
    assert summary.changed == ("uddi:yilian:hx:labresults",)
    inside = [b.access_point for b in registry.client().bindings() if b.face == "inside"]
    assert inside == ["http://new:1/hx/LabResults"]


def test_what_an_operator_added_to_the_business_stays(registry):
    publish(registry, HX, entry("hx"))
    client, token = registry.client(), registry.token()
    (business,) = client.get_business_detail(["uddi:yilian:hospital:hx"])
    contact = Contact((LangText("信息科值班"),), "on-call")
    client.save_businesses(token, [replace(business, contacts=(contact,))])
    publish(registry, HX, entry("hx"), entry("hx", "NumberSource"))
    (business,) = client.get_business_detail(["uddi:yilian:hospital:hx"])
    assert business.contacts == (contact,)
    assert len(business.services) == 2


def test_without_a_gateway_there_is_the_inside_face_alone(registry):
    publish(registry, HX, entry("hx", outside_address=None))
    (binding,) = registry.client().bindings()
    assert binding.face == "inside"
    assert binding.wsdl_url == "http://hx-node:8082/hx/LabResults?wsdl"


def test_two_nodes_publishing_at_once_share_the_tmodels(registry):
    names = [f"Service{n}" for n in range(6)]
    barrier = threading.Barrier(2)
    failures: list[BaseException] = []

    def node(hospital: HospitalEntry) -> None:
        services = [entry(hospital.code, name) for name in names]
        barrier.wait()
        try:
            publish(registry, hospital, *services)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=node, args=(hospital,)) for hospital in (HX, SQ)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(registry.client().bindings()) == 2 * 2 * len(names)


def test_the_loser_of_the_race_for_a_tmodel_accepts_the_winners(registry, monkeypatch):
    publish(registry, SQ, entry("sq"))
    blind = registry.client()
    look, looks = blind.get_tmodel_detail, []

    def not_yet(keys):
        looks.append(keys)
        if len(looks) == 1:
            raise UddiError("invalidKeyPassed", "not there when looked at")
        return look(keys)

    monkeypatch.setattr(blind, "get_tmodel_detail", not_yet)
    summary = publish_node(blind, "hx", PASSWORDS["hx"], HX, [entry("hx")])
    assert summary.tmodels_saved == ()
    assert looks[0] == looks[1]


def test_a_shared_tmodel_that_disagrees_is_an_error(registry):
    publish(registry, SQ, entry("sq"))
    other = service_wsdl("LabResults", namespace="urn:other:LabResults:9")
    with pytest.raises(PublishError, match="uddi:yilian:labresults:porttype-v1"):
        publish(registry, HX, entry("hx", wsdl=other))


def test_one_hospital_cannot_publish_anothers_address(registry):
    client = registry.client()
    with pytest.raises(UddiError) as refused:
        publish_node(client, "sq", PASSWORDS["sq"], HX, [entry("hx")])
    assert refused.value.errno == 20210
    assert client.bindings() == []


@pytest.mark.parametrize(
    "claim",
    [
        BusinessEntity(
            names=(LangText("假"),),
            identifier_bag=(KeyedReference("uddi:yilian:hospital-code", "hx"),),
        ),
        BusinessEntity(
            names=(LangText("假"),), services=(BusinessService(key="uddi:yilian:hx:labresults"),)
        ),
    ],
)  # fmt: skip
def test_a_hospital_code_or_key_belongs_to_its_publisher(registry, claim):
    with pytest.raises(UddiError) as refused:
        registry.client().save_businesses(registry.token("sq"), [claim])
    assert refused.value.errno == 20210


def test_a_business_without_the_hospitals_key_is_no_hospital(registry):
    stranger = BusinessEntity(
        names=(LangText("别处"),),
        identifier_bag=(KeyedReference("uddi:yilian:hospital-code", "hx"),),
        services=(
            BusinessService(
                names=(LangText("假"),),
                bindings=(BindingTemplate(access_point=UseText("http://x")),),
            ),
        ),
    )
    registry.client().save_businesses(registry.token("admin"), [stranger])
    assert registry.client().bindings() == []


def test_many_hospitals_are_listed_in_pages(registry, monkeypatch):
    monkeypatch.setattr("registry.client._KEYS_PER_CALL", 3)
    client = registry.client()
    for number in range(7):
        hospital = HospitalEntry(f"h{number}", f"医院{number}")
        publish_node(client, "admin", PASSWORDS["admin"], hospital, [entry(f"h{number}")])
    assert {b.hospital for b in client.bindings()} == {f"h{number}" for number in range(7)}


def test_find_by_name_by_category_and_by_port_type(registry):
    publish(registry, HX, entry("hx"), entry("hx", "NumberSource", zh="号源查询"))
    client = registry.client()
    by_name = client.find_services_by_name("检验%")
    assert [service.key for service in by_name] == ["uddi:yilian:hx:labresults"]
    bag = CategoryBag((
        KeyedReference(WSDL_TYPES, "service"),
        KeyedReference(XML_NAMESPACE, "urn:yilian:NumberSource:1"),
    ))  # fmt: skip
    assert client.find_service(Find(category_bag=bag)) == ["uddi:yilian:hx:numbersource"]
    found = client.find_binding(Find(tmodel_bag=("uddi:yilian:labresults:porttype-v1",)))
    assert [binding.key.rpartition(":")[2] for binding in found] == ["outside", "inside"]
    inside = Find(tmodel_bag=("uddi:yilian:labresults:porttype-v1", FACE_INSIDE))
    assert [b.access_point.value for b in client.find_binding(inside)] == [
        "http://hx-node:8082/hx/LabResults"
    ]


def test_the_mapping_is_the_oasis_notes():
    mapped = map_wsdl(
        service_wsdl("HisService", namespace="http://tempuri.org/"),
        "http://gateway/hx/HisService.asmx?wsdl",
        hospital="HX",
        inside_address="http://node/hx/HisService.asmx",
        outside_address="http://gateway/hx/HisService.asmx",
    )
    categories = {
        name: {r.tmodel_key.rpartition("uddi.org:")[2]: r.key_value for r in bag.references}
        for name, bag in (
            ("portType", mapped.port_type.category_bag),
            ("binding", mapped.binding.category_bag),
            ("service", mapped.service.category_bag),
        )
    }
    assert categories == {
        "portType": {"wsdl:types": "portType", "xml:namespace": "http://tempuri.org/"},
        "binding": {
            "wsdl:types": "binding",
            "wsdl:porttypereference": "uddi:yilian:hisservice:porttype-v1",
            "wsdl:categorization:protocol": "uddi:uddi.org:protocol:soap",
            "wsdl:categorization:transport": "uddi:uddi.org:transport:http",
            "categorization:types": "wsdlSpec",
            "xml:namespace": "http://tempuri.org/",
        },
        "service": {
            "wsdl:types": "service",
            "xml:namespace": "http://tempuri.org/",
            "xml:localname": "HisService",
        },
    }
    assert mapped.port_type.name.value == "HisService"
    assert mapped.binding.name.value == "HisServiceSoap"
    assert mapped.service.key == "uddi:yilian:hx:hisservice"
    first = mapped.service.bindings[0]
    assert [instance.tmodel_key for instance in first.instances] == [
        "uddi:yilian:hisservice:binding-v1",
        "uddi:yilian:hisservice:porttype-v1",
    ]
    assert first.instances[0].instance_details.instance_parms == "HisServicePort"


def test_the_contracts_version_is_in_the_tmodels_keys():
    document = service_wsdl("LabResults", namespace="urn:yilian:LabResults:2")
    mapped = map_wsdl(document, "http://x?wsdl", hospital="hx", inside_address="http://x")
    assert mapped.port_type.key == "uddi:yilian:labresults:porttype-v2"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"not xml",
        b"<definitions/>",
        b'<!DOCTYPE x><definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
        service_wsdl().replace(b"<service ", b'<service name="Second"/><service '),
        service_wsdl().replace(b"http://schemas.xmlsoap.org/wsdl/soap/", b"urn:other"),
        service_wsdl().replace(b'binding="tns:LabResultsSoap"', b'binding="tns:Elsewhere"'),
        service_wsdl().replace(b'type="tns:LabResults"', b'type="tns:Elsewhere"'),
    ],
)
def test_what_is_no_publishable_wsdl_is_refused(document):
    with pytest.raises(NotWsdl):
        map_wsdl(document, "http://x?wsdl", hospital="hx", inside_address="http://x")


def test_the_well_known_tmodels_are_there_from_the_first_start(registry):
    keys = [tmodel.key for tmodel in WELL_KNOWN]
    assert tuple(registry.client().get_tmodel_detail(keys)) == WELL_KNOWN


def test_a_wrong_password_is_said_so(registry):
    with pytest.raises(UddiError) as refused:
        publish_node(registry.client(), "hx", "wrong", HX, [entry("hx")])
    assert refused.value.code == "unknownUser"


def test_a_registry_that_is_not_there_is_said_so(tmp_path):
    with running(config(tmp_path)) as server:
        client = server.client()
    with pytest.raises(RegistryUnavailable, match=client.base_url):
        client.bindings()


def test_something_else_at_the_address_is_said_so(registry):
    with pytest.raises(RegistryUnavailable, match="404"):
        UddiClient(registry.url + "/elsewhere").bindings()


def test_everything_is_there_after_a_restart(tmp_path):
    with running(config(tmp_path)) as server:
        publish(server, HX, entry("hx"))
        before = server.client().bindings()
        token = server.token()
    with running(config(tmp_path)) as server:
        assert server.client().bindings() == before
        server.client().save_tmodels(token, [TModel(name=LangText("令牌仍有效"))])


def test_the_nodes_contacts_stand_on_the_business(registry):
    owner = ContactEntry(OWNER, "信息科 李工", "0571-0000 8101", "li@hx.example")
    publish(registry, replace(HX, contacts=(owner,)), entry("hx"))
    client, token = registry.client(), registry.token()
    (business,) = client.get_business_detail(["uddi:yilian:hospital:hx"])
    (contact,) = business.contacts
    assert contact.use_type == "owner"
    assert contact.phones[0].value == "0571-0000 8101"
    by_hand = Contact((LangText("医务科"),), "medical")
    client.save_businesses(token, [replace(business, contacts=(contact, by_hand))])
    other = ContactEntry(OWNER, "信息科 王工")
    publish(registry, replace(HX, contacts=(other,)), entry("hx"))
    (business,) = client.get_business_detail(["uddi:yilian:hospital:hx"])
    assert [one.person_names[0].value for one in business.contacts] == ["信息科 王工", "医务科"]
