"""A foreign service's WSDL 1.1 as documentation: document/literal, wrapped, SOAP 1.1.

What cannot be understood (rpc, encoded, imports, substitution groups) is left out and said so; it
is never guessed. The document is a publisher's input: what is told of it is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from registry.web.parts import Documentation, Part, Told
from services.contract import Code, Count, Facet, Money, Text
from services.soap.schema_model import (
    Complex,
    Element,
    Group,
    Simple,
    documentation,
    global_element,
    local,
    namespace,
    resolved,
)
from services.soap.wsdl_reading import Binding, Message, NotWsdl, Operation, Service, Wsdl, read

#: records within records, operations, elements and characters of documentation that are shown
_DEEPEST, _MOST_OPERATIONS, _MOST_PARTS, _LONGEST = 8, 500, 5000, 1000


def documented_wsdl(document: bytes, service: str = "") -> Documentation:
    """The documentation of a service, the first one where none is named. NotWsdl, also where it
    has no port of SOAP 1.1."""
    wsdl = read(document)
    for one in [each for each in wsdl.services if each.name == service] or wsdl.services:
        for port in one.ports:
            binding = wsdl.bindings.get(port.binding)
            if binding is not None and binding.protocol == "soap":
                return _Telling(wsdl).service(one, binding)
    raise NotWsdl("没有 SOAP 1.1 的端口 / there is no port of SOAP 1.1")


class _Telling:
    def __init__(self, wsdl: Wsdl) -> None:
        self.wsdl = wsdl
        self.left = _MOST_PARTS

    def service(self, service: Service, binding: Binding) -> Documentation:
        port_type = self.wsdl.port_types.get(binding.port_type)
        said = service.documentation or (port_type.documentation if port_type else "")
        operations = self.wsdl.operations(binding)[:_MOST_OPERATIONS] if port_type else ()
        told = tuple(self._operation(one) for one in operations)
        return Documentation(service.name, "", said[:_LONGEST], self.wsdl.namespace, told, "wsdl")

    def _operation(self, one: Operation) -> Told:
        told = Told(
            *(one.name, "", one.documentation[:_LONGEST], one.action, (), (), ""),
            self.wsdl.namespace,
            callable=False,
        )
        messages = one.messages.get("input"), one.messages.get("output")
        encoded = any(message is not None and message.use == "encoded" for message in messages)
        request, response = map(self._wrapper, messages)
        if one.style != "document" or encoded or request is None:
            return told
        result = () if response is None else self._inside(response)
        shape = [(part.name, part.kind) for part in result]
        delimited = len(shape) == 2 and shape[0][1] in ("int", "long") and shape[1][1] == "string"
        return replace(
            told,
            name=local(request.name),
            namespace=namespace(request.name),
            request=self._inside(request),
            response=result,
            answer="" if response is None else local(response.name),
            callable=True,
            delimited=delimited,
        )

    def _wrapper(self, message: Message | None) -> Element | None:
        """The one element that the message is."""
        if message is None or message.name not in self.wsdl.messages:
            return None
        parts = self.wsdl.parts(message)
        if len(parts) != 1 or not parts[0].element:
            return None
        element = global_element(self.wsdl.schema, parts[0].element)
        return None if element.declaration is None else element

    def _inside(self, element: Element, depth: int = 0) -> tuple[Part, ...]:
        kind = self.wsdl.schema.type_of(element)
        if depth > _DEEPEST or not isinstance(kind, Complex) or kind.content is None:
            return ()
        return tuple(self._parts(kind.content, depth, optional=False))

    def _parts(self, group: Group, depth: int, *, optional: bool) -> Iterator[Part]:
        optional = optional or group.kind == "choice" or group.least == 0
        for member in group.members:
            if isinstance(member, Group):
                yield from self._parts(member, depth, optional=optional)
            elif isinstance(member, Element) and self.left > 0:
                self.left -= 1
                yield self._part(member, depth, optional)

    def _part(self, element: Element, depth: int, optional: bool) -> Part:
        node = element.declaration
        told = Part(
            local(element.name),
            required=element.least > 0 and not optional and not element.nillable,
            many=element.most > 1,
            zh="" if node is None else documentation(node)[:_LONGEST],
            namespace=namespace(element.name),
        )
        match self.wsdl.schema.type_of(element):
            case Complex():
                record = local(resolved(node, "type")) or told.name
                return replace(told, record=record, parts=self._inside(element, depth + 1))
            case Simple() as kind:
                return replace(told, kind=kind.base, facet=_facet(kind))
            case opaque:
                return replace(told, kind="string" if opaque.simple else "anyType")


def _facet(kind: Simple) -> Facet | None:
    if kind.enumeration:
        labels = {code: said[:_LONGEST] or code for code, said in kind.enumeration.items()}
        return Code({code: (label, label) for code, label in labels.items()})
    numbers = {name: int(text) for name, text in kind.facets.items() if _is_number(text)}
    if "maxLength" in numbers:
        return Text(numbers["maxLength"], numbers.get("minLength", 0))
    if "length" in numbers:
        return Text(numbers["length"], numbers["length"])
    if "totalDigits" in numbers:
        return Money(numbers["totalDigits"], numbers.get("fractionDigits", 0))
    if "minInclusive" in numbers or "maxInclusive" in numbers:
        least = numbers.get("minInclusive", -(2**31))
        return Count(least, numbers.get("maxInclusive", 2**31 - 1))
    return None


def _is_number(text: str) -> bool:
    return text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 12
