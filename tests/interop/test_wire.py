"""What clients of the last 25 years put on the wire, byte by byte, at a node and at a gateway."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from lxml import etree

from tests.interop.constant import SLOTS
from tests.interop.served import Served
from yilian.serve import listening

NS11 = "http://schemas.xmlsoap.org/soap/envelope/"
NS12 = "http://www.w3.org/2003/05/soap-envelope"
TEMPURI = "http://tempuri.org/"
NUMBERS = "urn:yilian:NumberSource:1"
HIS = "/hx/HisService.asmx"
TYPED = "/hx/NumberSource"
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
XSD = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
#: in GB2312, in GBK only, and in GB18030 only
HAN, GBK_ONLY, RARE = "回声张伟", "回声朱镕喆", "回声𠮷㐂"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    raw_head: bytes = b""

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.body)

    def text(self, name: str, namespace: str = TEMPURI) -> str | None:
        return self.root.findtext(f".//{{{namespace}}}{name}")

    @property
    def fault(self) -> str | None:
        """Our code of the Fault, or None."""
        return self.root.findtext(".//{urn:yilian:fault:1}Code")


@dataclass
class Wire:
    """A socket to one of the two servers; the bytes sent are the test's own."""

    port: int
    sock: socket.socket = field(init=False)
    pending: bytes = b""

    def __post_init__(self) -> None:
        self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def answer(self) -> Answer:
        """The next answer: by Content-Length, or up to the end of the connection."""
        head = self.until(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        status = int(first.split()[1])
        if status == 100:
            return Answer(status, headers, b"", head)
        assert "content-length" in headers, head
        size = int(headers["content-length"])
        while len(self.pending) < size:
            self.more()
        body, self.pending = self.pending[:size], self.pending[size:]
        return Answer(status, headers, body, head)

    def until(self, mark: bytes) -> bytes:
        while mark not in self.pending:
            self.more()
        end = self.pending.index(mark) + len(mark)
        found, self.pending = self.pending[:end], self.pending[end:]
        return found

    def more(self) -> None:
        part = self.sock.recv(65536)
        assert part, f"the connection ended after {self.pending!r}"
        self.pending += part

    def is_closed_by_peer(self) -> bool:
        return self.sock.recv(1) == b""


@pytest.fixture(params=["node", "gateway"])
def wire(request: pytest.FixtureRequest, both: Served) -> Iterator[Wire]:
    connected = Wire(both.port(request.param))
    yield connected
    connected.sock.close()


def enveloped(content: str, ns: str = NS11, header: str = "", declaration: str = "") -> str:
    head = f"<s:Header>{header}</s:Header>" if header else ""
    return f'{declaration}<s:Envelope xmlns:s="{ns}">{head}<s:Body>{content}</s:Body></s:Envelope>'


def labs(patient: str = HAN, ref: str = "<str></str>") -> str:
    """A call of getlabmaster; the constant hospital answers 回声… as the patient's name."""
    inside = f"<PatientId>{patient}</PatientId>{ref}"
    return f'<getlabmaster xmlns="{TEMPURI}">{inside}</getlabmaster>'


def query(day: str = "2026-11-21") -> str:
    inside = f"<ScheduleDate>{day}</ScheduleDate>"
    return f'<QueryNumberSource xmlns="{NUMBERS}">{inside}</QueryNumberSource>'


def request(
    body: bytes,
    path: str = HIS,
    *,
    kind: str | None = "text/xml; charset=utf-8",
    action: str | None = None,
    version: str = "1.1",
    extra: tuple[str, ...] = (),
) -> bytes:
    lines = [f"POST {path} HTTP/{version}"]
    if version == "1.1":
        lines.append("Host: his.example:8080")
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    if action is not None:
        lines.append(f"SOAPAction: {action}")
    lines += [f"Content-Length: {len(body)}", *extra]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def call(wire: Wire, body: str | bytes, path: str = HIS, **options: object) -> Answer:
    raw = body.encode() if isinstance(body, str) else body
    wire.send(request(raw, path, **options))  # type: ignore[arg-type]
    return wire.answer()


def assert_echoed(answer: Answer, patient: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.text("getlabmasterResult") == "1"
    assert (answer.text("str") or "").split("|")[1] == patient


# --- what is answered -------------------------------------------------------------------------


def test_the_answer_is_utf_8_text_xml_with_a_length_in_the_published_shape(wire: Wire) -> None:
    answer = call(wire, enveloped(labs()), action=f'"{TEMPURI}getlabmaster"')
    assert_echoed(answer, HAN)
    assert "transfer-encoding" not in answer.headers
    response = answer.root[0][0]
    assert response.tag == f"{{{TEMPURI}}}getlabmasterResponse"
    children = [etree.QName(child).localname for child in response]
    assert children == ["getlabmasterResult", "str"]
    # Clients look for these with string functions: no prefix, nothing self-closed.
    assert b"<getlabmasterResult>1</getlabmasterResult><str>" in answer.body


def test_an_empty_value_is_not_self_closed(wire: Wire) -> None:
    answer = call(wire, enveloped(labs("nobody")))
    assert b"<getlabmasterResult>0</getlabmasterResult><str></str>" in answer.body


def test_a_business_error_is_told_by_the_int_result_and_http_200(wire: Wire) -> None:
    body = f'<getlabresult xmlns="{TEMPURI}"><TestNo>0</TestNo></getlabresult>'
    answer = call(wire, enveloped(body))
    assert (answer.status, answer.text("getlabresultResult")) == (200, "-2")
    assert "没有检验单 0" in (answer.text("str") or "")


def test_a_typed_error_is_a_fault_with_http_500_and_a_detail(wire: Wire) -> None:
    body = f'<GetNumberSource xmlns="{NUMBERS}"><ScheduleId>0</ScheduleId></GetNumberSource>'
    answer = call(wire, enveloped(body), TYPED)
    assert (answer.status, answer.fault) == (500, "NotFound")
    assert answer.root.findtext(".//faultcode") == "soap:Client"
    assert "没有号源 0 / no schedule 0" in (answer.root.findtext(".//faultstring") or "")


def test_delimiters_in_values_never_break_a_row_and_typed_values_stay(wire: Wire) -> None:
    body = f'<getclinicforregist xmlns="{TEMPURI}"><ClinicDate>20261121</ClinicDate>'
    legacy = call(wire, enveloped(body + "</getclinicforregist>"))
    rows = (legacy.text("str") or "").split("?")
    assert rows.pop() == "" and [len(row.split("|")) for row in rows] == [18, 18, 18]
    assert rows[0].split("|")[8] == "介入｜支架？ 随访 <b>&amp;\"'</b>"
    typed = call(wire, enveloped(query()), TYPED)
    told = [e.text for e in typed.root.iter(f"{{{NUMBERS}}}Speciality")]
    assert told == [SLOTS[0].Speciality, None]  # absent in the second, empty in the third


# --- character sets ---------------------------------------------------------------------------

GB = [("gb2312", HAN), ("gb2312", GBK_ONLY), ("GBK", GBK_ONLY), ("gb18030", RARE)]


@pytest.mark.parametrize(("charset", "patient"), GB)
def test_gb_by_http_charset(wire: Wire, charset: str, patient: str) -> None:
    body = enveloped(labs(patient)).encode("gb18030")
    assert_echoed(call(wire, body, kind=f'text/xml; charset="{charset}"'), patient)


@pytest.mark.parametrize(("charset", "patient"), GB)
def test_gb_by_xml_declaration(wire: Wire, charset: str, patient: str) -> None:
    declared = f'<?xml version="1.0" encoding="{charset}"?>'
    body = enveloped(labs(patient), declaration=declared).encode("gb18030")
    assert_echoed(call(wire, body, kind="text/xml"), patient)


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [
        ("utf-16", "text/xml; charset=utf-16"),
        ("utf-16", "text/xml"),
        ("utf-16-le", "text/xml; charset=utf-16le"),
        ("utf-16-be", "text/xml; charset=utf-16be"),
        ("utf-16-le", "text/xml"),
        ("utf-8-sig", "text/xml; charset=utf-8"),
        ("utf-8-sig", "text/xml"),
        ("utf-8", "text/xml"),
        ("utf-8", "text/xml;charset=UTF-8"),
        ("utf-8", None),
    ],
)
def test_unicode_with_and_without_mark_and_charset(
    wire: Wire, encoding: str, kind: str | None
) -> None:
    assert_echoed(call(wire, enveloped(labs(RARE)).encode(encoding), kind=kind), RARE)


def test_the_http_charset_outranks_the_declaration(wire: Wire) -> None:
    body = enveloped(labs(), declaration='<?xml version="1.0" encoding="gb2312"?>').encode()
    assert_echoed(call(wire, body, kind="text/xml; charset=utf-8"), HAN)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (enveloped(labs()).encode(), "text/xml; charset=x-martian"),
        (enveloped(labs()).encode("gb18030"), "text/xml; charset=utf-8"),
        (enveloped(labs()).encode("utf-16"), "text/xml; charset=utf-8"),
        (b"", "text/xml"),
        (b"", None),
        (b"\x00", "text/xml"),
        (b"PatientId=1", "application/x-www-form-urlencoded"),
        (enveloped("").encode(), "text/xml"),
    ],
)
def test_what_cannot_be_read_is_a_fault_and_never_a_page_or_a_wait(
    wire: Wire, body: bytes, kind: str | None
) -> None:
    answer = call(wire, body, kind=kind)
    assert (answer.status, answer.fault) == (500, "MalformedMessage")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"


# --- HTTP -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_chunked_request(wire: Wire, size: int) -> None:
    body = enveloped(labs(RARE)).encode()
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    head = f"POST {HIS} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
    wire.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    wire.send(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n")
    assert_echoed(wire.answer(), RARE)


def test_http_1_0(wire: Wire) -> None:
    answer = call(wire, enveloped(labs()), version="1.0")
    assert_echoed(answer, HAN)
    assert wire.is_closed_by_peer()


def test_expect_100_continue(wire: Wire) -> None:
    body = enveloped(labs()).encode()
    wire.send(request(body, extra=("Expect: 100-continue",))[: -len(body)])
    assert wire.answer().status == 100
    wire.send(body)
    assert_echoed(wire.answer(), HAN)


def test_expect_100_continue_without_waiting_for_it(wire: Wire) -> None:
    wire.send(request(enveloped(labs()).encode(), extra=("Expect: 100-continue",)))
    answer = wire.answer()
    if answer.status == 100:  # it may be left out once the body has come
        answer = wire.answer()
    assert_echoed(answer, HAN)


def test_head_and_body_in_pieces(wire: Wire) -> None:
    wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw = request(enveloped(labs(RARE)).encode())
    wire.send(*(raw[i : i + 13] for i in range(0, len(raw), 13)))
    assert_echoed(wire.answer(), RARE)


@pytest.mark.parametrize(
    "extra",
    [
        ("Accept: application/soap+xml, application/dime, multipart/related, text/*",),
        ("User-Agent: EasySoap++/0.6", "Connection: TE", "TE: trailers, deflate"),
        ("X-Anything: \xe9\xff", "Cookie: ASP.NET_SessionId=1", "Pragma: no-cache"),
        ("Authorization: Basic dXNlcjpwYXNz", "Accept-Encoding: gzip, deflate"),
    ],
)
def test_extra_http_headers_change_nothing(wire: Wire, extra: tuple[str, ...]) -> None:
    answer = call(wire, enveloped(labs()), extra=extra)
    assert_echoed(answer, HAN)
    assert "content-encoding" not in answer.headers


def test_a_compressed_body_is_refused_in_words(wire: Wire) -> None:
    body = gzip.compress(enveloped(labs()).encode())
    answer = call(wire, body, extra=("Content-Encoding: gzip",))
    assert (answer.status, answer.fault) == (415, "MalformedMessage")


def test_a_compressed_body_that_is_not_declared_is_refused(wire: Wire) -> None:
    answer = call(wire, gzip.compress(enveloped(labs()).encode()))
    assert (answer.status, answer.fault) == (500, "MalformedMessage")


def test_one_connection_carries_many_calls_good_and_bad(wire: Wire) -> None:
    for number in range(20):
        patient = f"回声{number}"
        assert_echoed(call(wire, enveloped(labs(patient))), patient)
        assert call(wire, enveloped(labs())[:-5]).fault == "MalformedMessage"
        assert call(wire, enveloped(query()), TYPED).status == 200
        assert call(wire, "").fault == "MalformedMessage"


def test_calls_sent_ahead_are_answered_in_order(wire: Wire) -> None:
    patients = [f"回声{number}" for number in range(5)]
    wire.send(b"".join(request(enveloped(labs(patient)).encode()) for patient in patients))
    for patient in patients:
        assert_echoed(wire.answer(), patient)


def test_posting_to_the_address_of_the_wsdl(wire: Wire) -> None:
    assert_echoed(call(wire, enveloped(labs()), HIS + "?wsdl"), HAN)


# --- SOAPAction -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [
        None,
        "",
        '""',
        f"{TEMPURI}getlabmaster",
        f'"{TEMPURI}getlabmaster"',
        "getlabmaster",
        '"getlabmaster"',
    ],
)
def test_soapaction_missing_empty_quoted_or_not(wire: Wire, action: str | None) -> None:
    assert_echoed(call(wire, enveloped(labs()), action=action), HAN)


@pytest.mark.parametrize("action", [f'"{TEMPURI}getlabresult"', "getlabresult", '"urn:else"'])
def test_a_soapaction_that_names_another_operation_is_refused(wire: Wire, action: str) -> None:
    answer = call(wire, enveloped(labs()), action=action)
    assert (answer.status, answer.fault) == (500, "UnknownOperation")


# --- envelopes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        labs(ref=""),
        labs(ref="<str/>"),
        labs(ref=f'<str {XSI} xsi:nil="true"/>'),
        labs(ref="<str>what was there before</str>"),
        f'<a:getlabmaster xmlns:a="{TEMPURI}"><a:PatientId>{HAN}</a:PatientId></a:getlabmaster>',
        f'<getlabmaster xmlns="{TEMPURI}"><str/><PatientId>{HAN}</PatientId></getlabmaster>',
        f'<m:getlabmaster xmlns:m="{TEMPURI}"><PatientId {XSI} {XSD} xsi:type="xsd:string">{HAN}'
        f'</PatientId><str {XSI} {XSD} xsi:type="xsd:string"></str></m:getlabmaster>',
        f'<m:getlabmaster xmlns:m="{TEMPURI}" '
        f's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><PatientId href="#id1"/>'
        f'</m:getlabmaster><multiRef id="id1" {XSI} {XSD} xsi:type="xsd:string">{HAN}</multiRef>',
        f"<getlabmaster><PatientId>{HAN}</PatientId></getlabmaster>",
        f'<getlabmaster xmlns="{TEMPURI}"><PatientId><![CDATA[{HAN}]]></PatientId></getlabmaster>',
        labs("&#22238;声张伟").replace("><", ">\r\n\t<"),
    ],
)
def test_ways_to_write_one_legacy_call(wire: Wire, content: str) -> None:
    assert_echoed(call(wire, enveloped(content)), HAN)


@pytest.mark.parametrize(
    "content",
    [
        f'<QueryNumberSource xmlns="{NUMBERS}"><ScheduleDate {XSI} {XSD} xsi:type="xsd:date">'
        "2026-11-21</ScheduleDate></QueryNumberSource>",
        query("2026-11-21T00:00:00"),
        query("2026-11-20T16:00:00Z"),
        query("2026-11-21T00:00:00+08:00"),
        query("2026-11-21+08:00"),
    ],
)
def test_ways_to_write_a_date(wire: Wire, content: str) -> None:
    answer = call(wire, enveloped(content), TYPED)
    assert len(answer.root.findall(f".//{{{NUMBERS}}}NumberSourceSlot")) == len(SLOTS)


@pytest.mark.parametrize(
    "content",
    [
        f'<getlabmaster xmlns="{TEMPURI}"><patient>1</patient></getlabmaster>',
        f'<getlabmaster xmlns="{TEMPURI}"><PatientId>1</PatientId><PatientId>2</PatientId>'
        "</getlabmaster>",
        f'<getlabmaster xmlns="{TEMPURI}"><PatientId><a/></PatientId></getlabmaster>',
        labs() + labs(),
    ],
)
def test_nothing_is_dropped_in_silence(wire: Wire, content: str) -> None:
    answer = call(wire, enveloped(content))
    assert (answer.status, answer.fault) == (500, "MalformedMessage")


@pytest.mark.parametrize("pair", ["&#xD842;&#xDFB7;", "&#55362;&#57271;", "&#134071;", "&#x20bb7;"])
def test_a_rare_character_by_references_also_to_its_surrogates(wire: Wire, pair: str) -> None:
    assert_echoed(call(wire, enveloped(labs(f"回声{pair}"))), "回声𠮷")


@pytest.mark.parametrize("half", ["&#xD842;", "&#xDFB7;&#xD842;", "&#57271;", "&#xD842; &#xDFB7;"])
def test_half_a_rare_character_is_refused(wire: Wire, half: str) -> None:
    answer = call(wire, enveloped(labs(f"回声{half}")))
    assert (answer.status, answer.fault) == (500, "MalformedMessage")


def test_references_that_are_literal_text_stay(wire: Wire) -> None:
    literal = "<![CDATA[&#xD842;&#xDFB7;]]>"
    assert_echoed(call(wire, enveloped(labs(f"回声{literal}"))), "回声&#xD842;&#xDFB7;")
    both = call(wire, enveloped(labs(f"回声{literal}&#xD842;&#xDFB7;")))
    assert_echoed(both, "回声&#xD842;&#xDFB7;𠮷")


def test_unknown_soap_headers_are_passed_over(wire: Wire) -> None:
    header = '<w:Security xmlns:w="urn:wsse">x</w:Security><h:T xmlns:h="urn:h"/>'
    assert_echoed(call(wire, enveloped(labs(), header=header)), HAN)
    header = '<h:T xmlns:h="urn:h" s:mustUnderstand="0"/>'
    assert_echoed(call(wire, enveloped(labs(), header=header)), HAN)


@pytest.mark.parametrize("ns", [NS11, NS12])
def test_an_unknown_header_that_must_be_understood_is_refused(wire: Wire, ns: str) -> None:
    answer = call(wire, enveloped(labs(), ns, header='<h:T xmlns:h="urn:h" s:mustUnderstand="1"/>'))
    assert answer.status == 500
    code = answer.root.findtext(".//faultcode") or answer.root.findtext(f".//{{{NS12}}}Value")
    assert code == "soap:MustUnderstand"


def test_an_envelope_of_an_unknown_version_is_refused(wire: Wire) -> None:
    answer = call(wire, enveloped(labs(), "urn:soap:3"))
    assert (answer.status, answer.root.findtext(".//faultcode")) == (500, "soap:VersionMismatch")


@pytest.mark.parametrize("kind", ["application/soap+xml; charset=utf-8", "text/xml"])
def test_a_1_2_envelope_at_the_1_1_address_is_answered_in_1_2(wire: Wire, kind: str) -> None:
    answer = call(wire, enveloped(labs(RARE), NS12), kind=kind)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/soap+xml; charset=utf-8"
    assert answer.root.tag == f"{{{NS12}}}Envelope"
    assert (answer.text("str") or "").split("|")[1] == RARE


def test_a_1_2_fault_has_its_code_and_status(wire: Wire) -> None:
    body = f'<GetNumberSource xmlns="{NUMBERS}"><ScheduleId>0</ScheduleId></GetNumberSource>'
    answer = call(wire, enveloped(body, NS12), TYPED, kind="application/soap+xml")
    assert (answer.status, answer.fault) == (400, "NotFound")
    assert answer.root.findtext(f".//{{{NS12}}}Value") == "soap:Sender"


@pytest.mark.parametrize("tail", [b"\0", b"\r\n", b"\0\0", b"\r\n\0", b"<!-- end -->"])
def test_what_clients_leave_behind_the_envelope(wire: Wire, tail: bytes) -> None:
    assert_echoed(call(wire, enveloped(labs()).encode() + tail), HAN)


def test_what_stands_before_the_envelope(wire: Wire) -> None:
    assert_echoed(call(wire, "\r\n  " + enveloped(labs())), HAN)


# --- WSDL -------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["wsdl", "WSDL", "singleWsdl"])
@pytest.mark.parametrize("path", [HIS, TYPED, "/hx/LabResults"])
def test_the_wsdl_is_flat_and_has_the_address_that_was_asked(
    wire: Wire, path: str, asked: str
) -> None:
    wire.send(f"GET {path}?{asked} HTTP/1.1\r\nHost: his.example:8080\r\n\r\n".encode())
    answer = wire.answer()
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    names = [etree.QName(e).localname for e in answer.root.iter(etree.Element)]
    assert not {"import", "include"} & set(names)
    assert names.count("service") == names.count("port") == 1
    (address,) = answer.root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == f"http://his.example:8080{path}"


@pytest.mark.parametrize("path", [HIS, TYPED])
def test_soap_1_2_has_its_own_wsdl_and_address(wire: Wire, path: str) -> None:
    wire.send(f"GET {path}/soap12?wsdl HTTP/1.1\r\nHost: his.example:8080\r\n\r\n".encode())
    (address,) = wire.answer().root.iter("{http://schemas.xmlsoap.org/wsdl/soap12/}address")
    assert address.get("location") == f"http://his.example:8080{path}/soap12"
    body = enveloped(labs() if path == HIS else query(), NS12)
    answer = call(wire, body, f"{path}/soap12", kind="application/soap+xml; charset=utf-8")
    assert (answer.status, answer.root.tag) == (200, f"{{{NS12}}}Envelope")


# --- sockets ----------------------------------------------------------------------------------


def test_an_answer_never_waits_for_the_callers_delayed_ack() -> None:
    async def option() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            accepted = writer.get_extra_info("socket")
            told.set_result(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        sock = listening("127.0.0.1", 0)
        async with await asyncio.start_server(connected, sock=sock):
            _, writer = await asyncio.open_connection(*sock.getsockname())
            try:
                return await told
            finally:
                writer.close()

    assert asyncio.run(option()) != 0
