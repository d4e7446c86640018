"""One UDDI exchange: bytes in, status and bytes out; dispatched on the Body's child alone.

Neither SOAPAction nor the UDDI version has an address of its own: the child's namespace is the
version and its local name the operation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import structlog
from lxml import etree
from sqlalchemy.exc import SQLAlchemyError

from registry.errors import UddiError
from registry.failures import busy, described, full
from registry.older_keys import newer_keys
from registry.uddi import schema, v3
from registry.uddi.context import Context
from registry.uddi.inquiry import INQUIRY, Operation
from registry.uddi.older_answers import older_error, report_attributes, to_older
from registry.uddi.older_requests import to_version_3
from registry.uddi.older_versions import OLDER, Older
from registry.uddi.publication import PUBLICATION
from registry.uddi.security import SECURITY
from registry.uddi.soap import (
    EnvelopeError,
    element_of,
    envelope,
    open_envelope,
    plain_fault,
    uddi_fault,
)
from registry.uddi.subscription import SUBSCRIPTION
from registry.uddi.subscription_results import NAMESPACE as SUBSCRIPTION_NAMESPACE

log = structlog.get_logger("registry")

#: What is served at /uddi/<name>.
PORTS: dict[str, dict[str, Operation]] = {
    "inquiry": INQUIRY,
    "publish": PUBLICATION,
    "security": SECURITY,
    "subscription": SUBSCRIPTION,
}
_NAMESPACES = dict.fromkeys(PORTS, v3.NAMESPACE) | {"subscription": SUBSCRIPTION_NAMESPACE}
_ALL: dict[str, Operation] = {**INQUIRY, **PUBLICATION, **SECURITY}

#: Elements of a message that asks, and of one that saves or deletes; and what such a one may name.
MOST_ASKED, MOST_SAVED, MOST_ITEMS = 50_000, 10_000, 1_001

#: The operation that takes a core for a while, on purpose.
LOGIN = "get_authToken"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class LoginAsked(Exception):
    """The message asks for a token, and whoever called had no room for that."""


def answer(
    context: Context,
    port: str,
    body: bytes,
    content_type: str | None = None,
    *,
    logins: bool = True,
) -> Answer:
    """The answer to one message at ``/uddi/{port}``: HTTP 200, or 500 with a SOAP Fault.
    LoginAsked, and nothing done, for a get_authToken where ``logins`` is not set."""
    try:
        request = open_envelope(body, content_type)
    except EnvelopeError as error:
        return Answer(500, plain_fault(error))
    name = etree.QName(request)
    namespace = name.namespace or ""
    if name.localname == LOGIN and not logins:
        raise LoginAsked
    try:
        _check_size(port, request)
        older = OLDER.get(namespace)
        if older is not None:
            return Answer(200, envelope(_answer_older(context, older, port, request)))
        operation = _operation(port, namespace, name.localname)
        schema.check(request)
        return Answer(200, envelope(operation(context, request)))
    except UddiError as error:
        return _fault(error, namespace)
    except SQLAlchemyError as error:
        if busy(error):
            log.warning("uddi store busy", operation=name.localname, error=described(error))
            message = (
                "注册中心数据库忙，请稍后再试 / the registry's database is busy; try again later"
            )
            return _fault(UddiError("busy", message), namespace)
        log.error("uddi store failed", operation=name.localname, error=described(error))
        message = "注册中心数据库出错，见其日志 / the registry's database failed; see its log"
        if full(error):
            message = (
                "注册中心的磁盘已满，什么也没有保存；查询照常 / the registry's disk is full: "
                "nothing was saved; finds go on"
            )
        return _fault(UddiError("fatalError", message, server=True), namespace)
    except Exception:
        log.exception("uddi operation failed", operation=name.localname)
        message = "注册中心内部错误，见其日志 / an error inside the registry; see its log"
        return _fault(UddiError("fatalError", message, server=True), namespace)


def _check_size(port: str, request: etree._Element) -> None:
    """E_messageTooLarge for more than one call can do in a moment: while something is saved,
    nobody else can save."""
    elements = MOST_ASKED if port == "inquiry" else MOST_SAVED
    if len(request) > elements or sum(1 for _ in request.iter()) > elements:
        raise UddiError(
            "messageTooLarge",
            f"一条消息超过 {elements} 个元素，请分几次发送 / more than {elements} elements in one "
            "message; send several",
        )
    if port != "inquiry" and len(request) > MOST_ITEMS:
        raise UddiError(
            "messageTooLarge",
            f"一条消息超过 {MOST_ITEMS} 项，请分几次发送 / more than {MOST_ITEMS} items in one "
            "message; send several",
        )


def refuse(error: UddiError) -> Answer:
    """The answer to a message that was not even read."""
    return _fault(error, v3.NAMESPACE)


def _answer_older(
    context: Context, older: Older, port: str, request: etree._Element
) -> etree._Element:
    """By way of version 3: the request becomes one of it, and the answer one of the older."""
    name = etree.QName(request).localname
    if not older.has(name, port):
        raise UddiError("unsupported", f"不支持的操作 / operation not supported: {name}")
    older.check(request)

    def lookup(keys: Iterable[str]) -> dict[str, str]:
        with context.store.engine.connect() as connection:
            return newer_keys(connection, keys)

    newer = to_version_3(older, request, lookup)
    operation = _ALL[etree.QName(newer).localname]
    return to_older(older, name, element_of(operation(context, newer)))


def _operation(port: str, namespace: str, name: str) -> Operation:
    """E_unrecognizedVersion for what is none of version 3's namespaces; E_unsupported for an
    operation, or a part of version 3, that is not here."""
    if not (namespace.startswith("urn:uddi-org:") and namespace.endswith("_v3")):
        raise UddiError(
            "unrecognizedVersion",
            f"不支持此 UDDI 版本，请用 {v3.NAMESPACE} / this UDDI version is not supported; "
            f"use {v3.NAMESPACE}: {namespace!r}",
        )
    for other in (port, *PORTS):
        if namespace == _NAMESPACES[other] and name in PORTS[other]:
            if other == port:
                return PORTS[port][name]
            raise UddiError(
                "unsupported",
                f"{name} 不在这里，请发往 /uddi/{other} / {name} is not served here but "
                f"at /uddi/{other}",
            )
    raise UddiError("unsupported", f"不支持的操作 / operation not supported: {name} ({namespace})")


def _fault(error: UddiError, namespace: str) -> Answer:
    older = OLDER.get(namespace)
    if older is None:
        return Answer(500, uddi_fault(error, v3.NAMESPACE, {}))
    return Answer(500, uddi_fault(older_error(error), older.namespace, report_attributes(older)))
