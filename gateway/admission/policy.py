"""Admission, the policy: whether this caller may call this operation, or read this WSDL.

A service of our own contracts has the operations that its contract declares, in its namespace, and
no other; of a service that no contract here declares, only what the policies say counts.
"""

from __future__ import annotations

from functools import cache

from gateway.admission.message import Message
from gateway.head import Refused
from gateway_config.model import GatewayConfig
from gateway_config.policy import Decision, decide
from services import his_service
from services.catalogue import CONTRACTS
from services.faults import MalformedMessage, NotAllowed, UnknownOperation
from services.soap.interface import Interface, his_service_interface, typed_interface


@cache
def interface_of(service: str) -> Interface | None:
    """The interface of one of our services by its name; None for one of somebody else's."""
    if service == his_service.NAME:
        return his_service_interface()
    contract = CONTRACTS.get(service)
    return typed_interface(contract) if contract is not None else None


@cache
def _operations(service: str) -> dict[tuple[str, str], str] | None:
    """(namespace, name) as in a message to the operation's name."""
    interface = interface_of(service)
    if interface is None:
        return None
    # rpc clients leave the operation of a legacy service unqualified
    namespaces = (interface.namespace, "") if interface.lenient else (interface.namespace,)
    return {(ns, op.name): op.name for ns in namespaces for op in interface.operations}


def operations_of(service: str) -> tuple[str, ...] | None:
    """The names of a service's operations; None for one of somebody else's."""
    known = _operations(service)
    return None if known is None else tuple(dict.fromkeys(known.values()))


def known_operation(service: str, message: Message) -> None:
    """Refused where the service has no such operation in that namespace, or a typed service is
    sent more than one child of the Body."""
    known = _operations(service)
    if known is None:
        return
    if (message.namespace, message.operation) not in known:
        names = "、".join(dict.fromkeys(known.values()))
        interface = interface_of(service)
        namespace = interface.namespace if interface else ""
        raise Refused(
            0,
            UnknownOperation(
                f"{service} 没有操作 {{{message.namespace[:200]}}}{message.operation[:100]}，"
                f"可用：{names}（命名空间 {namespace}）",
                f"{service} has no operation {{{message.namespace[:200]}}}"
                f"{message.operation[:100]}; it has {names} in {namespace}",
                rule="operation",
            ),
            step="policy",
        )
    if message.others and ("", message.operation) not in known:
        raise Refused(
            0,
            MalformedMessage(
                "Body 中只应有一个操作", "the Body must hold one operation", rule="one-operation"
            ),
            step="message",
        )


def allowed(
    config: GatewayConfig, caller: str, hospital: str, service: str, operation: str | None
) -> Decision:
    """The decision that lets the call pass; Refused otherwise. ``operation`` None: the WSDL."""
    decision = decide(config, caller, hospital, service, operation)
    if decision.allowed:
        return decision
    what = f"{hospital} {service}" + (f".{operation}" if operation else "?wsdl")
    raise Refused(
        0 if operation is not None else 403,
        NotAllowed(
            f"{caller} 不可调用 {what}：{decision.zh}",
            f"{caller} may not call {what}: {decision.en}",
            hospital=hospital,
            source=service,
        ),
        step="policy",
        rule=decision.rule or "policies",
    )
