"""Envelopes as real clients send them, byte for byte, heads included."""

from __future__ import annotations

import pytest
from lxml import etree
from registry_server import PASSWORDS, Running, config, running, service_wsdl

from registry.older_keys import older_key
from registry.publisher import HospitalEntry, ServiceEntry, publish_node

HX = "uddi:yilian:hospital:hx"
SERVICE = "uddi:yilian:hx:labresults"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        publish(server)
        yield server


def publish(server: Running, address: str = "http://gw/hx/LabResults") -> None:
    entry = ServiceEntry("LabResults", service_wsdl(), address, "http://n/hx/L", zh="检验")
    hospital = HospitalEntry("hx", "华夏中心医院", "Huaxia")
    publish_node(server.client(), "hx", PASSWORDS["hx"], hospital, [entry])


def post(registry: Running, body: str, **headers: str) -> etree._Element:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = registry.send("POST", "/uddi/inquiry", body.encode("utf-8"), sent)
    assert reply.status == 200, reply.body.decode()
    return reply.content


# --- HHS CONNECT: version 3 over JAX-WS ------------------------------------------------------


def connect(content: str) -> str:
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>'
        f"{content}</S:Body></S:Envelope>"
    )


CONNECT_SPACES = (
    'xmlns="urn:uddi-org:api_v3" xmlns:ns2="http://www.w3.org/2000/09/xmldsig#" '
    'xmlns:ns3="urn:uddi-org:sub_v3"'
)
CONNECT_HEADS = {
    "Content_Type": "text/xml;charset=UTF-8",
    "SOAPAction": '"find_business"',
    "Accept": "text/xml, multipart/related",
    "User_Agent": "Metro/2.1",
}


def test_connect_finds_all_by_a_percent_sign_and_gets_them_by_all_keys(registry):
    found = post(
        registry,
        connect(
            f'<find_business {CONNECT_SPACES} maxRows="100"><authInfo></authInfo><findQualifiers>'
            "<findQualifier>approximateMatch</findQualifier></findQualifiers><name>%</name>"
            "</find_business>"
        ),
        **CONNECT_HEADS,
    )
    keys = [info.get("businessKey") for info in found.iter("{*}businessInfo")]
    assert keys == [HX]
    listed = "".join(f"<businessKey>{key}</businessKey>" for key in keys)
    detail = post(
        registry,
        connect(f"<get_businessDetail {CONNECT_SPACES}>{listed}</get_businessDetail>"),
        **{**CONNECT_HEADS, "SOAPAction": '"get_businessDetail"'},
    )
    assert len(detail) == 1


def test_connect_without_criteria_needs_the_switch(tmp_path, registry):
    bare = connect(f"<find_business {CONNECT_SPACES}/>")
    assert len(post(registry, bare, **CONNECT_HEADS)) == 0
    with running(config(tmp_path, inquiry={"find_all_without_criteria": True})) as switched:
        publish(switched)
        found = post(switched, bare, **CONNECT_HEADS)
        assert [info.get("businessKey") for info in found.iter("{*}businessInfo")] == [HX]


# --- InterSystems: version 3, all ten of inquiry ---------------------------------------------

KEYS = {
    "get_businessDetail": f"<businessKey>{HX}</businessKey>",
    "get_serviceDetail": f"<serviceKey>{SERVICE}</serviceKey>",
    "get_bindingDetail": f"<bindingKey>{SERVICE}:outside</bindingKey>",
    "get_tModelDetail": "<tModelKey>uddi:uddi.org:wsdl:types</tModelKey>",
    "get_operationalInfo": f"<entityKey>{HX}</entityKey>",
    "find_business": '<name xml:lang="zh">华夏中心医院</name>',
    "find_service": "<name>LabResults</name>",
    "find_binding": "<tModelBag><tModelKey>uddi:yilian:labresults:porttype-v1</tModelKey>"
    "</tModelBag>",
    "find_tModel": "<name>uddi-org:types</name>",
    "find_relatedBusinesses": f"<businessKey>{HX}</businessKey>",
}


@pytest.mark.parametrize("operation", KEYS)
def test_intersystems_ten_operations(registry, operation):
    body = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        "<SOAP-ENV:Envelope xmlns:SOAP-ENV='http://schemas.xmlsoap.org/soap/envelope/' "
        "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
        "xmlns:s='http://www.w3.org/2001/XMLSchema'>\n  <SOAP-ENV:Body>"
        f'<{operation} xmlns="urn:uddi-org:api_v3">{KEYS[operation]}</{operation}>'
        "</SOAP-ENV:Body>\n</SOAP-ENV:Envelope>\n"
    )
    answer = post(registry, body, Content_Type="text/xml; charset=UTF-8", SOAPAction=operation)
    assert len(answer) or operation == "find_relatedBusinesses"


# --- Microsoft's UDDI SDK: version 2 ---------------------------------------------------------


def microsoft(content: str) -> str:
    return (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><soap:Envelope '
        'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
        f"{content}</soap:Body></soap:Envelope>"
    )


def test_microsofts_sdk_finds_a_business_its_service_and_a_binding(registry):
    heads = {
        "Content_Type": "text/xml; charset=utf-8",
        "SOAPAction": '""',
        "User_Agent": "Mozilla/4.0 (compatible; MSIE 6.0; MS Web Services Client Protocol)",
        "Expect": "",
    }
    del heads["Expect"]
    found = post(
        registry,
        microsoft(
            '<find_business generic="2.0" maxRows="1000" xmlns="urn:uddi-org:api_v2">'
            '<findQualifiers /><name xml:lang="zh">华夏</name></find_business>'
        ),
        **heads,
    )
    (info,) = found.iter("{*}serviceInfo")
    service = info.get("serviceKey")
    assert service == older_key(SERVICE)
    bag = f"<tModelKey>uuid:{older_key('uddi:yilian:labresults:binding-v1')}</tModelKey>"
    detail = post(
        registry,
        microsoft(
            f'<find_binding generic="2.0" maxRows="1000" serviceKey="{service}" '
            f'xmlns="urn:uddi-org:api_v2"><findQualifiers /><tModelBag>{bag}</tModelBag>'
            "</find_binding>"
        ),
        **heads,
    )
    assert detail[0].findtext("{*}accessPoint") == "http://gw/hx/LabResults"


# --- Delphi: version 1 -----------------------------------------------------------------------


def delphi(content: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<SOAP-ENV:Envelope '
        'xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP-ENV:Body>'
        f"{content}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def test_delphi_reads_a_moved_service_again_and_goes_on(tmp_path):
    heads = {
        "Content_Type": 'text/xml; charset="utf-8"',
        "SOAPAction": '""',
        "User_Agent": "Borland SOAP 1.2",
    }
    with running(config(tmp_path)) as registry:
        publish(registry)

        def address() -> str:
            body = delphi(
                '<get_bindingDetail xmlns="urn:uddi-org:api" generic="1.0"><bindingKey>'
                f"{older_key(SERVICE + ':outside')}</bindingKey></get_bindingDetail>"
            )
            detail = post(registry, body, **heads)
            assert detail.get("generic") == "1.0"
            return detail[0].findtext("{*}accessPoint")

        assert address() == "http://gw/hx/LabResults"
        publish(registry, "https://new-gateway/hx/LabResults")
        assert address() == "https://new-gateway/hx/LabResults"


# --- PowerBuilder's UDDIProxy ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("namespace", "generic"), [("urn:uddi-org:api_v2", "2.0"), ("urn:uddi-org:api", "1.0")]
)
def test_powerbuilder_comes_to_the_wsdl_by_the_tmodels_overview_url(registry, namespace, generic):
    def ask(operation: str, content: str, attributes: str = "") -> etree._Element:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<soapenv:Body><{operation} generic="{generic}" {attributes} xmlns="{namespace}">'
            f"{content}</{operation}></soapenv:Body></soapenv:Envelope>"
        )
        return post(registry, body, Content_Type="text/xml; charset=utf-8", SOAPAction='""')

    found = ask("find_service", "<name>LabR</name>", f'businessKey="{older_key(HX)}" maxRows="20"')
    (info,) = found.iter("{*}serviceInfo")
    detail = ask("get_serviceDetail", f"<serviceKey>{info.get('serviceKey')}</serviceKey>")
    tmodel = detail.find(".//{*}tModelInstanceInfo").get("tModelKey")
    contract = ask("get_tModelDetail", f"<tModelKey>{tmodel}</tModelKey>")
    url = contract.findtext(".//{*}overviewDoc/{*}overviewURL")
    assert url == "http://gw/hx/LabResults?wsdl"
