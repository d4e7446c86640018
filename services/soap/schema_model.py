"""XML Schema read into what is on the wire: elements, their order, how often, and of what type.

Names of types, prefixes and documentation are left behind: none of them crosses the wire. What
this does not understand becomes an ``Opaque``, which equals only itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

XSD = "{http://www.w3.org/2001/XMLSchema}"
XSD_URI = XSD[1:-1]
UNBOUNDED = 2**63
#: types derived from types
_DEEPEST = 50

#: {namespace}local, as lxml writes it; "" where there is none
Name = str


class NotWsdl(ValueError):
    """The document is no WSDL 1.1, or not one that can be compared, published or told; says why,
    in Chinese and English."""


@dataclass(frozen=True)
class Simple:
    """A simple type: the built-in one it comes from, and what restricts it. ``facets`` holds the
    tightest of each; ``enumeration`` the values, with what their documentation says; ``patterns``
    one set of alternatives for each step of derivation."""

    base: str
    facets: Mapping[str, str] = field(default_factory=dict)
    enumeration: Mapping[str, str] | None = None
    patterns: frozenset[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Opaque:
    """A part of a schema that is compared as it stands, in canonical XML. ``simple``: it is a
    simple type, so its content is text."""

    text: str
    simple: bool = False


@dataclass(frozen=True)
class Attribute:
    name: Name
    type: Simple | Opaque
    required: bool


@dataclass(frozen=True)
class Element:
    """An element where it stands. ``type`` is looked up when it is needed, so that a type may
    contain itself."""

    name: Name
    least: int
    most: int
    nillable: bool
    default: str | None
    declaration: Any  # the xs:element, or None for an element of a message that is not declared


@dataclass(frozen=True)
class Group:
    """A sequence, a choice or an all. ``members`` are Elements, Groups and Opaques."""

    kind: str
    least: int
    most: int
    members: tuple[Element | Group | Opaque, ...]


@dataclass(frozen=True)
class Complex:
    """An element's content with attributes. ``text``: of simple content; ``mixed``: text between
    the elements."""

    content: Group | None
    attributes: tuple[Attribute, ...]
    text: Simple | Opaque | None = None
    mixed: bool = False
    abstract: bool = False


Type = Simple | Complex | Opaque


class Schema:
    """All xs:schemas of a document, by what they declare."""

    def __init__(self, roots: list[etree._Element]) -> None:
        self._declared: dict[tuple[str, Name], etree._Element] = {}
        self._cache: dict[etree._Element, Type] = {}
        self._derived = 0  # types that are being read, each for what is derived from it
        for root in roots:
            target = root.get("targetNamespace", "")
            for child in root:
                if isinstance(child.tag, str) and child.get("name"):
                    kind = etree.QName(child).localname
                    kind = "type" if kind in ("simpleType", "complexType") else kind
                    self._declared[kind, qualified(target, child.get("name", ""))] = child

    def element(self, name: Name) -> etree._Element | None:
        return self._declared.get(("element", name))

    def type_of(self, element: Element) -> Type:
        """The type of an element's content."""
        declaration = element.declaration
        if declaration is None:
            return Opaque(f"no declaration of {element.name}")
        named = declaration.get("type")
        if named is not None:
            return self.named(_resolved(declaration, named))
        for child in declaration:
            if child.tag in (XSD + "simpleType", XSD + "complexType"):
                return self._type(child)
        return Simple("anyType")

    def named(self, name: Name) -> Type:
        """A type by its name, a built-in one or one that is declared here."""
        qname = etree.QName(name) if name else None
        if qname is not None and qname.namespace == XSD_URI:
            return Simple(qname.localname)
        found = self._declared.get(("type", name))
        return (
            Opaque(f"type {name}, which is not declared here")
            if found is None
            else self._type(found)
        )

    # --- simple types ------------------------------------------------------------------------

    def _type(self, node: etree._Element) -> Type:
        known = self._cache.get(node)
        if known is None:
            self._derived += 1
            if self._derived > _DEEPEST:
                raise NotWsdl(
                    f"类型派生自自己，或派生超过 {_DEEPEST} 层 / a type is derived from itself, or "
                    f"more than {_DEEPEST} deep: {node.get('name', '')!r}"
                )
            known = self._simple(node) if node.tag == XSD + "simpleType" else self._complex(node)
            self._derived -= 1
            self._cache[node] = known
        return known

    def _simple(self, node: etree._Element) -> Simple | Opaque:
        restriction = node.find(XSD + "restriction")
        if restriction is None:
            return _opaque(node)  # a list or a union
        found = self._restricted(restriction)
        return Opaque(found.text, simple=True) if isinstance(found, Opaque) else found

    def _restricted(self, node: etree._Element) -> Simple | Opaque:
        if node.get("base") is not None:
            base = self.named(_resolved(node, node.get("base", "")))
        else:
            inner = node.find(XSD + "simpleType")
            base = self._type(inner) if inner is not None else Opaque("a restriction of nothing")
        if isinstance(base, Complex) and base.text is not None:
            base = base.text
        if not isinstance(base, Simple):
            return _opaque(node)
        facets, values, patterns = dict(base.facets), {}, set()
        for facet in node:
            if not isinstance(facet.tag, str):
                continue
            name, value = etree.QName(facet).localname, facet.get("value", "")
            if name == "enumeration":
                values[value] = documentation(facet)
            elif name == "pattern":
                patterns.add(value)
            elif name in FACETS:
                facets[name] = value
            elif name not in ("annotation", "simpleType", "attribute", "anyAttribute"):
                return _opaque(node)
        return Simple(
            base.base,
            facets,
            values or base.enumeration,
            base.patterns | {frozenset(patterns)} if patterns else base.patterns,
        )

    # --- complex types -----------------------------------------------------------------------

    def _complex(self, node: etree._Element) -> Complex | Opaque:
        mixed = _true(node.get("mixed"))
        abstract = _true(node.get("abstract"))
        simple, derived = node.find(XSD + "simpleContent"), node.find(XSD + "complexContent")
        if simple is not None:
            return self._simple_content(simple)
        if derived is not None:
            extension = derived.find(XSD + "extension")
            if extension is None:
                return _opaque(node)  # a restriction of a complex type
            base = self.named(_resolved(extension, extension.get("base", "")))
            if not isinstance(base, Complex) or base.text is not None:
                return _opaque(node)
            own, attributes = self._body(extension)
            both = tuple(part for part in (base.content, own) if part is not None)
            whole = both[0] if len(both) == 1 else Group("sequence", 1, 1, both)
            return Complex(
                whole if both else None,
                (*base.attributes, *attributes),
                mixed=mixed or _true(derived.get("mixed")) or base.mixed,
                abstract=abstract,
            )
        content, attributes = self._body(node)
        return Complex(content, attributes, mixed=mixed, abstract=abstract)

    def _simple_content(self, node: etree._Element) -> Complex | Opaque:
        for child in node:
            if child.tag == XSD + "extension":
                base = self.named(_resolved(child, child.get("base", "")))
            elif child.tag == XSD + "restriction":
                base = self._restricted(child)
            else:
                continue
            inherited: tuple[Attribute, ...] = ()
            if isinstance(base, Complex):
                if base.text is None:
                    return _opaque(node)
                inherited, base = base.attributes, base.text
            return Complex(None, (*inherited, *self._body(child)[1]), text=base)
        return _opaque(node)

    def _body(self, node: etree._Element) -> tuple[Group | None, tuple[Attribute, ...]]:
        content: list[Element | Group | Opaque] = []
        attributes: list[Attribute] = []
        for child in node:
            if child.tag in (XSD + "sequence", XSD + "choice", XSD + "all"):
                content.append(self._group(child))
            elif child.tag == XSD + "attribute":
                attributes.append(self._attribute(child))
            elif isinstance(child.tag, str) and child.tag != XSD + "annotation":
                content.append(_opaque(child))  # xs:group, xs:anyAttribute, ...
        attributes.sort(key=lambda one: one.name)
        if len(content) == 1 and isinstance(content[0], Group):
            return content[0], tuple(attributes)
        whole = Group("sequence", 1, 1, tuple(content)) if content else None
        return whole, tuple(attributes)

    def _group(self, node: etree._Element) -> Group:
        members: list[Element | Group | Opaque] = []
        for child in node:
            if child.tag == XSD + "element":
                members.append(self.local(child))
            elif child.tag in (XSD + "sequence", XSD + "choice", XSD + "all"):
                members.append(self._group(child))
            elif isinstance(child.tag, str) and child.tag != XSD + "annotation":
                members.append(_opaque(child))
        return Group(etree.QName(node).localname, *_occurs(node), tuple(members))

    def local(self, node: etree._Element) -> Element:
        """An element where it stands inside a type, declared there or by reference."""
        least, most = _occurs(node)
        reference = node.get("ref")
        if reference is not None:
            name = _resolved(node, reference)
            found = self.element(name)
            return _element(name, least, most, found if found is not None else None)
        schema = _schema_of(node)
        form = node.get("form") or schema.get("elementFormDefault", "unqualified")
        namespace = schema.get("targetNamespace", "") if form == "qualified" else ""
        return _element(qualified(namespace, node.get("name", "")), least, most, node)

    def _attribute(self, node: etree._Element) -> Attribute:
        required = node.get("use") == "required"
        reference = node.get("ref")
        if reference is not None:
            return Attribute(_resolved(node, reference), Simple("string"), required)
        schema = _schema_of(node)
        form = node.get("form") or schema.get("attributeFormDefault", "unqualified")
        namespace = schema.get("targetNamespace", "") if form == "qualified" else ""
        kind: Type = Simple("anySimpleType")
        inner = node.find(XSD + "simpleType")
        if node.get("type") is not None:
            kind = self.named(_resolved(node, node.get("type", "")))
        elif inner is not None:
            kind = self._type(inner)
        if isinstance(kind, Complex):
            kind = _opaque(node)
        return Attribute(qualified(namespace, node.get("name", "")), kind, required)


#: facets besides enumeration and pattern
FACETS = frozenset({
    "length", "minLength", "maxLength", "minInclusive", "maxInclusive", "minExclusive",
    "maxExclusive", "totalDigits", "fractionDigits", "whiteSpace",
})  # fmt: skip


def global_element(schema: Schema, name: Name) -> Element:
    """A message's element."""
    return _element(name, 1, 1, schema.element(name))


def elements_of(kind: Type | Group) -> Iterator[Element]:
    """The elements that a type's content may have, whatever groups they stand in."""
    content = kind.content if isinstance(kind, Complex) else kind
    for member in content.members if isinstance(content, Group) else ():
        if isinstance(member, Group):
            yield from elements_of(member)
        elif isinstance(member, Element):
            yield member


def _element(name: Name, least: int, most: int, declaration: etree._Element | None) -> Element:
    if declaration is None:
        return Element(name, least, most, False, None, None)
    fixed = declaration.get("fixed")
    return Element(
        name,
        least,
        most,
        _true(declaration.get("nillable")),
        declaration.get("default") if fixed is None else f"fixed {fixed}",
        declaration,
    )


def _occurs(node: etree._Element) -> tuple[int, int]:
    least, most = node.get("minOccurs", "1"), node.get("maxOccurs", "1")
    try:
        return int(least), UNBOUNDED if most == "unbounded" else int(most)
    except ValueError:
        raise NotWsdl(f"minOccurs/maxOccurs: {least!r}, {most!r}") from None


def _schema_of(node: etree._Element) -> etree._Element:
    return next(node.iterancestors(XSD + "schema"))


def _true(text: str | None) -> bool:
    return (text or "").strip() in ("1", "true")


def qualified(namespace: str, local: str) -> Name:
    return f"{{{namespace}}}{local}" if namespace else local


def _resolved(node: etree._Element, text: str) -> Name:
    """A QName in an attribute's value, as {namespace}local."""
    prefix, colon, local = text.strip().rpartition(":")
    namespace = node.nsmap.get(prefix if colon else None)
    if colon and namespace is None:
        raise NotWsdl(f"前缀 {prefix} 未声明 / the prefix {prefix} is not declared: {text!r}")
    return qualified(namespace or "", local)


def _opaque(node: etree._Element) -> Opaque:
    text = etree.tostring(node, method="c14n", exclusive=True, with_comments=False).decode()
    return Opaque(text, simple=node.tag == XSD + "simpleType")


def resolved(node: etree._Element, attribute: str) -> Name:
    """The QName in an attribute; "" where there is none."""
    text = node.get(attribute)
    return "" if text is None else _resolved(node, text)


def documentation(node: etree._Element) -> str:
    """What a declaration's annotation says."""
    return text_of(node.find(f"{XSD}annotation/{XSD}documentation"))


def text_of(node: etree._Element | None) -> str:
    """All text in an element, with single spaces."""
    return "" if node is None else " ".join("".join(map(str, node.itertext())).split())


def local(name: Name) -> str:
    return name.rpartition("}")[2]


def namespace(name: Name) -> str:
    return name[1:].rpartition("}")[0]
