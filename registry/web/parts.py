"""What documentation, forms, envelopes and tables are all made from: the elements of a message.

A ``Part`` is one element as it stands on the wire. It comes from our contracts, or from the WSDL
of a service that we do not know (wsdl_parts.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from services.catalogue import CONTRACTS
from services.contract import (
    Code,
    Count,
    Facet,
    Field,
    ListOf,
    Money,
    RecordType,
    Scalar,
    Text,
    describe,
)
from services.delimited import DelimitedOperation
from services.his_service import OPERATIONS
from services.soap.interface import Interface, WireOperation, his_service_interface, typed_interface

_KINDS: dict[type, str] = {
    str: "string",
    int: "int",
    bool: "boolean",
    Decimal: "decimal",
    date: "date",
    datetime: "dateTime",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One element. ``kind`` is the local name of its XML Schema type, "" for a record, whose type
    is named ``record``. ``many``: it may stand any number of times. ``meant`` is what a string
    stands for in a delimited operation, such as date; ``rows`` the fields of the rows that it
    holds. ``namespace``: the element's, "" where it is unqualified."""

    name: str
    kind: str = ""
    required: bool = True
    zh: str = ""
    en: str = ""
    example: str = ""
    facet: Facet | None = None
    many: bool = False
    record: str = ""
    parts: tuple[Part, ...] = ()
    meant: str = ""
    rows: tuple[Part, ...] = ()
    namespace: str = ""

    def label(self, lang: str) -> str:
        return (self.zh if lang == "zh" else self.en) or self.zh or self.en

    @property
    def codes(self) -> Mapping[str, tuple[str, str]]:
        return self.facet.table if isinstance(self.facet, Code) else {}

    @property
    def longest(self) -> int:
        """In characters, 0 where it is not said."""
        return self.facet.max_len if isinstance(self.facet, Text | Code) else 0

    @property
    def limits(self) -> str:
        """What else bounds the value, as people write it."""
        match self.facet:
            case Text(longest, shortest):
                return f"{shortest}–{longest}" if shortest else f"≤ {longest}"
            case Count(minimum, maximum):
                return f"≥ {minimum}" if maximum >= 2**31 - 1 else f"{minimum}–{maximum}"
            case Money(digits, scale):
                return f"{digits},{scale}"
        return ""


@dataclass(frozen=True, slots=True)
class Told:
    """One operation. ``request`` and ``response`` are the children of the two wrappers, which are
    named ``name`` and ``answer``; ``columns`` are those of the rows in ``str`` of a delimited
    operation; ``typed`` is the typed operation behind it, ``Service.Operation``. ``writes``: None
    where nobody says. ``callable``: its messages are understood, so that a form can be made."""

    name: str
    zh: str
    doc: str
    soap_action: str
    request: tuple[Part, ...]
    response: tuple[Part, ...]
    answer: str
    namespace: str
    writes: bool | None = None
    probe: bool = False
    delimited: bool = False
    columns: tuple[Part, ...] = ()
    typed: str = ""
    callable: bool = True


@dataclass(frozen=True, slots=True)
class Documentation:
    """A service as its contract tells it. ``source`` is contract or wsdl."""

    name: str
    zh: str
    doc: str
    namespace: str
    operations: tuple[Told, ...]
    source: str

    def operation(self, name: str) -> Told:
        """KeyError: there is none."""
        for one in self.operations:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def usual(self) -> Told | None:
        """The operation that examples begin with: harmless, with as little to fill in as can be."""
        able = [one for one in self.operations if one.callable]
        reads = [one for one in able if not one.writes]
        # The paper's own example is what a reader has heard of.
        named = [one for one in reads if one.name in ("getlabmaster", "QueryLabMaster")]
        probes = [one for one in reads if one.probe and one.request]
        return next(iter((*named, *probes, *reads, *able)), None)


def documented(interface: Interface) -> Documentation:
    """One of our own services."""
    delimited = {one.name: one for one in OPERATIONS} if interface.lenient else {}
    marks = {}
    if not interface.lenient:
        marks = {one.name: one for one in describe(CONTRACTS[interface.name]).operations}
    operations = []
    for wire in interface.operations:
        told = Told(
            name=wire.name,
            zh=wire.zh,
            doc=" ".join(wire.doc.replace("`", "").split()),
            soap_action=wire.soap_action,
            request=_parts(wire.request, interface.namespace),
            response=_parts(wire.response, interface.namespace),
            answer=f"{wire.name}Response",
            namespace=interface.namespace,
        )
        if wire.name in delimited:
            told = _delimited(told, wire, delimited[wire.name])
        else:
            told = replace(told, writes=marks[wire.name].writes, probe=marks[wire.name].probe)
        operations.append(told)
    doc = " ".join(interface.doc.replace("`", "").split())
    return Documentation(
        *(interface.name, interface.zh, doc, interface.namespace, tuple(operations), "contract")
    )


def _delimited(told: Told, wire: WireOperation, operation: DelimitedOperation) -> Told:
    request = tuple(
        _meant(part, operation.paths[part.name][-1]) if part.name in operation.paths else part
        for part in told.request
    )
    typed = operation.operation
    return replace(
        told,
        request=request,
        writes=typed.writes,
        probe=typed.probe,
        delimited=True,
        columns=_parts(tuple(column.field for column in operation.columns), ""),
        typed=f"{operation.contract.__name__}.{typed.name}",
    )


def _meant(part: Part, field: Field) -> Part:
    """A string of a delimited operation with what is known of the typed field behind it."""
    behind = _part(field, "")
    if isinstance(field.type, ListOf):
        rows = behind.parts[0].parts
        example = "|".join(one.example for one in rows) + "?"
        return replace(part, rows=rows, required=field.required, example=example)
    return replace(
        part,
        meant="" if behind.kind == "string" else behind.kind,
        facet=behind.facet,
        required=field.required,
        example=behind.example,
    )


def _parts(fields: tuple[Field, ...], namespace: str) -> tuple[Part, ...]:
    return tuple(_part(field, namespace) for field in fields)


def _part(field: Field, namespace: str) -> Part:
    doc = field.doc
    kind = field.type
    told = Part(*(field.name, "", field.required, doc.zh, doc.en, doc.example), namespace=namespace)
    if isinstance(kind, Scalar):
        return replace(told, kind=_KINDS[kind.python], facet=kind.facet)
    if isinstance(kind, RecordType):
        inside = _parts(kind.fields, namespace)
        return replace(told, record=kind.name, parts=inside)
    item = Part(
        kind.item.name,
        record=kind.item.name,
        many=True,
        required=False,
        parts=_parts(kind.item.fields, namespace),
        namespace=namespace,
    )
    return replace(told, record=f"ArrayOf{kind.item.name}", parts=(item,))


def known() -> dict[tuple[str, str], Documentation]:
    """By name and namespace: the services that this release has contracts of."""
    interfaces = [*map(typed_interface, CONTRACTS.values()), his_service_interface()]
    return {(one.name, one.namespace): documented(one) for one in interfaces}


def flat(parts: tuple[Part, ...], depth: int = 0) -> Iterator[tuple[int, Part]]:
    """Every element with how deep it stands, as a table lists them; not endlessly deep."""
    for part in parts:
        yield depth, part
        if depth < 8:
            yield from flat(part.parts, depth + 1)
