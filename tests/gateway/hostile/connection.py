"""Of the step "connection": requests that two readers could read in two ways."""

from __future__ import annotations

from tests.gateway.hostile.attack import GOOD, Attack, Twin, post

START = (
    b"POST /hx/LabResults HTTP/1.1\r\nHost: gw\r\nContent-Type: text/xml\r\nConnection: close\r\n"
)
BODY = GOOD.encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def head(extra: bytes, body: bytes = BODY) -> bytes:
    return START + extra + b"\r\n" + body


def path(text: str) -> Attack:
    return Attack(post(path=text), "connection", "", status=400)


def broken(raw: bytes, status: int = 400) -> Attack:
    return Attack(raw, "connection", "", status=status)


_PATHS = [
    *("//hx/LabResults", "/hx//LabResults", "/hx/LabResults/", "/hx/./LabResults"),
    *("/sq/../hx/LabResults", "/hx/%2e%2e/hx/LabResults", "/hx%2FLabResults", "/hx/Lab%52esults"),
    *("/hx/LabResults;a=b", "/hx;a/LabResults", "/hx/LabResults%00", "/hx/LabResults%23"),
    *(
        "/hx\\LabResults",
        "/hx/LabResults%0d%0aX:y",
        "/hx/LabResults%c0%af",
        "/.hx/../hx/LabResults",
    ),
    *("/hx/LabResults%20", "/HX%2f..%2fhx/LabResults", "/hx/LabResults%3Fwsdl", "/" + "a" * 300),
]

ATTACKS: dict[str, Attack] = {
    **{f"path {text[:40]}": path(text) for text in _PATHS},
    "length and chunks": broken(head(LENGTH + CHUNKED, b"0\r\n\r\n")),
    "chunks and length": broken(head(CHUNKED + LENGTH, b"0\r\n\r\n")),
    "two lengths": broken(head(LENGTH + b"Content-Length: 3\r\n")),
    "two equal lengths": broken(head(LENGTH + LENGTH)),
    "length list": broken(head(b"Content-Length: 3, 3\r\n", b"<a>")),
    "length with a sign": broken(head(b"Content-Length: +3\r\n", b"<a>")),
    "length below zero": broken(head(b"Content-Length: -3\r\n", b"<a>")),
    "length in hexadecimal": broken(head(b"Content-Length: 0x3\r\n", b"<a>")),
    "length beyond 64 bits": broken(head(b"Content-Length: 18446744073709551620\r\n", b"<a>")),
    "empty length": broken(head(b"Content-Length: \r\n", b"<a>")),
    "coded chunks": broken(head(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n")),
    "chunks not last": broken(head(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n")),
    "two transfer codings": broken(head(CHUNKED + CHUNKED, b"0\r\n\r\n")),
    "unknown coding": broken(head(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n")),
    "coding behind a tab": broken(head(b"Transfer-Encoding:\tchunked, identity\r\n", b"0\r\n\r\n")),
    "chunk size of letters": broken(head(CHUNKED, b"zz\r\n<a/>\r\n0\r\n\r\n")),
    "chunk size with a sign": broken(head(CHUNKED, b"+4\r\n<a/>\r\n0\r\n\r\n")),
    "chunk size in 0x": broken(head(CHUNKED, b"0x4\r\n<a/>\r\n0\r\n\r\n")),
    "chunk size beyond 64 bits": broken(head(CHUNKED, b"11111111111111111\r\n<a/>\r\n0\r\n\r\n")),
    "chunk longer than it says": broken(head(CHUNKED, b"3\r\n<a/>\r\n0\r\n\r\n")),
    "chunk ended by a bare LF": broken(head(CHUNKED, b"4\n<a/>\r\n0\r\n\r\n")),
    "folded header": broken(head(b"X-A: a\r\n b\r\n" + LENGTH)),
    "folded with a tab": broken(head(b"X-A: a\r\n\tContent-Length: 0\r\n" + LENGTH)),
    "space before the colon": broken(head(b"Content-Length : 4\r\n", b"<a/>")),
    "header without a name": broken(head(b": x\r\n" + LENGTH)),
    "header without a colon": broken(head(b"Content-Length 4\r\n", b"<a/>")),
    "NUL in a header": broken(head(b"X-A: a\0b\r\n" + LENGTH)),
    "bare CR in a header": broken(head(b"X-A: a\rb: c\r\n" + LENGTH)),
    "bare LF between headers": broken(
        START.replace(b"Host: gw\r\n", b"Host: gw\n") + LENGTH + b"\r\n" + BODY
    ),
    "control character in a header": broken(head(b"X-A: \x01\r\n" + LENGTH)),
    "two hosts": broken(head(b"Host: other\r\n" + LENGTH)),
    "two SOAPActions": broken(head(b"SOAPAction: a\r\nSOAPAction: b\r\n" + LENGTH)),
    "two SOAPActions in two cases": broken(head(b"SOAPAction: a\r\nsoapaction: a\r\n" + LENGTH)),
    "two content types": broken(head(b"Content-Type: text/xml; charset=gbk\r\n" + LENGTH)),
    "two credentials": broken(
        head(b"Authorization: Basic YTpi\r\nAuthorization: Basic Yzpk\r\n" + LENGTH)
    ),
    "host with a path": broken(head(LENGTH).replace(b"Host: gw", b"Host: gw/evil")),
    "host with a user": broken(head(LENGTH).replace(b"Host: gw", b"Host: a@gw")),
    "host port 0": broken(head(LENGTH).replace(b"Host: gw", b"Host: gw:0")),
    "gzip": broken(head(b"Content-Encoding: gzip\r\n" + LENGTH), 415),
    "deflate in capitals": broken(head(b"CONTENT-ENCODING: DEFLATE\r\n" + LENGTH), 415),
    "identity and gzip": broken(head(b"Content-Encoding: identity, gzip\r\n" + LENGTH), 415),
    "expects something": broken(head(b"Expect: the-unexpected\r\n" + LENGTH), 417),
    "41 headers": broken(head(b"X-A: b\r\n" * 41 + LENGTH), 431),
    "a head of 9 KB": broken(head(b"X-A: " + b"a" * 9000 + b"\r\n" + LENGTH), 431),
    "a cookie of 9 KB": broken(head(b"Cookie: " + b"a=b; " * 1900 + b"\r\n" + LENGTH), 431),
    "forward proxy": broken(head(LENGTH).replace(b"POST /", b"POST http://evil.example/")),
    "CONNECT": broken(b"CONNECT inner:22 HTTP/1.1\r\nHost: inner:22\r\nConnection: close\r\n\r\n"),
    "asterisk": broken(b"POST * HTTP/1.1\r\nHost: gw\r\nConnection: close\r\n\r\n"),
    "HTTP/0.9": broken(b"POST /hx/LabResults\r\n\r\n", 505),
    "HTTP/3.0": broken(head(LENGTH).replace(b"HTTP/1.1", b"HTTP/3.0")),
    "HTTP/1.11": broken(head(LENGTH).replace(b"HTTP/1.1", b"HTTP/1.11")),
    "no HTTP": broken(b"hello there\r\n\r\n"),
    "TLS on the plain port": broken(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 60),
    "too large by its length": broken(head(b"Content-Length: 200001\r\n", b""), 413),
    "too large in chunks": broken(
        head(CHUNKED, b"30d41\r\n" + b"x" * 200_001 + b"\r\n0\r\n\r\n"), 413
    ),
}

TWINS: dict[str, Twin] = {
    "plain": Twin(post()),
    "chunks": Twin(head(CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))),
    "chunk extension": Twin(head(CHUNKED, b"%x;a=b\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY))),
    "identity": Twin(post(GOOD, "Content-Encoding: identity")),
    "expected": Twin(post(GOOD, "Expect: 100-continue")),
    "a few headers": Twin(post(GOOD, *(f"X-{n}: 1" for n in range(20)))),
    "HTTP/1.0": Twin(head(LENGTH).replace(b"HTTP/1.1", b"HTTP/1.0")),
    "host with a port": Twin(head(LENGTH).replace(b"Host: gw", b"Host: gw:8080")),
    "forwarded for": Twin(post(GOOD, "X-Forwarded-For: 127.0.0.9")),
}
