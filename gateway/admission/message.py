"""Admission, the message: one bounded parse, whose outcome every later step uses."""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from gateway.admission.addressing import addressing
from services.faults import MalformedMessage
from services.soap.action import agree
from services.soap.bounds import Limits
from services.soap.envelope import is_for_us, parse
from services.soap.legacy import holder, is_nil, only_referenced
from services.soap.replies import version_of
from services.soap.version import SOAP_1_1, SOAP_1_2, SoapVersion

_TYPES = ("text/xml", "application/soap+xml", "application/xml", "")
_INCLUDES = ("{http://www.w3.org/2001/XInclude}*", "{http://www.w3.org/2004/08/xop/include}*")


#: the WS-Security header, which gateway/admission/username_token.py looks at
SECURITY = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
)
_UNDERSTOOD = frozenset({SECURITY})


class Message(NamedTuple):
    """A message that has passed. ``namespace`` is "" where an rpc client leaves the operation
    unqualified; ``root`` is the Envelope, ``element`` the Body's first child, ``others`` the
    multiRefs beside it. ``request_id`` is the text of a write's RequestId, ``patient_id`` of the
    first PatientId; None where there is none. ``security`` is the wsse:Security header."""

    version: SoapVersion
    namespace: str
    operation: str
    root: etree._Element
    request_id: str | None
    patient_id: str | None
    element: etree._Element
    others: tuple[etree._Element, ...]
    security: etree._Element | None


def inspect(
    body: bytes, content_type: str | None, soap_action: str | None, limits: Limits
) -> Message:
    """The message, or the Fault that refuses it; the Fault's ``rule`` says what did. ``limits``:
    of the body and the document. Safe in any thread."""
    _is_xml(content_type)
    version, root, element, others, blocks = parse(body, content_type, limits, _UNDERSTOOD)
    tag = str(element.tag)
    namespace, _, operation = tag[1:].rpartition("}") if tag[0] == "{" else ("", "", tag)
    if others:
        only_referenced(element, others)
    agree(soap_action, content_type, namespace, operation)
    if _may_include(body) and next(root.iter(*_INCLUDES), None) is not None:
        raise MalformedMessage(
            "报文不能引用外部内容（XInclude、XOP）",
            "a message cannot include what is outside of it (XInclude, XOP)",
            rule="include",
        )
    security = None
    if blocks:
        addressing(blocks, namespace, operation)
        security = _security(blocks, version)
    request_id, patient_id = _identifiers(element, others)
    return Message(
        version, namespace, operation, root, request_id, patient_id, element, others, security
    )


def perhaps_version(content_type: str | None, body: bytes) -> SoapVersion:
    """The SOAP version to answer in what could not be read to its end: of the Content-Type, or of
    the namespace that stands near the beginning."""
    begin = body[:4096].replace(b"\0", b"")
    if SOAP_1_2.envelope.encode() in begin and SOAP_1_1.envelope.encode() not in begin:
        return SOAP_1_2
    return version_of(content_type)


def _is_xml(content_type: str | None) -> None:
    """Attachments (multipart) hide content from every check; a form's types are what a browser
    sends across sites without asking."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise MalformedMessage(
            f"Content-Type 应为 text/xml 或 application/soap+xml，不接受 {kind[:60]}（含附件）",
            f"Content-Type must be text/xml or application/soap+xml; {kind[:60]} is not taken, "
            "nor are attachments",
            field="HTTP Content-Type",
            rule="Content-Type",
        )


def _security(blocks: tuple[etree._Element, ...], version: SoapVersion) -> etree._Element | None:
    found = [block for block in blocks if block.tag == SECURITY and is_for_us(block, version)]
    if len(found) > 1:
        raise MalformedMessage(
            "wsse:Security 头只能有一个", "there must be one wsse:Security header", rule="security"
        )
    return found[0] if found else None


def _may_include(body: bytes) -> bool:
    """Whether one of those namespaces can stand in it: as it is, by references, or in UTF-16."""
    return b"nclude" in body or b"&" in body or b"\0" in body


def _identifiers(
    element: etree._Element, others: tuple[etree._Element, ...]
) -> tuple[str | None, str | None]:
    """RequestId, an argument of the operation's, and PatientId, which may stand deeper."""
    request_id = patient_id = None
    for found in element.iter("{*}RequestId", "{*}PatientId"):
        if str(found.tag).endswith("PatientId"):
            if patient_id is None:
                patient_id = found
        elif request_id is None and found.getparent() is element:
            request_id = found
        if patient_id is not None and request_id is not None:
            break
    return _text(request_id, others), _text(patient_id, others)


def _text(element: etree._Element | None, others: tuple[etree._Element, ...]) -> str | None:
    """An argument's value as the node will read it: else one patient would be asked for, and
    another be on record."""
    if element is not None and element.attrib:
        element = holder(element, others)
        if element is not None and is_nil(element):
            element = None
    if element is None:
        return None
    return (element.text or "").strip() or None
