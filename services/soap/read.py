"""What the generated decoders call: the checks of XML Schema on elements, and their faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from lxml import etree

from services.faults import InvalidArgument, MalformedMessage

T = TypeVar("T")

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XSI_TYPE = f"{XSI}type"
# Hints to where a schema is: valid on any element, and never followed.
_HINTS = {f"{XSI}schemaLocation", f"{XSI}noNamespaceSchemaLocation"}
_SPACE = " \t\r\n"


def local_name(element: etree._Element) -> str:
    """Its name without namespace. etree.QName would raise where the namespace holds a brace, which
    a parser lets through."""
    return str(element.tag).rpartition("}")[2]


def leaf(element: etree._Element, name: str, types: Sequence[str]) -> str:
    """The text of an element that holds a simple value; ``types`` as in attributes."""
    if len(element):
        raise MalformedMessage(
            f"{name} 内不应有子元素", f"{name} holds a value, not elements", field=name
        )
    if element.attrib:
        attributes(element, name, types)
    return element.text or ""


def attributes(element: etree._Element, where: str, types: Sequence[str]) -> None:
    """Only schema hints, and an xsi:type that agrees: proxies write it though nobody asks.
    ``types`` are the QNames that it may have."""
    for attribute, value in element.items():
        name = str(attribute)
        if name in _HINTS or (name == _XSI_TYPE and _qname(element, str(value)) in types):
            continue
        raise MalformedMessage(
            f"{where} 上不应有属性 {name}={value!s}",
            f"{where} has an attribute that is not expected: {name}={value!s}",
            field=where,
        )


def _qname(element: etree._Element, value: str) -> str:
    prefix, _, local = value.strip(_SPACE).rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local


def blank(element: etree._Element, children: Sequence[etree._Element], where: str) -> None:
    """No text but white space between the children."""
    text = element.text
    if text and text.strip(_SPACE):
        _stray(where)
    for child in children:
        tail = child.tail
        if tail and tail.strip(_SPACE):
            _stray(where)


def _stray(where: str) -> NoReturn:
    raise MalformedMessage(
        f"{where} 的子元素之间有多余文字",
        f"text stands between the elements of {where}",
        field=where,
    )


def missing(name: str, where: str, children: Sequence[etree._Element], index: int) -> NoReturn:
    found = str(children[index].tag) if index < len(children) else ""
    raise MalformedMessage(
        f"{where} 缺少元素 {name}" + (f"，该处是 {found}" if found else ""),
        f"{where} lacks the element {name}" + (f"; {found} stands there" if found else ""),
        field=name,
    )


def unexpected(element: etree._Element, where: str) -> NoReturn:
    name = str(element.tag)
    raise MalformedMessage(
        f"{where} 中不应有元素 {name}（未知、重复或顺序不对）",
        f"{where} holds {name}, which is unknown, repeated or out of order",
        field=local_name(element),
    )


def wrong(reader: Callable[[str], T], text: str, name: str) -> T:
    """The value, or a fault that names the field and the type, and not the value."""
    try:
        return reader(text)
    except ValueError:
        kind = reader.__name__.removeprefix("read_")
        raise InvalidArgument(
            f"{name} 不是有效的 {kind}", f"{name} is not a valid {kind}", field=name
        ) from None
