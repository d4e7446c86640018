"""find_relatedBusinesses: the businesses that complete assertions relate to one business."""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from registry import assertions
from registry.assertions import Assertion
from registry.errors import UddiError
from registry.keys import fold
from registry.matching import text_matches
from registry.model import BusinessEntity, KeyedReference
from registry.qualifiers import Qualifiers, parse
from registry.reading import read as read_entities
from registry.reading import rows_where
from registry.rows import no_such_key
from registry.search import MOST_CRITERIA, Page
from registry.tables import entity
from registry.uddi.answers import list_root
from registry.uddi.context import Context
from registry.uddi.v3 import append, q, read


@dataclass(slots=True)
class _Related:
    """What relates one other business; by the role of the business that was asked about."""

    business: BusinessEntity
    modified: int
    shared: dict[str, list[Assertion]] = field(default_factory=dict)


def find_related_businesses(context: Context, request: etree._Element) -> etree._Element:
    """E_invalidKeyPassed where there is no such business."""
    return related_businesses(context, request, 0, None)


def related_businesses(
    context: Context, request: etree._Element, since: int, until: int | None
) -> etree._Element:
    """The same of the assertions that changed in a time, in milliseconds since 1970."""
    sent = [element.text or "" for element in request.iterfind(f"{q('findQualifiers')}/*")]
    if len(sent) > MOST_CRITERIA:
        raise UddiError(
            "messageTooLarge",
            f"findQualifiers 最多 {MOST_CRITERIA} 项 / at most {MOST_CRITERIA} findQualifiers",
        )
    qualifiers = parse(sent)
    asked = {
        name: fold(request.findtext(q(name)) or "") for name in ("businessKey", "fromKey", "toKey")
    }
    (key,) = filter(None, asked.values())
    found = _related(context, asked, key, request, qualifiers, since, until)
    page, shown = _page(context, request, found, qualifiers)
    answer = list_root("relatedBusinessesList", page)
    append(answer, key, "businessKey")
    if shown:
        infos = etree.SubElement(answer, q("relatedBusinessInfos"))
        for each in shown:
            _add_info(infos, each)
    return answer


def _related(
    context: Context,
    asked: dict[str, str],
    key: str,
    request: etree._Element,
    qualifiers: Qualifiers,
    since: int,
    until: int | None,
) -> list[_Related]:
    wanted = request.find(q("keyedReference"))
    reference = None if wanted is None else read(wanted, KeyedReference)
    with context.store.engine.connect() as connection:
        if not rows_where(connection, entity.c.key, [key], "business"):
            raise no_such_key(key)
        complete = assertions.complete_for(
            connection,
            any_key=asked["businessKey"],
            from_key=asked["fromKey"],
            to_key=asked["toKey"],
        )
        chosen = [
            assertion
            for assertion, modified in complete
            if since <= modified and (until is None or modified <= until)
            if reference is None or _is_like(assertion.reference, reference, qualifiers)
        ]
        others = list(dict.fromkeys(_other(a, key) for a in chosen))
        rows = {r.key: r for r in rows_where(connection, entity.c.key, others, "business")}
        businesses = read_entities(connection, "business", list(rows), 0)
    found = {b.key: _Related(b, rows[b.key].modified) for b in businesses}
    for assertion in chosen:
        direction = "fromKey" if assertion.from_key == key else "toKey"
        related = found.get(_other(assertion, key))
        if related is not None:
            related.shared.setdefault(direction, []).append(assertion)
    return list(found.values())


def _other(assertion: Assertion, key: str) -> str:
    return assertion.to_key if assertion.from_key == key else assertion.from_key


def _is_like(has: KeyedReference, wanted: KeyedReference, qualifiers: Qualifiers) -> bool:
    return (
        has.tmodel_key == wanted.tmodel_key
        and text_matches(has.key_value, wanted.key_value, qualifiers)
        and wanted.key_name in ("", has.key_name)
    )


def _page(
    context: Context, request: etree._Element, found: list[_Related], qualifiers: Qualifiers
) -> tuple[Page, list[_Related]]:
    sent = request.get("listHead")
    head = 1 if sent is None else int(sent)
    rows = min(int(request.get("maxRows", context.max_rows)), context.max_rows)
    if head < 1 or rows < 1:
        raise UddiError(
            "fatalError",
            f"listHead 与 maxRows 应不小于 1 / listHead and maxRows start at 1: {head}, {rows}",
        )
    by_date = {"sortByDateAsc", "sortByDateDesc"} & qualifiers.given
    found.sort(key=lambda each: each.business.key)
    if by_date:
        found.sort(key=lambda each: each.modified, reverse="sortByDateDesc" in qualifiers)
    else:
        fold_names = "caseInsensitiveSort" in qualifiers

        def name(each: _Related) -> str:
            first = each.business.names[0].value if each.business.names else ""
            return first.casefold() if fold_names else first

        found.sort(key=name, reverse="sortByNameDesc" in qualifiers)
    shown = found[head - 1 : head - 1 + rows]
    keys = tuple(each.business.key for each in shown)
    return Page(keys, len(found), head, sent is not None), shown


def _add_info(infos: etree._Element, related: _Related) -> None:
    info = etree.SubElement(infos, q("relatedBusinessInfo"))
    append(info, related.business.key, "businessKey")
    for name in related.business.names:
        append(info, name, "name")
    for description in related.business.descriptions:
        append(info, description, "description")
    for direction, made in related.shared.items():
        shared = etree.SubElement(info, q("sharedRelationships"), direction=direction)
        for assertion in made:
            append(shared, assertion.reference, "keyedReference")
