"""The codec: from an interface, one decode and one encode function per operation.

They are generated as Python source, once, at start, because a loop over a description costs many
times what straight code does (bench/). ``Codec.source`` is what runs, readable.

Decoding accepts and refuses what the published schema does, with stated exceptions: a dateTime
is taken where a date is asked for, and an xsi:type that names the value's base type is ignored;
years outside 1..9999 are refused, and a code that is not in its table is an InvalidArgument.
Legacy interfaces are decoded by services/soap/legacy.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from lxml import etree

from services.contract import (
    Code,
    Count,
    Field,
    ListOf,
    Money,
    RecordType,
    Scalar,
    Text,
    Type,
)
from services.faults import InvalidArgument
from services.soap import read, values
from services.soap.interface import Interface, WireOperation
from services.soap.legacy import legacy_decoder

Decode = Callable[[etree._Element, tuple[etree._Element, ...]], dict[str, Any]]
Encode = Callable[[Any], str]


@dataclass(frozen=True)
class Codec:
    """``decode`` takes the Body's child and its further children; ``encode`` takes the result
    (a tuple where the response has several parts) and returns the Body's content as text."""

    operation: WireOperation
    tag: str
    decode: Decode
    encode: Encode
    source: str


def codecs(interface: Interface) -> dict[str, Codec]:
    """The codec of each operation, by the QName of its request element."""
    built = (_codec(interface, operation) for operation in interface.operations)
    return {codec.tag: codec for codec in built}


def _codec(interface: Interface, operation: WireOperation) -> Codec:
    source = _Source(interface.namespace)
    source.response(operation)
    if not interface.lenient:
        source.request(operation)
    text = source.text()
    scope = source.names
    exec(compile(text, f"<codec {interface.name}.{operation.name}>", "exec"), scope)
    decode = legacy_decoder(interface, operation) if interface.lenient else scope["decode"]
    tag = f"{{{interface.namespace}}}{operation.name}"
    return Codec(operation, tag, decode, scope["encode"], text)


class _Source:
    """Collects the functions of one operation; ``names`` is the scope that they run in."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.functions: list[str] = []
        self.written: set[str] = set()
        self.names: dict[str, Any] = {
            "attributes": read.attributes,
            "blank": read.blank,
            "leaf": read.leaf,
            "missing": read.missing,
            "unexpected": read.unexpected,
            "wrong": read.wrong,
            "code": _code,
            "length": _length,
            "bounds": _bounds,
            "money": _money,
            "plain": values.plain,
            "x": values.escape,
            "read_int": values.read_int,
            "read_bool": values.read_bool,
            "read_decimal": values.read_decimal,
            "read_date": values.read_date,
            "read_datetime": values.read_datetime,
        }

    def text(self) -> str:
        return "\n\n".join(self.functions) + "\n"

    # --- decoding ---

    def request(self, operation: WireOperation) -> None:
        lines = [
            "def decode(wrapper, others):",
            "    if others:",
            "        unexpected(others[0], 'Body')",
        ]
        lines += self._sequence(operation.request, "wrapper", operation.name, "()")
        pairs = ", ".join(f"{f.name!r}: v{n}" for n, f in enumerate(operation.request))
        lines.append(f"    return {{{pairs}}}")
        self.functions.append("\n".join(lines))

    def _sequence(
        self, fields: tuple[Field, ...], element: str, where: str, types: str
    ) -> list[str]:
        """Lines that read an xs:sequence into v0, v1, ...; ``types`` is what xsi:type may name."""
        lines = [
            f"    if {element}.attrib:",
            f"        attributes({element}, {where!r}, {types})",
            f"    children = {element}[:]",
            f"    blank({element}, children, {where!r})",
            "    n, i = len(children), 0",
        ]
        for number, field in enumerate(fields):
            tag = f"{{{self.namespace}}}{field.name}"
            lines += [
                f"    if i < n and children[i].tag == {tag!r}:",
                f"        v{number} = {self._read(field.type, 'children[i]', field.name)}",
                "        i += 1",
                "    else:",
                f"        v{number} = None"
                if not field.required
                else f"        missing({field.name!r}, {where!r}, children, i)",
            ]
        lines += ["    if i < n:", f"        unexpected(children[i], {where!r})"]
        return lines

    def _read(self, kind: Type, element: str, name: str) -> str:
        """An expression that reads ``element``."""
        if isinstance(kind, ListOf):
            return f"{self._list_reader(kind)}({element})"
        if isinstance(kind, RecordType):
            return f"{self._record_reader(kind)}({element})"
        types = self._constant(_XSD_TYPES[kind.python])
        text = f"leaf({element}, {name!r}, {types})"
        match kind.facet:
            case Text(max_len, min_len):
                return f"length({text}, {min_len}, {max_len}, {name!r})"
            case Code():
                table = self._constant(kind.facet)
                return f"code({text}, {table}, {name!r})"
        if kind.python is str:
            return text
        value = f"wrong({_READERS[kind.python]}, {text}, {name!r})"
        match kind.facet:
            case Count(minimum, maximum):
                return f"bounds({value}, {minimum}, {maximum}, {name!r})"
            case Money(digits, scale):
                return f"money({value}, {digits}, {scale}, {name!r})"
        return value

    def _constant(self, value: Any) -> str:
        for name, known in self.names.items():
            if known is value:
                return name
        name = f"constant{len(self.names)}"
        self.names[name] = value
        return name

    def _type_name(self, name: str) -> str:
        return repr((f"{{{self.namespace}}}{name}",))

    def _record_reader(self, kind: RecordType) -> str:
        name = f"read_{kind.name}"
        if name not in self.written:
            self.written.add(name)
            self.names[kind.name] = kind.python
            lines = [f"def {name}(element):"]
            lines += self._sequence(kind.fields, "element", kind.name, self._type_name(kind.name))
            values_ = ", ".join(f"v{n}" for n in range(len(kind.fields)))
            lines.append(f"    return {kind.name}({values_})")
            self.functions.append("\n".join(lines))
        return name

    def _list_reader(self, kind: ListOf) -> str:
        name = f"read_list_{kind.item.name}"
        if name not in self.written:
            self.written.add(name)
            item = self._record_reader(kind.item)
            tag = f"{{{self.namespace}}}{kind.item.name}"
            where = f"ArrayOf{kind.item.name}"
            self.functions.append(
                f"def {name}(element):\n"
                f"    if element.attrib:\n"
                f"        attributes(element, {where!r}, {self._type_name(where)})\n"
                f"    children = element[:]\n"
                f"    blank(element, children, {where!r})\n"
                f"    for child in children:\n"
                f"        if child.tag != {tag!r}:\n"
                f"            unexpected(child, {where!r})\n"
                f"    return [{item}(child) for child in children]"
            )
        return name

    # --- encoding ---

    def response(self, operation: WireOperation) -> None:
        lines = ["def encode(result):"]
        if len(operation.response) == 1:
            lines.append("    v0 = result")
        else:
            names = ", ".join(f"v{n}" for n in range(len(operation.response)))
            lines.append(f"    {names} = result")
        content = ""
        for number, field in enumerate(operation.response):
            lines.append(f"    t{number} = {self._write(field.type, f'v{number}')}")
            content += f"<{field.name}>{{t{number}}}</{field.name}>"
        start = f'<{operation.name}Response xmlns="{self.namespace}">'
        lines.append(f"    return f{start + content + f'</{operation.name}Response>'!r}")
        self.functions.append("\n".join(lines))

    def _write(self, kind: Type, value: str) -> str:
        """An expression for the content of an element that holds ``value``."""
        if isinstance(kind, ListOf):
            return f"{self._list_writer(kind.item)}({value})"
        if isinstance(kind, RecordType):
            return f"{self._record_writer(kind)}({value})"
        return _WRITERS[kind.python].format(value)

    def _record_writer(self, kind: RecordType) -> str:
        name = f"write_{kind.name}"
        if name not in self.written:
            self.written.add(name)
            lines, content = self._record(kind)
            body = [f"    {line}" for line in (*lines, f"return f{content!r}")]
            self.functions.append("\n".join([f"def {name}(r):", *body]))
        return name

    def _list_writer(self, kind: RecordType) -> str:
        """A loop of its own, because a call for each record costs as much as a field."""
        name = f"write_list_{kind.name}"
        if name not in self.written:
            self.written.add(name)
            lines, content = self._record(kind)
            row = f"<{kind.name}>{content}</{kind.name}>"
            body = [f"        {line}" for line in (*lines, f"add(f{row!r})")]
            self.functions.append(
                "\n".join(
                    [
                        f"def {name}(records):",
                        "    out = []",
                        "    add = out.append",
                        "    for r in records:",
                        *body,
                        "    return ''.join(out)",
                    ]
                )
            )
        return name

    def _record(self, kind: RecordType) -> tuple[list[str], str]:
        """Lines that read the record ``r``, and the inside of an f-string for its fields.

        All strings of a record are looked at together, and escaped only where one needs it."""
        lines: list[str] = []
        content = ""
        strings: dict[str, bool] = {}  # variable: whether it may be None
        later: list[str] = []
        for number, field in enumerate(kind.fields):
            value, text = f"v{number}", f"t{number}"
            start, end = f"<{field.name}>", f"</{field.name}>"
            lines.append(f"{value} = r.{field.name}")
            written = value
            if isinstance(field.type, Scalar) and field.type.python is str:
                strings[value] = not field.required
            else:
                written = self._write(field.type, value)
            if not field.required:
                element = f'f"{start}{{{written}}}{end}"'
                later.append(f"{text} = '' if {value} is None else {element}")
                content += f"{{{text}}}"
                continue
            if written != value:
                later.append(f"{text} = {written}")
                written = text
            content += f"{start}{{{written}}}{end}"
        if strings:
            # join and not an f-string: a None where a string is promised is a defect to be seen.
            together = ", ".join(f"{v} or ''" if none else v for v, none in strings.items())
            lines.append(f"if not plain(''.join(({together},))):")
            lines += [
                f"    {value} = {f'{value} and x({value})' if none else f'x({value})'}"
                for value, none in strings.items()
            ]
        return lines + later, content


_XSD = "{http://www.w3.org/2001/XMLSchema}"
_XSD_TYPES: dict[type, tuple[str, ...]] = {
    str: (f"{_XSD}string",),
    int: (f"{_XSD}int",),
    bool: (f"{_XSD}boolean",),
    Decimal: (f"{_XSD}decimal",),
    date: (f"{_XSD}date", f"{_XSD}dateTime"),
    datetime: (f"{_XSD}dateTime",),
}
_READERS: dict[type, str] = {
    int: "read_int",
    bool: "read_bool",
    Decimal: "read_decimal",
    date: "read_date",
    datetime: "read_datetime",
}
_WRITERS: dict[type, str] = {
    str: "x({0})",
    int: "format({0}, 'd')",
    bool: "'true' if {0} else 'false'",
    Decimal: "format({0}, 'f')",
    date: "{0}.isoformat()",
    datetime: "{0}.isoformat()",
}

# --- facets, as the generated code checks them ---------------------------------------------


def _length(text: str, shortest: int, longest: int, name: str) -> str:
    if not shortest <= len(text) <= longest:
        raise InvalidArgument(
            f"{name} 应为 {shortest} 至 {longest} 个字符，实为 {len(text)} 个",
            f"{name} must have {shortest} to {longest} characters and has {len(text)}",
            field=name,
        )
    return text


def _code(text: str, facet: Code, name: str) -> str:
    if text not in facet.table:
        known = "、".join(f"{code} {zh}" for code, (zh, _) in facet.table.items())
        raise InvalidArgument(
            f"{name} 不在代码表中，可用：{known}",
            f"{name} is not in its code table: {', '.join(facet.table)}",
            field=name,
        )
    return text


def _bounds(value: int, least: int, most: int, name: str) -> int:
    if not least <= value <= most:
        raise InvalidArgument(
            f"{name} 应在 {least} 至 {most} 之间", f"{name} must be {least} to {most}", field=name
        )
    return value


def _money(value: Decimal, digits: int, scale: int, name: str) -> Decimal:
    if not values.fits(value, digits, scale):
        raise InvalidArgument(
            f"{name} 最多 {digits} 位数字、{scale} 位小数",
            f"{name} may have {digits} digits, {scale} of them behind the point",
            field=name,
        )
    return value
