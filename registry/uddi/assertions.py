"""Publisher assertions on the wire: add, set, delete, get, and the report of their status."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from lxml import etree
from sqlalchemy.engine import Connection

from registry import assertions
from registry.assertions import Assertion, AssertionItem
from registry.changes import Entry, record
from registry.config import Publisher
from registry.errors import UddiError
from registry.keys import fold
from registry.limits import check_assertions
from registry.model import KeyedReference
from registry.reading import read as read_entities
from registry.reading import rows_where
from registry.tables import entity
from registry.uddi.asking import publisher_of
from registry.uddi.context import Context
from registry.uddi.inquiry import Operation
from registry.uddi.v3 import SIGNATURE, append, q, read, root
from registry.values import check_reference

log = structlog.get_logger("registry")


def _sent(request: etree._Element) -> list[Assertion]:
    found = []
    for element in request.iterfind(q("publisherAssertion")):
        if element.find(SIGNATURE) is not None:
            raise UddiError(
                "unacceptableSignature",
                "不接受带签名的断言 / signed assertions are not accepted here",
            )
        reference = element.find(q("keyedReference"))
        assert reference is not None  # the schema says so
        found.append(
            Assertion(
                fold(element.findtext(q("fromKey")) or ""),
                fold(element.findtext(q("toKey")) or ""),
                read(reference, KeyedReference),
            )
        )
    return found


def _check(connection: Connection, sent: Sequence[Assertion]) -> None:
    """That the values are ones that their systems have."""
    keys = {assertion.reference.tmodel_key for assertion in sent}
    rows = rows_where(connection, entity.c.key, sorted(keys), "tmodel")
    tmodels = {t.key: t for t in read_entities(connection, "tmodel", [r.key for r in rows], 0)}
    for assertion in sent:
        check_reference(assertion.reference, tmodels)


def _note(
    connection: Connection, publisher: Publisher, sent: Sequence[Assertion], how: str
) -> None:
    record(
        connection,
        publisher.user,
        [Entry(how, "assertion", a.from_key, a.to_key) for a in sent],
    )
    log.info("uddi assertions", action=how, count=len(sent), publisher=publisher.user)


def add_publisher_assertions(context: Context, request: etree._Element) -> None:
    publisher = publisher_of(context, request)
    sent = _sent(request)

    def work(connection: Connection) -> None:
        _check(connection, sent)
        assertions.add(connection, publisher.user, sent)
        check_assertions(connection, context.limits_of(publisher), publisher.user)
        _note(connection, publisher, sent, "save")

    context.store.write(work)


def set_publisher_assertions(context: Context, request: etree._Element) -> etree._Element:
    publisher = publisher_of(context, request)
    sent = _sent(request)

    def work(connection: Connection) -> list[Assertion]:
        _check(connection, sent)
        assertions.replace_all(connection, publisher.user, sent)
        check_assertions(connection, context.limits_of(publisher), publisher.user)
        made = assertions.made_by(connection, publisher.user)
        _note(connection, publisher, sent, "save")
        return made

    return _answer(publisher, context.store.write(work))


def delete_publisher_assertions(context: Context, request: etree._Element) -> None:
    publisher = publisher_of(context, request)
    sent = _sent(request)

    def work(connection: Connection) -> None:
        assertions.remove(connection, publisher.user, sent)
        _note(connection, publisher, sent, "delete")

    context.store.write(work)


def get_publisher_assertions(context: Context, request: etree._Element) -> etree._Element:
    publisher = publisher_of(context, request)
    with context.store.engine.connect() as connection:
        return _answer(publisher, assertions.made_by(connection, publisher.user))


def get_assertion_status_report(context: Context, request: etree._Element) -> etree._Element:
    publisher = publisher_of(context, request)
    status = (request.findtext(q("completionStatus")) or "").strip()
    with context.store.engine.connect() as connection:
        return status_report(assertions.report(connection, publisher.user, status))


def status_report(items: Sequence[AssertionItem]) -> etree._Element:
    answer = root("assertionStatusReport")
    for item in items:
        made = etree.SubElement(answer, q("assertionStatusItem"), completionStatus=item.status)
        _fill(made, item.assertion)
        owned = etree.SubElement(made, q("keysOwned"))
        if item.assertion.from_key in item.owned:
            append(owned, item.assertion.from_key, "fromKey")
        if item.assertion.to_key in item.owned:
            append(owned, item.assertion.to_key, "toKey")
    return answer


def _answer(publisher: Publisher, made: Sequence[Assertion]) -> etree._Element:
    answer = root("publisherAssertions")
    answer.set("authorizedName", publisher.user)
    for assertion in made:
        _fill(etree.SubElement(answer, q("publisherAssertion")), assertion)
    return answer


def _fill(element: etree._Element, assertion: Assertion) -> None:
    append(element, assertion.from_key, "fromKey")
    append(element, assertion.to_key, "toKey")
    append(element, assertion.reference, "keyedReference")


ASSERTIONS: dict[str, Operation] = {
    "add_publisherAssertions": add_publisher_assertions,
    "set_publisherAssertions": set_publisher_assertions,
    "delete_publisherAssertions": delete_publisher_assertions,
    "get_publisherAssertions": get_publisher_assertions,
    "get_assertionStatusReport": get_assertion_status_report,
}
