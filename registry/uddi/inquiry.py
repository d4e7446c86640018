"""UDDI 3 inquiry: find_* and get_*, each operation a function from its element to the answer."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from registry.model import Find, Kind
from registry.projections import own_services
from registry.qualifiers import parse
from registry.uddi.answers import (
    add_business_infos,
    add_service_infos,
    add_tmodel_infos,
    keys_in,
    list_root,
    xml_time,
)
from registry.uddi.context import NODE_ID, Context
from registry.uddi.related import find_related_businesses
from registry.uddi.v3 import append, q, read, root

Operation = Callable[[Context, etree._Element], etree._Element | None]


def find_business(context: Context, request: etree._Element) -> etree._Element:
    find = read(request, Find)
    page = context.store.find("business", find, depth=1)
    found = list(page.entities)
    if "suppressProjectedServices" in parse(find.qualifiers):
        found = [own_services(business) for business in found]
    answer = list_root("businessList", page)
    add_business_infos(answer, found)
    return answer


def find_service(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("service", read(request, Find))
    answer = list_root("serviceList", page)
    add_service_infos(answer, page.entities)
    return answer


def find_binding(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("binding", read(request, Find))
    answer = list_root("bindingDetail", page)
    for binding in page.entities:
        append(answer, binding)
    return answer


def find_tmodel(context: Context, request: etree._Element) -> etree._Element:
    page = context.store.find("tmodel", read(request, Find))
    answer = list_root("tModelList", page)
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
        append(element, xml_time(info.created), "created")
        append(element, xml_time(info.modified), "modified")
        append(element, xml_time(info.modified_including_children), "modifiedIncludingChildren")
        append(element, NODE_ID, "nodeID")
        append(element, info.publisher, "authorizedName")
    return answer


INQUIRY: dict[str, Operation] = {
    "find_business": find_business,
    "find_service": find_service,
    "find_binding": find_binding,
    "find_tModel": find_tmodel,
    "find_relatedBusinesses": find_related_businesses,
    "get_businessDetail": _detail("business", "businessDetail", "businessKey"),
    "get_serviceDetail": _detail("service", "serviceDetail", "serviceKey"),
    "get_bindingDetail": _detail("binding", "bindingDetail", "bindingKey"),
    "get_tModelDetail": _detail("tmodel", "tModelDetail", "tModelKey"),
    "get_operationalInfo": get_operational_info,
}
