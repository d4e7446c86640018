"""UDDI 3 inquiry: find_* and get_*, each operation a function from its element to the answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lxml import etree

from registry.keys import fold
from registry.model import BusinessEntity, BusinessService, Find, Kind, TModel
from registry.qualifiers import parse
from registry.uddi import text
from registry.uddi.context import NODE_ID, Context
from registry.uddi.v3 import append, q, read, root

#: The answer is an element or its text.
Operation = Callable[[Context, etree._Element], etree._Element | str | None]


def find_business(context: Context, request: etree._Element) -> str:
    find = read(request, Find)
    projected = "suppressProjectedServices" not in parse(find.qualifiers)
    listed = context.store.listed("business", find, projected=projected)
    return text.found(
        "businessList", listed.page, text.business_infos(listed.infos, listed.services)
    )


def find_service(context: Context, request: etree._Element) -> str:
    listed = context.store.listed("service", read(request, Find))
    return text.found("serviceList", listed.page, text.service_infos(listed.infos))


def find_binding(context: Context, request: etree._Element) -> str:
    page = context.store.find("binding", read(request, Find))
    return text.found("bindingDetail", page, "".join(map(text.written, page.entities)))


def find_tmodel(context: Context, request: etree._Element) -> str:
    listed = context.store.listed("tmodel", read(request, Find))
    return text.found("tModelList", listed.page, text.tmodel_infos(listed.infos))


def _detail(kind: Kind, answer_name: str, key_name: str) -> Operation:
    def get_detail(context: Context, request: etree._Element) -> str:
        return text.details(answer_name, context.store.get(kind, keys_in(request, key_name)))

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


def _time(microseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
