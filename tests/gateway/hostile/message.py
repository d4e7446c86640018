"""Of the step "message": XML and SOAP that is not what it seems."""

from __future__ import annotations

import gzip

from tests.gateway.hostile.attack import (
    GOOD,
    LAB,
    SOAP11,
    SOAP12,
    XML,
    XML12,
    Attack,
    Twin,
    enveloped,
    lab,
    post,
)

WSA = "http://www.w3.org/2005/08/addressing"
OLD_WSA = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
GBK = '<?xml version="1.0" encoding="gbk"?>'


def bad(body: str | bytes, rule: str, kind: str | None = XML, action: str | None = None) -> Attack:
    return Attack(post(body, kind=kind, action=action), "message", rule)


def inside(content: str, rule: str) -> Attack:
    """Within the operation."""
    return bad(enveloped(lab(content)), rule)


def action(value: str, kind: str = XML, body: str = GOOD) -> Attack:
    return Attack(
        post(body, kind=kind, action=value or None),
        *("message", "SOAPAction", "UnknownOperation"),
    )


def addressed(header: str, rule: str) -> Attack:
    code = "UnknownOperation" if rule == "wsa:Action" else "InvalidArgument"
    return Attack(post(enveloped(lab(), header)), "message", rule, code)


def endpoint(name: str, address: str, ns: str = WSA) -> str:
    return f'<{name} xmlns="{ns}"><Address>{address}</Address></{name}>'


def dtd(internal: str, content: str = "<TestNo>&b;</TestNo>") -> Attack:
    return bad(f'<?xml version="1.0"?><!DOCTYPE a {internal}>' + enveloped(lab(content)), "dtd")


_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_BLOWUP = f'<!ENTITY b "{"x" * 50_000}">'
_ATTRIBUTES = " ".join(f'a{n}="{n}{n}"' for n in range(65))

_DTDS = {
    "billion laughs": dtd(f'[<!ENTITY l0 "lol">{_LAUGHS}]', "<TestNo>&l9;</TestNo>"),
    "quadratic blowup": dtd(f"[{_BLOWUP}]", f"<TestNo>{'&b;' * 5000}</TestNo>"),
    "external entity, file": dtd('[<!ENTITY b SYSTEM "file:///etc/passwd">]'),
    "external entity, http": dtd('[<!ENTITY b SYSTEM "http://127.0.0.1:1/x">]'),
    "external entity, public": dtd('[<!ENTITY b PUBLIC "x" "http://127.0.0.1:1/x">]'),
    "parameter entity": dtd('[<!ENTITY % p SYSTEM "http://127.0.0.1:1/p"> %p;]'),
    "external DTD": dtd('SYSTEM "http://127.0.0.1:1/x.dtd"', ""),
    "recursive entity": dtd('[<!ENTITY b "&b;">]'),
    "empty DTD": dtd("", "<TestNo>1</TestNo>"),
    "default attribute": dtd('[<!ATTLIST TestNo a CDATA "x">]', "<TestNo>1</TestNo>"),
    "DTD behind a comment": bad(f'<?xml version="1.0"?><!-- x --><!DOCTYPE a>{GOOD}', "dtd"),
    "DTD in UTF-16": bad(
        f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a>{GOOD}'.encode("utf-16"),
        "dtd",
        "text/xml; charset=utf-16",
    ),
    "DTD in the body": inside("<!DOCTYPE a [<!ENTITY b 'c'>]>", "well-formed"),
    "entity without a DTD": inside("<TestNo>&b;</TestNo>", "well-formed"),
}

_SIZES = {
    "65 deep": inside("<a>" * 62 + "</a>" * 62, "limits.depth"),
    "255 deep": inside("<a>" * 252 + "</a>" * 252, "limits.depth"),
    "1,000 deep": inside("<a>" * 1000 + "</a>" * 1000, "limits.depth"),
    "30,000 deep, never closed": inside("<a>" * 30_000, "limits.elements"),
    "deep in the header": bad(
        enveloped(lab(), "<h>" + "<a>" * 70 + "</a>" * 70 + "</h>"), "limits.depth"
    ),
    "5,001 elements": inside("<a/>" * 5000, "limits.elements"),
    "5,001 empty pairs": inside("<a></a>" * 5000, "limits.elements"),
    "many comments": inside("<!---->" * 6000, "limits.elements"),
    "many CDATA sections": inside("<![CDATA[]]>" * 6000, "limits.elements"),
    "65 attributes": inside(f"<a {_ATTRIBUTES}/>", "limits.attributes"),
    "65 attributes with spaces": inside(
        f"<a {_ATTRIBUTES}/>".replace("=", " = "), "limits.attributes"
    ),
    "65 attributes behind a >": inside(f'<a z=">" {_ATTRIBUTES}/>', "limits.attributes"),
    "an attribute twice": inside('<a b="1" b="2"/>', "well-formed"),
    "6,000 attributes in all": inside(
        "".join(f'<a b="{n}" c="1" d="2" e="3"/>' for n in range(1500)), "limits.attributes"
    ),
    "33 namespaces": inside(
        "".join(f'<a xmlns="urn:n{n}"/>' for n in range(33)), "limits.namespaces"
    ),
    "33 prefixes": inside(
        "<a " + " ".join(f'xmlns:p{n}="urn:n{n}"' for n in range(33)) + "/>", "limits.namespaces"
    ),
    "a name of 257": inside(f"<{'n' * 257}/>", "limits.name_length"),
    "a name of 60,000": inside(f"<{'n' * 60_000}/>", "limits.name_length"),
    "an attribute of 257": inside(f'<a {"n" * 257}="1"/>', "limits.name_length"),
    "a prefix of 257": inside(f'<a xmlns:{"n" * 257}="urn:x"/>', "limits.name_length"),
    "an end tag of 60,000": inside(f"</{'n' * 60_000}>", "well-formed"),
    "a text of 50,001": inside(f"<TestNo>{'x' * 50_001}</TestNo>", "limits.text_bytes"),
    "a text in two CDATA sections": inside(
        f"<TestNo><![CDATA[{'x' * 30_000}]]><![CDATA[{'x' * 30_000}]]></TestNo>",
        "limits.text_bytes",
    ),
    "a text around a comment": inside(
        f"<TestNo>{'x' * 30_000}<!-- -->{'x' * 30_000}</TestNo>", "limits.text_bytes"
    ),
    "an attribute's value of 50,001": inside(f'<a b="{"x" * 50_001}"/>', "limits.text_bytes"),
    "a whole body of nothing": bad(b" " * 100_000, "envelope"),
    "a body of NULs": bad(b"\0" * 1000, ""),
    "a body of <": bad("<" * 100_000, "limits.elements"),
    "a body of &": bad(enveloped("&" * 50_000), "well-formed"),
    "a body of quotes": inside('<a b="' * 1000, "well-formed"),
    "a comment that never ends": inside("<!-- " * 1000, "well-formed"),
    "a CDATA section that never ends": inside("<![CDATA[" * 400, "well-formed"),
}

_OUTSIDE = {
    "XInclude": inside(
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>',
        "include",
    ),
    "XInclude as text": inside(
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="/etc/passwd"/>',
        "include",
    ),
    "XInclude, hidden name": inside(
        '<i:include xmlns:i="http://www.w3.org/2001/XInc&#108;ude" href="x"/>', "include"
    ),
    "XInclude in the header": bad(
        enveloped(lab(), '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="x"/>'),
        "include",
    ),
    "XOP": inside(
        '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:1@x"/>',
        "include",
    ),
    "attachments": bad(
        f"--b\r\nContent-Type: text/xml\r\n\r\n{GOOD}\r\n--b--",
        "Content-Type",
        'multipart/related; type="text/xml"; boundary=b',
    ),
    "MTOM": bad(GOOD, "Content-Type", 'multipart/related; type="application/xop+xml"; boundary=b'),
    "XOP's own type": bad(GOOD, "Content-Type", "application/xop+xml"),
    "DIME": bad(GOOD, "Content-Type", "application/dime"),
    "form": bad(GOOD, "Content-Type", "application/x-www-form-urlencoded"),
    "form with files": bad(GOOD, "Content-Type", "multipart/form-data; boundary=b"),
    "plain text, as a page sends it": bad(GOOD, "Content-Type", "text/plain"),
    "JSON": bad('{"GetLabResult": {}}', "Content-Type", "application/json"),
    "HTML": bad(GOOD, "Content-Type", "text/html"),
    "SVG": bad(GOOD, "Content-Type", "image/svg+xml"),
    "stylesheet": bad(
        f'<?xml version="1.0"?><?xml-stylesheet href="http://127.0.0.1:1/"?>{GOOD}',
        "processing-instruction",
    ),
    "PHP": inside("<?php system('id') ?>", "processing-instruction"),
    "instruction behind the end": bad(GOOD + "<?x?>", "processing-instruction"),
    "second XML declaration": inside('<?xml version="1.0"?>', "processing-instruction"),
    "gzip that is not declared": bad(gzip.compress(GOOD.encode()), ""),
}

_ENCODINGS = {
    "declared GBK, sent UTF-16": bad((GBK + GOOD).encode("utf-16"), "charset", "text/xml"),
    "declared GBK, sent UTF-16 without mark": bad(
        (GBK + GOOD).encode("utf-16-be"), "charset", "text/xml"
    ),
    "declared GBK, marked UTF-8": bad(("\ufeff" + GBK + GOOD).encode(), "charset", "text/xml"),
    "charset GBK, sent UTF-16": bad(GOOD.encode("utf-16"), "charset", "text/xml; charset=gbk"),
    "charset GBK, marked UTF-8": bad(
        b"\xef\xbb\xbf" + GOOD.encode(), "charset", "text/xml; charset=gbk"
    ),
    "charset UTF-8, sent GBK": bad(enveloped(lab("<a>中</a>")).encode("gbk"), "charset"),
    "overlong <": inside("<a>X</a>", "charset"),
    "overlong slash": inside("<a>Y</a>", "charset"),
    "half of a pair": inside("<a>Z</a>", "charset"),
    "beyond Unicode": inside("<a>W</a>", "charset"),
    "half of a character": bad(enveloped(lab()).encode() + b"\xe4\xb8", "charset"),
    "UTF-7": bad("+ADw-a/+AD4-" + GOOD, "charset", "text/xml; charset=utf-7"),
    "EBCDIC": bad(GOOD.encode("cp037"), "charset", "text/xml; charset=cp037"),
    "UTF-32": bad(GOOD.encode("utf-32"), "charset", "text/xml; charset=utf-32"),
    "UTF-32 that is not declared": bad(GOOD.encode("utf-32-le"), "", "text/xml"),
    "UTF-16 cut off": bad(GOOD.encode("utf-16")[:-1], "charset", "text/xml"),
    "unknown charset": bad(GOOD, "charset", "text/xml; charset=x-martian"),
    "unknown declaration": bad(
        f'<?xml version="1.0" encoding="martian"?>{GOOD}', "charset", "text/xml"
    ),
    "NUL within": inside("<a>\0</a>", "well-formed"),
    "control character": inside("<a>\x08</a>", "well-formed"),
    "control character by number": inside("<a>&#8;</a>", "well-formed"),
    "NUL by number": inside("<a>&#0;</a>", "well-formed"),
    "U+FFFE": inside("<a>\ufffe</a>", "well-formed"),
    "lone surrogate by number": inside("<a>&#xD800;</a>", "well-formed"),
}
for _name, _byte, _bytes in (
    ("overlong <", b"X", b"\xc0\xbc"),
    ("overlong slash", b"Y", b"\xe0\x80\xaf"),
    ("half of a pair", b"Z", b"\xed\xa0\x80"),
    ("beyond Unicode", b"W", b"\xf5\x80\x80\x80"),
):
    _ENCODINGS[_name] = bad(enveloped(lab("<a>@</a>")).encode().replace(b"@", _bytes), "charset")

_STRUCTURE = {
    "empty": bad("", "envelope"),
    "no XML": bad("hello", "well-formed"),
    "SQL": bad("'; DROP TABLE patients; --", "well-formed"),
    "JSON as XML": bad('{"a": 1}', "well-formed"),
    "HTML page": bad("<html><body><form/></body></html>", "envelope"),
    "XML-RPC": bad("<methodCall><methodName>GetLabResult</methodName></methodCall>", "envelope"),
    "no namespace": Attack(
        post(GOOD.replace(f' xmlns:s="{SOAP11}"', "").replace("s:", "")),
        *("message", "envelope", "VersionMismatch"),
    ),
    "empty body": bad(enveloped(""), "envelope"),
    "text in the body": bad(enveloped("GetLabResult"), "envelope"),
    "operation in a comment": bad(enveloped(f"<!--{lab()}-->"), "envelope"),
    "operation in CDATA": bad(enveloped(f"<![CDATA[{lab()}]]>"), "envelope"),
    "operation in the header": bad(enveloped("", lab()), "envelope"),
    "two bodies": bad(GOOD.replace("<s:Body>", "<s:Body/><s:Body>"), "envelope"),
    "two headers": bad(GOOD.replace("<s:Body>", "<s:Header/><s:Header/><s:Body>"), "envelope"),
    "header behind the body": bad(GOOD.replace("</s:Body>", "</s:Body><s:Header/>"), "envelope"),
    "something behind the body": bad(GOOD.replace("</s:Body>", "</s:Body><x/>"), "envelope"),
    "body of the other version": bad(
        GOOD.replace("<s:Body>", f'<b:Body xmlns:b="{SOAP12}">').replace("</s:Body>", "</b:Body>"),
        "envelope",
    ),
    "two operations": bad(enveloped(lab() + lab(name="MarkLabPrinted")), "one-operation"),
    "two operations, the wrong one first": bad(
        enveloped(lab(name="MarkLabPrinted") + lab()), "one-operation"
    ),
    "the same operation twice": bad(enveloped(lab() * 2), "one-operation"),
    "a second operation with an id": bad(
        enveloped(lab() + lab(name="MarkLabPrinted").replace(" ", ' id="1" ', 1)), "one-operation"
    ),
    "a thousand operations": bad(enveloped(lab() * 1000), "one-operation"),
    "something behind the envelope": bad(GOOD + lab(), "well-formed"),
    "two envelopes": bad(GOOD * 2, "well-formed"),
    "text before": bad("x" + GOOD, "well-formed"),
    "not closed": bad(GOOD[:-5], "well-formed"),
    "crossed": inside("<a><b></a></b>", "well-formed"),
    "undeclared prefix": inside("<q:a/>", "well-formed"),
    "prefix xmlns": inside('<a xmlns:xmlns="urn:x"/>', "well-formed"),
    "prefix xml": inside('<a xmlns:xml="urn:x"/>', "well-formed"),
    "unquoted attribute": inside("<a b=c/>", "well-formed"),
    "< in an attribute": inside('<a b="<"/>', "well-formed"),
    "]]> in text": inside("<a>]]></a>", "well-formed"),
    "-- in a comment": inside("<!-- a -- b -->", "well-formed"),
    "a brace in the envelope's namespace": bad(
        GOOD.replace("xmlsoap", "x}lsoap", 1), "well-formed"
    ),
    "a brace in the operation's namespace": bad(enveloped(lab(ns=LAB + "}")), "well-formed"),
    "future SOAP": Attack(
        post(GOOD.replace(SOAP11, "http://www.w3.org/2031/soap-envelope")),
        *("message", "envelope", "VersionMismatch"),
    ),
    "a SOAP draft": Attack(
        post(GOOD.replace(SOAP11, "http://www.w3.org/2001/12/soap-envelope")),
        *("message", "envelope", "VersionMismatch"),
    ),
    "what must be understood": Attack(
        post(enveloped(lab(), '<t:X xmlns:t="urn:t" s:mustUnderstand="1"/>')),
        *("message", "mustUnderstand", "MustUnderstand"),
    ),
    "what must be understood by the next one": Attack(
        post(
            enveloped(
                lab(),
                '<t:X xmlns:t="urn:t" s:mustUnderstand="1" '
                's:actor="http://schemas.xmlsoap.org/soap/actor/next"/>',
            )
        ),
        *("message", "mustUnderstand", "MustUnderstand"),
    ),
    "what must be understood, in SOAP 1.2": Attack(
        post(
            enveloped(lab(), '<t:X xmlns:t="urn:t" s:mustUnderstand="true"/>', SOAP12), kind=XML12
        ),
        *("message", "mustUnderstand", "MustUnderstand"),
    ),
    "a transaction": Attack(
        post(
            enveloped(
                lab(),
                '<c:CoordinationContext xmlns:c="http://docs.oasis-open.org/ws-tx/wscoor/2006/06" '
                's:mustUnderstand="1"/>',
            )
        ),
        *("message", "mustUnderstand", "MustUnderstand"),
    ),
    "two security headers": bad(
        enveloped(
            lab(),
            '<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/'
            'oasis-200401-wss-wssecurity-secext-1.0.xsd"/>' * 2,
        ),
        "security",
    ),
}

_SPOOFED = {
    "action of another": action(f'"{LAB}/MarkLabPrinted"'),
    "action of another, allowed body": action("MarkLabPrinted"),
    "action in another case": action(f"{LAB}/getlabresult"),
    "action in another namespace": action("urn:evil/GetLabResult"),
    "action in a longer namespace": action(f"{LAB}0/GetLabResult"),
    "action with more behind it": action(f"{LAB}/GetLabResult/MarkLabPrinted"),
    "action with a query": action(f"{LAB}/GetLabResult?x"),
    "action of letters that look alike": action(f"{LAB}/GetLabResuIt"),
    "action with two names": action(f'"{LAB}/GetLabResult", "{LAB}/MarkLabPrinted"'),
    "action of SOAP 1.2": action(
        "", f'{XML12}; action="{LAB}/MarkLabPrinted"', enveloped(lab(), ns=SOAP12)
    ),
    "second action of SOAP 1.2": action(
        "",
        f'{XML12}; action="{LAB}/GetLabResult"; action="{LAB}/MarkLabPrinted"',
        enveloped(lab(), ns=SOAP12),
    ),
    "both actions, one wrong": action(
        f"{LAB}/GetLabResult", f"{XML12}; action=MarkLabPrinted", enveloped(lab(), ns=SOAP12)
    ),
    "wsa:Action of another": addressed(
        f'<Action xmlns="{WSA}">{LAB}/MarkLabPrinted</Action>', "wsa:Action"
    ),
    "old wsa:Action of another": addressed(
        f'<Action xmlns="{OLD_WSA}">{LAB}/MarkLabPrinted</Action>', "wsa:Action"
    ),
    "second wsa:Action": addressed(
        f'<Action xmlns="{WSA}">{LAB}/GetLabResult</Action>'
        f'<Action xmlns="{WSA}">{LAB}/MarkLabPrinted</Action>',
        "wsa:Action",
    ),
    "wsa:Action for somebody else": addressed(
        f'<Action xmlns="{WSA}" s:actor="urn:node">{LAB}/MarkLabPrinted</Action>', "wsa:Action"
    ),
    "empty wsa:Action": addressed(f'<Action xmlns="{WSA}"/>', "wsa:Action"),
    "answers elsewhere": addressed(endpoint("ReplyTo", "http://127.0.0.1:1/"), "wsa:ReplyTo"),
    "answers elsewhere, old": addressed(
        endpoint("ReplyTo", "http://127.0.0.1:1/", OLD_WSA), "wsa:ReplyTo"
    ),
    "faults elsewhere": addressed(endpoint("FaultTo", "mailto:a@example.org"), "wsa:FaultTo"),
    "no answers": addressed(endpoint("ReplyTo", f"{WSA}/none"), "wsa:ReplyTo"),
    "second answer elsewhere": addressed(
        endpoint("ReplyTo", f"{WSA}/anonymous") + endpoint("ReplyTo", "http://127.0.0.1:1/"),
        "wsa:ReplyTo",
    ),
    "address of another version": addressed(
        endpoint("ReplyTo", f"{WSA}/anonymous", OLD_WSA), "wsa:ReplyTo"
    ),
    "no address": addressed(f'<ReplyTo xmlns="{WSA}"/>', "wsa:ReplyTo"),
}


def _in_1_2(attack: Attack) -> Attack:
    """A SOAP 1.2 sender's fault is HTTP 400."""
    raw = attack.sent()
    if SOAP12.encode() in raw and b"<b:Body" not in raw and attack.code != "MustUnderstand":
        return Attack(raw, attack.step, attack.rule, attack.code, 400)
    return attack


ATTACKS: dict[str, Attack] = {
    name: _in_1_2(attack)
    for table in (_DTDS, _SIZES, _OUTSIDE, _ENCODINGS, _STRUCTURE, _SPOOFED)
    for name, attack in table.items()
}

TWINS: dict[str, Twin] = {
    "60 deep": Twin(post(enveloped(lab("<a>" * 58 + "</a>" * 58)))),
    "4,000 elements": Twin(post(enveloped(lab("<a/>" * 4000)))),
    "a document as text": Twin(
        post(enveloped(lab("<a><![CDATA[<?xml version='1.0'?><!DOCTYPE b><b c='d'/>]]></a>")))
    ),
    "elements in CDATA": Twin(post(enveloped(lab(f"<a><![CDATA[{'<b>' * 6000}]]></a>")))),
    "a text of 49,000": Twin(post(enveloped(lab(f"<TestNo>{'x' * 49_000}</TestNo>")))),
    "64 attributes": Twin(
        post(enveloped(lab("<a " + " ".join(f'a{n}="1"' for n in range(64)) + "/>")))
    ),
    "a name of 256": Twin(post(enveloped(lab(f"<{'n' * 256}/>")))),
    "GBK by charset": Twin(
        post(enveloped(lab("<TestNo>朱镕喆</TestNo>")).encode("gbk"), kind="text/xml; charset=gbk")
    ),
    "GBK by declaration": Twin(
        post((GBK + enveloped(lab("<TestNo>朱</TestNo>"))).encode("gbk"), kind="text/xml")
    ),
    "UTF-16": Twin(post(GOOD.encode("utf-16"), kind="text/xml; charset=utf-16")),
    "UTF-8 with a mark": Twin(post(b"\xef\xbb\xbf" + GOOD.encode())),
    "NUL behind the end": Twin(post(GOOD.encode() + b"\0")),
    "comments": Twin(post(enveloped(f"<!-- {'x' * 50} -->{lab()}"))),
    "schemaLocation": Twin(
        post(
            enveloped(
                lab().replace(
                    " xmlns",
                    ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
                    'i:schemaLocation="urn:x http://127.0.0.1:1/evil.xsd" xmlns',
                    1,
                )
            )
        )
    ),
    "no type": Twin(post(kind=None)),
    "action": Twin(post(action=f'"{LAB}/GetLabResult"')),
    "empty action": Twin(post(action='""')),
    "bare action": Twin(post(action="GetLabResult")),
    "SOAP 1.2": Twin(
        post(enveloped(lab(), ns=SOAP12), kind=f'{XML12}; action="{LAB}/GetLabResult"')
    ),
    "addressed": Twin(
        post(
            enveloped(
                lab(),
                f'<Action xmlns="{WSA}">{LAB}/GetLabResult</Action>'
                + endpoint("ReplyTo", f"{WSA}/anonymous"),
            )
        )
    ),
    "a header that may be ignored": Twin(post(enveloped(lab(), '<t:X xmlns:t="urn:t"/>'))),
    "a header for another": Twin(
        post(enveloped(lab(), '<t:X xmlns:t="urn:t" s:mustUnderstand="1" s:actor="urn:other"/>'))
    ),
    "large, off the loop": Twin(
        post(enveloped(lab("".join(f"<a>{'x' * 40}</a>" for _ in range(2500)))))
    ),
}
