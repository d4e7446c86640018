"""UDDI 3 publication: save_*, delete_* and get_registeredInfo, all with a token."""

from __future__ import annotations

from typing import Any

import structlog
from lxml import etree

from registry.limits import saved_within
from registry.model import Kind
from registry.ownership import check_ownership
from registry.rows import kind_of
from registry.uddi.answers import add_business_infos, add_tmodel_infos, keys_in
from registry.uddi.asking import publisher_of
from registry.uddi.assertions import ASSERTIONS
from registry.uddi.context import Context
from registry.uddi.inquiry import Operation
from registry.uddi.v3 import ELEMENTS, append, q, read, root

log = structlog.get_logger("registry")


def _save(element_name: str, answer_name: str) -> Operation:
    def save(context: Context, request: etree._Element) -> etree._Element:
        publisher = publisher_of(context, request)
        cls: type[Any] = ELEMENTS[element_name]
        items = [read(element, cls) for element in request.findall(q(element_name))]
        for item in items:
            check_ownership(publisher, item)
        answer = root(answer_name)
        check = saved_within(context.limits_of(publisher), publisher.user, kind_of(items[0]))
        for saved in context.store.save(publisher.user, items, check):
            append(answer, saved)
            log.info("uddi saved", entity=element_name, key=saved.key, publisher=publisher.user)
        return answer

    return save


def _delete(kind: Kind, key_name: str) -> Operation:
    def delete(context: Context, request: etree._Element) -> None:
        publisher = publisher_of(context, request)
        keys = keys_in(request, key_name)
        context.store.delete(publisher.user, kind, keys)
        for key in keys:
            log.info("uddi deleted", entity=kind, key=key, publisher=publisher.user)

    return delete


def get_registered_info(context: Context, request: etree._Element) -> etree._Element:
    publisher = publisher_of(context, request)
    selection = request.get("infoSelection")
    businesses, tmodels, more = context.store.owned(publisher.user, context.max_rows)
    answer = root("registeredInfo")
    if more:
        answer.set("truncated", "true")
    # Only tModels can be hidden.
    if selection != "hidden":
        add_business_infos(answer, businesses)
    chosen = [t for t in tmodels if selection == "all" or t.deleted == (selection == "hidden")]
    add_tmodel_infos(answer, chosen)
    return answer


PUBLICATION: dict[str, Operation] = {
    "save_business": _save("businessEntity", "businessDetail"),
    "save_service": _save("businessService", "serviceDetail"),
    "save_binding": _save("bindingTemplate", "bindingDetail"),
    "save_tModel": _save("tModel", "tModelDetail"),
    "delete_business": _delete("business", "businessKey"),
    "delete_service": _delete("service", "serviceKey"),
    "delete_binding": _delete("binding", "bindingKey"),
    "delete_tModel": _delete("tmodel", "tModelKey"),
    "get_registeredInfo": get_registered_info,
    **ASSERTIONS,
}
