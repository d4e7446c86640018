"""What a subscription answers for a time: what matches and changed in it, and what is gone."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from sqlalchemy.engine import Connection

from registry import assertions, subscriptions
from registry.changed import Period, changed_keys
from registry.changes import last_index
from registry.errors import UddiError
from registry.model import Find, Kind
from registry.projections import own_services
from registry.qualifiers import parse
from registry.reading import read as read_entities
from registry.subscriptions import Subscription
from registry.tables import entity
from registry.uddi.answers import (
    add_business_infos,
    add_service_infos,
    add_tmodel_infos,
    keys_in,
)
from registry.uddi.assertions import status_report
from registry.uddi.context import Context
from registry.uddi.related import related_businesses
from registry.uddi.times import xml_milliseconds
from registry.uddi.v3 import append, q, read, root

NAMESPACE = "urn:uddi-org:sub_v3"

#: The filters, each with what it is about and the element that keys of that are told by.
KINDS: dict[str, tuple[Kind, str]] = {
    "find_business": ("business", "businessKey"),
    "find_service": ("service", "serviceKey"),
    "find_binding": ("binding", "bindingKey"),
    "find_tModel": ("tmodel", "tModelKey"),
    "get_businessDetail": ("business", "businessKey"),
    "get_serviceDetail": ("service", "serviceKey"),
    "get_bindingDetail": ("binding", "bindingKey"),
    "get_tModelDetail": ("tmodel", "tModelKey"),
}
_LISTS = {
    "find_business": "businessList",
    "find_service": "serviceList",
    "find_binding": "bindingDetail",
    "find_tModel": "tModelList",
    "get_businessDetail": "businessDetail",
    "get_serviceDetail": "serviceDetail",
    "get_bindingDetail": "bindingDetail",
    "get_tModelDetail": "tModelDetail",
}
_DEPTHS = {"find_business": 1, "get_businessDetail": 2, "get_serviceDetail": 1}

#: Assertions of a listener's time are looked for from a little before it: a clock is no order.
_OVERLAP_MS = 2_000


def sq(name: str) -> str:
    """The qualified name of a subscription element."""
    return f"{{{NAMESPACE}}}{name}"


@dataclass(frozen=True, slots=True)
class Results:
    """``element``: the subscriptionResultsList; ``token``: for the next chunk, "" at the end."""

    element: etree._Element
    token: str
    empty: bool


def filter_of(element: etree._Element) -> etree._Element:
    """The find_* or get_* inside a subscription."""
    found = element.find(sq("subscriptionFilter"))
    assert found is not None and len(found) == 1  # the schema says so
    return found[0]


def results(
    context: Context, subscription: Subscription, period: Period, token: str = ""
) -> Results:
    """One chunk of the results. E_invalidValue for a token that is none of this period's."""
    element = etree.fromstring(subscription.body)
    made = etree.Element(sq("subscriptionResultsList"), nsmap={None: NAMESPACE, "api": q("")[1:-1]})
    wanted = filter_of(element)
    name = etree.QName(wanted).localname
    after = _after(token, period)
    next_token = ""
    if name == "find_relatedBusinesses":
        found = related_businesses(context, wanted, _start(period), period.end)
        empty = found.find(q("relatedBusinessInfos")) is None
        parts = [] if empty else [found]
    elif name == "get_assertionStatusReport":
        parts = _report(context, subscription, wanted, period)
    else:
        renew(context, subscription.key, wanted)
        most = _most(context, element)
        keys = _changed(context, subscription.key, wanted, period, after, most + 1)
        if len(keys) > most:
            keys = keys[:most]
            next_token = _token(period, keys[-1])
        parts = _parts(context, element, wanted, keys)
        if not after:
            parts += _gone(context, subscription.key, name, period)
    if next_token:
        etree.SubElement(made, sq("chunkToken")).text = next_token
    covered = etree.SubElement(made, sq("coveragePeriod"))
    etree.SubElement(covered, sq("startPoint")).text = xml_milliseconds(period.start)
    etree.SubElement(covered, sq("endPoint")).text = xml_milliseconds(period.end)
    made.append(element)
    made.extend(parts)
    return Results(made, next_token, not parts)


def renew(context: Context, key: str, wanted: etree._Element) -> None:
    """Bring the members up to what stands in the registry now. E_resultSetTooLarge where more
    match than one subscription may have."""
    kind = KINDS[etree.QName(wanted).localname][0]
    most = context.subscriptions.members

    def work(connection: Connection) -> None:
        members = subscriptions.count_members(connection, key)
        # All there is at first, and then what changed since the last look.
        changed = (
            Period(0, 0, subscriptions.seen(connection, key), last_index(connection))
            if members
            else Period(0, now())
        )
        matching = _matching(context, connection, wanted, changed, "", most + 1)
        if len(matching) > most:
            raise UddiError(
                "resultSetTooLarge",
                f"订阅匹配超过 {most} 个实体，请缩小范围 / the subscription matches more than "
                f"{most} entities; narrow it",
            )
        all_changed = changed_keys(connection, kind, changed) if members else []
        subscriptions.renew_members(connection, key, kind, matching, all_changed)

    context.store.write(work)


def _matching(
    context: Context,
    connection: Connection,
    wanted: etree._Element,
    changed: Period,
    after: str,
    most: int,
) -> list[str]:
    """The keys, in their order behind ``after``, of what the filter matches and has changed."""
    name = etree.QName(wanted).localname
    kind, key_name = KINDS[name]
    if name.startswith("get_"):
        where = [entity.c.key.in_(keys_in(wanted, key_name))]
    else:
        asked = context.store.conditions(connection, kind, read(wanted, Find))
        if asked is None:
            return []
        # A tModel that was hidden is gone for who finds, and still there for who gets.
        where = [*asked, entity.c.hidden.is_(False)]
    return changed_keys(connection, kind, changed, where, after, most)


def _changed(
    context: Context, key: str, wanted: etree._Element, period: Period, after: str, most: int
) -> list[str]:
    with context.store.engine.connect() as connection:
        return _matching(context, connection, wanted, period, after, most)


def _parts(
    context: Context, element: etree._Element, wanted: etree._Element, keys: Sequence[str]
) -> list[etree._Element]:
    if not keys:
        return []
    name = etree.QName(wanted).localname
    kind, key_name = KINDS[name]
    if element.get("brief") in ("true", "1"):
        return [_key_bag(key_name, keys, deleted=False)]
    with context.store.engine.connect() as connection:
        found = read_entities(connection, kind, keys, _DEPTHS.get(name, 0))
    answer = root(_LISTS[name])
    if name == "find_business":
        qualifiers = parse(read(wanted, Find).qualifiers)
        hidden = "suppressProjectedServices" in qualifiers
        add_business_infos(answer, [own_services(b) if hidden else b for b in found])
    elif name == "find_service":
        add_service_infos(answer, found)
    elif name == "find_tModel":
        add_tmodel_infos(answer, found)
    else:
        for item in found:
            append(answer, item)
    return [answer]


def _gone(context: Context, key: str, name: str, period: Period) -> list[etree._Element]:
    with context.store.engine.connect() as connection:
        keys = subscriptions.gone_between(connection, key, period)
    return [_key_bag(KINDS[name][1], keys, deleted=True)] if keys else []


def _key_bag(key_name: str, keys: Sequence[str], *, deleted: bool) -> etree._Element:
    bag = etree.Element(sq("keyBag"), nsmap={None: NAMESPACE})
    etree.SubElement(bag, sq("deleted")).text = "true" if deleted else "false"
    for key in keys:
        etree.SubElement(bag, q(key_name)).text = key
    return bag


def _report(
    context: Context, subscription: Subscription, wanted: etree._Element, period: Period
) -> list[etree._Element]:
    status = (wanted.findtext(q("completionStatus")) or "").strip()
    with context.store.engine.connect() as connection:
        items = assertions.report(connection, subscription.publisher, status)
    changed = [item for item in items if _start(period) <= item.modified <= period.end]
    return [status_report(changed)] if changed else []


def _start(period: Period) -> int:
    return period.start if period.last_index is None else period.start - _OVERLAP_MS


def _most(context: Context, element: etree._Element) -> int:
    sent: Any = element.findtext(sq("maxEntities"))
    return context.max_rows if sent is None else max(1, min(int(sent), context.max_rows))


def now() -> int:
    return time.time_ns() // 1_000_000


# --- chunk tokens ----------------------------------------------------------------------------


def _token(period: Period, last: str) -> str:
    plain = f"{period.start}/{period.end}/{last}"
    return base64.urlsafe_b64encode(plain.encode()).decode("ascii")


def _after(token: str, period: Period) -> str:
    """The key that the chunk starts behind. The first one has no token, or 0."""
    if token.strip() in ("", "0"):
        return ""
    try:
        plain = base64.urlsafe_b64decode(token.strip().encode("ascii", "replace")).decode()
        start, end, last = plain.split("/", 2)
        if (int(start), int(end)) != (period.start, period.end) or not last:
            raise ValueError(plain)
    except (ValueError, binascii.Error) as error:
        raise UddiError(
            "invalidValue",
            "chunkToken 不属于此订阅与时段 / the chunkToken is none of this subscription and "
            "period",
        ) from error
    return last
