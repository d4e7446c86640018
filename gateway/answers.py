"""What a node's answer, or its absence, means for the caller."""

from __future__ import annotations

import re

from gateway import forward
from gateway.binding import Binding
from gateway.forward import NoAnswer, NodeAnswer
from services.faults import (
    Fault,
    MalformedMessage,
    Overloaded,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)

_SOAP_TYPES = ("text/xml", "application/soap+xml")
_FAULT_CODE = re.compile(rb"<Code>([A-Za-z]{1,64})</Code>")
_FAULT_LOOK = 64 * 1024


def why_not_soap(answer: NodeAnswer) -> str | None:
    """Why an answer cannot be a node's, for the log; None if it can.

    Something on the way (a gate, a load balancer) may answer in the node's place, with a page
    that a SOAP client cannot read. This is a look at both ends of the answer, not a parse.
    """
    content_type = answer.headers.get("content-type", "")
    body = answer.body
    if answer.status == 202 and not body:
        return None  # a one-way call, accepted
    if content_type.partition(";")[0].strip().lower() not in _SOAP_TYPES:
        return f"HTTP {answer.status} with Content-Type {content_type[:80]!r}"
    begin, end = body[:2048], body[-64:]
    if b"\0" in begin:  # UTF-16
        begin, end = begin.replace(b"\0", b""), end.replace(b"\0", b"")
    if b"Envelope" not in begin or not end.rstrip().endswith(b">"):
        return f"HTTP {answer.status}, {len(answer.body)} bytes that are no SOAP envelope"
    return None


def fault_code(answer: NodeAnswer) -> str | None:
    """The code of the fault that a node answered, for the log; None where it is no fault."""
    if answer.status < 400:
        return None
    found = _FAULT_CODE.search(answer.body[:_FAULT_LOOK])
    return found[1].decode() if found else f"HTTP{answer.status}"


def fault_of(error: NoAnswer, binding: Binding, seconds: float) -> Fault:
    """The Fault for a call that got no usable answer. It names hospital and service, and no
    address: what is behind the gate is nobody's business in front of it."""
    zh, en = f"{binding.hospital} 的 {binding.service} ", f"{binding.service} of {binding.hospital}"
    where = {"hospital": binding.hospital, "source": binding.service}
    perhaps_zh = "操作可能已执行，重试写操作时请使用同一 RequestId"
    perhaps_en = "it may have been carried out: repeat a write with the same RequestId"
    match error:
        case forward.Busy():
            return Overloaded(
                f"{zh}正忙，本次调用未送达，请稍后重试",
                f"{en} is busy; the call was not delivered. Try again in a moment",
                **where,
            )
        case forward.GateClosed():
            return SourceUnavailable(
                f"{zh}的网闸只在每天 {error.window} 开放，本次调用未送达",
                f"the gate of {en} is open {error.window} each day; the call was not delivered",
                **where,
            )
        case forward.TooLargeForGate():
            return MalformedMessage(
                f"{zh}的网闸最多放行 {error.limit} 字节，本次调用未送达，请分次发送",
                f"the gate of {en} lets {error.limit} bytes through; the call was not delivered: "
                "send less at a time",
                **where,
            )
        case forward.NotReached():
            return SourceUnavailable(
                f"{zh}目前无法连接，本次调用未送达，请稍后重试或联系该院信息科",
                f"{en} cannot be reached; the call was not delivered. Try again later, "
                "or call that hospital's IT department",
                **where,
            )
        case forward.TimedOut():
            seconds = error.seconds or seconds
            return SourceTimeout(
                f"{zh}在 {seconds:g} 秒内没有答复，{perhaps_zh}",
                f"{en} did not answer within {seconds:g} s; {perhaps_en}",
                **where,
            )
        case forward.BrokenOff():
            return SourceUnavailable(
                f"{zh}在答复前断开了连接，{perhaps_zh}",
                f"{en} broke off before it had answered; {perhaps_en}",
                **where,
            )
        case forward.AnswerTooLarge():
            return SourceError(
                f"{zh}的答复超过网关允许的大小，请缩小查询范围",
                f"{en} answered with more than the gateway lets through; ask for less",
                **where,
            )
        case _:
            return SourceError(
                f"{zh}返回的不是 SOAP 报文（可能来自途中的网闸或代理），{perhaps_zh}",
                f"{en} answered with something that is not SOAP, perhaps from a gate or proxy on "
                f"the way; {perhaps_en}",
                **where,
            )
