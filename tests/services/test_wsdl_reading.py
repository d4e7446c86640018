"""Any WSDL read: what it holds, what it imports, and documents that mean harm."""

from __future__ import annotations

import pytest

from registry.web.wsdl_parts import documented_wsdl
from services.soap.wsdl_diff import Comparison, compare
from services.soap.wsdl_reading import NotWsdl, read, read_from
from tests.page.foreign import FOREIGN

TEXT = FOREIGN.decode()


def test_references_are_followed() -> None:
    wsdl = read(FOREIGN)
    (service,) = wsdl.services
    binding = wsdl.binding(service.ports[0])
    assert (service.name, service.namespace, binding.protocol) == ("Weather", "urn:weather", "soap")
    assert service.ports[0].address == "http://elsewhere.example/w"
    ask, old = wsdl.operations(binding)
    assert (ask.name, ask.action, ask.style) == ("Ask", "urn:weather/Ask", "document")
    assert old.style == "rpc"
    (part,) = wsdl.parts(ask.messages["output"])
    assert (part.name, part.element, part.type) == ("parameters", "{urn:weather}AskResponse", "")


@pytest.mark.parametrize("encoding", ["gb2312", "utf-16"])
def test_a_document_is_read_in_what_it_is_written_in(encoding: str) -> None:
    chinese = TEXT.replace("Where it is asked for.", "城市").replace("utf-8", encoding)
    (ask, _) = documented_wsdl(chinese.encode(encoding)).operations
    assert ask.request[0].zh == "城市"
    assert compare(FOREIGN, chinese.encode(encoding)) == Comparison()


def test_what_another_document_repeats_is_the_same() -> None:
    imported = TEXT.replace("<types>", '<import namespace="urn:weather" location="b.wsdl"/><types>')
    wsdl = read_from("http://a/a.wsdl", lambda url: imported.encode())
    assert [one.url for one in wsdl.bindings.values()] == ["http://a/b.wsdl"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '<portType name="Weather">',
            '<portType name="Weather"/><portType name="Weather">',
            "同名",
        ),
        ('binding="t:WeatherSoap"', 'binding="x:WeatherSoap"', "前缀 x"),
        ('encoding="utf-8"', 'encoding="ebcdic"', "ebcdic"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(NotWsdl, match=said):
        read(TEXT.replace(old, new).encode())


@pytest.mark.parametrize(
    "derived",
    [
        '<xs:simpleType name="Colour"><xs:restriction base="t:Colour"/></xs:simpleType>',
        '<xs:complexType name="Colour"><xs:complexContent><xs:extension base="t:Colour"/>'
        "</xs:complexContent></xs:complexType>",
        "".join(
            f'<xs:simpleType name="Colour{number or ""}"><xs:restriction '
            f'base="t:Colour{number + 1}"/></xs:simpleType>'
            for number in range(5000)
        ),
    ],
)
def test_a_type_derived_without_end_is_refused(derived: str) -> None:
    begin = TEXT.index('<xs:simpleType name="Colour">')
    end = TEXT.index("</xs:simpleType>") + len("</xs:simpleType>")
    hostile = (TEXT[:begin] + derived + TEXT[end:]).encode()
    with pytest.raises(NotWsdl, match="派生"):
        documented_wsdl(hostile)
    with pytest.raises(NotWsdl, match="派生"):
        compare(FOREIGN, hostile)


def nested(innermost: str) -> bytes:
    """Types within types, deeper than Python's stack."""
    types = "".join(
        f'<xs:complexType name="N{number}"><xs:sequence><xs:element name="e" '
        f'type="t:N{number + 1}"/></xs:sequence></xs:complexType>'
        for number in range(3000)
    )
    types += f'<xs:complexType name="N3000">{innermost}</xs:complexType>'
    return (
        TEXT.replace('<xs:element name="Ask">', types + '<xs:element name="Ask">', 1)
        .replace('name="Days" type="xs:int"', 'name="Days" type="t:N0"')
        .encode()
    )


def test_types_nested_deeper_than_the_stack_are_compared_to_the_last() -> None:
    plain = nested("")
    assert compare(plain, plain) == Comparison()
    (change,) = compare(plain, nested('<xs:attribute name="new"/>')).breaking
    assert change.where.endswith("/e/@new")
    assert documented_wsdl(plain).operation("Ask").response


def test_an_attribute_of_a_complex_type_is_compared_as_it_stands() -> None:
    odd = TEXT.replace(
        '<xs:complexType name="Forecast"><xs:sequence>',
        '<xs:complexType name="Odd"/><xs:complexType name="Forecast"><xs:attribute name="a" '
        'type="t:Odd"/><xs:sequence>',
    ).encode()
    assert compare(odd, odd) == Comparison()
    assert compare(FOREIGN, odd).breaking


def test_what_may_be_left_out_with_its_group_is_not_required() -> None:
    chosen = TEXT.replace(
        '<xs:element name="Colour" type="t:Colour" minOccurs="0"/>',
        '<xs:choice><xs:element name="Colour" type="t:Colour"/></xs:choice>'
        '<xs:sequence minOccurs="0"><xs:element name="Day" type="xs:date"/></xs:sequence>',
    ).encode()
    required = {one.name: one.required for one in documented_wsdl(chosen).operation("Ask").request}
    assert required == {"City": True, "Colour": False, "Day": False}
