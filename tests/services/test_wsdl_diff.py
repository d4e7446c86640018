"""Two WSDLs compared: the same is the same, and every mutation is judged right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.soap.wsdl_diff import Comparison, NotWsdl, compare

PUBLISHED = sorted((Path(__file__).parents[2] / "wsdl").glob("*.wsdl"))


# --- a WSDL as data, and written down -----------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """An element: of a built-in type with a length, or with children."""

    name: str
    base: str = "string"
    length: int | None = None
    least: int = 1
    most: str = "1"
    children: tuple[Node, ...] = ()

    def xml(self) -> str:
        occurs = f'minOccurs="{self.least}" maxOccurs="{self.most}"'
        if self.children:
            inside = "".join(child.xml() for child in self.children)
            content = f"<xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType>"
            return f'<xs:element name="{self.name}" {occurs}>{content}</xs:element>'
        if self.length is None:
            return f'<xs:element name="{self.name}" type="xs:{self.base}" {occurs}/>'
        facet = f'<xs:maxLength value="{self.length}"/>'
        content = f'<xs:restriction base="xs:{self.base}">{facet}</xs:restriction>'
        return (
            f'<xs:element name="{self.name}" {occurs}><xs:simpleType>{content}</xs:simpleType>'
            "</xs:element>"
        )


@dataclass(frozen=True)
class Op:
    name: str
    request: tuple[Node, ...]
    answer: tuple[Node, ...]
    action: str = ""

    def soap_action(self, namespace: str) -> str:
        return self.action or f"{namespace}/{self.name}"


@dataclass(frozen=True)
class Doc:
    operations: tuple[Op, ...]
    namespace: str = "urn:x:1"
    service: str = "Service"
    style: str = "document"
    address: str = "http://a/"

    def xml(self) -> bytes:
        def wrapper(name: str, nodes: tuple[Node, ...]) -> str:
            inside = "".join(node.xml() for node in nodes)
            content = f"<xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType>"
            return f'<xs:element name="{name}">{content}</xs:element>'

        elements = "".join(
            wrapper(op.name, op.request) + wrapper(f"{op.name}Response", op.answer)
            for op in self.operations
        )
        messages = "".join(
            f'<message name="{name}"><part name="parameters" element="t:{name}"/></message>'
            for op in self.operations
            for name in (op.name, f"{op.name}Response")
        )
        abstract = "".join(
            f'<operation name="{op.name}"><input message="t:{op.name}"/>'
            f'<output message="t:{op.name}Response"/></operation>'
            for op in self.operations
        )
        bound = "".join(
            f'<operation name="{op.name}">'
            f'<s:operation soapAction="{op.soap_action(self.namespace)}"/>'
            '<input><s:body use="literal"/></input><output><s:body use="literal"/></output>'
            "</operation>"
            for op in self.operations
        )
        return f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="{self.namespace}"
 xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 targetNamespace="{self.namespace}"><types><xs:schema elementFormDefault="qualified"
 targetNamespace="{self.namespace}">{elements}</xs:schema></types>{messages}
 <portType name="P">{abstract}</portType><binding name="B" type="t:P">
 <s:binding style="{self.style}" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>
 <service name="{self.service}"><port name="Q" binding="t:B"><s:address location="{self.address}"/>
 </port></service></definitions>""".encode()


NAMES = ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"]
leaves = st.builds(
    lambda name, length, least, most: Node(name, "string", length, least, most),
    st.sampled_from(NAMES),
    st.one_of(st.none(), st.integers(2, 500)),
    st.integers(0, 1),
    st.sampled_from(["1", "5", "unbounded"]),
)


def children(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[tuple[Node, ...]]:
    return st.lists(inner, min_size=1, max_size=4, unique_by=lambda node: node.name).map(tuple)


nodes = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda name, least, inside: Node(name, least=least, children=inside),
        st.sampled_from(NAMES),
        st.integers(0, 1),
        children(inner),
    ),
    max_leaves=6,
)
operations = st.builds(
    Op, st.sampled_from(["Ask", "Tell", "Count"]), children(nodes), children(nodes)
)
docs = st.builds(
    Doc, st.lists(operations, min_size=1, max_size=3, unique_by=lambda op: op.name).map(tuple)
)


# --- the same is the same -----------------------------------------------------------------------


@given(docs)
@settings(max_examples=25, deadline=None)
def test_a_document_compared_with_itself_has_no_differences(doc: Doc) -> None:
    assert compare(doc.xml(), doc.xml()) == Comparison()
    assert compare(doc.xml(), replace(doc, address="http://b/").xml()) == Comparison()


@pytest.mark.parametrize("file", PUBLISHED, ids=lambda file: file.stem)
def test_every_published_wsdl_is_itself_whatever_its_prefixes(file: Path) -> None:
    document = file.read_bytes()
    assert compare(document, document) == Comparison()
    text = document.decode().replace("xs:", "xsd:").replace("xmlns:xs=", "xmlns:xsd=")
    text = re.sub(r"(?s)<wsdl:documentation>.*?</wsdl:documentation>", "", text)
    text = text.replace("tns:", "q:").replace("xmlns:tns=", "xmlns:q=")
    assert compare(document, text.encode()) == Comparison()
    assert compare(text.encode(), document) == Comparison()


# --- every mutation is judged right ---------------------------------------------------------------

#: where in a tree a mutation is made: the tuple of nodes, and how it was changed
Mutation = Callable[[st.DataObject, tuple[Node, ...]], tuple[Node, ...]]


def anywhere(data: st.DataObject, nodes_: tuple[Node, ...], change: Mutation) -> tuple[Node, ...]:
    """Apply a change to one of the lists of children in this tree."""
    inner = [index for index, node in enumerate(nodes_) if node.children]
    choice = data.draw(st.sampled_from([-1, *inner]))
    if choice < 0:
        return change(data, nodes_)
    node = nodes_[choice]
    deeper = replace(node, children=anywhere(data, node.children, change))
    return (*nodes_[:choice], deeper, *nodes_[choice + 1 :])


def one(data: st.DataObject, nodes_: tuple[Node, ...]) -> int:
    return data.draw(st.integers(0, len(nodes_) - 1))


def put(nodes_: tuple[Node, ...], index: int, node: Node) -> tuple[Node, ...]:
    return (*nodes_[:index], node, *nodes_[index + 1 :])


def inserted(least: int) -> Mutation:
    def change(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
        index = data.draw(st.integers(0, len(nodes_)))
        return (*nodes_[:index], Node("Fresh", least=least), *nodes_[index:])

    return change


def removed(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
    index = one(data, nodes_)
    return (*nodes_[:index], *nodes_[index + 1 :])


def swapped(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
    if len(nodes_) < 2:
        nodes_ = (*nodes_, Node("Last"))
    return (nodes_[1], nodes_[0], *nodes_[2:])


def renamed(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
    index = one(data, nodes_)
    return put(nodes_, index, replace(nodes_[index], name="Other"))


def retyped(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
    index = one(data, nodes_)
    node = Node(nodes_[index].name, "dateTime", None, nodes_[index].least, nodes_[index].most)
    return put(nodes_, index, node)


def leaf(length: int | None, base: str = "string", least: int = 1, most: str = "1") -> Mutation:
    """Put this leaf in front, in both documents, each with its own length or occurrence."""

    def change(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
        return (Node("Leaf", base, length, least, most), *nodes_)

    return change


def same(data: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
    return nodes_


#: name: (what the old has, what the new has, breaks a request, breaks an answer)
MUTATIONS: dict[str, tuple[Mutation, Mutation, bool, bool]] = {
    "element gone": (same, removed, True, True),
    "required element added": (same, inserted(1), True, True),
    "optional element added": (same, inserted(0), False, True),
    "renamed": (same, renamed, True, True),
    "another type": (same, retyped, True, True),
    "longer": (leaf(10), leaf(11), False, True),
    "shorter": (leaf(10), leaf(9), True, True),
    "bounded": (leaf(None), leaf(9), True, True),
    "unbounded": (leaf(9), leaf(None), False, True),
    "int to short": (leaf(None, "int"), leaf(None, "short"), True, True),
    "int to long": (leaf(None, "int"), leaf(None, "long"), False, True),
    "int to string": (leaf(None, "int"), leaf(None, "string"), True, True),
    "required now": (leaf(None, least=0), leaf(None, least=1), True, False),
    "optional now": (leaf(None, least=1), leaf(None, least=0), False, True),
    "more often": (leaf(None, most="5"), leaf(None, most="unbounded"), False, True),
    "less often": (leaf(None, most="5"), leaf(None, most="4"), True, False),
}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("side", ["request", "answer"])
@given(doc=docs, data=st.data())
@settings(max_examples=8, deadline=None)
def test_a_mutation_of_one_message(name: str, side: str, doc: Doc, data: st.DataObject) -> None:
    before, after, breaks_request, breaks_answer = MUTATIONS[name]
    index = data.draw(st.integers(0, len(doc.operations) - 1))
    operation = doc.operations[index]
    tree = getattr(operation, side)
    path: list[Any] = []

    def both(change: Mutation) -> Mutation:
        def at(inner: st.DataObject, nodes_: tuple[Node, ...]) -> tuple[Node, ...]:
            path.append(nodes_)
            return change(inner, nodes_)

        return at

    # The same place in both documents: what the old one has there first, then what the new one.
    place = Recorded(data)
    old_tree = anywhere(place, tree, both(before))
    new_tree = anywhere(Replayed(place), tree, both(after))
    old, new = (
        replace(
            doc,
            operations=(
                *doc.operations[:index],
                replace(operation, **{side: changed}),
                *doc.operations[index + 1 :],
            ),
        )
        for changed in (old_tree, new_tree)
    )
    assert path[0] == path[1]
    found = compare(old.xml(), new.xml())
    expected = breaks_request if side == "request" else breaks_answer
    assert bool(found.breaking) == expected, found
    assert found.breaking or found.compatible, "it was noticed"
    assert all(change.zh and change.en and change.where for change in found.breaking)


class Recorded:
    """Draws, and remembers what it chose on the way down."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.chosen: list[Any] = []

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        value = self.data.draw(strategy)
        self.chosen.append(value)
        return value


class Replayed:
    """Chooses the same way down again, then draws for itself."""

    def __init__(self, recorded: Recorded) -> None:
        self.data = recorded.data
        self.way = list(recorded.chosen)
        # The way down ends where -1 was chosen.
        self.way = self.way[: self.way.index(-1) + 1]

    def draw(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self.way.pop(0) if self.way else self.data.draw(strategy)


@given(docs)
@settings(max_examples=15, deadline=None)
def test_operations_come_and_go(doc: Doc) -> None:
    more = replace(doc, operations=(*doc.operations, Op("New", (Node("A"),), (Node("B"),))))
    added = compare(doc.xml(), more.xml())
    assert added.breaking == []
    assert [change.where for change in added.compatible] == ["Service/New"]
    gone = compare(more.xml(), doc.xml())
    assert [change.where for change in gone.breaking] == ["Service/New"]


@given(docs)
@settings(max_examples=15, deadline=None)
def test_the_order_of_elements(doc: Doc) -> None:
    first = replace(doc.operations[0], request=(Node("A"), Node("B"), Node("C")))
    other = replace(first, request=(Node("A"), Node("C"), Node("B")))
    old = replace(doc, operations=(first, *doc.operations[1:]))
    new = replace(doc, operations=(other, *doc.operations[1:]))
    (change,) = compare(old.xml(), new.xml()).breaking
    assert "顺序" in change.zh
    assert change.where == f"Service/{first.name}/input"


@pytest.mark.parametrize(
    "change",
    [
        {"style": "rpc"},
        {"service": "Renamed"},
        {"operations": (Op("Ask", (Node("A"),), (Node("B"),), action="urn:other"),)},
    ],
)
def test_what_stands_in_the_binding(change: dict[str, Any]) -> None:
    doc = Doc((Op("Ask", (Node("A"),), (Node("B"),)),))
    assert compare(doc.xml(), replace(doc, **change).xml()).breaking


@given(docs)
@settings(max_examples=15, deadline=None)
def test_another_namespace_is_said_once_and_the_rest_compared(doc: Doc) -> None:
    found = compare(doc.xml(), replace(doc, namespace="urn:x:2").xml())
    assert [change.where for change in found.breaking] == ["targetNamespace"]
    assert found.compatible == []


def test_unqualified_elements_and_encoded_messages() -> None:
    doc = Doc((Op("Ask", (Node("A"),), (Node("B"),)),)).xml()
    assert compare(doc, doc.replace(b'elementFormDefault="qualified"', b"")).breaking
    assert compare(doc, doc.replace(b'use="literal"', b'use="encoded"')).breaking
    assert compare(doc, doc.replace(b"schemas.xmlsoap.org/soap/http", b"example.org/smtp")).breaking
    twelve = doc.replace(b"/wsdl/soap/", b"/wsdl/soap12/")
    assert [change.where for change in compare(doc, twelve).breaking] == ["Service"]


SCHEMA = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="urn:x"
 xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 targetNamespace="urn:x"><types><xs:schema targetNamespace="urn:x">
 <xs:element name="In"><xs:complexType><xs:sequence><xs:element name="v" type="t:V"/></xs:sequence>
 </xs:complexType></xs:element><xs:element name="Out"/>%s</xs:schema></types>
 <message name="In"><part name="p" element="t:In"/></message>
 <message name="Out"><part name="p" element="t:Out"/></message>
 <portType name="P"><operation name="Ask"><input message="t:In"/><output message="t:Out"/>
 </operation></portType><binding name="B" type="t:P"><s:binding transport="x"/>
 <operation name="Ask"><s:operation soapAction=""/><input><s:body use="literal"/></input>
 <output><s:body use="literal"/></output></operation></binding>
 <service name="S"><port name="Q" binding="t:B"><s:address location="http://a"/></port></service>
 </definitions>"""


def request(old: str, new: str) -> Comparison:
    return compare((SCHEMA % old).encode(), (SCHEMA % new).encode())


def simple(inside: str, base: str = "string") -> str:
    return (
        f'<xs:simpleType name="V"><xs:restriction base="xs:{base}">{inside}</xs:restriction>'
        "</xs:simpleType>"
    )


def complex_(inside: str) -> str:
    return f'<xs:complexType name="V">{inside}</xs:complexType>'


def least(value: int) -> str:
    return simple(f'<xs:minInclusive value="{value}"/>', "int")


def digits(value: int) -> str:
    return simple(f'<xs:totalDigits value="{value}"/>', "decimal")


A_OR_B = '<xs:enumeration value="a"/><xs:enumeration value="b"/>'


@pytest.mark.parametrize(
    ("old", "new", "breaking"),
    [
        (simple(A_OR_B), simple('<xs:enumeration value="a"/>'), True),
        (simple('<xs:enumeration value="a"/>'), simple(A_OR_B), False),
        (simple(A_OR_B), simple(""), False),
        (simple(""), simple('<xs:pattern value="[0-9]+"/>'), True),
        (simple('<xs:pattern value="[0-9]+"/>'), simple(""), False),
        (simple('<xs:pattern value="[0-9]+"/>'), simple('<xs:pattern value="[0-8]+"/>'), True),
        (least(1), least(0), False),
        (least(0), least(1), True),
        (digits(9), digits(8), True),
        (simple('<xs:maxLength value="08"/>'), simple('<xs:maxLength value="8"/>'), False),
        (simple('<xs:length value="8"/>'), simple('<xs:length value="9"/>'), True),
        (simple(""), complex_(""), True),
        (complex_('<xs:attribute name="a"/>'), complex_(""), True),
        (complex_(""), complex_('<xs:attribute name="a"/>'), False),
        (complex_(""), complex_('<xs:attribute name="a" use="required"/>'), True),
        (
            complex_('<xs:sequence><xs:any/></xs:sequence>'),
            complex_('<xs:sequence><xs:any processContents="lax"/></xs:sequence>'),
            True,
        ),
        (
            complex_('<xs:choice><xs:element name="a"/><xs:element name="b"/></xs:choice>'),
            complex_('<xs:choice><xs:element name="b"/><xs:element name="a"/></xs:choice>'),
            False,
        ),
        (
            complex_('<xs:choice><xs:element name="a"/></xs:choice>'),
            complex_('<xs:choice><xs:element name="a"/><xs:element name="b"/></xs:choice>'),
            False,
        ),
        (
            complex_('<xs:all><xs:element name="a"/><xs:element name="b"/></xs:all>'),
            complex_(
                '<xs:sequence><xs:element name="a"/><xs:element name="b"/></xs:sequence>'
            ),
            True,
        ),
        (
            complex_('<xs:sequence><xs:element name="v" type="t:V" minOccurs="0"/></xs:sequence>'),
            complex_('<xs:sequence><xs:element name="v" type="t:V"/></xs:sequence>'),
            True,
        ),
        (
            simple("")
            + '<xs:complexType name="W"><xs:simpleContent><xs:extension base="xs:string"/>'
            "</xs:simpleContent></xs:complexType>",
            simple(""),
            False,
        ),
    ],
)  # fmt: skip
def test_what_schemas_can_say(old: str, new: str, breaking: bool) -> None:
    assert bool(request(old, new).breaking) == breaking
    assert request(old, old) == Comparison()


def test_an_extension_is_what_it_comes_to() -> None:
    flat = complex_('<xs:sequence><xs:element name="a"/><xs:element name="b"/></xs:sequence>')
    base = (
        '<xs:complexType name="Base"><xs:sequence><xs:element name="a"/></xs:sequence>'
        "</xs:complexType>"
    )
    derived = complex_(
        '<xs:complexContent><xs:extension base="t:Base"><xs:sequence><xs:element name="b"/>'
        "</xs:sequence></xs:extension></xs:complexContent>"
    )
    assert request(base + derived, base.replace('"a"', '"z"') + derived).breaking
    assert request(base + derived, base + derived) == Comparison()
    assert flat != derived


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"no xml",
        b"<a/>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>',
        b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"><import location="x"/>'
        b"</definitions>",
        (SCHEMA % "").replace('type="t:P"', 'type="t:Nothing"').encode(),
        (SCHEMA % "").replace('name="v"', 'name="v" minOccurs="some"').encode(),
        (SCHEMA % "").replace('"t:V"', '"nowhere:V"').encode(),
    ],
)
def test_what_is_no_wsdl_is_refused_in_words(document: bytes) -> None:
    good = (SCHEMA % simple("")).encode()
    with pytest.raises(NotWsdl, match=r"\S"):
        compare(good, document)
    with pytest.raises(NotWsdl):
        compare(document, good)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_wsdl_or_refused(document: bytes) -> None:
    with pytest.raises(NotWsdl):
        compare(document, document)
