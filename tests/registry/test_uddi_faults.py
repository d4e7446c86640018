"""Every refusal, asserted on the wire: HTTP 500 and the errno where UDDI puts it."""

import gzip

import pytest
from lxml import etree
from registry_server import HASHES, PASSWORDS, config, running, soap, v3
from sqlalchemy import create_engine, text, update

from registry.tables import token as token_table


@pytest.fixture(scope="module")
def registry(tmp_path_factory, backend):
    """One for all: what these tests send is refused, or is under keys of their own."""
    with running(config(tmp_path_factory.mktemp("registry"))) as server:
        yield server


SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"


def token_of(registry, user="hx"):
    return f"<authInfo>{registry.token(user)}</authInfo>"


def business(name="甲", key="", content=""):
    return f'<businessEntity businessKey="{key}"><name>{name}</name>{content}</businessEntity>'


def tmodel(key, category=""):
    return f'<tModel tModelKey="{key}"><name>t</name>{category}</tModel>'


def refused(registry, port, message):
    reply = registry.uddi(port, message)
    assert reply.status == 500
    assert reply.headers["content-type"] == "text/xml; charset=utf-8"
    assert reply.content.findtext("faultcode").startswith("soap:")
    assert reply.content.findtext("faultstring")
    return reply.error


@pytest.mark.parametrize(
    ("port", "message", "error"),
    [
        ("inquiry", '<find_business xmlns="urn:somebody:else"/>', 10040),
        ("inquiry", "<find_business/>", 10040),
        ("inquiry", v3("find_everything"), 10050),
        ("inquiry", v3("get_authToken", attributes='userID="hx" cred="x"'), 10050),
        ("publish", v3("find_business"), 10050),
        ("subscription", '<get_subscriptions xmlns="urn:uddi-org:sub_v3"/>', 10120),
        ("subscription", v3("find_business"), 10050),
        ("inquiry", v3("find_business", "<colour>red</colour>"), 10500),
        ("inquiry", v3("find_business", attributes='maxRows="many"'), 10500),
        ("inquiry", v3("find_business", "<name>a</name>", 'maxRows="0"'), 10500),
        ("inquiry", v3("find_business", "<name>a</name>", 'listHead="0"'), 10500),
        ("inquiry", v3("find_business", f"<name>{'长' * 256}</name>"), 10500),
        ("inquiry", v3("get_businessDetail"), 10500),
        ("inquiry", v3("get_businessDetail", "<businessKey>uddi:none</businessKey>"), 10210),
        ("inquiry", v3("get_serviceDetail", "<serviceKey>uddi:none</serviceKey>"), 10210),
        ("inquiry", v3("get_bindingDetail", "<bindingKey>uddi:none</bindingKey>"), 10210),
        ("inquiry", v3("get_tModelDetail", "<tModelKey>uddi:none</tModelKey>"), 10210),
        ("inquiry", v3("get_operationalInfo", "<entityKey>uddi:none</entityKey>"), 10210),
        ("inquiry", v3("find_service", attributes='businessKey="uddi:none"'), 10210),
        ("inquiry", v3("find_binding", attributes='serviceKey="uddi:none"'), 10210),
        ("security", v3("get_authToken", attributes='userID="hx" cred="wrong"'), 10150),
        ("security", v3("get_authToken", attributes='userID="nobody" cred="x"'), 10150),
        ("security", v3("discard_authToken", "<authInfo>authtoken:made-up</authInfo>"), 10120),
        ("publish", v3("save_business", business()), 10120),
        ("publish", v3("save_business", "<authInfo>made-up</authInfo>" + business()), 10120),
        ("publish", v3("delete_business", "<businessKey>uddi:x</businessKey>"), 10120),
        ("publish", v3("get_registeredInfo", attributes='infoSelection="all"'), 10120),
    ],
)  # fmt: skip
def test_what_is_refused_before_anything_is_stored(registry, port, message, error):
    assert refused(registry, port, message)[0] == error


@pytest.mark.parametrize(
    ("qualifiers", "error"),
    [
        (("exactMatch", "approximateMatch"), 40500),
        (("exactMatch", "caseInsensitiveMatch"), 40500),
        (("caseSensitiveMatch", "CASEINSENSITIVEMATCH"), 40500),
        (("andAllKeys", "orAllKeys"), 40500),
        (("orAllKeys", "orLikeKeys"), 40500),
        (("sortByNameAsc", "sortByNameDesc"), 40500),
        (("sortByDateAsc", "uddi:uddi.org:findqualifier:sortByDateDesc"), 40500),
        (("combineCategoryBags", "serviceSubset"), 40500),
        (("serviceSubset", "bindingSubset"), 40500),
        (("diacriticInsensitiveMatch",), 10050),
        (("UTS-10",), 10050),
        (("soundsLike",), 10050),
    ],
)
def test_find_qualifiers_that_are_refused(registry, qualifiers, error):
    listed = "".join(f"<findQualifier>{q}</findQualifier>" for q in qualifiers)
    message = v3("find_business", f"<findQualifiers>{listed}</findQualifiers><name>%</name>")
    assert refused(registry, "inquiry", message)[0] == error


@pytest.mark.parametrize(
    ("operation", "content", "error"),
    [
        ("save_business", business(key="no-key"), 10210),
        ("save_business", business(key="uddi:has space:x"), 10210),
        ("save_business", business(key="uddi:acme.org:b"), 40100),
        ("save_business", business(key="uddi:acme.org:keygenerator"), 10210),
        ("save_business", business(key="uddi:uddi.org:mine"), 40100),
        ("save_business", business(key="uddi:uddi.org:wsdl:types"), 10140),
        ("save_business", business(key="uddi:yilian:hospital:sq"), 20210),
        ("save_business", business(name=""), 10500),
        ("save_business", business(name="长" * 256), 10500),
        ("save_business", business(content=f"<description>{'x' * 256}</description>"), 10500),
        ("save_business", "<businessEntity/>", 10500),
        ("save_business", business(content='<categoryBag><keyedReference tModelKey="uddi:none" '
                                           'keyValue="x"/></categoryBag>'), 10210),
        ("save_business", business(content='<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'),
         40400),
        ("save_service", '<businessService businessKey="uddi:none"/>', 10210),
        ("save_service", "<businessService/>", 10210),
        ("save_binding", '<bindingTemplate serviceKey="uddi:none"><accessPoint>http://x</accessPoint>'
                         "</bindingTemplate>", 10210),
        ("save_binding", '<bindingTemplate serviceKey="uddi:none"/>', 10500),
        ("save_tModel", tmodel("uddi:uddi.org:wsdl:types"), 10140),
        ("save_tModel", tmodel("uddi:acme.org:t"), 40100),
        ("save_tModel", tmodel("uddi:yilian:own:keygenerator"), 40100),
        ("save_tModel", tmodel("uddi:somebody.org:keygenerator"), 10210),
        ("delete_business", "<businessKey>uddi:none</businessKey>", 10210),
        ("delete_tModel", "<tModelKey>uddi:uddi.org:wsdl:types</tModelKey>", 10140),
        ("delete_business", "<businessKey>uddi:uddi.org:wsdl:types</businessKey>", 10210),
    ],
)  # fmt: skip
def test_publications_that_are_refused(registry, operation, content, error):
    message = v3(operation, token_of(registry) + content)
    assert refused(registry, "publish", message)[0] == error


def test_another_publishers_entity_is_a_user_mismatch(registry):
    saved = registry.uddi("publish", v3("save_business", token_of(registry, "hx") + business()))
    key = saved.content[0].get("businessKey")
    other = token_of(registry, "sq")
    for operation, content in (
        ("save_business", business(key=key)),
        ("save_service", f'<businessService businessKey="{key}"/>'),
        ("delete_business", f"<businessKey>{key}</businessKey>"),
    ):
        error = refused(registry, "publish", v3(operation, other + content))
        assert error == (10140, "E_userMismatch"), operation


def test_a_partition_belongs_to_the_owner_of_its_generator(registry):
    generator = tmodel(
        "uddi:acme.org:keygenerator",
        '<categoryBag><keyedReference tModelKey="uddi:uddi.org:categorization:types" '
        'keyValue="keyGenerator"/></categoryBag>',
    )
    owner, other = token_of(registry, "hx"), token_of(registry, "sq")
    assert registry.uddi("publish", v3("save_tModel", owner + generator)).status == 200
    mine = v3("save_tModel", owner + tmodel("uddi:Acme.org:T1"))
    saved = registry.uddi("publish", mine)
    assert saved.content[0].get("tModelKey") == "uddi:acme.org:t1"
    error = refused(registry, "publish", v3("save_tModel", other + tmodel("uddi:acme.org:t2")))
    assert error == (40100, "E_keyUnavailable")


def test_an_expired_token(tmp_path):
    with running(config(tmp_path)) as registry:
        token = token_of(registry)
        engine = create_engine(config(tmp_path).store.url)
        with engine.begin() as connection:
            connection.execute(update(token_table).values(expires=1))
        engine.dispose()
        assert refused(registry, "publish", v3("save_business", token + business())) == (
            10110,
            "E_authTokenExpired",
        )


def test_a_discarded_token_is_of_no_use(registry):
    token = token_of(registry)
    discarded = registry.uddi("security", v3("discard_authToken", token))
    assert discarded.status == 200
    assert len(discarded.tree.find(f"{SOAP}Body")) == 0
    assert refused(registry, "publish", v3("save_business", token + business()))[0] == 10120


def test_a_publisher_taken_out_of_the_configuration_is_out(tmp_path):
    with running(config(tmp_path)) as registry:
        token = token_of(registry)
    only = ({"user": "sq", "password_hash": HASHES["sq"]},)
    with running(config(tmp_path, publishers=only)) as registry:
        assert refused(registry, "publish", v3("save_business", token + business()))[0] == 10120


@pytest.mark.parametrize("namespace", ["urn:uddi-org:api_v2", "urn:uddi-org:api"])
def test_older_versions_are_answered_in_their_own_report(registry, namespace):
    reply = registry.uddi("inquiry", f'<find_business xmlns="{namespace}"/>')
    report = reply.content.find("detail")[0]
    assert etree.QName(report).namespace == namespace
    assert (
        report.get("generic")
        == {"urn:uddi-org:api_v2": "2.0", "urn:uddi-org:api": "1.0"}[namespace]
    )
    assert report.get("operator")


# --- envelopes -------------------------------------------------------------------------------

FIND = v3("find_business", "<name>无</name>")


@pytest.mark.parametrize(
    ("body", "faultcode"),
    [
        (b"", "soap:Client"),
        (b"<", "soap:Client"),
        (b"not xml", "soap:Client"),
        (b"\xff\xfe", "soap:Client"),
        (b"<find_business/>", "soap:Client"),
        (soap("").encode(), "soap:Client"),
        (soap(FIND + FIND).encode(), "soap:Client"),
        (soap(FIND).replace("schemas.xmlsoap.org/soap/envelope/",
                            "www.w3.org/2003/05/soap-envelope").encode(), "soap:VersionMismatch"),
        (soap(FIND).replace("<s:Body>", '<s:Header><a:x xmlns:a="urn:a" s:mustUnderstand="1"/>'
                            "</s:Header><s:Body>").encode(), "soap:MustUnderstand"),
        (soap(FIND).replace("<s:Env", '<!DOCTYPE s:Envelope [<!ENTITY a "b">]><s:Env').encode(),
         "soap:Client"),
        (soap(FIND).replace('encoding="utf-8"?>', 'encoding="utf-16"?><!DOCTYPE x>')
         .encode("utf-16"), "soap:Client"),
        (soap(FIND).replace('"utf-8"', '"no-such"').encode(), "soap:Client"),
        (soap(FIND).replace('"utf-8"', '"rot13"').encode(), "soap:Client"),
        (soap(FIND).replace('"utf-8"', '"zlib"').encode(), "soap:Client"),
        (soap(FIND).replace('"utf-8"', '"punycode"').encode(), "soap:Client"),
        (soap("<a>" * 100_000).encode(), "soap:Client"),
        (soap(FIND).replace("无", "&undefined;").encode(), "soap:Client"),
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_a_plain_fault(registry, body, faultcode):
    reply = registry.send("POST", "/uddi/inquiry", body, {"Content-Type": "text/xml"})
    assert reply.status == 500
    assert reply.content.findtext("faultcode") == faultcode
    assert reply.content.find("detail") is None


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (soap(FIND).encode("utf-8-sig"), {"Content-Type": "text/xml"}),
        (soap(FIND).replace("utf-8", "utf-16").encode("utf-16"), {"Content-Type": "text/xml"}),
        (soap(FIND).replace("utf-8", "gb2312").encode("gbk"), {"Content-Type": "text/xml"}),
        (soap(FIND).encode("gb18030"), {"Content-Type": 'text/xml; charset="GB2312"'}),
        (soap(FIND).encode(), {"Content-Type": "text/xml", "SOAPAction": '"anything"'}),
        (soap(FIND).encode(), {"Content-Type": "text/xml", "SOAPAction": "get_tModelDetail"}),
        (soap(FIND).encode(), {}),
        (soap("<!-- c -->" + FIND).encode(), {"Content-Type": "text/xml"}),
    ],
)
def test_envelopes_of_every_kind_are_understood(registry, body, headers):
    reply = registry.send("POST", "/uddi/inquiry", body, headers)
    assert reply.status == 200, reply.body
    assert etree.QName(reply.content).localname == "businessList"


def test_a_message_that_is_too_large(tmp_path):
    with running(config(tmp_path, inquiry={"max_body_bytes": 2000})) as registry:
        many = v3("get_tModelDetail", "<tModelKey>uddi:x</tModelKey>" * 100)
        assert refused(registry, "inquiry", many) == (30110, "E_messageTooLarge")


def test_a_compressed_message_is_refused(registry):
    reply = registry.send(
        "POST", "/uddi/inquiry", gzip.compress(soap(FIND).encode()), {"Content-Encoding": "gzip"}
    )
    assert reply.error[0] == 10500


def test_a_database_that_fails_is_a_server_fault_without_its_details(tmp_path):
    with running(config(tmp_path)) as registry:
        assert registry.send("GET", "/health").status == 200
        engine = create_engine(config(tmp_path).store.url)
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE entity RENAME TO elsewhere"))
        engine.dispose()
        reply = registry.uddi("inquiry", FIND)
        assert reply.status == 500
        assert reply.content.findtext("faultcode") == "soap:Server"
        assert "elsewhere" not in reply.body.decode()


def test_passwords_are_in_no_answer(registry):
    message = v3("get_authToken", attributes=f'userID="hx" cred="{PASSWORDS["hx"]}!"')
    assert PASSWORDS["hx"] not in registry.uddi("security", message).body.decode()
