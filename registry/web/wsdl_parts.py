"""A foreign service's WSDL 1.1 as documentation: document/literal, wrapped, SOAP 1.1 or 1.2.

What cannot be understood (rpc, encoded, imports, substitution groups) is left out and said so; it
is never guessed. The document is a publisher's input: no DTD, nothing fetched, bounded depth.
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from registry.uddi.soap import EnvelopeError, parse_xml
from registry.web.parts import Documentation, Part, Told
from services.contract import Code, Count, Facet, Money, Text

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
_XSD = "http://www.w3.org/2001/XMLSchema"
_XS = f"{{{_XSD}}}"
#: records within records, and operations, that are shown
_DEEPEST, _MOST_OPERATIONS, _MOST_PARTS = 8, 500, 5000


class NotUnderstood(ValueError):
    """The document is no WSDL 1.1 with a SOAP 1.1 port; says why."""


def documented_wsdl(wsdl: bytes, service: str = "") -> Documentation:
    """The documentation of a service, the first one where none is named. NotUnderstood."""
    try:
        root = parse_xml(wsdl)
    except EnvelopeError as error:
        raise NotUnderstood(str(error)) from error
    if root.tag != f"{_WSDL}definitions":
        raise NotUnderstood("根元素不是 wsdl:definitions / the root is no wsdl:definitions")
    return _Document(root).documentation(service)


class _Document:
    def __init__(self, root: etree._Element) -> None:
        self.root = root
        self.namespace = root.get("targetNamespace", "")
        self.left = _MOST_PARTS
        self.elements: dict[str, etree._Element] = {}
        self.types: dict[str, etree._Element] = {}
        for schema in root.iter(f"{_XS}schema"):
            target = schema.get("targetNamespace", "")
            for child in schema:
                name = f"{{{target}}}{child.get('name')}"
                if child.tag == f"{_XS}element":
                    self.elements[name] = child
                elif child.tag in (f"{_XS}complexType", f"{_XS}simpleType"):
                    self.types[name] = child

    def documentation(self, wanted: str) -> Documentation:
        services = self.root.findall(f"{_WSDL}service")
        named = [one for one in services if one.get("name") == wanted] or services
        for service in named:
            for port in service.findall(f"{_WSDL}port"):
                binding = self._named("binding", port.get("binding", ""))
                if binding is not None and binding.find(f"{_SOAP}binding") is not None:
                    return self._service(service, binding)
        raise NotUnderstood("没有 SOAP 1.1 的端口 / there is no port of SOAP 1.1")

    def _service(self, service: etree._Element, binding: etree._Element) -> Documentation:
        port_type = self._named("portType", binding.get("type", ""))
        declared = (
            {}
            if port_type is None
            else {one.get("name", ""): one for one in port_type.findall(f"{_WSDL}operation")}
        )
        style = binding.find(f"{_SOAP}binding").get("style", "document")  # type: ignore[union-attr]
        operations = []
        for one in binding.findall(f"{_WSDL}operation")[:_MOST_OPERATIONS]:
            name = one.get("name", "")
            if name in declared:
                operations.append(self._operation(one, declared[name], style))
        return Documentation(
            service.get("name", ""), "", _doc(service) or _doc(port_type), self.namespace,
            tuple(operations), "wsdl",
        )  # fmt: skip

    def _operation(self, bound: etree._Element, declared: etree._Element, style: str) -> Told:
        soap = bound.find(f"{_SOAP}operation")
        action = "" if soap is None else soap.get("soapAction", "")
        style = style if soap is None else soap.get("style", style)
        name = bound.get("name", "")
        told = Told(name, "", _doc(declared), action, (), (), "", self.namespace, callable=False)
        encoded = any(body.get("use") == "encoded" for body in bound.iter(f"{_SOAP}body"))
        request = self._wrapper(declared.find(f"{_WSDL}input"))
        response = self._wrapper(declared.find(f"{_WSDL}output"))
        if style != "document" or encoded or request is None:
            return told
        result = () if response is None else self._inside(response)
        shape = [(part.name, part.kind) for part in result]
        delimited = len(shape) == 2 and shape[0][1] in ("int", "long") and shape[1][1] == "string"
        return replace(
            told,
            name=request[1],
            namespace=request[0],
            request=self._inside(request),
            response=result,
            answer="" if response is None else response[1],
            callable=True,
            delimited=delimited,
        )

    # --- messages --------------------------------------------------------------------------------

    def _wrapper(self, direction: etree._Element | None) -> tuple[str, str, etree._Element] | None:
        """Namespace, name and declaration of the one element that the message is."""
        if direction is None:
            return None
        message = self._named("message", direction.get("message", ""))
        parts = [] if message is None else message.findall(f"{_WSDL}part")
        if len(parts) != 1:
            return None
        name = _resolved(parts[0], parts[0].get("element", ""))
        element = self.elements.get(name)
        if element is None:
            return None
        qname = etree.QName(name)
        return qname.namespace or "", qname.localname, element

    def _inside(self, wrapper: tuple[str, str, etree._Element]) -> tuple[Part, ...]:
        element = wrapper[2]
        kind = element.find(f"{_XS}complexType")
        if kind is None and element.get("type"):
            kind = self.types.get(_resolved(element, element.get("type", "")))
        return () if kind is None else self._children(kind, 0)

    def _children(self, kind: etree._Element, depth: int) -> tuple[Part, ...]:
        found: list[Part] = []
        base = kind.find(f"{_XS}complexContent/{_XS}extension")
        if base is not None and depth < _DEEPEST:
            parent = self.types.get(_resolved(base, base.get("base", "")))
            if parent is not None:
                found += self._children(parent, depth + 1)
            kind = base
        for group in ("sequence", "all", "choice"):
            for element in kind.iterfind(f"{_XS}{group}//{_XS}element"):
                # Only its own elements, not those of an anonymous type further in.
                above = next(element.iterancestors(f"{_XS}complexType", f"{_XS}extension"))
                if above is kind and self.left > 0:
                    self.left -= 1
                    found.append(self._part(element, depth, optional=group == "choice"))
        return tuple(found)

    def _part(self, element: etree._Element, depth: int, *, optional: bool) -> Part:
        least, most = element.get("minOccurs", "1"), element.get("maxOccurs", "1")
        namespace = self._qualified(element)
        if element.get("ref"):
            name = etree.QName(_resolved(element, element.get("ref", "")))
            namespace = name.namespace or ""
            element = self.elements.get(name.text, element)
        nillable = element.get("nillable") in ("true", "1")
        told = Part(
            element.get("name", ""),
            required=least != "0" and not optional and not nillable,
            many=most not in ("0", "1"),
            zh=_doc(element),
            namespace=namespace,
        )
        inline = element.find(f"{_XS}complexType")
        if inline is not None:
            parts = self._children(inline, depth + 1) if depth < _DEEPEST else ()
            return replace(told, record=told.name, parts=parts)
        simple = element.find(f"{_XS}simpleType")
        if simple is not None:
            kind, facet = self._simple(simple, 0)
            return replace(told, kind=kind, facet=facet)
        return self._typed(told, _resolved(element, element.get("type", "")), depth)

    def _typed(self, told: Part, name: str, depth: int) -> Part:
        qname = etree.QName(name) if name else None
        if qname is None or qname.namespace == _XSD:
            return replace(told, kind=qname.localname if qname else "anyType")
        found = self.types.get(name)
        if found is None:
            return replace(told, kind="anyType")
        if found.tag == f"{_XS}simpleType":
            kind, facet = self._simple(found, 0)
            return replace(told, kind=kind, facet=facet)
        parts = self._children(found, depth + 1) if depth < _DEEPEST else ()
        return replace(told, record=qname.localname, parts=parts)

    def _simple(self, kind: etree._Element, depth: int) -> tuple[str, Facet | None]:
        restriction = kind.find(f"{_XS}restriction")
        if restriction is None or depth > _DEEPEST:
            return "string", None
        name = _resolved(restriction, restriction.get("base", ""))
        base, facet = "string", None
        if name:
            qname = etree.QName(name)
            if qname.namespace == _XSD:
                base = qname.localname
            elif name in self.types:
                base, facet = self._simple(self.types[name], depth + 1)
        return base, _facet(restriction) or facet

    # --- names -----------------------------------------------------------------------------------

    def _named(self, kind: str, name: str) -> etree._Element | None:
        local = name.rpartition(":")[2]
        return next(
            (one for one in self.root.findall(f"{_WSDL}{kind}") if one.get("name") == local), None
        )

    def _qualified(self, element: etree._Element) -> str:
        schema = next(element.iterancestors(f"{_XS}schema"))
        form = element.get("form") or schema.get("elementFormDefault", "unqualified")
        return schema.get("targetNamespace", "") if form == "qualified" else ""


def _resolved(element: etree._Element, name: str) -> str:
    """A QName in the text of an attribute as {namespace}local; "" where there is none."""
    if not name:
        return ""
    prefix, _, local = name.rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return f"{{{namespace}}}{local}" if namespace else local


def _facet(restriction: etree._Element) -> Facet | None:
    values = {
        etree.QName(one).localname: one.get("value", "")
        for one in restriction
        if isinstance(one.tag, str)
    }
    codes = [
        (one.get("value", ""), _doc(one) or one.get("value", ""))
        for one in restriction.findall(f"{_XS}enumeration")
    ]
    if codes:
        return Code({code: (label, label) for code, label in codes})
    numbers = {name: int(text) for name, text in values.items() if _is_number(text)}
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


def _doc(element: etree._Element | None) -> str:
    if element is None:
        return ""
    found = element.find(f"{_WSDL}documentation")
    if found is None:
        found = element.find(f"{_XS}annotation/{_XS}documentation")
    if found is None:
        return ""
    return " ".join("".join(map(str, found.itertext())).split())[:1000]
