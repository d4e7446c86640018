"""The registry's page: hospitals, their services, and where each is reached from either side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from registry.model import BusinessEntity, BusinessService, Find, LangText
from registry.registered import category, face_of, hospital_code, name_in, wsdl_url
from registry.store import Store
from registry.uddi.wellknown import XML_LOCALNAME, XML_NAMESPACE
from registry.web.words import WORDS

#: Nothing is loaded from elsewhere and no script runs at all.
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Face:
    """One binding, for show. ``wsdl`` is "" where the address is no http(s) URL."""

    kind: str
    address: str
    wsdl: str


@dataclass(frozen=True, slots=True)
class ShownService:
    key: str
    name: str
    other_name: str
    namespace: str
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class ShownHospital:
    key: str
    code: str
    name: str
    other_name: str
    services: tuple[ShownService, ...]


def page(store: Store, public_url: str, query: Mapping[str, str]) -> str:
    """The page as HTML. ``query``: lang (zh, en), q (part of a hospital's name), page (from 1);
    anything else in it is ignored, and a value that makes no sense is taken as missing."""
    lang = "en" if query.get("lang") == "en" else "zh"
    wanted = query.get("q", "").strip()[:200]
    given = query.get("page", "")
    # int() takes more than ASCII digits, and 1000 digits too.
    number = max(int(given), 1) if given.isascii() and given.isdigit() and len(given) < 7 else 1
    found = store.find("business", _find(wanted, number), depth=2)
    pages = max(-(-found.actual // _PER_PAGE), 1)

    def link(**change: str | int) -> str:
        parameters = {"lang": lang, "q": wanted, "page": number, **change}
        kept = {k: v for k, v in parameters.items() if v not in ("", "zh", 1)}
        return "/" + (f"?{urlencode(kept)}" if kept else "")

    return (
        _environment()
        .get_template("index.html")
        .render(
            lang=lang,
            t=SimpleNamespace(**WORDS[lang]),
            q=wanted,
            hospitals=[_hospital(business, lang) for business in found.entities],
            total=found.actual,
            number=number,
            pages=pages,
            link=link,
            public_url=public_url,
        )
    )


def _find(wanted: str, number: int) -> Find:
    literal = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Find(
        qualifiers=("approximateMatch", "caseInsensitiveMatch", "caseInsensitiveSort"),
        names=(LangText(f"%{literal}%"),),
        max_rows=_PER_PAGE,
        list_head=(number - 1) * _PER_PAGE + 1,
    )


def _hospital(business: BusinessEntity, lang: str) -> ShownHospital:
    name, other = _names(business.names, lang)
    services = tuple(_service(service, lang) for service in business.services)
    return ShownHospital(business.key, hospital_code(business) or "", name, other, services)


def _service(service: BusinessService, lang: str) -> ShownService:
    name, other = _names(service.names, lang)
    name = name or category(service, XML_LOCALNAME) or service.key
    faces = tuple(
        _face(face_of(binding), binding.access_point.value, wsdl_url(binding))
        for binding in service.bindings
        if binding.access_point is not None
    )
    return ShownService(service.key, name, other, category(service, XML_NAMESPACE), faces)


def _face(kind: str, address: str, published: str) -> Face:
    # A published address is somebody's input: only a web address becomes a link. From inside,
    # the WSDL is asked for at the inside address; the one that was published is the outside's.
    outside = published if kind == "outside" else ""
    wsdl = outside or (address if "?" in address else f"{address}?wsdl")
    return Face(kind, address, wsdl if wsdl.lower().startswith(("http://", "https://")) else "")


def _names(names: tuple[LangText, ...], lang: str) -> tuple[str, str]:
    """The name in the page's language, and one in another."""
    name = name_in(names, lang)
    return name, next((n.value for n in names if n.value != name), "")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("registry.web"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
