"""What the answer to a probe says: that the service lives, or who on the way to it does not.

From outside, through the gateway: a Fault that the gateway made (it names its request) means that
the gateway lives and what is behind it does not; a Fault that the service made means that gate
and gateway live. A business Fault, such as NotFound for an unknown patient, is the answer of a
living service.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from registry.health_rules import Finding
from registry.registered import Face
from registry.uddi.soap import SOAP, EnvelopeError, parse_xml
from services import faults, his_service
from services.soap.probe import ProbeCall
from services.soap.replies import FAULT_NAMESPACE

_FAULT = f"{{{FAULT_NAMESPACE}}}Fault"
_CODE, _REQUEST = f"{{{FAULT_NAMESPACE}}}Code", f"{{{FAULT_NAMESPACE}}}RequestId"

#: codes of faults that say that a service cannot do its work
_FAILING = frozenset(
    kind.__name__
    for kind in vars(faults).values()
    if isinstance(kind, type) and issubclass(kind, faults.ServerFault)
)
_FAILING_NUMBERS = frozenset(
    kind.legacy_code
    for kind in vars(faults).values()
    if isinstance(kind, type) and issubclass(kind, faults.ServerFault)
)
#: codes by which a gateway refuses the asker, and so says nothing of the service
_REFUSING = frozenset({"NotAuthenticated", "NotAllowed"})

_BY_GATEWAY = {
    "UnknownService": ("网关没有到此服务的路由", "the gateway has no route to this service"),
    "SourceUnavailable": (
        "网关正常，网闸或节点连接不上",
        "the gateway lives; the gate or the node cannot be reached",
    ),
    "SourceTimeout": (
        "网关正常，节点未在时限内应答",
        "the gateway lives; the node did not answer in time",
    ),
    "SourceError": (
        "网关正常，途中返回的不是 SOAP",
        "the gateway lives; what is behind it answered no SOAP",
    ),
    "Overloaded": (
        "网关限流，没有转发",
        "the gateway limits calls and did not forward this one",
    ),
}
#: by whether it ever answered
_INSIDE = {
    True: ("节点的院内地址没有应答", "the node's inside address does not answer"),
    False: (
        "从注册中心到不了院内地址（有网闸时属正常）",
        "the registry cannot reach the inside address, which is usual with a gate",
    ),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """``fault``: a few words for the history, "" where all is well."""

    finding: Finding
    fault: str


def answered(status: int, content_type: str, body: bytes, call: ProbeCall, ms: float) -> Judged:
    """The judgement on an HTTP answer that took ``ms`` milliseconds."""
    try:
        root = parse_xml(body)
    except EnvelopeError:
        root = None
    content = None if root is None else root.find(f"{{{SOAP}}}Body")
    if content is None or not len(content):
        kind = content_type.partition(";")[0].strip()[:60] or "?"
        return _down(
            ms,
            f"答复的不是 SOAP（HTTP {status}，{kind}），可能来自途中的网闸或代理",
            f"what answered is not SOAP (HTTP {status}, {kind}): a gate or a proxy on the way",
            f"not SOAP: HTTP {status} {kind}",
        )
    first = content[0]
    if first.tag == f"{{{SOAP}}}Fault":
        return _fault(first, ms)
    if first.tag != f"{{{call.namespace}}}{call.operation}Response":
        return _down(
            ms,
            "答复的不是这个操作的应答",
            "what answered is not this operation's answer",
            "another operation's answer",
        )
    if call.namespace == his_service.NAMESPACE:
        number = first.findtext(f"{{{call.namespace}}}{call.operation}Result", "").strip()
        if number.startswith("-") and number[1:].isdigit() and int(number) in _FAILING_NUMBERS:
            return _down(
                ms,
                f"网闸与网关正常，服务的数据来源不可用（返回 {number}）",
                f"gate and gateway live; the service's source does not (it answered {number})",
                f"service: {number}",
            )
    return _alive(ms)


def not_answered(error: str, face: Face, ms: float, *, timeout: bool, ever: bool) -> Judged:
    """The judgement where no answer came. ``error``: its kind; ``ever``: whether this address
    ever answered: an inside address may be out of the registry's reach, and says nothing then."""
    if face == "inside":
        zh, en = _INSIDE[ever]
        return Judged(Finding(False, ms, zh, en, told=ever), f"node: {error}")
    if timeout:
        return _down(
            ms,
            "网关在时限内没有应答",
            "the gateway did not answer in time",
            "gateway: no answer in time",
        )
    return _down(
        ms, "连接不上网关", "the gateway cannot be reached", f"gateway unreachable: {error}"
    )


def _fault(fault: etree._Element, ms: float) -> Judged:
    detail = fault.find(f".//{_FAULT}")
    if detail is None:
        code = (fault.findtext("faultcode") or "").rpartition(":")[2]
        if code.startswith("Client"):
            return _alive(ms)
        return _down(
            ms, f"服务返回故障 {code}", f"the service answers a Fault: {code}", f"service: {code}"
        )
    code = detail.findtext(_CODE) or ""
    if code in _REFUSING:
        finding = Finding(
            False,
            ms,
            "网关拒绝了探测：请在网关的 callers 与 policies 中允许注册中心",
            "the gateway refuses the probes: allow the registry in its callers and policies",
            told=False,
        )
        return Judged(finding, f"refused: {code}")
    if detail.find(_REQUEST) is not None:
        return _by_gateway(code, ms)
    if code in _FAILING:
        return _down(
            ms,
            f"网闸与网关正常，服务返回 {code}：数据来源不可用或过载",
            f"gate and gateway live; the service answers {code}: its source is away or overloaded",
            f"service: {code}",
        )
    return _alive(ms)


def _by_gateway(code: str, ms: float) -> Judged:
    said = (f"网关返回 {code}", f"the gateway answers {code}")
    zh, en = _BY_GATEWAY.get(code, said)
    return _down(ms, zh, en, f"gate or node: {code}")


def _alive(ms: float) -> Judged:
    return Judged(Finding(True, ms, "正常应答", "it answers"), "")


def _down(ms: float, zh: str, en: str, fault: str) -> Judged:
    return Judged(Finding(False, ms, zh, en), fault)
