"""One call, without a transport: request bytes to reply bytes. Every fault is answered here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from lxml import etree

from services.faults import (
    ClientFault,
    Conflict,
    Fault,
    InternalError,
    NotFound,
    Overloaded,
    ServerFault,
    UnknownOperation,
    UnknownService,
)
from services.soap import action, envelope
from services.soap.bounds import LIMITS, Limits
from services.soap.codec import Codec, codecs
from services.soap.interface import Interface
from services.soap.replies import Reply, fault_reply, internal_error, version_of
from services.soap.version import SOAP_1_1, SoapVersion
from services.soap.wsdl import wsdl

__all__ = ["Endpoint", "Reply", "Request", "fault_reply", "guarded", "internal_error", "version_of"]

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
            version, _, element, others, _ = envelope.parse(body, content_type, self.limits)
            operation = self._operations.get(element.tag)
            if operation is None:
                raise self._unknown(element)
            codec, quoted_action, invoke = operation
            name = codec.operation.name
            if soap_action != quoted_action:
                action.agree(
                    soap_action, content_type, self.interface.namespace, codec.operation.name
                )
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
