"""From values by their dotted names to an envelope; they are named as ``yilian call`` has it:
``Patient.Name``, ``Items.OrderLine.0.ItemCode``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from registry.web.parts import Part, Told
from services.soap.version import SOAP_1_1

_SOAP = SOAP_1_1.envelope

Values = Mapping[str, str]


def envelope(operation: Told, values: Values) -> bytes:
    """A SOAP 1.1 request, indented; what has no value is left out. ValueError: a value holds what
    XML cannot carry."""
    root = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    body = etree.SubElement(root, f"{{{_SOAP}}}Body")
    # The default namespace, so that the message reads as legacy clients write it; unqualified
    # children could not stand in it.
    qualified = all(part.namespace for part in operation.request)
    prefix = None if qualified else "m"
    wrapper = etree.SubElement(
        body,
        f"{{{operation.namespace}}}{operation.name}",
        nsmap={prefix: operation.namespace} if operation.namespace else None,
    )
    _fill(wrapper, operation.request, values, "")
    etree.indent(root)
    # Double quotes in the declaration, so that the whole may stand in a shell's single ones.
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + etree.tostring(root, encoding="utf-8")


def _fill(above: etree._Element, parts: tuple[Part, ...], values: Values, path: str) -> None:
    for part in parts:
        place = f"{path}{part.name}"
        if part.many:
            for number in range(count(place, values)):
                _one(above, part, values, f"{place}.{number}")
        elif part.kind or part.required or _given(place, values):
            _one(above, part, values, place)


def _one(above: etree._Element, part: Part, values: Values, place: str) -> None:
    name = f"{{{part.namespace}}}{part.name}" if part.namespace else part.name
    if part.kind:
        if place in values:
            etree.SubElement(above, name).text = values[place]
    else:
        _fill(etree.SubElement(above, name), part.parts, values, f"{place}.")


def _given(place: str, values: Values) -> bool:
    return any(name == place or name.startswith(f"{place}.") for name in values)


def count(place: str, values: Values) -> int:
    """How many items of a list the values have."""
    numbers = [
        int(rest)
        for name in values
        if name.startswith(f"{place}.")
        for rest in [name[len(place) + 1 :].partition(".")[0]]
        if rest.isascii() and rest.isdigit() and len(rest) < 4
    ]
    return max(numbers, default=-1) + 1


def examples(operation: Told) -> dict[str, str]:
    """Values for a call that may be copied: what is required, by its example; where nothing is,
    the first that has an example."""
    found = dict(_examples(operation.request, ""))
    if not found:
        first = next((one for one in operation.request if one.kind and one.example), None)
        return {} if first is None else {first.name: first.example}
    return found


def _examples(parts: tuple[Part, ...], path: str) -> Iterator[tuple[str, str]]:
    for part in parts:
        place = f"{path}{part.name}" + (".0" if part.many else "")
        if not part.required and not part.many:
            continue
        if part.kind:
            yield place, part.example or _SAMPLES.get(part.kind, "")
        else:
            yield from _examples(part.parts, f"{place}.")


_SAMPLES = {
    "string": "…",
    "int": "1",
    "long": "1",
    "short": "1",
    "integer": "1",
    "decimal": "1.00",
    "double": "1.0",
    "boolean": "true",
    "date": "2026-11-21",
    "dateTime": "2026-11-21T08:30:00",
}
