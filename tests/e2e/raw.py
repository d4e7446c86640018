"""Bytes to a socket as legacy toolkits send them, and the answer taken apart."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from services import delimited

TEMPURI = "http://tempuri.org/"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def envelope(self) -> etree._Element:
        return etree.fromstring(self.body)

    @property
    def fault(self) -> str | None:
        """The faultcode's local part, or None."""
        code = self.envelope.findtext(f"{{{SOAP}}}Body/{{{SOAP}}}Fault/faultcode")
        return code.rpartition(":")[2] if code else None

    def text(self, name: str) -> str:
        """The text of an element of the answer, in whatever namespace."""
        found = self.envelope.xpath("//*[local-name() = $name]", name=name)
        assert len(found) == 1, self.body
        return found[0].text or ""

    def delimited(self, operation: str) -> tuple[int, list[list[str]]]:
        """A legacy operation's int result and its rows."""
        return int(self.text(f"{operation}Result")), delimited.split(self.text("str"))


def post(
    url: str,
    body: bytes,
    *headers: str,
    expect_continue: bool = False,
    timeout: float = 20.0,
) -> Answer:
    """One request over a socket of its own. With ``expect_continue`` the body waits for the
    interim answer, as .NET Framework clients do."""
    parts = urlsplit(url)
    assert parts.hostname and parts.port
    head = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    head += [f"Content-Length: {len(body)}", "Connection: close"]
    if expect_continue:
        head.append("Expect: 100-continue")
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as sock:
        stream = sock.makefile("rb")
        sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
        if expect_continue:
            interim = stream.readline()
            assert interim.startswith(b"HTTP/1.1 100"), interim
            assert stream.readline() == b"\r\n"
        sock.sendall(body)
        status = int(stream.readline().split()[1])
        received = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            received[name.strip().lower()] = value.strip()
        return Answer(status, received, stream.read())


def powerbuilder(patient: str, ref: str = "<str></str>") -> bytes:
    """PowerBuilder EasySoap: a default namespace on the operation."""
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>'
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}" '
        'xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><SOAP-ENV:Body>'
        f'<getlabmaster xmlns="{TEMPURI}"><PatientId>{patient}</PatientId>{ref}</getlabmaster>'
        "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode()


def dotnet(operation: str, namespace: str, arguments: str) -> bytes:
    """A proxy made by wsdl.exe."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<soap:Envelope xmlns:soap="{SOAP}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
        f'<{operation} xmlns="{namespace}">{arguments}</{operation}>'
        "</soap:Body></soap:Envelope>"
    ).encode()


def soap_headers(action: str, charset: str = "utf-8") -> tuple[str, str]:
    return f"Content-Type: text/xml; charset={charset}", f'SOAPAction: "{action}"'
