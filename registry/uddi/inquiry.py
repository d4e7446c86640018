"""UDDI 3 inquiry: find_* and get_*, each operation a function from its element to the answer."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from registry.model import Find, Kind
from registry.qualifiers import parse
from registry.uddi import text
from registry.uddi.answers import keys_in, xml_time
from registry.uddi.context import NODE_ID, Context
from registry.uddi.related import find_related_businesses
from registry.uddi.v3 import append, q, read, root

#: The answer is an element or its text.
Operation = Callable[[Context, etree._Element], etree._Element | str | None]


def find_business(context: Context, request: etree._Element) -> str:
    find = read(request, Find)
    projected = "suppressProjectedServices" not in parse(find.qualifiers)
    listed = context.store.listed("business", find, projected=projected)
    return text.found("businessList", listed.page, text.business_infos(listed.infos))


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
        keys = keys_in(request, key_name)
        # As lists are: who asks for all keys of a large registry is told that there is more.
        found = context.store.get(kind, keys[: context.max_rows])
        return text.details(answer_name, found, truncated=len(keys) > context.max_rows)

    return get_detail


def get_operational_info(context: Context, request: etree._Element) -> etree._Element:
    answer = root("operationalInfos")
    keys = keys_in(request, "entityKey")
    if len(keys) > context.max_rows:
        answer.set("truncated", "true")
    for info in context.store.operational_infos(keys[: context.max_rows]):
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
