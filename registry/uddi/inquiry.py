"""UDDI 3 inquiry: find_* and get_*, each operation a function from its element to the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lxml import etree

from registry.keys import fold
from registry.model import BusinessEntity, BusinessService, Find, Kind, TModel
from registry.projections import own_services
from registry.qualifiers import parse
from registry.search import Page
from registry.uddi.context import NODE_ID, Context
from registry.uddi.v3 import append, q, read, root

Operation = Callable[[Context, etree._Element], etree._Element | None]


def find_business(context: Context, request: etree._Element) -> etree._Element:
    find = read(request, Find)
    page = context.store.find("business", find, depth=1)
    found = list(page.entities)
    if "suppressProjectedServices" in parse(find.qualifiers):
        found = [own_services(business) for business in found]
    answer = _list("businessList", page)
    add_business_infos(answer, found)
    return answer


def find_service(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("service", read(request, Find))
    answer = _list("serviceList", page)
    _add_service_infos(answer, page.entities)
    return answer


def find_binding(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("binding", read(request, Find))
    answer = _list("bindingDetail", page)
    for binding in page.entities:
        append(answer, binding)
    return answer


def find_tmodel(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("tmodel", read(request, Find))
    answer = _list("tModelList", page)
    add_tmodel_infos(answer, list(page.entities))
    return answer


def _detail(kind: Kind, answer_name: str, key_name: str) -> Operation:
    def get_detail(context: Context, request: etree._Element) -> etree._Element:
        answer = root(answer_name)
        for item in context.store.get(kind, keys_in(request, key_name)):
            append(answer, item)
        return answer

    return get_detail


def get_operational_info(context: Context, request: etree._Element) -> etree._Element:
    answer = root("operationalInfos")
    for info in context.store.operational_infos(keys_in(request, "entityKey")):
        element = etree.SubElement(answer, q("operationalInfo"), entityKey=info.key)
        append(element, _time(info.created), "created")
        append(element, _time(info.modified), "modified")
        append(element, _time(info.modified_including_children), "modifiedIncludingChildren")
        append(element, NODE_ID, "nodeID")
        append(element, info.publisher, "authorizedName")
    return answer


INQUIRY: dict[str, Operation] = {
    "find_business": find_business,
    "find_service": find_service,
    "find_binding": find_binding,
    "find_tModel": find_tmodel,
    "get_businessDetail": _detail("business", "businessDetail", "businessKey"),
    "get_serviceDetail": _detail("service", "serviceDetail", "serviceKey"),
    "get_bindingDetail": _detail("binding", "bindingDetail", "bindingKey"),
    "get_tModelDetail": _detail("tmodel", "tModelDetail", "tModelKey"),
    "get_operationalInfo": get_operational_info,
}


# --- parts of answers, shared with publication -----------------------------------------------


def keys_in(request: etree._Element, name: str) -> list[str]:
    """The keys that the request lists, folded."""
    return [fold(element.text or "") for element in request.findall(q(name))]


def add_business_infos(answer: etree._Element, businesses: list[BusinessEntity]) -> None:
    if not businesses:
        return
    infos = etree.SubElement(answer, q("businessInfos"))
    for business in businesses:
        info = etree.SubElement(infos, q("businessInfo"), businessKey=business.key)
        for name in business.names:
            append(info, name, "name")
        for description in business.descriptions:
            append(info, description, "description")
        _add_service_infos(info, business.services)


def _add_service_infos(answer: etree._Element, services: tuple[BusinessService, ...]) -> None:
    if not services:
        return
    infos = etree.SubElement(answer, q("serviceInfos"))
    for service in services:
        keys = {"serviceKey": service.key, "businessKey": service.business_key}
        info = etree.SubElement(infos, q("serviceInfo"), keys)
        for name in service.names:
            append(info, name, "name")


def add_tmodel_infos(answer: etree._Element, tmodels: list[TModel]) -> None:
    if not tmodels:
        return
    infos = etree.SubElement(answer, q("tModelInfos"))
    for tmodel in tmodels:
        info = etree.SubElement(infos, q("tModelInfo"), tModelKey=tmodel.key)
        append(info, tmodel.name, "name")
        for description in tmodel.descriptions:
            append(info, description, "description")


def _list(name: str, page: Page) -> etree._Element:
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


def _time(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
