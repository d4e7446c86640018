"""From a page's data to a response: language, templates, and the headers that every page has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from registry.web.forms import field_id
from registry.web.parts import flat
from registry.web.words import WORDS
from services.soap.values import LOCAL

LANGUAGE_COOKIE = "yilian_lang"
_YEAR = 365 * 24 * 3600

#: Scripts, styles, pictures and answers come from this very origin; nothing is inline.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that a browser sends "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}


def language(request: Request) -> str:
    """As asked for in the address, else as kept in the cookie, else Chinese."""
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return "en" if asked == "en" else "zh"


def rendered(request: Request, template: str, status: int = 200, /, **values: Any) -> Response:
    """The page as a response. A language asked for in the address is kept in the cookie."""
    lang = language(request)
    other = "zh" if lang == "en" else "en"
    path = quote(request.url.path)
    html = (
        _environment()
        .get_template(template)
        .render(
            lang=lang,
            t=SimpleNamespace(**WORDS[lang]),
            words=WORDS[lang],
            switch_to=f"{path}?{_query(request.query_params, lang=other)}",
            path=request.url.path,
            **{"q": "", **values},
        )
    )
    response = Response(html, status, SECURITY_HEADERS, media_type="text/html")
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(
            LANGUAGE_COOKIE,
            lang,
            max_age=_YEAR,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return response


def _query(given: Mapping[str, str], **changes: str) -> str:
    return urlencode({**given, **changes})


def link(path: str, /, **parameters: str | int) -> str:
    """A path with the parameters that are not empty."""
    kept = {name: value for name, value in parameters.items() if value not in ("", 0)}
    return path + (f"?{urlencode(kept)}" if kept else "")


def to(kind: str, key: str) -> str:
    """The address of an entity's page: ``kind`` is hospital, service, wsdl, try or state."""
    return f"/{kind}/{quote(key, safe=':')}"


def local_time(moment: datetime | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return "" if moment is None else moment.astimezone(LOCAL).strftime(form)


def microseconds(value: int) -> str:
    """A moment as the store has it, microseconds since 1970."""
    return local_time(datetime.fromtimestamp(value / 1_000_000, LOCAL))


def wsdl_of(face: str, address: str, published: str) -> str:
    """Where the WSDL of a binding is had, "" where that is no web address. From inside it is
    asked for at the inside address; the one that was published is the outside's."""
    outside = published if face == "outside" else ""
    return web_address(outside or (address if "?" in address else f"{address}?wsdl"))


def milliseconds(value: float | None) -> str:
    """A latency as a person reads it: 0.8, 12, 1 240."""
    if value is None:
        return ""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}".replace(",", "\u2009")


def web_address(address: str) -> str:
    """The address where it may be a link; a published one is somebody's input."""
    return address if address.lower().startswith(("http://", "https://")) else ""


def breakable(name: str) -> Markup:
    """A name that may be broken before its capitals and behind its dots, such as
    QueryRegistrationsOfPatient."""
    parts: list[str] = []
    for index, letter in enumerate(name):
        after = name[index - 1] if index else ""
        if (letter.isupper() and after.islower()) or after in "._:/-":
            parts.append("\x00")
        parts.append(letter)
    return Markup("<wbr>").join("".join(parts).split("\x00"))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("registry.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "local_time": local_time,
        "microseconds": microseconds,
        "milliseconds": milliseconds,
        "web_address": web_address,
        "breakable": breakable,
        "field_id": field_id,
    }
    environment.globals |= {"link": link, "to": to, "wsdl_of": wsdl_of, "flat": flat}
    return environment
