"""One call, without a transport: request bytes to reply bytes. Every fault is answered here."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import structlog
from lxml import etree

from services.faults import (
    ClientFault,
    Conflict,
    Fault,
    InternalError,
    MustUnderstand,
    NotFound,
    Overloaded,
    ServerFault,
    UnknownOperation,
    UnknownService,
    VersionMismatch,
)
from services.soap import envelope
from services.soap.codec import Codec, codecs
from services.soap.envelope import LIMITS, Limits
from services.soap.interface import Interface, WireOperation
from services.soap.values import escape
from services.soap.version import SOAP_1_1, SOAP_1_2, SoapVersion
from services.soap.wsdl import wsdl

log = structlog.get_logger()

FAULT_NAMESPACE = "urn:yilian:fault:1"
Invoke = Callable[..., Awaitable[Any]]

#: outcomes of a call beside the codes of faults
OK = "ok"
ABANDONED = "abandoned"
#: what a legacy operation's negative result says, as the fault that it stands for
LEGACY_CODES = {
    kind.legacy_code: kind.__name__
    for kind in (
        *(ClientFault, NotFound, Conflict, ServerFault, UnknownService, Overloaded),
        InternalError,
    )
}


class Request(NamedTuple):
    """``content_type`` and ``soap_action`` are the HTTP headers as sent."""

    body: bytes
    content_type: str | None = None
    soap_action: str | None = None


class Reply(NamedTuple):
    """What goes back over HTTP. ``fault`` is the fault's code, for logs, where it is one."""

    status: int
    content_type: str
    body: bytes
    fault: str = ""


class Endpoint:
    """One service of one hospital. ``invoke`` has, for each operation, a coroutine function that
    takes the decoded arguments by name; TypeError names an operation that it lacks."""

    def __init__(
        self,
        interface: Interface,
        hospital: str,
        invoke: Mapping[str, Invoke],
        limits: Limits = LIMITS,
    ) -> None:
        missing = [op.name for op in interface.operations if op.name not in invoke]
        if missing:
            raise TypeError(f"{interface.name} lacks {', '.join(missing)}")
        self.interface = interface
        self.hospital = hospital
        self.limits = limits
        #: calls answered, by operation ("" where none was recognised) and outcome: OK, a fault's
        #: code, or ABANDONED. Touched by the event loop alone.
        self.calls: Counter[tuple[str, str]] = Counter()
        self._operations: dict[object, tuple[Codec, str, Invoke]] = {}
        for tag, codec in codecs(interface).items():
            operation = codec.operation
            known = codec, f'"{operation.soap_action}"', invoke[operation.name]
            self._operations[tag] = known
            if interface.lenient:  # rpc clients leave the wrapper unqualified
                self._operations[operation.name] = known

    @property
    def path(self) -> str:
        """The path of its address, ``/{hospital}/{Service}``."""
        return f"/{self.hospital}/{self.interface.path}"

    def wsdl(self, address: str, version: SoapVersion = SOAP_1_1) -> bytes:
        """Its WSDL for an asker who reaches it at ``address``."""
        return wsdl(self.interface, address, version)

    async def call(self, request: Request) -> Reply:
        """Never raises: whatever goes wrong is a Fault in the reply."""
        version = None  # the envelope tells
        name = ""
        try:
            body, content_type, soap_action = request
            version, element, others = envelope.parse(body, content_type, self.limits)
            operation = self._operations.get(element.tag)
            if operation is None:
                raise self._unknown(element)
            codec, quoted_action, invoke = operation
            name = codec.operation.name
            if soap_action != quoted_action:
                _agree(codec.operation, request)
            result = await invoke(**codec.decode(element, others))
            reply = Reply(200, version.content_type, envelope.wrap(version, codec.encode(result)))
            failed = self.interface.lenient and result[0] < 0
            self.calls[name, LEGACY_CODES.get(result[0], OK) if failed else OK] += 1
            return reply
        except Fault as fault:
            fault.hospital = fault.hospital or self.hospital
            self.calls[name, fault.code] += 1
            return fault_reply(fault, version or version_of(request.content_type))
        except Exception as error:
            self.calls[name, InternalError.__name__] += 1
            return fault_reply(
                internal_error(error, self.hospital), version or version_of(request.content_type)
            )
        except BaseException:  # the caller left, or the process ends
            self.calls[name, ABANDONED] += 1
            raise

    def _unknown(self, element: etree._Element) -> UnknownOperation:
        tag = str(element.tag)
        known = "、".join(op.name for op in self.interface.operations)
        return UnknownOperation(
            f"{self.interface.name} 没有操作 {tag}，可用：{known}"
            f"（命名空间 {self.interface.namespace}）",
            f"{self.interface.name} has no operation {tag}; "
            f"it has {known} in {self.interface.namespace}",
        )


def _agree(operation: WireOperation, request: Request) -> None:
    """UnknownOperation where the SOAPAction names another operation than the Body does. The
    operation may stand alone, or behind our namespace however a toolkit joins the two."""
    action = _action(request)
    if not action or action in (operation.soap_action, operation.name):
        return
    namespace = operation.soap_action.removesuffix(operation.name).rstrip("/")
    if not action.startswith(namespace) or _last(action) != operation.name:
        raise UnknownOperation(
            f"SOAPAction 指明 {action[:200]}，报文中的操作是 {operation.name}，两者须一致",
            f"SOAPAction names {action[:200]}, the Body {operation.name}; they must agree",
        )


_ACTION_PARAMETER = re.compile(r';\s*action\s*=\s*(?:"([^"]*)"|([^;\s]+))', re.IGNORECASE)


def _action(request: Request) -> str:
    action = (request.soap_action or "").strip().strip('"').strip()
    if action or not request.content_type:
        return action
    found = _ACTION_PARAMETER.search(request.content_type)  # where SOAP 1.2 has it
    return (found[1] or found[2] or "").strip() if found else ""


def _last(action: str) -> str:
    return re.split(r"[/#:]", action)[-1]


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


def guarded(invoke: Invoke, hospital: str) -> Invoke:
    """``invoke``, raising nothing but Faults: so a legacy operation answers -9 to a defect."""

    async def call(**arguments: Any) -> Any:
        try:
            return await invoke(**arguments)
        except Fault:
            raise
        except Exception as error:
            raise internal_error(error, hospital) from error

    return call


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
