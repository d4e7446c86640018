"""WS-Addressing headers: they must say what the Body says, and cannot send answers elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from services.faults import ClientFault, InvalidArgument, UnknownOperation
from services.soap.action import names
from services.soap.read import local_name

#: namespace of WS-Addressing: the address that stands for "on this connection"
ANONYMOUS = {
    "http://www.w3.org/2005/08/addressing": "http://www.w3.org/2005/08/addressing/anonymous",
    "http://schemas.xmlsoap.org/ws/2004/08/addressing": (
        "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
    ),
    "http://schemas.xmlsoap.org/ws/2004/03/addressing": (
        "http://schemas.xmlsoap.org/ws/2004/03/addressing/role/anonymous"
    ),
    "http://schemas.xmlsoap.org/ws/2003/03/addressing": (
        "http://schemas.xmlsoap.org/ws/2003/03/addressing/role/anonymous"
    ),
}
_ACTIONS = {f"{{{namespace}}}Action": namespace for namespace in ANONYMOUS}
_ENDPOINTS = {
    f"{{{namespace}}}{name}": namespace
    for namespace in ANONYMOUS
    for name in ("ReplyTo", "FaultTo")
}


def addressing(blocks: Iterable[etree._Element], namespace: str, operation: str) -> None:
    """UnknownOperation where wsa:Action names another operation than the Body does (some servers
    go by it); InvalidArgument where wsa:ReplyTo or wsa:FaultTo would have the answer sent to
    anywhere but the connection that the call came by. Whomever a header is meant for: what the
    node behind makes of it is not known here."""
    for block in blocks:
        tag = str(block.tag)
        if tag in _ACTIONS:
            _agrees(block, namespace, operation)
        elif tag in _ENDPOINTS:
            _anonymous(block, _ENDPOINTS[tag])


def _agrees(block: etree._Element, namespace: str, operation: str) -> None:
    action = (block.text or "").strip()
    if len(block) or not names(action, namespace, operation):
        raise UnknownOperation(
            f"wsa:Action 指明 {action[:200]}，报文中的操作是 {operation}，两者须一致",
            f"wsa:Action names {action[:200]}, the Body {operation}; they must agree",
            rule="wsa:Action",
        )


def _anonymous(block: etree._Element, namespace: str) -> None:
    name = local_name(block)
    addresses = [child for child in block if child.tag == f"{{{namespace}}}Address"]
    if len(addresses) != 1 or (addresses[0].text or "").strip() != ANONYMOUS[namespace]:
        raise _redirects(name)


def _redirects(name: str) -> ClientFault:
    return InvalidArgument(
        f"wsa:{name} 只能是匿名地址（anonymous），应答只沿原连接返回",
        f"wsa:{name} must be the anonymous address: answers go back on the same connection only",
        field=f"wsa:{name}",
        rule=f"wsa:{name}",
    )
