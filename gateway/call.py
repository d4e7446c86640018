"""The way of one call: read head, route, forward, record. No transport in it.

``gateway/protocol.py`` brings calls here; anything else that can fill in a Call may do so.
Whatever goes wrong ends as a SOAP Fault in the caller's version, made in one place.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from gateway.admission.message import Message, perhaps_version
from gateway.admission.origin import Origin
from gateway.admission.steps import Admission, without_security
from gateway.answers import fault_code, fault_of
from gateway.audit.entry import Outcome
from gateway.audit.trail import Trail
from gateway.binding import Binding
from gateway.certificate import PeerCertificate
from gateway.counters import Counters
from gateway.forward import Forwarder, NoAnswer, NodeAnswer, NodeRequest
from gateway.head import Head, Refused, content_encoding_refused, content_type_of, read_head
from gateway.known import Known, Memory
from gateway.log import Log
from gateway.loop import refuse_own, via
from gateway.reads import repeatable
from gateway.record import Record
from gateway.routes import Routes
from gateway.wsdls import Wsdls, asks_for_wsdl
from gateway_config.faces import Faces
from gateway_config.model import GatewayConfig
from services.faults import (
    Fault,
    InvalidArgument,
    MalformedMessage,
    Overloaded,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
    UnknownService,
)
from services.soap.replies import fault_reply, internal_error, version_of

#: answer headers of a node, beside Content-Type, that reach the caller; all others would tell
#: of what is behind the gate, or belong to one connection only
_PASSED_BACK = ("retry-after",)
_GET_STATUS: tuple[tuple[type[Fault], int], ...] = (
    (UnknownService, 404),
    (Overloaded, 503),
    (SourceTimeout, 504),
    (SourceUnavailable, 502),
    (SourceError, 502),
)


class CallerLeft(Exception):
    """The caller closed the connection before its request was complete."""


class BodyTooLarge(Exception):
    """The body goes beyond the limit; the rest of it has not been read."""


@dataclass(slots=True)
class Call:
    """A request as the transport found it. ``raw_path`` undecoded and without query; header
    names in any case, Content-Length not among them. ``read_body(limit)`` gives the whole body,
    or raises BodyTooLarge as soon as it is known to be larger, CallerLeft, Refused, or
    TimeoutError. ``refused``: what the transport itself has refused it for; it comes here only to
    be answered and recorded. ``memory`` is the connection's."""

    method: str
    scheme: str
    raw_path: bytes
    query: bytes
    headers: Sequence[tuple[bytes, bytes]]
    read_body: Callable[[int], Awaitable[bytes]]
    peer: str = ""
    certificate: PeerCertificate | None = None
    tls: bool = False
    refused: Refused | None = None
    content_length: int | None = None
    memory: Memory = field(default_factory=Memory)


@dataclass(slots=True)
class Answer:
    """What the caller is answered. ``headers`` without Content-Length and Connection. ``close``:
    whoever asks like that is not to go on on this connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    close: bool = False


class CallPath:
    """Every call to every hospital's service goes through here. Never raises, but CallerLeft."""

    def __init__(
        self,
        config: GatewayConfig,
        admission: Admission,
        routes: Routes,
        forwarder: Forwarder,
        counters: Counters,
        log: Log,
        trail: Trail | None = None,
    ) -> None:
        self._config = config
        self._admission = admission
        self._routes = routes
        self._forwarder = forwarder
        self._counters = counters
        self._log = log
        self._trail = trail
        self._wsdls = Wsdls(forwarder)
        self._faces = Faces(config)
        self._under_way = 0
        self._last_has_ended: asyncio.Event | None = None
        self._via = via(config)

    async def __call__(self, call: Call) -> Answer:
        record = Record(os.urandom(16).hex(), call.peer)
        status, size = 499, 0  # 499: the caller left; nobody reads the status then
        self._under_way += 1
        try:
            answer = await self._answered(call, record)
            if self._trail is not None:
                entry = record.entry(_outcome(record), len(answer.body))
                try:
                    await self._trail.record(entry)
                except Fault as fault:
                    answer = self._not_on_record(call, record, fault)
            status, size = answer.status, len(answer.body)
            return answer
        except CallerLeft:
            record.reason = "the caller left"
            if self._trail is not None:
                await self._trail.record(record.entry("left", 0))
            raise
        finally:
            self._log.info("call", **record.line(call.method, status, size))
            self._under_way -= 1
            if self._last_has_ended is not None and not self._under_way:
                self._last_has_ended.set()

    async def ended(self) -> None:
        """Wait until none of its calls is under way."""
        if self._under_way:
            self._last_has_ended = asyncio.Event()
            await self._last_has_ended.wait()

    def _not_on_record(self, call: Call, record: Record, fault: Fault) -> Answer:
        """What is answered in the answer's place where the audit could not take it."""
        record.step, record.rule = "audit", "audit.on_failure"
        self._counters.refused(record.step, record.rule)
        return self._fault(call, record, fault)

    async def _answered(self, call: Call, record: Record) -> Answer:
        try:
            if call.refused is not None:
                raise call.refused
            if call.method == "POST":
                return self._passed_back(await self._post(call, record), record)
            head = read_head(call.method, call.raw_path, call.query, call.headers)
            record.path, record.operation = head.path, head.operation
            refuse_own(head, self._via)
            return self._passed_back(await self._get(call, head, record), record)
        except Refused as refused:
            record.step, record.rule = refused.step, refused.rule or None
            self._counters.refused(refused.step, refused.rule)
            answer = self._fault(call, record, refused.fault, refused.status, refused.headers)
            answer.close = refused.step == "connection"
            return answer
        except Fault as fault:
            return self._fault(call, record, fault)
        except CallerLeft:
            raise
        except Exception as error:
            return self._fault(call, record, internal_error(error, record.hospital or ""))

    # --- the two kinds of call -------------------------------------------------------------

    async def _recognised(self, call: Call, record: Record) -> Known:
        """The head, read and checked, and what it shows of who calls; remembered."""
        head = read_head("POST", call.raw_path, call.query, call.headers)
        record.path, record.operation = head.path, head.operation
        refuse_own(head, self._via)
        binding = self._routes.table.get(head.path) or await self._binding(head.path)
        record.hospital, record.service = binding.hospital, binding.service
        content_encoding_refused(call.headers)
        admission = self._admission
        origin = admission.origin(Origin(call.peer, call.certificate, call.tls), head)
        record.peer = origin.peer
        standing = await admission.before_message(origin, head)
        known = call.memory.last = Known(
            admission.identity, call.raw_path, call.query, call.headers, head, origin, standing
        )
        return known

    async def _post(self, call: Call, record: Record) -> NodeAnswer:
        admission = self._admission  # the one that this call ends with, whatever is reloaded
        known = call.memory.known(call, admission) or await self._recognised(call, record)
        head, origin = known.head, known.origin
        record.path, record.operation, record.peer = head.path, head.operation, origin.peer
        binding = self._routes.table.get(head.path) or await self._binding(head.path)
        record.hospital, record.service = hospital, service = binding.hospital, binding.service
        limit = self._config.limits.max_body_bytes
        if call.content_length is not None and call.content_length > limit:
            raise _too_large(limit)
        try:
            body = await call.read_body(limit)
        except BodyTooLarge:
            raise _too_large(limit) from None
        except TimeoutError:
            raise _slow(self._config.limits.body_seconds) from None
        record.request_bytes = len(body)
        large = admission.is_large(body)
        if large:
            await admission.large_begins()
        try:
            try:
                if large:
                    message = await admission.in_thread(admission.message, body, head)
                else:
                    message = admission.message(body, head)
            except Refused:
                record.version = perhaps_version(head.content_type, body)
                raise
            record.version = message.version
            record.operation, record.patient = message.operation[:128], message.patient_id
            caller = record.caller = admission.caller(known.standing, message, origin)
            record.policy = admission.policy(caller, hospital, service, message)
            if large:
                await admission.in_thread(admission.contract, hospital, service, message)
            else:
                admission.contract(hospital, service, message)
            admission.rate(caller, hospital)
            request = _request(head, body, message, record)
            del message  # its tree is many times its size, and the node may take its time
        finally:
            if large:
                admission.large_ends()
        if not admission.entered(caller, hospital):
            await admission.wait(caller, hospital)
        try:
            self._audit_ready()
            return await self._counted(
                head.path, binding, record, self._forwarder.send(binding, request)
            )
        finally:
            admission.leave(caller, hospital)

    def _audit_ready(self) -> None:
        """Refused where the call could not be put on record."""
        if self._trail is not None:
            try:
                self._trail.ready()
            except Fault as fault:
                raise Refused(0, fault, step="audit", rule="audit.on_failure") from None

    async def _get(self, call: Call, head: Head, record: Record) -> NodeAnswer:
        binding = self._routes.table.get(head.path) or await self._binding(head.path)
        record.hospital, record.service = binding.hospital, binding.service
        admission = self._admission
        origin = admission.origin(Origin(call.peer, call.certificate, call.tls), head)
        record.peer = origin.peer
        standing = await admission.before_message(origin, head)
        record.caller = admission.caller(standing, None, origin)
        record.policy = admission.policy(record.caller, binding.hospital, binding.service, None)
        if call.method not in ("GET", "HEAD") or not asks_for_wsdl(head.query):
            raise Refused(
                405,
                InvalidArgument(
                    f"调用服务请用 POST；服务描述（WSDL）在 {head.path}?wsdl",
                    f"call a service by POST; its description (WSDL) is at {head.path}?wsdl",
                    hospital=binding.hospital,
                ),
            )
        seen = self._faces.base_url(record.caller, origin.peer, tls=origin.tls)
        base = seen or (head.host and f"{call.scheme}://{head.host}")
        if not base:
            raise Refused(
                400,
                MalformedMessage(
                    "缺少 HTTP 头 Host，无法写出服务地址",
                    "without the HTTP header Host the address in the WSDL is unknown",
                ),
            )
        table = self._routes.table
        admission.rate(record.caller, binding.hospital)
        self._audit_ready()
        return await self._counted(
            head.path,
            binding,
            record,
            self._wsdls.get(binding, base, head.path, table, record.request_id),
        )

    # --- what both have in common ----------------------------------------------------------

    async def _binding(self, path: str) -> Binding:
        binding = await self._routes.find(path)
        if binding is not None:
            return binding
        registry = self._config.registry
        page = (registry.page_url or registry.url) + "/"
        if self._routes.registry_trouble is not None:
            raise SourceUnavailable(
                f"注册中心目前无法访问，不能确定 {path} 是否存在，请稍后重试",
                f"the registry cannot be reached, so whether there is a {path} is not known; "
                "try again later",
                source="registry",
            )
        raise UnknownService(
            f"联盟内没有地址为 {path} 的服务，"
            f"请在注册中心 {page} 查看医院代码与服务名（区分大小写）",
            f"the alliance has no service at {path}; see the registry at {page} for the "
            "hospitals' codes and the services' names (case matters)",
        )

    async def _counted(
        self,
        path: str,
        binding: Binding,
        record: Record,
        coming: Awaitable[NodeAnswer],
    ) -> NodeAnswer:
        """The answer that is coming, counted for the binding; no answer is a Fault."""
        counters = self._counters.begun(path)
        record.node = binding.access_point
        code: str | None = "InternalError"
        try:
            answer = await coming
            record.node = answer.node or record.node
            record.fault = code = fault_code(answer)
            return answer
        except NoAnswer as error:
            fault = fault_of(error, binding, self._config.forward.timeout_seconds)
            record.reason, code = f"{type(error).__name__}: {error}", fault.code
            raise fault from error
        finally:
            counters.ended(code)

    def _passed_back(self, answer: NodeAnswer, record: Record) -> Answer:
        headers = [("X-Request-Id", record.request_id)]
        if "content-type" in answer.headers:
            headers.append(("Content-Type", answer.headers["content-type"]))
        headers += [(name, answer.headers[name]) for name in _PASSED_BACK if name in answer.headers]
        return Answer(answer.status, tuple(headers), answer.body)

    def _fault(
        self,
        call: Call,
        record: Record,
        fault: Fault,
        status: int = 0,
        more: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        record.fault = fault.code
        if not status and call.method != "POST":
            status = next((code for kind, code in _GET_STATUS if isinstance(fault, kind)), 500)
        version = record.version or version_of(content_type_of(call.headers))
        reply = fault_reply(fault, version, request_id=record.request_id, status=status)
        headers = [("X-Request-Id", record.request_id), ("Content-Type", reply.content_type), *more]
        if reply.status == 405:
            headers.append(("Allow", "GET, HEAD, POST"))
        return Answer(reply.status, tuple(headers), reply.body)


def _outcome(record: Record) -> Outcome:
    if record.step is not None:
        return "refused"
    return "ok" if record.fault is None else "fault"


def _request(head: Head, body: bytes, message: Message, record: Record) -> NodeRequest:
    """What is sent on. Of the headers those that mean something to a node: all others stay here,
    so that none can be forged that a node would trust."""
    content_type = head.content_type
    if message.security is not None:
        body, content_type = without_security(message), message.version.content_type
    headers = [("X-Request-Id", record.request_id)]
    if content_type is not None:
        headers.append(("Content-Type", content_type))
    if head.soap_action is not None:
        headers.append(("SOAPAction", head.soap_action))
    if head.user_agent is not None:
        headers.append(("User-Agent", head.user_agent))
    # A query is not sent on: toolkits that were given the WSDL's URL as the endpoint post to
    # ?wsdl, and mean nothing by it.
    return NodeRequest(
        "POST",
        tuple(headers),
        body,
        repeatable=repeatable(message.namespace, message.operation, message.request_id),
        deadline=_deadline(head, record),
    )


def _deadline(head: Head, record: Record) -> float:
    """On the event loop's clock: until when this caller waits, from when he had asked."""
    if head.patience is None:
        return math.inf
    spent = time.perf_counter() - record.begun
    return asyncio.get_running_loop().time() + head.patience - spent


def _too_large(limit: int) -> Refused:
    return Refused(
        413,
        MalformedMessage(
            f"请求正文超过 {limit} 字节的上限，请分次发送",
            f"the request body is larger than {limit} bytes; send less at a time",
        ),
        rule="max_body_bytes",
    )


def _slow(seconds: float) -> Refused:
    return Refused(
        408,
        MalformedMessage(
            f"请求正文在 {seconds:g} 秒内没有收完",
            f"the request body took longer than {seconds:g} s",
        ),
        rule="body_seconds",
    )
