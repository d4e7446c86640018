"""SOAP 1.1 envelopes around UDDI messages, which are document/literal bare.

Nothing here knows UDDI but for the fault's dispositionReport, whose form the versions share.
"""

from __future__ import annotations

import re
from email.message import Message

from lxml import etree

from registry.errors import UddiError
from services.soap.parser import NotXml, parsed

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"

_OPENED = (
    f"<?xml version='1.0' encoding='utf-8'?>\n<soap:Envelope xmlns:soap=\"{SOAP}\"><soap:Body>"
)
_CLOSED = "</soap:Body></soap:Envelope>"

CONTENT_TYPE = "text/xml; charset=utf-8"


class EnvelopeError(Exception):
    """Not an envelope that can be answered by UDDI: a plain SOAP fault, no dispositionReport."""

    def __init__(self, faultcode: str, message: str) -> None:
        super().__init__(message)
        self.faultcode = faultcode
        self.message = message


def parse_xml(body: bytes, charset: str | None = None) -> etree._Element:
    """The document's root; EnvelopeError says what is wrong, and where."""
    try:
        return parsed(body, charset)
    except NotXml as error:
        raise EnvelopeError("Client", str(error)) from error


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of an HTTP Content-Type."""
    if not content_type:
        return None
    message = Message()
    message["Content-Type"] = content_type
    charset = message.get_param("charset")
    return charset.strip() if isinstance(charset, str) and charset.strip() else None


def open_envelope(body: bytes, content_type: str | None = None) -> etree._Element:
    """The one child of the Body. EnvelopeError where it is no SOAP 1.1 envelope with just one."""
    root = parse_xml(body, charset_of(content_type))
    if root.tag != f"{{{SOAP}}}Envelope":
        version = root.tag == f"{{{_SOAP_12}}}Envelope" or etree.QName(root).localname == "Envelope"
        raise EnvelopeError(
            "VersionMismatch" if version else "Client",
            f"应为 SOAP 1.1 的 Envelope / not a SOAP 1.1 Envelope: {root.tag!s}",
        )
    for header in root.findall(f"{{{SOAP}}}Header/*"):
        if header.get(f"{{{SOAP}}}mustUnderstand") in ("1", "true"):
            raise EnvelopeError(
                "MustUnderstand", f"不认识的必须理解的头 / header not understood: {header.tag!s}"
            )
    bodies = root.findall(f"{{{SOAP}}}Body")
    children = [child for each in bodies for child in each]
    if len(bodies) != 1 or len(children) > 1:
        raise EnvelopeError(
            "Client", "应恰有一个 Body 且其中恰有一个元素 / one Body with one element is expected"
        )
    if not children:
        raise EnvelopeError("Client", "Body 是空的 / the Body is empty")
    return children[0]


def element_of(content: etree._Element | str | None) -> etree._Element | None:
    """The same as an element, where it is text."""
    return etree.fromstring(content) if isinstance(content, str) else content


def envelope(content: etree._Element | str | None) -> bytes:
    """An envelope with this in its Body, an element or its text, or with an empty Body."""
    if isinstance(content, str):
        return f"{_OPENED}{content}{_CLOSED}".encode()
    root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    body = etree.SubElement(root, f"{{{SOAP}}}Body")
    if content is not None:
        body.append(content)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def plain_fault(error: EnvelopeError) -> bytes:
    return envelope(_fault(error.faultcode, error.message))


def uddi_fault(error: UddiError, namespace: str, attributes: dict[str, str]) -> bytes:
    """A fault with a dispositionReport of that UDDI version, whose root has these attributes."""
    fault = _fault("Server" if error.server else "Client", error.message)
    etree.SubElement(fault, "detail").append(report(error, namespace, attributes))
    return envelope(fault)


def report(error: UddiError, namespace: str, attributes: dict[str, str]) -> etree._Element:
    """The dispositionReport itself."""
    made = etree.Element(f"{{{namespace}}}dispositionReport", attributes, nsmap={None: namespace})
    result = etree.SubElement(made, f"{{{namespace}}}result", errno=str(error.errno))
    info = etree.SubElement(result, f"{{{namespace}}}errInfo", errCode=f"E_{error.code}")
    info.text = printable(str(error.message))
    return made


def _fault(code: str, message: str) -> etree._Element:
    fault = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
    etree.SubElement(fault, "faultcode").text = f"soap:{code}"
    etree.SubElement(fault, "faultstring").text = printable(message)
    return fault


def printable(text: str) -> str:
    """The text without characters that XML cannot carry."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
