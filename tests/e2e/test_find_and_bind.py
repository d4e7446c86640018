"""An integration engineer's way: the registry by its own WSDL, then the service, all by zeep."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import zeep
import zeep.exceptions

from tests.conftest import Alliance
from tests.e2e.databases import lab_tests
from yilian.demo.plan import PATIENT

XML_NAMESPACE = "uddi:uddi.org:xml:namespace"
FACE_INSIDE = "uddi:yilian:face:inside"


def inquiry(alliance: Alliance) -> zeep.proxy.ServiceProxy:
    return zeep.Client(f"{alliance.plan.registry}/uddi/inquiry?wsdl").service


def outside_address(alliance: Alliance, service_key: str) -> str:
    detail = inquiry(alliance).get_serviceDetail(serviceKey=[service_key])
    (service,) = detail if isinstance(detail, list) else detail["businessService"]
    addresses = [
        template["accessPoint"]["_value_1"]
        for template in service["bindingTemplates"]["bindingTemplate"]
        if FACE_INSIDE
        not in [
            info["tModelKey"] for info in template["tModelInstanceDetails"]["tModelInstanceInfo"]
        ]
    ]
    (address,) = addresses
    return str(address)


def service_keys(found: object) -> list[str]:
    infos = found["serviceInfos"]["serviceInfo"]  # type: ignore[index]
    return sorted(info["serviceKey"] for info in infos)


def test_zeep_finds_by_name_binds_and_calls(alliance: Alliance) -> None:
    found = inquiry(alliance).find_service(name=[{"_value_1": "LabResults"}])
    keys = service_keys(found)
    assert keys == ["uddi:yilian:hx:labresults", "uddi:yilian:sq:labresults"]
    for key, code in zip(keys, ("hx", "sq"), strict=True):
        address = outside_address(alliance, key)
        assert address == f"{alliance.plan.gateway}/{code}/LabResults"
        client = zeep.Client(f"{address}?wsdl")
        masters = client.service.QueryLabMaster(PatientId=PATIENT)
        expected = {test.number: test for test in lab_tests(alliance, code, PATIENT, void=True)}
        assert {master.TestNo for master in masters} == set(expected)
        for master in masters:
            assert (master.RelevantClinicDiag or "").strip() == _lines(
                expected[master.TestNo].raw_diagnosis
            )
        assert sum(master.Final for master in masters) >= 5


def _lines(text: str | None) -> str:
    # XML has no other line break than \n: a reader sees \r\n only where it was written as &#13;.
    return (text or "").strip()


def test_zeep_finds_by_category_and_asks_for_number_sources(alliance: Alliance) -> None:
    category = {
        "tModelKey": XML_NAMESPACE,
        "keyName": "",
        "keyValue": "urn:yilian:NumberSource:1",
    }
    found = inquiry(alliance).find_service(categoryBag={"keyedReference": [category]})
    keys = service_keys(found)
    assert keys == ["uddi:yilian:hx:numbersource", "uddi:yilian:sq:numbersource"]
    for key in keys:
        client = zeep.Client(f"{outside_address(alliance, key)}?wsdl")
        slots = []
        for day in range(-7, 31):
            day_slots = client.service.QueryNumberSource(
                ScheduleDate=date.today() + timedelta(days=day)
            )
            slots += day_slots
        assert any(slot.Stopped for slot in slots)
        assert any(slot.Unlimited and slot.Remaining is None for slot in slots)
        assert any(slot.Remaining == 0 for slot in slots)
        assert not all(slot.OpenToRemote for slot in slots)
        one = slots[0]
        assert (
            client.service.GetNumberSource(ScheduleId=one.ScheduleId).ClinicName == one.ClinicName
        )


def test_a_typed_error_is_a_fault_with_its_code(alliance: Alliance) -> None:
    client = zeep.Client(f"{alliance.plan.gateway}/hx/LabResults?wsdl")
    with pytest.raises(zeep.exceptions.Fault) as caught:
        client.service.GetLabResult(TestNo="no such")
    assert b"NotFound" in zeep.wsdl.utils.etree_to_string(caught.value.detail)
