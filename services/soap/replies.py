"""Faults as replies: the version, the HTTP status and the detail, made at this one place."""

from __future__ import annotations

import traceback
from typing import NamedTuple

import structlog

from services.faults import ClientFault, Fault, InternalError, MustUnderstand, VersionMismatch
from services.soap import envelope
from services.soap.values import escape
from services.soap.version import SOAP_1_1, SOAP_1_2, SoapVersion

log = structlog.get_logger()

FAULT_NAMESPACE = "urn:yilian:fault:1"


class Reply(NamedTuple):
    """What goes back over HTTP. ``fault`` is the fault's code, for logs, where it is one."""

    status: int
    content_type: str
    body: bytes
    fault: str = ""


def version_of(content_type: str | None) -> SoapVersion:
    """The SOAP version to answer in while the envelope has not told it."""
    is_1_2 = (content_type or "").strip().lower().startswith("application/soap+xml")
    return SOAP_1_2 if is_1_2 else SOAP_1_1


def internal_error(error: Exception, hospital: str) -> InternalError:
    """A defect of ours as a Fault. The log says where it happened, and not the exception's
    text, which may hold a patient's data."""
    frames = traceback.extract_tb(error.__traceback__)
    log.error(
        "internal error",
        hospital=hospital,
        error=type(error).__name__,
        at=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
    return InternalError(
        "系统内部错误，已记入日志，请联系运维",
        "an internal error, which is in the log; tell the operator",
        hospital=hospital,
    )


def fault_reply(
    fault: Fault, version: SoapVersion = SOAP_1_1, *, request_id: str = "", status: int = 0
) -> Reply:
    """A Fault as a reply in that version. Its detail is machine-readable; ``status`` overrides
    the HTTP status that the version's HTTP binding says."""
    content = "".join(
        f"<{name}>{escape(value)}</{name}>"
        for name, value in (
            ("Code", fault.code),
            ("Message", fault.zh),
            ("MessageEn", fault.en),
            ("Hospital", fault.hospital),
            ("Source", fault.source),
            ("Field", fault.field),
            ("RequestId", request_id),
        )
        if value
    )
    detail = f'<Fault xmlns="{FAULT_NAMESPACE}">{content}</Fault>'
    # SOAP 1.1 forbids a detail where the Body was never looked at.
    about_body = not isinstance(fault, VersionMismatch | MustUnderstand)
    body = envelope.fault(version, _code(fault, version), str(fault), detail if about_body else "")
    is_sender = version is SOAP_1_2 and _code(fault, version) == version.client
    return Reply(
        status or (400 if is_sender else 500), version.content_type, body, fault=fault.code
    )


def _code(fault: Fault, version: SoapVersion) -> str:
    if isinstance(fault, VersionMismatch | MustUnderstand):
        return fault.code
    return version.client if isinstance(fault, ClientFault) else version.server
