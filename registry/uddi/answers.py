"""Parts that answers have in common: lists of what was found, and their descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from lxml import etree

from registry.keys import fold
from registry.model import BusinessEntity, BusinessService, TModel
from registry.search import Page
from registry.uddi.v3 import append, q, root


def keys_in(request: etree._Element, name: str) -> list[str]:
    """The keys that the request lists, folded."""
    return [fold(element.text or "") for element in request.findall(q(name))]


def add_business_infos(answer: etree._Element, businesses: Iterable[BusinessEntity]) -> None:
    infos = None
    for business in businesses:
        infos = etree.SubElement(answer, q("businessInfos")) if infos is None else infos
        info = etree.SubElement(infos, q("businessInfo"), businessKey=business.key)
        for name in business.names:
            append(info, name, "name")
        for description in business.descriptions:
            append(info, description, "description")
        add_service_infos(info, business.services)


def add_service_infos(answer: etree._Element, services: Iterable[BusinessService]) -> None:
    infos = None
    for service in services:
        infos = etree.SubElement(answer, q("serviceInfos")) if infos is None else infos
        keys = {"serviceKey": service.key, "businessKey": service.business_key}
        info = etree.SubElement(infos, q("serviceInfo"), keys)
        for name in service.names:
            append(info, name, "name")


def add_tmodel_infos(answer: etree._Element, tmodels: Iterable[TModel]) -> None:
    infos = None
    for tmodel in tmodels:
        infos = etree.SubElement(answer, q("tModelInfos")) if infos is None else infos
        info = etree.SubElement(infos, q("tModelInfo"), tModelKey=tmodel.key)
        append(info, tmodel.name, "name")
        for description in tmodel.descriptions:
            append(info, description, "description")


def list_root(name: str, page: Page) -> etree._Element:
    """A list's root: with a listDescription for who pages, else marked where it was cut. The
    specification has one exclude the other."""
    answer = root(name)
    if page.listed:
        description = etree.SubElement(answer, q("listDescription"))
        append(description, str(len(page.keys)), "includeCount")
        append(description, str(page.actual), "actualCount")
        append(description, str(page.head), "listHead")
    elif page.truncated:
        answer.set("truncated", "true")
    return answer


def xml_time(microseconds: int) -> str:
    """Microseconds since 1970 as xs:dateTime, in UTC."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
