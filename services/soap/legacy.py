"""How a legacy interface reads its arguments: kinder than its schema, for clients that cannot be
changed, and never silent.

Arguments may come in any order, unqualified or qualified, rpc/encoded (xsi:type, or href to a
multiRef beside the wrapper), nil or left out. An argument of an unknown name, or one given
twice, is a fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lxml import etree

from services.faults import MalformedMessage
from services.soap.interface import Interface, WireOperation
from services.soap.read import XSI, local_name
from services.soap.version import SOAP_1_2

_NIL = f"{XSI}nil"
_REF = f"{{{SOAP_1_2.envelope.replace('envelope', 'encoding')}}}ref"
_ID = f"{{{SOAP_1_2.envelope.replace('envelope', 'encoding')}}}id"


def legacy_decoder(
    interface: Interface, operation: WireOperation
) -> Callable[[etree._Element, tuple[etree._Element, ...]], dict[str, Any]]:
    """The decode function of an operation whose arguments are all strings."""
    names = [field.name for field in operation.request]
    missing = dict.fromkeys(names)
    accepted: dict[object, str] = {
        tag: name for name in names for tag in (name, f"{{{interface.namespace}}}{name}")
    }

    def decode(
        wrapper: etree._Element, others: tuple[etree._Element, ...]
    ) -> dict[str, str | None]:
        arguments: dict[str, str | None] = {}
        children = wrapper[:]
        for element in children:
            name = accepted.get(element.tag)
            if name is None:
                raise _unknown(operation, element, names)
            # Without attributes it is no reference and not nil: most are so.
            attributes = element.keys()
            if attributes:
                _known_attributes(attributes, name)
            plain = not attributes and not len(element)
            arguments[name] = (element.text or "") if plain else _value(element, others, name)
        if len(arguments) < len(children):
            raise _twice([accepted[element.tag] for element in children])
        _no_stray_text(wrapper, children, operation.name)
        if wrapper.attrib:
            _known_attributes(wrapper.keys(), operation.name)
        if others:
            only_referenced(wrapper, others)
        return arguments if len(arguments) == len(names) else missing | arguments

    return decode


def _unknown(
    operation: WireOperation, element: etree._Element, names: list[str]
) -> MalformedMessage:
    return MalformedMessage(
        f"{operation.name} 没有参数 {element.tag!s}，应为：{'、'.join(names)}",
        f"{operation.name} has no argument {element.tag!s}; it has {', '.join(names)}",
        field=local_name(element),
    )


def _known_attributes(names: list[str], where: str) -> None:
    """Those of SOAP and XML Schema have a namespace; rpc/encoded has href and id without one. Any
    other would be an argument that nobody reads."""
    for name in names:
        if not name.startswith("{") and name not in ("href", "id"):
            raise MalformedMessage(
                f"{where} 上有不认识的属性 {name}，参数应写成元素",
                f"{where} has an attribute {name} that is not known; arguments are elements",
                field=where,
            )


def _twice(given: list[str]) -> MalformedMessage:
    name = next(name for name in given if given.count(name) > 1)
    return MalformedMessage(
        f"参数 {name} 出现了两次", f"the argument {name} is given twice", field=name
    )


def holder(element: etree._Element, others: tuple[etree._Element, ...]) -> etree._Element | None:
    """The element in which an argument's value stands: itself, or the multiRef that it refers to;
    None where there is none, or are several."""
    reference = _reference(element)
    if reference is None:
        return element
    found = [other for other in others if _identity(other) == reference]
    return found[0] if len(found) == 1 and _reference(found[0]) is None else None


def is_nil(element: etree._Element) -> bool:
    """Whether it says that it holds no value, whatever stands in it."""
    return (element.get(_NIL) or "").strip() in ("1", "true")


def _value(element: etree._Element, others: tuple[etree._Element, ...], name: str) -> str | None:
    held = holder(element, others)
    if held is None:
        raise MalformedMessage(
            f"参数 {name} 的 href 没有唯一对应的 multiRef",
            f"the href of {name} has no multiRef, or several",
            field=name,
        )
    element = held
    if is_nil(element):
        return None
    if len(element):
        raise MalformedMessage(
            f"参数 {name} 应为字符串，内有子元素", f"{name} is a string, not elements", field=name
        )
    return element.text or ""


def _no_stray_text(wrapper: etree._Element, children: list[etree._Element], name: str) -> None:
    """Text beside the arguments would be dropped in silence."""
    for text in (wrapper.text, *[child.tail for child in children]):
        if text and text.strip():
            raise MalformedMessage(
                f"{name} 的参数之间有多余文字", f"text stands between the arguments of {name}"
            )


def only_referenced(wrapper: etree._Element, others: tuple[etree._Element, ...]) -> None:
    """MalformedMessage where one of ``others``, which stand beside the operation, is not an
    argument's multiRef: then there are two operations."""
    used = {_reference(element) for element in wrapper}
    for other in others:
        if _identity(other) is None or _identity(other) not in used:
            raise MalformedMessage(
                f"Body 中只应有一个操作，多出 {other.tag!s}",
                f"the Body names one operation; {other.tag!s} stands beside it",
                rule="one-operation",
            )


def _reference(element: etree._Element) -> str | None:
    href = element.get("href")
    if href is not None:
        return href.removeprefix("#")
    return element.get(_REF)


def _identity(element: etree._Element) -> str | None:
    return element.get("id") or element.get(_ID)
