"""One call without a transport: what is accepted, what is refused, and how it is answered."""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services import delimited, his_service
from services.faults import Conflict, Overloaded
from services.soap.bounds import Limits
from services.soap.exchange import Endpoint, Reply, Request, guarded
from services.soap.interface import his_service_interface, typed_interface
from services.soap.version import SOAP_1_1, SOAP_1_2
from tests.services.sample import Line, Person, Sample

NS11, NS12 = SOAP_1_1.envelope, SOAP_1_2.envelope
SAMPLE = "urn:yilian:Sample:3"


async def _ask(**arguments: Any) -> list[Person]:
    return [Person(arguments["Id"], None, [])]


async def _put(**arguments: Any) -> str:
    return repr(arguments)


TYPED = Endpoint(typed_interface(Sample), "hx", {"Ask": _ask, "Put": _put})


def _legacy() -> Endpoint:
    async def echo(**arguments: Any) -> Any:
        raise Conflict(repr(arguments["PatientId"]), "echo")

    async def crash(**arguments: Any) -> Any:
        raise RuntimeError(f"secret of {arguments}")

    invoke = {
        op.name: delimited.bind(op, echo if op.name == "getlabmaster" else guarded(crash, "hx"))
        for op in his_service.OPERATIONS
    }
    return Endpoint(his_service_interface(), "hx", invoke)


LEGACY = _legacy()


def send(
    endpoint: Endpoint, body: str | bytes, action: str | None = None, kind: str | None = "text/xml"
) -> Reply:
    raw = body.encode() if isinstance(body, str) else body
    return asyncio.run(endpoint.call(Request(raw, kind, action)))


def enveloped(content: str, ns: str = NS11, header: str = "", more: str = "") -> str:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'<s:Envelope xmlns:s="{ns}">{head}<s:Body>{content}</s:Body>{more}</s:Envelope>'


def ask(inside: str = "<Id>7</Id>", ns: str = SAMPLE) -> str:
    return f'<Ask xmlns="{ns}">{inside}</Ask>'


def fault_of(reply: Reply) -> tuple[str, str]:
    """The fault code's local name and our code in the detail."""
    root = etree.fromstring(reply.body)
    code = root.findtext(".//faultcode") or root.findtext(f".//{{{NS12}}}Value") or ""
    return code.split(":")[-1], root.findtext(".//{urn:yilian:fault:1}Code") or ""


# --- accepted ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action", [None, "", '""', f'"{SAMPLE}/Ask"', f"{SAMPLE}/Ask", "Ask", f'"{SAMPLE}#Ask"']
)
def test_soapaction_may_be_missing_empty_quoted_or_not(action: str | None) -> None:
    reply = send(TYPED, enveloped(ask()), action)
    assert (reply.status, reply.content_type) == (200, "text/xml; charset=utf-8")
    root = etree.fromstring(reply.body)
    assert root.findtext(f".//{{{SAMPLE}}}Name") == "7"


@pytest.mark.parametrize(
    "body",
    [
        enveloped(f'<p:Ask xmlns:p="{SAMPLE}"><p:Id>7</p:Id></p:Ask>'),
        enveloped(ask("<Id>7</Id><!-- c --><?pi?>")),
        enveloped(ask("<Id><![CDATA[7]]></Id>")),
        enveloped(ask("<Id><!-- a -->7<!-- b --></Id>")),
        enveloped(ask(), header='<t:T xmlns:t="urn:t">x</t:T>'),
        enveloped(ask(), header='<t:T xmlns:t="urn:t" s:mustUnderstand="0"/>'),
        enveloped(
            ask(), header='<t:T xmlns:t="urn:t" s:mustUnderstand="1" s:actor="http://elsewhere"/>'
        ),
        f"<!-- c --><?pi x?>{enveloped(ask('<Id>7</Id>'))}<!-- d -->",
        enveloped(
            ask(
                '<Id xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                'xmlns:d="http://www.w3.org/2001/XMLSchema" i:type="d:string">7</Id>'
            )
        ),
        enveloped(ask("<Id>7</Id><Day>2026-11-20T16:00:00Z</Day>")),
    ],
)
def test_typed_envelopes_that_are_accepted(body: str) -> None:
    assert b">7</Name>" in send(TYPED, body).body


LEGACY_FORMS = [
    "<getlabmaster xmlns='http://tempuri.org/'><PatientId>7</PatientId><str/></getlabmaster>",
    "<getlabmaster xmlns='http://tempuri.org/'><PatientId>7</PatientId></getlabmaster>",
    "<getlabmaster xmlns='http://tempuri.org/'><str></str><PatientId>7</PatientId></getlabmaster>",
    "<t:getlabmaster xmlns:t='http://tempuri.org/'><PatientId>7</PatientId></t:getlabmaster>",
    "<t:getlabmaster xmlns:t='http://tempuri.org/'><t:PatientId>7</t:PatientId></t:getlabmaster>",
    "<getlabmaster><PatientId>7</PatientId></getlabmaster>",
    "<t:getlabmaster xmlns:t='http://tempuri.org/' "
    "s:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'>"
    "<PatientId xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:type='x:string'>7</PatientId>"
    "<str xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/></t:getlabmaster>",
    "<t:getlabmaster xmlns:t='http://tempuri.org/'><PatientId href='#id0'/></t:getlabmaster>"
    "<multiRef id='id0'>7</multiRef>",
    "<getlabmaster xmlns='http://tempuri.org/'><PatientId "
    "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='false'>7</PatientId>"
    "</getlabmaster>",
]


@pytest.mark.parametrize("content", LEGACY_FORMS)
def test_legacy_envelopes_that_are_accepted(content: str) -> None:
    reply = send(LEGACY, enveloped(content), '"http://tempuri.org/getlabmaster"')
    root = etree.fromstring(reply.body)
    tempuri = "{http://tempuri.org/}"
    assert root.findtext(f".//{tempuri}getlabmasterResult") == "-3"
    assert root.findtext(f".//{tempuri}str") == "'7' / echo"


def test_an_empty_string_is_never_written_as_an_empty_tag() -> None:
    async def nothing(**arguments: Any) -> tuple[int, str]:
        return 0, ""

    invoke = {op.name: nothing for op in his_service.OPERATIONS}
    reply = send(Endpoint(his_service_interface(), "hx", invoke), enveloped(LEGACY_FORMS[0]))
    assert b"<str></str>" in reply.body
    assert b"<getlabmasterResult>0</getlabmasterResult><str>" in reply.body


@pytest.mark.parametrize("kind", ["application/soap+xml; charset=utf-8", "text/xml"])
def test_a_1_2_envelope_is_answered_in_1_2(kind: str) -> None:
    reply = send(TYPED, enveloped(ask(), NS12), None, kind)
    assert reply.content_type == "application/soap+xml; charset=utf-8"
    assert etree.fromstring(reply.body).tag == f"{{{NS12}}}Envelope"


# --- refused ----------------------------------------------------------------------------------

XSI = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.mark.parametrize(
    ("body", "code", "ours"),
    [
        ("", "Client", "MalformedMessage"),
        ("   ", "Client", "MalformedMessage"),
        ("not xml", "Client", "MalformedMessage"),
        ("<a/>", "Client", "MalformedMessage"),
        (enveloped(ask())[:-3], "Client", "MalformedMessage"),
        (enveloped(""), "Client", "MalformedMessage"),
        (f'<s:Envelope xmlns:s="{NS11}"/>', "Client", "MalformedMessage"),
        (enveloped(ask(), "urn:soap:13"), "VersionMismatch", ""),
        (
            enveloped(ask(), header='<t:T xmlns:t="u:t" s:mustUnderstand="1"/>'),
            "MustUnderstand",
            "",
        ),
        ("<!DOCTYPE a>" + enveloped(ask()), "Client", "MalformedMessage"),
        (
            '<?xml version="1.0"?><!-- --> <!DOCTYPE a [<!ENTITY b "c">]>' + enveloped(ask("&b;")),
            "Client",
            "MalformedMessage",
        ),
        (enveloped(ask() + ask()), "Client", "MalformedMessage"),
        (enveloped(ask(), more="<x/>"), "Client", "MalformedMessage"),
        (enveloped("<a>" * 70 + "</a>" * 70), "Client", "MalformedMessage"),
        (enveloped(ask(ns="urn:other")), "Client", "UnknownOperation"),
        (enveloped(f'<Nope xmlns="{SAMPLE}"/>'), "Client", "UnknownOperation"),
        (enveloped(ask("")), "Client", "MalformedMessage"),
        (enveloped(ask("<Id>1</Id><Id>2</Id>")), "Client", "MalformedMessage"),
        (enveloped(ask("<Id>1</Id><Nope/>")), "Client", "MalformedMessage"),
        (enveloped(ask("<Flag>1</Flag><Id>1</Id>")), "Client", "MalformedMessage"),
        (enveloped(ask("<Id>12345</Id>")), "Client", "InvalidArgument"),
        (enveloped(ask("<Id>1</Id><Many>x</Many>")), "Client", "InvalidArgument"),
        (enveloped(ask(f'<Id {XSI} i:nil="true"/>')), "Client", "MalformedMessage"),
        (
            enveloped(
                ask(f'<Id {XSI} xmlns:d="http://www.w3.org/2001/XMLSchema" i:type="d:int">1</Id>')
            ),
            "Client",
            "MalformedMessage",
        ),
    ],
)
def test_typed_envelopes_that_are_refused(body: str, code: str, ours: str) -> None:
    reply = send(TYPED, body)
    assert reply.status == 500
    assert reply.content_type == "text/xml; charset=utf-8"
    assert fault_of(reply) == (code, ours)


@pytest.mark.parametrize(
    "inside",
    [
        "<PatientId>1</PatientId><PatientId>2</PatientId>",
        "<PatientId>1</PatientId><Other>2</Other>",
        "<patientid>1</patientid>",
        "<PatientId><x/></PatientId>",
        "<PatientId>1</PatientId>stray",
        "<PatientId href='#nowhere'/>",
        "<PatientId value='7'/>",
    ],
)
def test_legacy_arguments_are_never_dropped_in_silence(inside: str) -> None:
    reply = send(LEGACY, enveloped(f"<getlabmaster>{inside}</getlabmaster>"))
    assert fault_of(reply) == ("Client", "MalformedMessage")


def test_an_attribute_where_an_argument_was_meant_is_refused() -> None:
    reply = send(LEGACY, enveloped("<getlabmaster PatientId='7'/>"))
    assert fault_of(reply) == ("Client", "MalformedMessage")


@pytest.mark.parametrize("noise", ["<!---->", "<?a?>", " ", "<!-- - -->\n", "<!--", "<?a"])
def test_nothing_before_an_envelope_makes_looking_for_a_dtd_slow(noise: str) -> None:
    """26 comments once took 15 seconds, and each further one twice as long."""
    body = noise * 50_000 + enveloped(ask("<Id><![CDATA[<!DOCTYPE]]></Id>"))
    assert fault_of(send(TYPED, body))[0] == "Client"
    assert fault_of(send(TYPED, noise * 50_000 + "<!DOCTYPE a>" + enveloped(ask())))[0] == "Client"


def test_a_long_delimited_argument_is_refused_before_it_is_split() -> None:
    inside = f"<RequestId>1</RequestId><Items>{'A?' * 1_000_000}</Items>"
    reply = send(LEGACY, enveloped(f"<putlaborder>{inside}</putlaborder>"))
    assert b"<putlaborderResult>-1</putlaborderResult>" in reply.body


def test_an_amount_of_a_million_digits_is_an_invalid_argument() -> None:
    inside = f"<Id>1</Id><Price>{'9' * 1_500_000}</Price>"
    assert fault_of(send(TYPED, enveloped(ask(inside))))[1] == "InvalidArgument"


@pytest.mark.parametrize("depth", [65, 200, 300, 5000])
def test_too_deep_is_told_as_such(depth: int) -> None:
    reply = send(TYPED, enveloped("<a>" * depth + "</a>" * depth))
    assert "nested deeper than 64" in reply.body.decode()


def test_a_second_body_child_that_nothing_refers_to_is_refused() -> None:
    body = enveloped("<getlabmaster/><getlabresult/>")
    assert fault_of(send(LEGACY, body)) == ("Client", "MalformedMessage")


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (f'"{SAMPLE}/Put"', "text/xml"),
        ('"Put"', "text/xml"),
        ('"nonsense"', "text/xml"),
        ('"http://evil/Ask"', "text/xml"),
        (f'"{SAMPLE}/Put#Ask/Put"', "text/xml"),
        (None, f'application/soap+xml; action="{SAMPLE}/Put"'),
    ],
)
def test_an_action_that_names_another_operation_is_refused(action: str | None, kind: str) -> None:
    assert fault_of(send(TYPED, enveloped(ask()), action, kind))[1] == "UnknownOperation"


def test_1_2_faults_have_its_codes_and_statuses() -> None:
    kind = "application/soap+xml"
    sender = send(TYPED, enveloped(ask(""), NS12), None, kind)
    assert (sender.status, fault_of(sender)) == (400, ("Sender", "MalformedMessage"))

    async def busy(**arguments: Any) -> Any:
        raise Overloaded("忙", "busy", source="his")

    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": busy, "Put": busy})
    receiver = send(endpoint, enveloped(ask(), NS12), None, kind)
    assert (receiver.status, fault_of(receiver)) == (500, ("Receiver", "Overloaded"))
    detail = etree.fromstring(receiver.body).find(".//{urn:yilian:fault:1}Fault")
    assert detail is not None
    told = {etree.QName(child).localname: child.text for child in detail}
    assert told["Hospital"] == "hx" and told["Source"] == "his"


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(size=50), "50 bytes"),
        (Limits(elements=3), "3 elements"),
        (Limits(depth=3), "deeper"),
    ],
)
def test_limits_are_kept(limits: Limits, word: str) -> None:
    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": _ask, "Put": _put}, limits)
    body = enveloped(ask("<Id>7</Id>" + "<Id/>" * 9))
    reply = send(endpoint, body)
    assert fault_of(reply) == ("Client", "MalformedMessage") and word in reply.body.decode()


def test_a_defect_is_logged_without_data_and_answered_without_a_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def crash(**arguments: Any) -> Any:
        raise RuntimeError(f"secret {arguments}")

    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": crash, "Put": crash})
    reply = send(endpoint, enveloped(ask()))
    assert (reply.status, fault_of(reply)) == (500, ("Server", "InternalError"))
    legacy = send(LEGACY, enveloped("<getlabresult><TestNo>1</TestNo></getlabresult>"))
    assert b"<getlabresultResult>-9<" in legacy.body
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "secret" not in logged.out + logged.err + reply.body.decode() + legacy.body.decode()


def test_control_characters_in_an_answer_leave_it_readable() -> None:
    async def odd(**arguments: Any) -> Any:
        return [Person("a\x00\x0b\ud800\r\nb", None, [])]

    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": odd, "Put": odd})
    root = etree.fromstring(send(endpoint, enveloped(ask())).body)
    assert root.findtext(f".//{{{SAMPLE}}}Name") == "a\ufffd\ufffd\ufffd\r\nb"


@pytest.mark.parametrize("text", ["a<b", "a>b", "a&b", "]]>", "a\u3000b\n\tc", "\x85\u2028", "𠮷"])
def test_a_text_is_escaped_whichever_field_of_a_record_holds_it(text: str) -> None:
    async def people(**arguments: Any) -> Any:
        lines = [Line("plain", Decimal(1), None), Line(text, Decimal("1.5"), text)]
        return [Person("plain", date(2026, 11, 21), lines), Person(text, None, [])]

    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": people, "Put": people})
    root = etree.fromstring(send(endpoint, enveloped(ask())).body)
    assert [name.text for name in root.iter(f"{{{SAMPLE}}}Name")] == ["plain", text]
    assert [item.text for item in root.iter(f"{{{SAMPLE}}}Item")] == ["plain", text]
    assert [note.text for note in root.iter(f"{{{SAMPLE}}}Note")] == [text]


@pytest.mark.parametrize("values", [(None, None), ("a", "b"), (1, None)])
def test_a_record_that_breaks_its_contract_is_a_defect_and_no_answer(
    values: tuple[Any, Any],
) -> None:
    async def broken(**arguments: Any) -> Any:
        return [Person(*values, [])]

    endpoint = Endpoint(typed_interface(Sample), "hx", {"Ask": broken, "Put": broken})
    assert fault_of(send(endpoint, enveloped(ask()))) == ("Server", "InternalError")


def test_nested_records_arrive_as_such() -> None:
    line = "<Line><Item>a</Item><Amount>1.50</Amount></Line>"
    who = f"<Who><Name>张</Name><Lines>{line}{line}</Lines></Who>"
    put = f'<Put xmlns="{SAMPLE}"><RequestId>r</RequestId>{who}<Colour>R</Colour></Put>'
    reply = send(TYPED, enveloped(put)).body.decode()
    assert reply.count("Amount=Decimal('1.50')") == 2 and "'More': None" in reply
    bad = send(TYPED, enveloped(put.replace(">R<", ">B<")))
    assert fault_of(bad) == ("Client", "InvalidArgument")


@given(st.binary(max_size=300))
def test_garbage_is_always_answered_by_a_fault(body: bytes) -> None:
    reply = send(TYPED, body)
    assert reply.status == 500 and etree.fromstring(reply.body) is not None


@given(st.data())
def test_a_damaged_envelope_is_answered_and_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(enveloped(ask("<Id>7</Id><Day>2026-11-21</Day>")).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    reply = send(TYPED, bytes(raw))
    etree.fromstring(reply.body)
    assert reply.status == 200 or fault_of(reply)[1] != "InternalError"


def test_no_value_of_one_caller_reaches_another() -> None:
    """12,000 calls, good and bad, from eight threads."""
    wrong: list[str] = []

    def caller(number: int) -> None:
        chance = random.Random(number)

        async def run() -> None:
            for turn in range(1500):
                mark = f"{number}{chance.randrange(100):02d}"
                if turn % 3:
                    body = enveloped(ask(f"<Id>{mark}</Id>"))
                    reply = await TYPED.call(Request(body.encode(), "text/xml"))
                    good = f"<Name>{mark}</Name>".encode() in reply.body
                else:
                    body = enveloped(ask(f"<Id>{mark}</Id><x{mark}/>"))
                    reply = await TYPED.call(Request(body.encode(), "text/xml"))
                    good = f"x{mark}".encode() in reply.body and reply.status == 500
                if not good:
                    wrong.append(f"{mark}: {reply.body!r}")

        asyncio.run(run())

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("content", ['<a xmlns="urn:x}y"/>', '<q:b xmlns:q="{"/>'])
def test_a_brace_in_a_namespace_is_no_defect_of_ours(content: str) -> None:
    for endpoint in (TYPED, LEGACY):
        for body in (
            enveloped(ask(content)),
            enveloped(content),
            enveloped(f'<getlabmaster xmlns="http://tempuri.org/">{content}</getlabmaster>'),
            enveloped(ask(), ns="http://schemas.x}lsoap.org/soap/envelope/"),
        ):
            assert send(endpoint, body).fault in (
                "MalformedMessage",
                "UnknownOperation",
                "VersionMismatch",
            )
