"""The one parse: what it says of a message, and which rule refuses what."""

from __future__ import annotations

import pytest

from gateway.admission.message import inspect
from services.faults import Fault, MalformedMessage
from services.soap.bounds import Limits
from services.soap.codec import codecs
from services.soap.interface import his_service_interface
from services.soap.version import SOAP_1_1, SOAP_1_2, SoapVersion

LAB = "urn:yilian:LabResults:1"
HIS = "http://tempuri.org/"
WSA = "http://www.w3.org/2005/08/addressing"
LIMITS = Limits(
    size=200_000,
    depth=16,
    elements=400,
    attributes=100,
    attributes_each=8,
    name_length=256,
    text_bytes=20_000,
    namespaces=10,
    instructions=False,
)


def enveloped(content: str, header: str = "", version: SoapVersion = SOAP_1_1) -> bytes:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return (
        f'<s:Envelope xmlns:s="{version.envelope}">{head}<s:Body>{content}</s:Body></s:Envelope>'
    ).encode()


def call(content: str = "<PatientId>0000000001</PatientId>", name: str = "GetLabResult") -> str:
    return f'<{name} xmlns="{LAB}">{content}</{name}>'


def rule(body: bytes, content_type: str | None = "text/xml", action: str | None = None) -> str:
    """The rule by which it is refused."""
    with pytest.raises(Fault) as refused:
        inspect(body, content_type, action, LIMITS)
    assert refused.value.zh and refused.value.en
    return refused.value.rule


def test_what_is_said_of_a_message() -> None:
    body = enveloped(call("<RequestId> r-1 </RequestId><PatientId>0000000001</PatientId>"))
    message = inspect(body, "text/xml; charset=utf-8", f'"{LAB}/GetLabResult"', LIMITS)
    assert message.version is SOAP_1_1
    assert (message.namespace, message.operation) == (LAB, "GetLabResult")
    assert (message.request_id, message.patient_id) == ("r-1", "0000000001")
    assert message.root.tag == f"{{{SOAP_1_1.envelope}}}Envelope"
    assert message.element.tag == f"{{{LAB}}}GetLabResult"
    assert message.others == () and message.security is None


def test_soap_1_2_and_a_patient_within_a_record() -> None:
    content = call("<RequestId/><Patient><PatientId>7</PatientId></Patient>", "PlaceLabOrder")
    message = inspect(enveloped(content, version=SOAP_1_2), None, None, LIMITS)
    assert message.version is SOAP_1_2
    assert (message.request_id, message.patient_id) == (None, "7")


def test_rpc_encoded_with_references() -> None:
    content = (
        f'<h:getlabmaster xmlns:h="{HIS}"><PatientId href="#id0"/><str href="#id1"/>'
        '</h:getlabmaster><multiRef id="id0">0000000009</multiRef><multiRef id="id1"/>'
    )
    message = inspect(enveloped(content), "text/xml", '""', LIMITS)
    assert message.patient_id == "0000000009"
    assert len(message.others) == 2


ENC = "http://www.w3.org/2003/05/soap-encoding"
NIL = 'xmlns:x="http://www.w3.org/2001/XMLSchema-instance" x:nil="true"'
DECOY = "decoy</PatientId></getlabmaster>"


@pytest.mark.parametrize(
    "rest",
    [
        "<PatientId>1<!-- 2 -->3<![CDATA[4]]></PatientId></getlabmaster>",
        f'<PatientId href="#a">{DECOY}<m id="a">1</m>',
        f'<PatientId href="a">{DECOY}<m xmlns:e="{ENC}" e:id="a">1</m>',
        f'<PatientId e:ref="a">{DECOY}<m xmlns:e="{ENC}" e:id="a">1<!-- 2 -->3</m>',
        f'<PatientId e:ref="a">{DECOY}<m id="a">1</m>',
        f"<PatientId {NIL}>{DECOY}",
        f'<PatientId href="#a">{DECOY}<m id="a" {NIL}>another</m>',
    ],
)
def test_the_patient_on_record_is_the_one_that_the_node_will_read(rest: str) -> None:
    """However an rpc client, or somebody who writes as one, refers to it."""
    content = f'<getlabmaster xmlns="{HIS}" xmlns:e="{ENC}">{rest}'
    message = inspect(enveloped(content), "text/xml", None, LIMITS)
    [codec] = [
        c for c in codecs(his_service_interface()).values() if c.operation.name == "getlabmaster"
    ]
    assert codec.decode(message.element, message.others)["PatientId"] == message.patient_id


def test_an_unqualified_operation_has_no_namespace() -> None:
    message = inspect(enveloped("<getlabmaster/>"), "text/xml", f"{HIS}getlabmaster", LIMITS)
    assert (message.namespace, message.operation) == ("", "getlabmaster")


@pytest.mark.parametrize(
    "action",
    [
        *(None, "", '""', "GetLabResult", '"GetLabResult"', f"{LAB}/GetLabResult"),
        *(f'"{LAB}#GetLabResult"', f"{LAB}:GetLabResult", f" {LAB}/LabResults/GetLabResult "),
    ],
)
def test_actions_that_agree(action: str | None) -> None:
    assert inspect(enveloped(call()), "text/xml", action, LIMITS).operation == "GetLabResult"


@pytest.mark.parametrize(
    ("content_type", "action"),
    [
        ("text/xml", "GetLabResults"),
        ("text/xml", "getlabresult"),
        ("text/xml", "urn:evil/GetLabResult"),
        ("text/xml", f"{LAB}0/GetLabResult"),
        ("text/xml", f"{LAB}/MarkLabPrinted"),
        ('application/soap+xml; action="urn:x/MarkLabPrinted"', None),
        ('application/soap+xml; action="MarkLabPrinted"', "GetLabResult"),
        ('application/soap+xml; action="GetLabResult"; action="MarkLabPrinted"', None),
        ("application/soap+xml; ACTION=MarkLabPrinted", None),
    ],
)
def test_actions_that_name_another_operation(content_type: str, action: str | None) -> None:
    assert rule(enveloped(call()), content_type, action) == "SOAPAction"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'<Action xmlns="{WSA}">{LAB}/MarkLabPrinted</Action>', "wsa:Action"),
        (f'<Action xmlns="{WSA}"><a>GetLabResult</a></Action>', "wsa:Action"),
        (f'<Action xmlns="{WSA}"/>', "wsa:Action"),
        (
            f'<ReplyTo xmlns="{WSA}"><Address>http://evil.example/</Address></ReplyTo>',
            "wsa:ReplyTo",
        ),
        (f'<FaultTo xmlns="{WSA}"><Address>{WSA}/none</Address></FaultTo>', "wsa:FaultTo"),
        (f'<ReplyTo xmlns="{WSA}"/>', "wsa:ReplyTo"),
        (
            f'<ReplyTo xmlns="{WSA}"><Address>{WSA}/anonymous</Address><Address>http://evil.example'
            "</Address></ReplyTo>",
            "wsa:ReplyTo",
        ),
        (
            '<ReplyTo xmlns="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
            f"<Address>{WSA}/anonymous</Address></ReplyTo>",
            "wsa:ReplyTo",
        ),
    ],
)
def test_addressing_that_leads_astray(header: str, expected: str) -> None:
    assert rule(enveloped(call(), header)) == expected


def test_addressing_that_says_what_is() -> None:
    header = (
        f'<Action xmlns="{WSA}"> {LAB}/GetLabResult </Action>'
        f'<ReplyTo xmlns="{WSA}"><Address>{WSA}/anonymous</Address></ReplyTo>'
        f'<To xmlns="{WSA}">http://gateway/hx/LabResults</To><MessageID xmlns="{WSA}">1</MessageID>'
    )
    assert inspect(enveloped(call(), header), None, None, LIMITS).operation == "GetLabResult"


LONG = "n" * 257


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<a>" * 20 + "</a>" * 20, "limits.depth"),
        ("<a>" * 300 + "</a>" * 300, "limits.depth"),
        ("<a/>" * 401, "limits.elements"),
        ("<a></a>" * 401, "limits.elements"),
        (f"<{LONG}/>", "limits.name_length"),
        (f'<a {LONG}="1"/>', "limits.name_length"),
        (f'<a xmlns:{LONG}="1"/>', "limits.name_length"),
        (f'<a b=">"{" " * 300}{LONG}="1"/>', "limits.name_length"),
        (f"<{'n' * 5000}/>", "limits.name_length"),
        ("<a " + " ".join(f'a{n}="{"v" * 40}"' for n in range(9)) + "/>", "limits.attributes"),
        ("<a " + " ".join(f"a{n} = '>{'v' * 40}'" for n in range(9)) + "/>", "limits.attributes"),
        ("".join(f'<a b="{n}" c="{n}"/>' for n in range(60)), "limits.attributes"),
        ("".join(f'<a xmlns="urn:{n}"/>' for n in range(11)), "limits.namespaces"),
        ("".join(f"<a xmlns:b ='urn:{n}'/>" for n in range(11)), "limits.namespaces"),
        (f"<a>{'x' * 20_001}</a>", "limits.text_bytes"),
        (f"<a>{'x' * 10_001}<!-- c -->{'x' * 10_001}</a>", "limits.text_bytes"),
        (f"<a>{'x' * 10_001}<![CDATA[{'x' * 10_001}]]></a>", "limits.text_bytes"),
        (f'<a b="{"x" * 20_001}"/>', "limits.text_bytes"),
        ("<?php x?>", "processing-instruction"),
        ("<a><?xml-stylesheet href='http://evil.example'?></a>", "processing-instruction"),
        ('<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc"/>', "include"),
        ('<i:include xmlns:i="http://www.w3.org/2001/XIn&#99;lude" href="x"/>', "include"),
        ('<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:1"/>', "include"),
        ("<a>&undefined;</a>", "well-formed"),
        ("<a></b>", "well-formed"),
    ],
)
def test_limits_of_a_document(content: str, expected: str) -> None:
    assert rule(enveloped(call(content))) == expected


@pytest.mark.parametrize(
    "content",
    [
        "<a>" * 12 + "</a>" * 12,
        "<a/>" * 90,
        f"<a><![CDATA[{'<b>' * 2000}]]></a>",  # elements of a document that is carried as text
        f"<!--{'<b>' * 2000}--><a/>",
        f"<a>{'k=v; ' * 3000}</a>",
        f"<a><![CDATA[{'<b xmlns=1>' * 100}]]></a>",
        f"<{'n' * 256}/>",
        f"<{'名' * 200}/>",
        f"<a>{'x' * 19_900}</a>" * 3,
        f"<a><![CDATA[<?xml version='1.0'?>{'x' * 300}]]></a>",
        "".join('<a xmlns="urn:same"/>' for _ in range(90)),
        f'<a b="{"x" * 19_000}"/>',
    ],
)
def test_what_only_looks_as_if_it_broke_a_limit(content: str) -> None:
    assert inspect(enveloped(call(content)), None, None, LIMITS).operation == "GetLabResult"


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE a>" + enveloped(call()),
        b'<?xml version="1.0"?><!-- c --><!DOCTYPE a [<!ENTITY b "c">]>' + enveloped(call()),
        b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "http://evil.example/x.dtd">' + enveloped(call()),
    ],
)
def test_a_dtd(body: bytes) -> None:
    assert rule(body) == "dtd"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (enveloped(call() + call(name="MarkLabPrinted")), "one-operation"),
        (enveloped(call() + call(name="MarkLabPrinted").replace(" ", ' id="x" ')), "one-operation"),
        (enveloped(""), "envelope"),
        (enveloped(call()).replace(b"s:Body", b"s:Bodi"), "envelope"),
        (enveloped(call()).replace(b"<s:Body>", b"<s:Body/><s:Body>"), "envelope"),
        (enveloped(call()).replace(b"Envelope", b"Envelop"), "envelope"),
        (enveloped(call()).replace(b"http://schemas", b"http://schemata"), "envelope"),
        (b"", "envelope"),
        (b"   ", "envelope"),
        (b"hello", "well-formed"),
        (enveloped(call()) + b"<a/>", "well-formed"),
        (enveloped(call()) + b"<?php ?>", "processing-instruction"),
        (enveloped(call(), '<t:X xmlns:t="urn:t" s:mustUnderstand="1"/>'), "mustUnderstand"),
    ],
)
def test_what_is_no_message(body: bytes, expected: str) -> None:
    assert rule(body) == expected


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/related; type=text/xml; boundary=b",
        "application/xop+xml",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json",
        "text/xmlx",
    ],
)
def test_other_types(content_type: str) -> None:
    assert rule(enveloped(call()), content_type) == "Content-Type"


GBK = '<?xml version="1.0" encoding="gbk"?>'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ((GBK + enveloped(call()).decode()).encode("utf-16"), "text/xml"),
        ((GBK + enveloped(call()).decode()).encode("utf-16-le"), "text/xml"),
        (("\ufeff" + GBK + enveloped(call()).decode()).encode(), "text/xml"),
        (enveloped(call()).decode().encode("utf-16"), "text/xml; charset=gbk"),
        (enveloped(call("<a>\u4e2d</a>")).decode().encode("gbk"), "text/xml; charset=utf-8"),
        (enveloped(call("<a>X</a>")).replace(b"X", b"\xc0\xbc"), "text/xml"),
        (enveloped(call("<a>X</a>")).replace(b"X", b"\xed\xa0\x80"), "text/xml; charset=utf-8"),
        (enveloped(call()), "text/xml; charset=utf-7"),
        (enveloped(call()), "text/xml; charset=cp037"),
        (enveloped(call()).decode().encode("utf-32"), "text/xml; charset=utf-32"),
    ],
)
def test_encodings_that_hide_something(body: bytes, content_type: str) -> None:
    assert rule(body, content_type) == "charset"


def test_a_nul_within() -> None:
    assert rule(enveloped(call("<a>\0</a>"))) == "well-formed"
    assert rule(enveloped(call()).decode().encode("utf-32")) in ("charset", "well-formed")


def test_narrow_limits_are_counted_exactly() -> None:
    narrow = Limits(attributes_each=4, name_length=32)
    body = enveloped(f"<{'n' * 33}/>")
    with pytest.raises(MalformedMessage) as refused:
        inspect(body, None, None, narrow)
    assert refused.value.rule == "limits.name_length"
