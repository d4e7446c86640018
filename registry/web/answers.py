"""A SOAP answer as people read it: a Fault explained, records as tables, delimited rows in columns.

The answer may be anybody's: parsed without DTD and entities, and bounded in what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

from registry.uddi.soap import EnvelopeError, parse_xml
from registry.web.calling import Answered
from registry.web.parts import Part, Told
from registry.web.words.faults import FAULTS, OTHER
from services.delimited import split
from services.soap.version import BY_ENVELOPE

#: rows of a table, and tables, that are shown; the envelope below has everything
MOST_ROWS, MOST_TABLES = 200, 40


@dataclass(frozen=True, slots=True)
class FaultShown:
    """``code``: our own from the detail, else the faultcode; ``said`` as in words/faults.py;
    ``details`` are what else the detail says, by name."""

    code: str
    faultcode: str
    text: str
    said: tuple[str, str, str, str]
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``heads`` are the columns; each row has a text for each. ``total``: rows in all;
    ``uneven``: a row had another number of fields than there are names."""

    title: str
    heads: tuple[Part, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    uneven: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """``verdict``: ok, fault, refused (a negative result of a delimited operation), no_xml, cut,
    or a problem's word where no answer came. ``single`` are values that stand alone."""

    verdict: str
    fault: FaultShown | None = None
    result: str = ""
    text: str = ""
    single: tuple[tuple[Part, str], ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass
class _Found:
    single: list[tuple[Part, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


def shown(answered: Answered, operation: Told | None) -> Shown:
    if answered.problem:
        return Shown(answered.problem)
    if answered.cut:
        return Shown("cut")
    try:
        body = _body(parse_xml(answered.body))
    except EnvelopeError:
        body = None
    if body is None:
        return Shown("no_xml")
    if etree.QName(body).localname == "Fault" and etree.QName(body).namespace in BY_ENVELOPE:
        return Shown("fault", _fault(body))
    if operation is not None and operation.delimited:
        return _delimited(body, operation)
    found = _Found()
    _walk(body, operation.response if operation else (), found, "")
    return Shown("ok", single=tuple(found.single), tables=tuple(found.tables))


def _body(root: etree._Element) -> etree._Element | None:
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in BY_ENVELOPE:
        return None
    body = root.find(f"{{{name.namespace}}}Body")
    return body[0] if body is not None and len(body) else None


# --- faults --------------------------------------------------------------------------------------


def _fault(fault: etree._Element) -> FaultShown:
    def local(*names: str) -> str:
        path = "/".join(f"*[local-name() = '{name}']" for name in names)
        return " ".join(str(fault.xpath(f"string({path})")).split())

    faultcode = local("faultcode") or local("Code", "Value")
    text = local("faultstring") or local("Reason", "Text")
    detail = fault.xpath("*[local-name() = 'detail' or local-name() = 'Detail']")
    leaves = [
        (etree.QName(one).localname, " ".join((one.text or "").split()))
        for element in detail
        for one in element.iter("*")
        if not len(one) and one is not element
    ]
    code = next((value for name, value in leaves if name == "Code"), "") or faultcode
    said = FAULTS.get(code, OTHER)
    details = tuple(
        (name, value) for name, value in leaves if name != "Code" and value and value not in text
    )
    return FaultShown(code, faultcode, text, said, details[:20])


# --- delimited rows ------------------------------------------------------------------------------


def _delimited(body: etree._Element, operation: Told) -> Shown:
    texts = {etree.QName(one).localname: one.text or "" for one in body.iter("*") if not len(one)}
    names = [part.name for part in operation.response]
    result = texts.get(names[0], "") if names else ""
    text = texts.get(names[1], "") if len(names) > 1 else ""
    if result.strip().startswith("-"):
        return Shown("refused", result=result, text=text)
    rows = split(text) if text else []
    heads = operation.columns or tuple(
        Part(f"#{number + 1}", "string") for number in range(max(map(len, rows), default=0))
    )
    uneven = any(len(row) != len(heads) for row in rows)
    width = len(heads)
    cells = tuple(tuple(_to(row, width)) for row in rows[:MOST_ROWS])
    table = Table("str", heads, cells, len(rows), uneven)
    return Shown("ok", result=result, text=text, tables=(table,) if rows else ())


def _to(row: list[str], width: int) -> list[str]:
    """As many cells as there are columns; what is too many stays visible in the last."""
    if len(row) > width > 0:
        return [*row[: width - 1], "|".join(row[width - 1 :])]
    return [*row, *[""] * (width - len(row))]


# --- records -------------------------------------------------------------------------------------


def _walk(element: etree._Element, parts: Iterable[Part], found: _Found, path: str) -> None:
    known = {part.name: part for part in parts}
    lists: dict[str, list[etree._Element]] = {}
    for child in _elements(element):
        name = etree.QName(child).localname
        part = known.get(name) or Part(name, "" if len(child) else "string")
        place = f"{path}.{name}" if path else name
        if part.many:  # without a wrapper around the list
            lists.setdefault(name, []).append(child)
        elif not len(child) and not _is_wrapper(part):
            found.single.append((part, child.text or ""))
        elif _is_list(child, part):
            item = part.parts[0] if part.parts else Part("")
            _table(_elements(child), item, found, place)
        else:
            _walk(child, part.parts, found, place)
    for name, rows in lists.items():
        _table(rows, known[name], found, f"{path}.{name}" if path else name)


def _elements(element: etree._Element) -> list[etree._Element]:
    return [one for one in element if isinstance(one.tag, str)]


def _is_wrapper(part: Part) -> bool:
    return len(part.parts) == 1 and part.parts[0].many


def _is_list(element: etree._Element, part: Part) -> bool:
    if _is_wrapper(part):
        return True
    names = {child.tag for child in element}
    return not part.parts and len(names) == 1 and (len(element) > 1 or len(element[0]) > 0)


def _table(rows: list[etree._Element], item: Part, found: _Found, place: str) -> None:
    if len(found.tables) >= MOST_TABLES:
        return
    heads = _heads(item, rows)
    cells = []
    for row in rows[:MOST_ROWS]:
        texts = {etree.QName(one).localname: one.text or "" for one in _elements(row)}
        if not len(row):
            texts = {head.name: row.text or "" for head in heads}
        cells.append(tuple(texts.get(head.name, "") for head in heads))
    found.tables.append(Table(place, heads, tuple(cells), len(rows)))
    inner = {one.name: one for one in item.parts}
    for number, row in enumerate(rows[:MOST_ROWS], 1):
        for child in _elements(row):
            if len(child):
                name = etree.QName(child).localname
                below = inner.get(name) or Part(name)
                _nested(child, below, found, f"{place}[{number}].{name}")


def _nested(element: etree._Element, part: Part, found: _Found, place: str) -> None:
    """A record or a list within a row, as a table of its own."""
    if _is_list(element, part):
        item = part.parts[0] if part.parts else Part("")
        _table(_elements(element), item, found, place)
        return
    inside = _Found()
    _walk(element, part.parts, inside, place)
    left = MOST_TABLES - len(found.tables)
    if inside.single and left > 0:
        heads = tuple(one for one, _ in inside.single)
        found.tables.append(Table(place, heads, (tuple(text for _, text in inside.single),), 1))
    found.tables += inside.tables[: max(left - 1, 0)]


def _heads(item: Part, rows: list[etree._Element]) -> tuple[Part, ...]:
    """The columns that the contract has and any row has; of others, what the rows have."""
    there = dict.fromkeys(
        etree.QName(one).localname
        for row in rows
        for one in row
        if isinstance(one.tag, str) and not len(one)
    )
    known = [part for part in item.parts if part.kind and part.name in there]
    if known or item.parts:
        return tuple(known)
    names = there or dict.fromkeys(etree.QName(row).localname for row in rows)
    return tuple(Part(name, "string") for name in list(names)[:60])
