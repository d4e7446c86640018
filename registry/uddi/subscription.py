"""UDDI 3 subscription: save, delete and get subscriptions, and ask for their results."""

from __future__ import annotations

import structlog
from lxml import etree
from sqlalchemy.engine import Connection

from registry import subscriptions
from registry.changed import Period
from registry.changes import last_index
from registry.config import Publisher
from registry.errors import UddiError
from registry.keys import check_form, fold, new_key
from registry.limits import check_subscriptions
from registry.model import Find
from registry.qualifiers import parse
from registry.subscriptions import Subscription
from registry.uddi.asking import publisher_of
from registry.uddi.context import Context
from registry.uddi.inquiry import Operation
from registry.uddi.listeners import check_allowed, listener_url
from registry.uddi.subscription_results import (
    KINDS,
    NAMESPACE,
    filter_of,
    now,
    renew,
    results,
    sq,
)
from registry.uddi.times import milliseconds, seconds, xml_milliseconds
from registry.uddi.v3 import q, read

log = structlog.get_logger("registry")

_DAY_MS = 24 * 3600 * 1000


def _root(name: str) -> etree._Element:
    return etree.Element(sq(name), nsmap={None: NAMESPACE, "api": q("")[1:-1]})


def save_subscription(context: Context, request: etree._Element) -> etree._Element:
    """Saved or renewed, and answered as they were adopted: with a key, an end, and an interval
    that this registry keeps."""
    publisher = publisher_of(context, request)
    moment = now()
    adopted = [
        _adopt(context, publisher, element, moment)
        for element in request.iterfind(sq("subscription"))
    ]

    def work(connection: Connection) -> None:
        for key, element, expires, due in adopted:
            body = etree.tostring(element, encoding="unicode")
            last = last_index(connection)
            new = Subscription(key, publisher.user, body, expires, last, moment, last, due, 0)
            subscriptions.put(connection, new, moment)
        check_subscriptions(connection, context.limits_of(publisher), publisher.user, moment)

    context.store.write(work)
    answer = _root("subscriptions")
    for key, element, _, _ in adopted:
        wanted = filter_of(element)
        if etree.QName(wanted).localname in KINDS:
            try:
                renew(context, key, wanted)
            except UddiError:
                context.store.write(
                    lambda connection, key=key: subscriptions.remove(  # type: ignore[misc]
                        connection, publisher.user, [key], moment
                    )
                )
                raise
        answer.append(element)
        log.info("uddi subscribed", subscription=key, publisher=publisher.user)
    return answer


def _adopt(
    context: Context, publisher: Publisher, sent: etree._Element, moment: int
) -> tuple[str, etree._Element, int, int | None]:
    """Key, element as adopted, end, and when its listener is due."""
    settings = context.subscriptions
    wanted = filter_of(sent)
    if etree.QName(wanted).localname.startswith("find_"):
        _check_find(wanted)
    key = fold(sent.findtext(sq("subscriptionKey")) or "")
    if key:
        check_form(key)
        _check_known(context, publisher, key, moment)
    key = key or new_key()
    last = moment + int(settings.days * _DAY_MS)
    asked = sent.findtext(sq("expiresAfter"))
    expires = last if asked is None else min(milliseconds(asked), last)
    if expires <= moment:
        raise UddiError("invalidTime", f"expiresAfter 已过 / expiresAfter is over: {asked}")
    binding_key = fold(sent.findtext(q("bindingKey")) or "")
    due: int | None = None
    interval = sent.findtext(sq("notificationInterval"))
    if binding_key:
        _check_listener(context, publisher, binding_key)
        if interval is None:
            raise UddiError(
                "invalidValue",
                "有 bindingKey 时须有 notificationInterval / with a bindingKey there must be a "
                "notificationInterval",
            )
        wait = max(seconds(interval), settings.interval_seconds)
        interval = interval if wait == seconds(interval) else f"PT{wait:g}S"
        due = moment + int(wait * 1000)
    most = sent.findtext(sq("maxEntities"))
    if most is not None and int(most) < 1:
        raise UddiError("invalidValue", f"maxEntities 应不小于 1 / maxEntities starts at 1: {most}")
    return key, _adopted(sent, wanted, key, binding_key, interval, most, expires), expires, due


def _adopted(
    sent: etree._Element,
    wanted: etree._Element,
    key: str,
    binding_key: str,
    interval: str | None,
    most: str | None,
    expires: int,
) -> etree._Element:
    made = _root("subscription")
    if sent.get("brief") in ("true", "1"):
        made.set("brief", "true")
    etree.SubElement(made, sq("subscriptionKey")).text = key
    for token in wanted.findall(q("authInfo")):
        # A token does not belong into what is kept and answered.
        wanted.remove(token)
    etree.SubElement(made, sq("subscriptionFilter")).append(wanted)
    if binding_key:
        etree.SubElement(made, q("bindingKey")).text = binding_key
    if interval is not None:
        etree.SubElement(made, sq("notificationInterval")).text = interval.strip()
    if most is not None:
        etree.SubElement(made, sq("maxEntities")).text = most.strip()
    etree.SubElement(made, sq("expiresAfter")).text = xml_milliseconds(expires)
    return made


def _check_find(wanted: etree._Element) -> None:
    """What a find would refuse is refused now and not at every notification."""
    if etree.QName(wanted).localname == "find_relatedBusinesses":
        sent = [e.text or "" for e in wanted.iterfind(f"{q('findQualifiers')}/*")]
        parse(sent)
    else:
        parse(read(wanted, Find).qualifiers)


def _check_known(context: Context, publisher: Publisher, key: str, moment: int) -> None:
    """A key is this registry's to give: one that is sent must be of a subscription to renew."""
    with context.store.engine.connect() as connection:
        subscriptions.one(connection, publisher.user, key, moment)


def _check_listener(context: Context, publisher: Publisher, key: str) -> None:
    (binding,) = context.store.bindings([key])
    (info,) = context.store.operational_infos([key])
    if info.publisher != publisher.user:
        raise UddiError(
            "userMismatch",
            f"{key} 属于另一发布者，不能作本订阅的监听者 / {key} belongs to another publisher and "
            "cannot be this subscription's listener",
        )
    check_allowed(listener_url(binding), context.subscriptions.listener_networks)


def delete_subscription(context: Context, request: etree._Element) -> None:
    publisher = publisher_of(context, request)
    keys = [fold(element.text or "") for element in request.iterfind(sq("subscriptionKey"))]

    def work(connection: Connection) -> None:
        subscriptions.remove(connection, publisher.user, keys, now())

    context.store.write(work)


def get_subscriptions(context: Context, request: etree._Element) -> etree._Element:
    publisher = publisher_of(context, request)
    answer = _root("subscriptions")
    with context.store.engine.connect() as connection:
        for subscription in subscriptions.of_publisher(connection, publisher.user, now()):
            answer.append(etree.fromstring(subscription.body))
    return answer


def get_subscription_results(context: Context, request: etree._Element) -> etree._Element:
    """E_invalidTime for a period that ends before it starts, or starts in the future."""
    publisher = publisher_of(context, request)
    moment = now()
    key = fold(request.findtext(sq("subscriptionKey")) or "")
    with context.store.engine.connect() as connection:
        subscription = subscriptions.one(connection, publisher.user, key, moment)
    start = request.findtext(f"{sq('coveragePeriod')}/{sq('startPoint')}")
    end = request.findtext(f"{sq('coveragePeriod')}/{sq('endPoint')}")
    # An end that was sent stays as it is, so that the chunks of one period name the same one.
    period = Period(
        0 if start is None else milliseconds(start), moment if end is None else milliseconds(end)
    )
    if period.start > period.end or period.start > moment:
        raise UddiError(
            "invalidTime",
            "coveragePeriod 的起点晚于终点或在将来 / the coveragePeriod starts after its end, or "
            "in the future",
        )
    token = request.findtext(sq("chunkToken")) or ""
    return results(context, subscription, period, token).element


SUBSCRIPTION: dict[str, Operation] = {
    "save_subscription": save_subscription,
    "delete_subscription": delete_subscription,
    "get_subscriptions": get_subscriptions,
    "get_subscriptionResults": get_subscription_results,
}
