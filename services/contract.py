"""What a contract is: a portType written once, as an ABC over frozen dataclasses.

Everything else is derived from it: the WSDL and its schema, the codec, the delimited face, the
forms and the documentation of the page.

    class NumberSource(Contract, version=1, zh="号源查询"):
        @read("查询号源", probe={"ScheduleDate": "2000-01-01"})
        @abstractmethod
        def QueryNumberSource(self, ScheduleDate: t.ScheduleDate) -> list[NumberSourceSlot]: ...

The class is the portType and the method is the wire operation, both unchanged on the wire; so
are the names of parameters and record fields. What is ``X | None`` may be left out.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, TypeVar, Union

F = TypeVar("F", bound=Callable[..., Any])


# --- facets: what a value may be, beyond its Python type ------------------------------------


@dataclass(frozen=True)
class Text:
    """A string of ``min_len`` to ``max_len`` characters (not bytes)."""

    max_len: int
    min_len: int = 0


@dataclass(frozen=True)
class Code:
    """A string out of a code table: ``code -> (中文, English)``.

    On the wire it is a plain string as long as the longest code; no enumeration is published,
    because wsdl.exe would turn "1" into ``Item1``. A code that is not in the table is an
    InvalidArgument, which the codec answers after the schema has accepted the message.
    """

    table: Mapping[str, tuple[str, str]]

    __hash__ = object.__hash__

    @property
    def max_len(self) -> int:
        return max(map(len, self.table))


@dataclass(frozen=True)
class Count:
    """A whole number, ``xs:int``, within ``minimum`` and ``maximum``, both included."""

    minimum: int = 0
    maximum: int = 2**31 - 1


@dataclass(frozen=True)
class Money:
    """A decimal number of yuan with ``scale`` digits behind the point and ``digits`` in all."""

    digits: int = 12
    scale: int = 2


Facet = Text | Code | Count | Money


@dataclass(frozen=True)
class Doc:
    """What people call a value, in Chinese and English, and an example of it as text."""

    zh: str
    en: str
    example: str = ""


# --- the description that everything is derived from ---------------------------------------


@dataclass(frozen=True)
class Scalar:
    """A simple value. ``python`` is one of str, int, bool, Decimal, date, datetime."""

    python: type
    facet: Facet | None = None


@dataclass(frozen=True)
class RecordType:
    """A record: a frozen dataclass. ``name`` is the complexType's name."""

    name: str
    python: type
    fields: tuple[Field, ...]
    doc: str


@dataclass(frozen=True)
class ListOf:
    """Any number of records, on the wire as ``ArrayOf<record>``."""

    item: RecordType


Type = Scalar | RecordType | ListOf


@dataclass(frozen=True)
class Field:
    """A parameter of an operation or a field of a record."""

    name: str
    type: Type
    required: bool
    doc: Doc


@dataclass(frozen=True)
class Operation:
    """One wire operation. ``probe`` marks a harmless one that a health check may call, with
    ``probe_arguments`` (by name, as text); a business fault, such as NotFound, answers it too."""

    name: str
    parameters: tuple[Field, ...]
    result: Type
    writes: bool
    probe: bool
    zh: str
    doc: str
    probe_arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Description:
    """A contract as data. ``namespace`` is its targetNamespace."""

    name: str
    zh: str
    version: int
    namespace: str
    operations: tuple[Operation, ...]
    doc: str

    def operation(self, name: str) -> Operation:
        """The operation of that name, or KeyError."""
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise KeyError(name)


# --- how a contract is written ---------------------------------------------------------------


class Contract(ABC):
    """Base of every contract. A subclass that is to be a portType says ``version`` and ``zh``.

    ``reads_alone``: it has write operations and is of use without them, so that it may be offered
    over a database that must not be written to; there its writes answer Conflict.
    """

    contract_version: ClassVar[int]
    contract_zh: ClassVar[str]
    contract_reads_alone: ClassVar[bool]

    def __init_subclass__(
        cls, *, version: int = 0, zh: str = "", reads_alone: bool = False, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if version:
            cls.contract_version = version
            cls.contract_zh = zh
            cls.contract_reads_alone = reads_alone


@dataclass(frozen=True)
class _Mark:
    writes: bool
    probe: Mapping[str, str] | None
    zh: str


def read(zh: str, *, probe: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Mark an operation that changes nothing. ``probe``: a health check may call it, with these
    arguments by name, as text: cheap for the database and about nobody, as a patient id that no
    hospital gives."""
    return _marker(_Mark(writes=False, probe=probe, zh=zh))


def write(zh: str) -> Callable[[F], F]:
    """Mark an operation that changes something. Its first parameter must be ``RequestId``."""
    return _marker(_Mark(writes=True, probe=None, zh=zh))


def _marker(mark: _Mark) -> Callable[[F], F]:
    def apply(function: F) -> F:
        function.__operation_mark__ = mark  # type: ignore[attr-defined]
        return function

    return apply


# --- from Python to the description ----------------------------------------------------------


@cache
def describe(contract: type[Contract]) -> Description:
    """The description of a contract class, or of an adapter class, of which it takes nothing
    but the contract's own methods. TypeError says what is wrong with the declaration."""
    operations = tuple(
        _operation(contract, name, method)
        for name, method in vars(contract).items()
        if hasattr(method, "__operation_mark__")
    )
    if not operations:
        raise TypeError(f"{contract.__name__} declares no operation with @read or @write")
    name = contract.__name__
    return Description(
        name=name,
        zh=contract.contract_zh,
        version=contract.contract_version,
        namespace=f"urn:yilian:{name}:{contract.contract_version}",
        operations=operations,
        doc=inspect.getdoc(contract) or "",
    )


def _operation(contract: type[Contract], name: str, method: Callable[..., Any]) -> Operation:
    mark: _Mark = method.__operation_mark__  # type: ignore[attr-defined]
    where = f"{contract.__name__}.{name}"
    hints = typing.get_type_hints(method, include_extras=True)
    result = hints.pop("return", None)
    parameters = tuple(_field(where, key, hint) for key, hint in hints.items())
    if mark.writes and (not parameters or parameters[0].name != "RequestId"):
        raise TypeError(f"{where} writes, so its first parameter must be RequestId")
    kind, required = _type(where, result)
    if not required:
        raise TypeError(f"{where}: a result cannot be optional; raise NotFound instead")
    return Operation(
        name,
        parameters,
        kind,
        mark.writes,
        mark.probe is not None,
        mark.zh,
        inspect.getdoc(method) or "",
        _probe_arguments(where, parameters, mark.probe or {}, mark.probe is not None),
    )


def _probe_arguments(
    where: str, parameters: tuple[Field, ...], given: Mapping[str, str], probe: bool
) -> tuple[tuple[str, str], ...]:
    """In the parameters' order, which is the schema's."""
    names = [field.name for field in parameters]
    missing = [field.name for field in parameters if field.required and field.name not in given]
    wrong = [name for name in given if name not in names]
    if probe and (missing or wrong):
        raise TypeError(f"{where}: probe lacks {missing}, or has {wrong}")
    return tuple((name, given[name]) for name in names if name in given)


@cache
def record_type(python: type) -> RecordType:
    """The description of a frozen dataclass."""
    where = python.__name__
    if not dataclasses.is_dataclass(python):
        raise TypeError(f"{where} is not a dataclass")
    hints = typing.get_type_hints(python, include_extras=True)
    fields = tuple(_field(where, f.name, hints[f.name]) for f in dataclasses.fields(python))
    return RecordType(where, python, fields, inspect.getdoc(python) or "")


def _field(where: str, name: str, hint: Any) -> Field:
    kind, required = _type(f"{where}.{name}", hint)
    docs = [extra for extra in _extras(hint) if isinstance(extra, Doc)]
    if not docs and isinstance(kind, Scalar):
        raise TypeError(f"{where}.{name} has no Doc(中文, English)")
    return Field(name, kind, required, docs[0] if docs else Doc(name, name))


def _type(where: str, hint: Any) -> tuple[Type, bool]:
    """The type behind a hint, and whether a value is required."""
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{where}: only X | None is understood, not {hint}")
        return _type(where, inner[0])[0], False
    if origin is typing.Annotated:
        base, *extras = typing.get_args(hint)
        kind, required = _type(where, base)
        if isinstance(kind, Scalar):
            facets = [extra for extra in extras if isinstance(extra, Facet)]
            kind = Scalar(kind.python, facets[0] if facets else None)
        return kind, required
    if origin is list:
        (item,) = typing.get_args(hint)
        return ListOf(record_type(item)), True
    if hint in (str, int, bool, Decimal, date, datetime):
        return Scalar(hint), True
    if inspect.isclass(hint) and dataclasses.is_dataclass(hint):
        return record_type(hint), True
    raise TypeError(f"{where}: {hint!r} is not a type that a contract can carry")


def _extras(hint: Any) -> tuple[Any, ...]:
    if typing.get_origin(hint) is typing.Annotated:
        return typing.get_args(hint)[1:]
    return tuple(extra for arg in typing.get_args(hint) for extra in _extras(arg))
