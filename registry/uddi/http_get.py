"""UDDI by plain GET: an entity by its key, and /inspection.wsil, a list of all services' WSDLs.

``/uddi/get?businessKey=…`` (or serviceKey, bindingKey, tModelKey; also at /uddi/inquiry) answers
the detail element of the version whose form of key was sent: a UUID is version 2's.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from lxml import etree
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from registry.errors import UddiError
from registry.failures import busy, described
from registry.json_api import in_thread
from registry.keys import fold
from registry.model import BusinessService, CategoryBag, Find, KeyedReference, Kind
from registry.older_keys import bare, newer_guess, newer_keys, older_key
from registry.registered import category, face_of, name_in, wsdl_url
from registry.uddi import v3
from registry.uddi.context import Context
from registry.uddi.older_answers import older_error, report_attributes, to_older
from registry.uddi.older_versions import V2
from registry.uddi.soap import report
from registry.uddi.wellknown import WSDL_TYPES, XML_LOCALNAME

log = structlog.get_logger("registry")

_XML = "text/xml; charset=utf-8"

#: The parameters, in the order that they are looked for.
PARAMETERS: dict[str, tuple[Kind, str]] = {
    "businesskey": ("business", "businessDetail"),
    "servicekey": ("service", "serviceDetail"),
    "bindingkey": ("binding", "bindingDetail"),
    "tmodelkey": ("tmodel", "tModelDetail"),
}

_WSIL = "http://schemas.xmlsoap.org/ws/2001/10/inspection/"
_WSIL_UDDI = "http://schemas.xmlsoap.org/ws/2001/10/inspection/uddi/"
_WSDL = "http://schemas.xmlsoap.org/wsdl/"

#: Services in one inspection document; the next ones stand behind a link.
_A_PAGE = 500


def routes() -> list[Route]:
    return [
        Route("/uddi/get", _get, methods=["GET"]),
        Route("/inspection.wsil", _inspection, methods=["GET"]),
    ]


def asks(parameters: Mapping[str, str]) -> bool:
    """Whether these are the parameters of a GET by key."""
    return any(name.lower() in PARAMETERS for name in parameters)


async def _get(request: Request) -> Response:
    return await by_key(request)


async def by_key(request: Request) -> Response:
    """200 with the detail, 404 with a dispositionReport, 400 where no key was sent."""
    parameters = {name.lower(): value for name, value in request.query_params.items()}
    chosen = [name for name in PARAMETERS if name in parameters]
    if len(chosen) != 1:
        text = (
            "请用 ?businessKey=、?serviceKey=、?bindingKey= 或 ?tModelKey= 之一 / use one of "
            "?businessKey=, ?serviceKey=, ?bindingKey=, ?tModelKey=\n"
        )
        return Response(text, 400, media_type="text/plain; charset=utf-8")
    kind, answer = PARAMETERS[chosen[0]]
    context: Context = request.app.state.context
    status, body = await in_thread(
        request, _answer, context, kind, answer, parameters[chosen[0]].strip()
    )
    return Response(body, status, {"Content-Type": _XML})


def _answer(context: Context, kind: Kind, name: str, key: str) -> tuple[int, bytes]:
    older = bare(key)
    try:
        if older:
            with context.store.engine.connect() as connection:
                key = newer_keys(connection, [older]).get(older) or newer_guess(older)
        made = v3.root(name)
        for item in context.store.get(kind, [fold(key)]):
            v3.append(made, item)
        return 200, _document(to_older(V2, "", made) if older else made)
    except UddiError as error:
        status = 404 if error.code == "invalidKeyPassed" else 500
        if older:
            told = report(older_error(error), V2.namespace, report_attributes(V2))
            return status, _document(told)
        return status, _document(report(error, v3.NAMESPACE, {}))
    except SQLAlchemyError as error:
        log.error("uddi store failed", operation="GET", error=described(error))
        code = "busy" if busy(error) else "fatalError"
        message = "注册中心数据库出错，请稍后再试 / the registry's database failed; try again later"
        return 503, _document(report(UddiError(code, message), v3.NAMESPACE, {}))


def _document(element: etree._Element) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="utf-8")


# --- WS-Inspection ---------------------------------------------------------------------------


async def _inspection(request: Request) -> Response:
    """Every service that has a WSDL, ``?page=`` by page; each with its entry in UDDI."""
    sent = request.query_params.get("page", "1")
    page = int(sent) if sent.isascii() and sent.isdigit() and 0 < len(sent) < 7 else 0
    if page < 1:
        return Response(f"page? {sent[:20]!r}\n", 400, media_type="text/plain; charset=utf-8")
    configured: str | None = request.app.state.config.listen.public_url
    base = configured or str(request.base_url).rstrip("/")
    context: Context = request.app.state.context
    try:
        body = await in_thread(request, inspection, context, base, page)
    except SQLAlchemyError as error:
        log.error("uddi store failed", operation="inspection.wsil", error=described(error))
        return Response("注册中心数据库出错 / the registry's database failed\n", 503,
                        media_type="text/plain; charset=utf-8")  # fmt: skip
    return Response(body, media_type=_XML)


def inspection(context: Context, base: str, page: int) -> bytes:
    """One page of the inspection document of the registry at ``base``."""
    head = (page - 1) * _A_PAGE + 1
    services = Find(
        category_bag=CategoryBag((KeyedReference(WSDL_TYPES, "service"),)),
        list_head=head,
        max_rows=_A_PAGE,
    )
    found = context.store.find("service", services, depth=1)
    root = etree.Element(_w("inspection"), nsmap={None: _WSIL, "uddi": _WSIL_UDDI})
    for service in found.entities:
        _add_service(root, service, base)
    if found.actual > head - 1 + len(found.keys) and found.keys:
        etree.SubElement(
            root,
            _w("link"),
            referencedNamespace=_WSIL,
            location=f"{base}/inspection.wsil?page={page + 1}",
        )
    return _document(root)


def _add_service(root: etree._Element, service: BusinessService, base: str) -> None:
    made = etree.SubElement(root, _w("service"))
    for name in service.names:
        abstract = etree.SubElement(made, _w("abstract"))
        abstract.text = name.value
        if name.lang:
            abstract.set("{http://www.w3.org/XML/1998/namespace}lang", name.lang)
    etree.SubElement(made, _w("name")).text = (
        category(service, XML_LOCALNAME) or name_in(service.names, "en") or service.key
    )
    urls = dict.fromkeys(
        url for b in service.bindings if face_of(b) == "outside" for url in [wsdl_url(b)] if url
    )
    for url in urls:
        etree.SubElement(made, _w("description"), referencedNamespace=_WSDL, location=url)
    for namespace, key in (
        (v3.NAMESPACE, service.key),
        (V2.namespace, older_key(service.key)),
    ):
        description = etree.SubElement(made, _w("description"), referencedNamespace=namespace)
        there = etree.SubElement(
            description, _u("serviceDescription"), location=f"{base}/uddi/inquiry"
        )
        etree.SubElement(there, _u("serviceKey")).text = key


def _w(name: str) -> str:
    return f"{{{_WSIL}}}{name}"


def _u(name: str) -> str:
    return f"{{{_WSIL_UDDI}}}{name}"
