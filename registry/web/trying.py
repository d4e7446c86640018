"""The console: a form from the contract, the real call, and the page of a call that was tried.

Nothing is sent by a GET. A POST is answered by a redirect to the kept call, so that a reload
sends nothing again and the address holds no argument.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from registry.web import calling, forms
from registry.web.answers import shown as shown_answer
from registry.web.contracts import documentation_of
from registry.web.envelopes import envelope
from registry.web.parts import Documentation, Told
from registry.web.recipes import curl
from registry.web.rendering import SECURITY_HEADERS, link, rendered, to
from registry.web.service import Here, here
from registry.web.site import Site, in_thread, site_of
from registry.web.tried import Call
from registry.web.words.faults import FAULTS
from registry.web.xml_shown import shown as shown_xml
from services import faults
from services.soap.values import LOCAL

#: by a delimited operation's negative result: the faults that it may stand for
_LEGACY: dict[str, list[tuple[str, tuple[str, str, str, str]]]] = {}
for _code, _said in FAULTS.items():
    _LEGACY.setdefault(str(getattr(faults, _code).legacy_code), []).append((_code, _said))

log = structlog.get_logger("registry")


def admitted(request: Request) -> bool:
    """Whether this browser may use the console."""
    settings = site_of(request).trying
    return settings.enabled and request.client is not None and settings.admits(request.client.host)


def _off(request: Request) -> Response:
    return rendered(request, "message.html", 403, heading="try_off", hint="try_off_hint")


def _told(request: Request, status: int, word: str) -> Response:
    return rendered(request, "message.html", status, heading=word, hint=f"{word}_hint")


# --- the form ------------------------------------------------------------------------------------


async def form(request: Request) -> Response:
    """The form: ``operation`` chosen in the address, ``from`` a kept call to begin with."""
    if not admitted(request):
        return _off(request)
    site = site_of(request)
    at = await in_thread(request, here, site, request.path_params["key"])
    query = request.query_params
    kept = site.calls.get(query.get("from", ""))
    if kept is not None and kept.service_key == at.service.key:
        operation = _operation(at.documentation, kept.operation)
        return _form(request, at, operation, dict(kept.values), {}, unchecked=kept.unchecked)
    operation = _operation(at.documentation, query.get("operation", ""))
    return _form(request, at, operation, _first_values(operation), {})


def _operation(documentation: Documentation | None, name: str) -> Told | None:
    if documentation is None:
        return None
    able = [one for one in documentation.operations if one.callable]
    return next((one for one in able if one.name == name), documentation.usual)


def _first_values(operation: Told | None) -> dict[str, str]:
    """A write begins with a RequestId of its own."""
    if operation is None or not operation.writes:
        return {}
    named = any(part.name == "RequestId" for part in operation.request)
    return {"RequestId": f"web-{secrets.token_hex(12)}"} if named else {}


def _form(
    request: Request,
    at: Here,
    operation: Told | None,
    values: dict[str, str],
    problems: dict[str, str],
    *,
    more: str = "",
    unchecked: bool = False,
    unconfirmed: bool = False,
) -> Response:
    site = site_of(request)
    if operation is None or not operation.callable:
        return _told(request, 404, "nothing_to_try")
    if not calling.may_call(_address(at), site.trying):
        return _told(request, 403, "not_listed")
    cookie = site.csrf.cookie(request)
    status = 422 if problems or unconfirmed else 200
    response = rendered(
        request,
        "try.html",
        status,
        at=at,
        hospital=at.hospital,
        service=at.service,
        documentation=at.documentation,
        operation=operation,
        inputs=forms.inputs(operation, values, problems, more),
        problems=problems,
        unchecked=unchecked,
        unconfirmed=unconfirmed,
        needs_confirming=operation.writes is not False,
        writes_allowed=site.trying.writes,
        address=_address(at),
        token=site.csrf.token(cookie),
    )
    site.csrf.set_cookie(request, response, cookie)
    return response


def _address(at: Here) -> str:
    """Outside, through the gateway; never a node's own address, which is for the gateway alone."""
    return next((face.address for face in at.faces if face.kind == "outside"), "")


# --- the call ------------------------------------------------------------------------------------


async def _posted(request: Request) -> dict[str, str] | Response:
    """The fields of a form that was really ours, or what its sender is told."""
    if not admitted(request):
        return _off(request)
    try:
        fields = forms.parsed(await _body(request))
    except (ValueError, ClientDisconnect):
        return _told(request, 400, "bad_form")
    if not site_of(request).csrf.holds(request, fields.get("token", "")):
        return _told(request, 403, "bad_form")
    return fields


async def send(request: Request) -> Response:
    """Send the call, or show the form again with what is wrong with it."""
    fields = await _posted(request)
    if isinstance(fields, Response):
        return fields
    site = site_of(request)
    at = await in_thread(request, here, site, request.path_params["key"])
    operation = _operation(at.documentation, fields.get("operation", ""))
    if operation is None or operation.name != fields.get("operation"):
        return _told(request, 404, "nothing_to_try")
    typed, unchecked = forms.given(fields), "unchecked" in fields
    if fields.get("more"):
        return _form(request, at, operation, typed, {}, more=fields["more"], unchecked=unchecked)
    filled = forms.filled(operation, typed, unchecked=unchecked)
    unconfirmed = operation.writes is not False and "confirm" not in fields
    if filled.problems or unconfirmed:
        return _form(
            *(request, at, operation, typed, filled.problems),
            unchecked=unchecked,
            unconfirmed=unconfirmed,
        )
    if operation.writes is not False and not site.trying.writes:
        return rendered(request, "message.html", 403, heading="try_off", hint="writes_off")
    if not calling.may_call(_address(at), site.trying):
        return _told(request, 403, "not_listed")
    if site.calls_under_way >= site.trying.at_once:
        return _told(request, 503, "try_busy")
    name = await _sent(request, site, at, operation, filled.values, unchecked=unchecked)
    return RedirectResponse(f"/tried/{name}", 303, SECURITY_HEADERS)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > forms.MOST_BYTES:
            raise ValueError("the form is too long")
    return body


async def _sent(
    request: Request,
    site: Site,
    at: Here,
    operation: Told,
    values: dict[str, str],
    *,
    unchecked: bool,
) -> str:
    """The name under which the call is kept."""
    message = envelope(operation, values)
    address = _address(at)
    site.calls_under_way += 1
    try:
        answered = await site.call_in_thread(
            calling.post, address, operation.soap_action, message, site.trying
        )
    finally:
        site.calls_under_way -= 1
    now = datetime.now(LOCAL)
    call = Call(
        at.service.key,
        operation.name,
        address,
        values,
        unchecked,
        message,
        answered,
        now,
        now + timedelta(seconds=site.calls.seconds),
    )
    # Who tried what, and never with which arguments.
    log.info(
        "tried",
        client=request.client.host if request.client else "",
        service=at.service.key,
        operation=operation.name,
        status=answered.status,
        ms=round(answered.ms),
        problem=answered.problem,
    )
    return site.calls.keep(call)


# --- a call that was tried -----------------------------------------------------------------------


async def tried(request: Request) -> Response:
    """What a kept call sent and what came back."""
    if not admitted(request):
        return _off(request)
    site = site_of(request)
    name = request.path_params["name"]
    call = site.calls.get(name)
    if call is None:
        return _told(request, 404, "expired")
    found = site.listing.service(call.service_key)
    documentation = documentation_of(found[1], site.versions) if found else None
    cookie = site.csrf.cookie(request)
    response = rendered(
        request,
        "tried.html",
        hospital=found[0] if found else None,
        service=found[1] if found else None,
        call=call,
        name=name,
        share=f"{_own_url(request)}/tried/{name}",
        again=link(to("try", call.service_key), **{"from": name}) if found else "",
        token=site.csrf.token(cookie),
        **_told_answer(call, _operation(documentation, call.operation)),
    )
    site.csrf.set_cookie(request, response, cookie)
    return response


def _own_url(request: Request) -> str:
    return site_of(request).public_url or str(request.base_url).rstrip("/")


def _told_answer(call: Call, operation: Told | None) -> dict[str, Any]:
    answer = shown_answer(call.answered, operation)
    # What is no SOAP may be anything that stands at that address: it is not shown.
    visible = answer.verdict not in ("no_xml", "cut") and not call.answered.problem
    return {
        "answer": answer,
        "operation": operation,
        "sent": shown_xml(call.request),
        "received": shown_xml(call.answered.body) if visible else [],
        "legacy": _LEGACY,
        "curl": curl.line(call.address, operation.soap_action if operation else "", call.request),
    }


async def drop(request: Request) -> Response:
    """Forget a kept call."""
    fields = await _posted(request)
    if isinstance(fields, Response):
        return fields
    site = site_of(request)
    call = site.calls.get(request.path_params["name"])
    site.calls.drop(request.path_params["name"])
    place = to("try", call.service_key) if call else "/"
    return RedirectResponse(place, 303, SECURITY_HEADERS)
