"""UDDI 2 and 1 on the wire: keys, matching, publishing, and answers that their schemas allow."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from lxml import etree
from registry_server import PASSWORDS, Reply, Running, config, running, service_wsdl, v3

from registry.model import KeyedReference
from registry.older_keys import FIXED, newer_guess, older_key
from registry.publisher import HospitalEntry, ServiceEntry, publish_node
from registry.uddi import older_versions
from registry.uddi.older_versions import OLDER, V1, V2

FOLDER = Path(older_versions.__file__).parent
SCHEMAS = {n: etree.XMLSchema(file=str(FOLDER / f"uddi_v{n}.xsd")) for n in (1, 2)}
WSDL_TYPES = "uuid:6E090AFA-33E5-36EB-81B7-1CA18373F457"
NAMESPACE = "uuid:d01987d1-ab2e-3013-9be2-2a66eb99d824"
NOBODY = "0d7b9e5c-6b1f-4c43-9f0e-5f1d0b3c2a11"
HX = "uddi:yilian:hospital:hx"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        for code, name in (("hx", "华夏 Hospital_1"), ("sq", "华夏社区")):
            publish_node(
                server.client(),
                code,
                PASSWORDS[code],
                HospitalEntry(code, name, code.upper()),
                [
                    ServiceEntry(
                        "LabResults",
                        service_wsdl(),
                        f"https://gateway/{code}/LabResults",
                        f"http://node-{code}/LabResults",
                        zh="检验",
                    )
                ],
            )
        yield server


def ask(
    registry: Running, version: int, operation: str, content="", attributes="", port="inquiry"
) -> Reply:
    """Send it, and hold the answer against that version's schema."""
    older = V2 if version == 2 else V1
    reply = registry.uddi(
        port,
        f'<{operation} generic="{older.generic}" xmlns="{older.namespace}" {attributes}>'
        f"{content}</{operation}>",
    )
    answered = reply.content
    if reply.status == 500:
        answered = answered.find("detail")[0]
    schema = SCHEMAS[version]
    assert schema.validate(answered), (schema.error_log, reply.body.decode())
    assert answered.get("generic") == older.generic
    assert answered.get("operator")
    return reply


def keys(reply: Reply, name: str) -> list[str]:
    return [e.get(name) for e in reply.content.iter() if e.tag.endswith("Info") and e.get(name)]


def businesses(registry, version, *qualifiers, content):
    listed = "".join(f"<findQualifier>{q}</findQualifier>" for q in qualifiers)
    found = ask(
        registry,
        version,
        "find_business",
        f"<findQualifiers>{listed}</findQualifiers>{content}" if qualifiers else content,
    )
    back = {older_key(f"uddi:yilian:hospital:{code}"): code for code in ("hx", "sq")}
    infos = found.content.findall(".//{*}businessInfo")
    return sorted(back[info.get("businessKey")] for info in infos)


# --- keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("newer", "older"), FIXED.items())
def test_fixed_keys_go_both_ways(newer, older):
    assert older_key(newer) == older
    assert newer_guess(older) == newer


def test_a_uuid_key_is_itself_and_others_are_hashed():
    plain = str(uuid.uuid4())
    assert older_key(f"uddi:{plain}") == plain
    expected = uuid.uuid3(uuid.UUID("14e3a2b1-3bd8-4cf5-afa6-0d141bf32076"), HX)
    assert older_key(HX) == str(expected)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "tmodel",
    ["uuid:c1acf26d-9672-4404-9d70-39b756e62ab4", "UUID:C1ACF26D-9672-4404-9D70-39B756E62AB4",
     "uddi:uddi.org:categorization:types"],
)  # fmt: skip
def test_a_tmodel_by_its_older_key_in_any_case(registry, version, tmodel):
    reply = ask(registry, version, "get_tModelDetail", f"<tModelKey>{tmodel}</tModelKey>")
    (found,) = reply.content
    assert found.get("tModelKey") == "uuid:c1acf26d-9672-4404-9d70-39b756e62ab4"
    assert found.findtext("{*}name") == "uddi-org:types"


def test_a_reference_to_a_tmodel_is_translated_in_values_too(registry):
    binding = older_key("uddi:yilian:labresults:binding-v1")
    reply = ask(registry, 2, "get_tModelDetail", f"<tModelKey>uuid:{binding}</tModelKey>")
    reference = "uuid:082b0851-25d8-303c-b332-f24a6d53e38e"
    (found,) = reply.content.iterfind(f".//*[@tModelKey='{reference}']")
    assert found.get("keyValue") == f"uuid:{older_key('uddi:yilian:labresults:porttype-v1')}"
    again = ask(
        registry,
        2,
        "find_tModel",
        f'<categoryBag><keyedReference tModelKey="{reference.upper()}" '
        f'keyName="" keyValue="{found.get("keyValue").upper()}"/></categoryBag>',
    )
    assert keys(again, "tModelKey") == [f"uuid:{binding}"]


# --- finding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("qualifiers", "name", "found"),
    [
        ((), "华夏", ["hx", "sq"]),
        ((), "华夏 hosp", ["hx"]),
        ((), "hospital", []),
        ((), "%hospital", ["hx"]),
        ((), "华夏_", []),
        ((), "%\\", []),
        ((), "华夏 Hospital_", ["hx"]),
        (("exactNameMatch",), "华夏", []),
        (("exactNameMatch",), "华夏 hospital_1", ["hx"]),
        (("exactNameMatch", "caseSensitiveMatch"), "华夏 hospital_1", []),
        (("caseSensitiveMatch",), "华夏 hosp", []),
        (("CASEsensitivematch", "sortByNameDesc"), "华夏 Hosp", ["hx"]),
    ],
)
def test_names_match_from_the_beginning_in_any_case(registry, version, qualifiers, name, found):
    assert businesses(registry, version, *qualifiers, content=f"<name>{name}</name>") == found


@pytest.mark.parametrize("version", [1, 2])
def test_find_service_and_binding_and_their_details(registry, version):
    business = older_key(HX)
    found = ask(registry, version, "find_service", "<name>labr</name>", f'businessKey="{business}"')
    (service,) = keys(found, "serviceKey")
    detail = ask(registry, version, "get_serviceDetail", f"<serviceKey>{service}</serviceKey>")
    urls = [e.text for e in detail.content.iter("{*}accessPoint")]
    assert urls == ["https://gateway/hx/LabResults", "http://node-hx/LabResults"]
    types = [e.get("URLType") for e in detail.content.iter("{*}accessPoint")]
    assert types == ["https", "http"]
    tmodel = older_key("uddi:yilian:labresults:porttype-v1")
    bag = f"<tModelBag><tModelKey>uuid:{tmodel}</tModelKey></tModelBag>"
    bindings = ask(registry, version, "find_binding", bag, f'serviceKey="{service}"')
    assert [e.text for e in bindings.content.iter("{*}accessPoint")] == urls
    key = bindings.content[0].get("bindingKey")
    again = ask(registry, version, "get_bindingDetail", f"<bindingKey>{key}</bindingKey>")
    assert again.content[0].findtext("{*}accessPoint") == urls[0]
    ext = ask(registry, version, "get_businessDetailExt", f"<businessKey>{business}</businessKey>")
    assert ext.content[0][0].get("businessKey") == business


def test_version_1_tells_one_name_without_a_language(registry):
    reply = ask(registry, 1, "find_business", "<name>华夏社</name>")
    (name,) = reply.content.iterfind(".//{*}businessInfo/{*}name")
    assert (name.text, name.attrib) == ("华夏社区", {})
    both = ask(registry, 2, "find_business", "<name>华夏社</name>")
    assert len(list(both.content.iterfind(".//{*}businessInfo/{*}name"))) == 2


def test_category_values_are_no_patterns(registry):
    def found(value):
        reference = f'<keyedReference tModelKey="{WSDL_TYPES}" keyValue="{value}"/>'
        bag = f"<categoryBag>{reference}</categoryBag>"
        return len(keys(ask(registry, 2, "find_service", bag), "serviceKey"))

    assert found("SERVICE") == 2
    assert found("serv%") == 0
    assert found("_ervice") == 0


def test_rows_are_cut_and_said_to_be(registry):
    cut = ask(registry, 2, "find_business", "<name>华</name>", 'maxRows="1"')
    assert cut.content.get("truncated") == "true"
    whole = ask(registry, 2, "find_business", "<name>华</name>", 'maxRows="0"')
    assert whole.content.get("truncated") is None
    assert len(keys(whole, "businessKey")) == 4  # two, each with a service


# --- publishing ------------------------------------------------------------------------------


def publish(registry, operation, content="", port="publish"):
    return ask(registry, 2, operation, content, port=port)


@pytest.fixture
def token(registry):
    reply = ask(
        registry, 2, "get_authToken", attributes=f'userID="hx" cred="{PASSWORDS["hx"]}"',
        port="publish",
    )  # fmt: skip
    return f"<authInfo>{reply.content.findtext('{*}authInfo')}</authInfo>"


def test_a_whole_business_saved_read_and_deleted(registry, token):
    sent = (
        '<businessEntity businessKey="" operator="someone" authorizedName="x">'
        '<discoveryURLs><discoveryURL useType="page">http://acme/</discoveryURL></discoveryURLs>'
        '<name xml:lang="en">Acme</name><description>d</description>'
        "<contacts><contact useType='it'><personName>王</personName><phone>1</phone>"
        "<email>a@b</email><address useType='o' sortCode='1'><addressLine>Road</addressLine>"
        "</address></contact></contacts>"
        '<businessServices><businessService serviceKey="" businessKey=""><name>S</name>'
        '<bindingTemplates><bindingTemplate serviceKey="" bindingKey="">'
        '<accessPoint URLType="mailto">mailto:a@b</accessPoint>'
        f'<tModelInstanceDetails><tModelInstanceInfo tModelKey="{WSDL_TYPES}">'
        "<instanceDetails><overviewDoc><overviewURL>http://w</overviewURL></overviewDoc>"
        "<instanceParms>p</instanceParms></instanceDetails></tModelInstanceInfo>"
        "</tModelInstanceDetails></bindingTemplate></bindingTemplates>"
        "</businessService></businessServices>"
        f'<categoryBag><keyedReference tModelKey="{NAMESPACE}" keyName="n" keyValue="urn:x"/>'
        "</categoryBag></businessEntity>"
    )
    saved = publish(registry, "save_business", token + sent).content[0]
    key = saved.get("businessKey")
    assert uuid.UUID(key)
    got = ask(registry, 2, "get_businessDetail", f"<businessKey>{key}</businessKey>").content[0]
    assert etree.tostring(got) == etree.tostring(saved)
    assert got.find(".//{*}accessPoint").get("URLType") == "mailto"
    assert got.findtext(".//{*}personName") == "王"
    binding = got.find(".//{*}bindingTemplate").get("bindingKey")
    service = got.find(".//{*}businessService").get("serviceKey")
    redirecting = (
        f'<bindingTemplate bindingKey="" serviceKey="{service}">'
        f'<hostingRedirector bindingKey="{binding}"/><tModelInstanceDetails/></bindingTemplate>'
    )
    answered = publish(registry, "save_binding", token + redirecting).content[0]
    assert answered.find("{*}hostingRedirector").get("bindingKey") == binding
    done = publish(registry, "delete_business", f"{token}<businessKey>{key}</businessKey>")
    assert done.content[0].get("errno") == "0"
    assert done.content[0][0].get("errCode") == "E_success"
    gone = ask(registry, 2, "get_businessDetail", f"<businessKey>{key}</businessKey>")
    assert gone.error == (10210, "E_invalidKeyPassed")


def test_a_tmodel_saved_in_version_2_is_there_in_version_3(registry, token):
    saved = publish(
        registry, "save_tModel", f'{token}<tModel tModelKey=""><name>t2</name></tModel>'
    )
    key = saved.content[0].get("tModelKey")
    assert key.startswith("uuid:")
    newer = "uddi:" + key.removeprefix("uuid:")
    (found,) = registry.client().get_tmodel_detail([newer])
    assert found.name.value == "t2"
    done = publish(registry, "delete_tModel", f"{token}<tModelKey>{key}</tModelKey>")
    assert done.content[0].get("errno") == "0"
    info = publish(registry, "get_registeredInfo", token)
    assert key in keys(info, "tModelKey")
    assert older_key(HX) in keys(info, "businessKey")


def test_security_at_both_addresses_and_discarding(registry):
    for port in ("publish", "security"):
        reply = ask(
            registry, 2, "get_authToken", attributes=f'userID="sq" cred="{PASSWORDS["sq"]}"',
            port=port,
        )  # fmt: skip
        token = f"<authInfo>{reply.content.findtext('{*}authInfo')}</authInfo>"
        done = ask(registry, 2, "discard_authToken", token, port=port)
        assert done.content[0].get("errno") == "0"
        again = ask(registry, 2, "get_registeredInfo", token, port="publish")
        assert again.error == (10120, "E_authTokenRequired")


@pytest.mark.parametrize(
    ("version", "port", "operation", "attributes", "content", "error"),
    [
        (2, "inquiry", "find_binding", "", "", 10500),
        (1, "inquiry", "find_binding", "", "", 10500),
        (2, "inquiry", "find_everything", "", "", 10050),
        (1, "publish", "save_business", "", "", 10050),
        (2, "subscription", "find_business", "", "", 10050),
        (2, "inquiry", "save_business", "", "", 10050),
        (2, "inquiry", "find_business", "", "<colour/>", 10500),
        (2, "inquiry", "get_businessDetail", "", "<businessKey>x</businessKey>", 10210),
        (1, "inquiry", "get_serviceDetail", "",
         f"<serviceKey>{NOBODY}</serviceKey>", 10210),
        (2, "inquiry", "find_business", "",
         "<findQualifiers><findQualifier>soundex</findQualifier></findQualifiers>", 10050),
        (2, "inquiry", "find_business", "", "<findQualifiers><findQualifier>sortByNameAsc"
         "</findQualifier><findQualifier>sortByNameDesc</findQualifier></findQualifiers>"
         "<name>a</name>", 10050),
        (2, "publish", "save_business", "", "<authInfo>x</authInfo>", 10120),
        (2, "publish", "save_business", "", "<uploadRegister>http://10.0.0.1/</uploadRegister>",
         10050),
        (2, "publish", "save_business", "",
         f'<businessEntity businessKey="{NOBODY}"><name>a</name></businessEntity>', 10210),
        (2, "publish", "get_authToken", 'userID="hx" cred="wrong"', "", 10150),
    ],
)  # fmt: skip
def test_refusals_in_the_older_versions(
    registry, version, port, operation, attributes, content, error
):
    reply = ask(registry, version, operation, content, attributes, port)
    assert reply.status == 500
    assert reply.error[0] == error


@pytest.mark.parametrize("namespace", OLDER)
@pytest.mark.parametrize("generic", ["", 'generic="3.0"'])
def test_the_generic_must_be_the_versions(registry, namespace, generic):
    reply = registry.uddi("inquiry", f'<find_business {generic} xmlns="{namespace}"/>')
    assert reply.error == (10040, "E_unrecognizedVersion")
    report = reply.content.find("detail")[0]
    assert etree.QName(report).namespace == namespace


def test_what_only_version_3_has_is_left_out(registry):
    client = registry.client()
    (business,) = client.get_business_detail([HX])
    content = (
        f'<businessEntity businessKey="{HX}:extra"><name>extra</name><businessServices>'
        "<businessService><bindingTemplates><bindingTemplate><accessPoint useType='x'>foo"
        '</accessPoint><categoryBag><keyedReference tModelKey="uddi:uddi.org:xml:namespace" '
        'keyValue="x"/></categoryBag></bindingTemplate></bindingTemplates></businessService>'
        '</businessServices><categoryBag><keyedReferenceGroup tModelKey="uddi:uddi.org:xml:'
        'namespace"><keyedReference tModelKey="uddi:uddi.org:xml:namespace" keyValue="y"/>'
        "</keyedReferenceGroup></categoryBag></businessEntity>"
    )
    token = f"<authInfo>{registry.token('admin')}</authInfo>"
    assert registry.uddi("publish", v3("save_business", token + content)).status == 200
    reply = ask(
        registry, 2, "get_businessDetail",
        f"<businessKey>{older_key(HX + ':extra')}</businessKey>",
    )  # fmt: skip
    assert reply.content.find(".//{*}categoryBag") is None
    assert reply.content.find(".//{*}accessPoint").get("URLType") == "other"
    assert KeyedReference in {type(r) for r in business.identifier_bag}
