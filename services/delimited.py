"""Delimited operations: a typed operation told as one string, as the paper's getlabmaster does.

``int op(string ..., ref string str)``: the result is the number of rows; ``str`` comes back with
``|`` between fields and ``?`` after each row. A negative result is an error and ``str`` its
message (the numbers: ``legacy_code`` in services/faults.py). A value that holds ``|``, ``?`` or
a line break never breaks a row: it is written in full width, the line break as a space.

A legacy parameter may stand for a field of a record, and one string for a list of records, in the
same form as ``str``: ``BRT?CRP?`` for records of one field, ``a|b?c|d?`` otherwise; the last ``?``
may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.contract import (
    Code,
    Contract,
    Field,
    ListOf,
    Money,
    Operation,
    RecordType,
    Scalar,
    describe,
)
from services.faults import Fault, InvalidArgument

#: rows of a delimited argument; no operation takes nearly as many
MOST_ROWS = 500

# Stand for the delimiters until the values are clean. XML cannot carry them, so a value that
# holds one loses nothing that a client could have seen.
_FIELD, _ROW = "\x1f", "\x1e"
# What XML 1.0 cannot carry, and what a reader takes for a line break.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1d\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]")

Cell = Callable[[Any], str]


@dataclass(frozen=True)
class Column:
    """One field of a row: a record's field by name, or ``cell``, a function of the record."""

    field: Field
    cell: Cell | None = None


@dataclass(frozen=True)
class DelimitedOperation:
    """One operation of HisService, told in terms of a typed one.

    ``parameters`` are those that the legacy client sends, all as strings; ``paths`` says by name
    which field of the typed operation each stands for, last in the path.
    ``rows`` picks the records to be told out of the typed result.
    """

    name: str
    zh: str
    doc: str
    contract: type[Contract]
    operation: Operation
    parameters: tuple[Field, ...]
    paths: Mapping[str, tuple[Field, ...]]
    arguments: Callable[[Mapping[str, str | None]], dict[str, Any]]
    columns: tuple[Column, ...]
    rows: Callable[[Any], Sequence[Any]]
    join: Callable[[Iterable[Any]], str]

    def reply(self, result: Any) -> tuple[int, str]:
        """The typed result as (row count, delimited string)."""
        records = self.rows(result)
        return len(records), self.join(records)


def delimited(
    name: str,
    contract: type[Contract],
    operation: str,
    *,
    zh: str,
    doc: str,
    record: RecordType,
    columns: Sequence[str],
    parameters: Mapping[str, str] | None = None,
    cells: Mapping[str, Cell] | None = None,
    rows: Callable[[Any], Sequence[Any]] = list,
) -> DelimitedOperation:
    """Declare a delimited operation.

    ``parameters`` maps the legacy parameter's name to the typed one's, or to a field of a record
    parameter, as ``Patient.Name``; without it the typed operation's required parameters are
    taken. ``cells`` gives columns that are not the record's field as it stands. TypeError or
    KeyError: the declaration does not fit the contract.
    """
    typed = describe(contract).operation(operation)
    names = parameters or {field.name: field.name for field in typed.parameters if field.required}
    paths = {one: _path(typed.parameters, path) for one, path in names.items()}
    legacy = tuple(Field(one, Scalar(str), False, path[-1].doc) for one, path in paths.items())
    fields = {field.name: field for field in record.fields}
    chosen = tuple(Column(fields[column], (cells or {}).get(column)) for column in columns)
    return DelimitedOperation(
        name=name,
        zh=zh,
        doc=doc,
        contract=contract,
        operation=typed,
        parameters=legacy,
        paths=paths,
        arguments=_arguments(paths),
        columns=chosen,
        rows=rows,
        join=_join(chosen),
    )


def bind(
    operation: DelimitedOperation, invoke: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[tuple[int, str]]]:
    """The delimited operation as a coroutine function over the typed operation's ``invoke``."""

    async def call(**strings: str | None) -> tuple[int, str]:
        try:
            strings.pop("str", None)  # the ref parameter's incoming value means nothing
            return operation.reply(await invoke(**operation.arguments(strings)))
        except Fault as fault:
            return fault.legacy_code, clean(str(fault))

    return call


def clean(text: str) -> str:
    """``text`` without anything that would break a row or an XML document."""
    text = text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    text = text.replace("|", "｜").replace("?", "？").replace(_FIELD, " ").replace(_ROW, " ")
    return _UNPRINTABLE.sub(" ", text)


def split(text: str) -> list[list[str]]:
    """The rows of a delimited string, as a client splits them."""
    return [row.split("|") for row in text.split("?")[:-1]]


# --- strings to arguments --------------------------------------------------------------------

_DATE = re.compile(r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})(?:[ T].*)?", re.ASCII)
_TIME = re.compile(r".*[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?", re.ASCII)


Strings = Mapping[str, str | None]
#: from the outermost record to the field itself
Path = tuple[Field, ...]


def _path(fields: Sequence[Field], dotted: str) -> Path:
    """The fields that a dotted name leads through. KeyError: there is no such field."""
    first, _, rest = dotted.partition(".")
    field = {one.name: one for one in fields}[first]
    if not rest:
        return (field,)
    if not isinstance(field.type, RecordType):
        raise TypeError(f"{first} in {dotted} is not a record")
    return (field, *_path(field.type.fields, rest))


def _arguments(paths: Mapping[str, Path]) -> Callable[[Strings], dict[str, Any]]:
    readers = _readers(paths)
    return lambda strings: {name: reader(strings) for name, reader in readers.items()}


def _readers(paths: Mapping[str, Path]) -> dict[str, Callable[[Strings], Any]]:
    """By the name of the outermost field: its value out of the legacy parameters."""
    under: dict[str, dict[str, Path]] = {}
    for name, path in paths.items():
        under.setdefault(path[0].name, {})[name] = path
    return {field: _reader(inner) for field, inner in under.items()}


def _reader(paths: Mapping[str, Path]) -> Callable[[Strings], Any]:
    """Of one field, to which all of these paths lead or beneath which they end."""
    name, path = next(iter(paths.items()))
    field = path[0]
    if len(path) == 1:
        if isinstance(field.type, ListOf):
            _all_simple(field.type)
            return lambda strings: _records(name, field, strings.get(name))
        if isinstance(field.type, RecordType):
            raise TypeError(f"{name} is a whole record; name its fields, as {field.name}.X")
        return lambda strings: _argument(name, field, strings.get(name))
    kind = field.type
    assert isinstance(kind, RecordType)
    readers = _readers({one: inner[1:] for one, inner in paths.items()})
    absent: dict[str, Any] = {one.name: None for one in kind.fields if one.name not in readers}
    for one in kind.fields:
        if one.required and one.name in absent:
            raise TypeError(f"{kind.name}.{one.name} is required, and no parameter gives it")

    def read(strings: Strings) -> Any:
        if not field.required and not any((strings.get(one) or "").strip() for one in paths):
            return None
        return kind.python(**absent, **{one: reader(strings) for one, reader in readers.items()})

    return read


def _all_simple(kind: ListOf) -> None:
    for one in kind.item.fields:
        if not isinstance(one.type, Scalar):
            raise TypeError(f"{kind.item.name}.{one.name} is no simple value, so no row holds it")


def _records(name: str, field: Field, text: str | None) -> list[Any] | None:
    """A delimited string as records; faults tell the row, counted from 1."""
    assert isinstance(field.type, ListOf)
    item = field.type.item
    columns = ", ".join(one.name for one in item.fields)
    if text and text.count("?") > MOST_ROWS:
        raise InvalidArgument(
            f"参数 {name} 超过 {MOST_ROWS} 行", f"{name} has more than {MOST_ROWS} rows", field=name
        )
    rows = (text or "").strip().removesuffix("?").split("?")
    if rows == [""]:
        if field.required:
            raise InvalidArgument(
                f"缺少参数 {name}，每行为：{columns}",
                f"{name} is empty; a row is {columns}",
                field=name,
            )
        return None
    made = []
    for number, row in enumerate(rows, 1):
        cells = row.split("|")
        if len(cells) != len(item.fields):
            raise InvalidArgument(
                f"参数 {name} 第 {number} 行有 {len(cells)} 栏，应为 {columns}",
                f"row {number} of {name} has {len(cells)} fields; it should be {columns}",
                field=name,
            )
        values = {
            one.name: _argument(f"{name}[{number}].{one.name}", one, cell)
            for one, cell in zip(item.fields, cells, strict=True)
        }
        made.append(item.python(**values))
    return made


def _argument(name: str, field: Field, text: str | None) -> Any:
    value = (text or "").strip()
    if not value:
        if field.required:
            raise InvalidArgument(
                f"缺少参数 {name}（{field.doc.zh}）",
                f"{name} ({field.doc.en}) is empty",
                field=name,
            )
        return None
    assert isinstance(field.type, Scalar)
    python, facet = field.type.python, field.type.facet
    longest = getattr(facet, "max_len", None)
    if longest is not None and len(value) > longest:
        raise InvalidArgument(
            f"参数 {name} 超过 {longest} 个字符", f"{name} exceeds {longest} characters", field=name
        )
    if isinstance(facet, Code) and value not in facet.table:
        raise InvalidArgument(
            f"参数 {name} 不在代码表中，可用：{'、'.join(facet.table)}",
            f"{name} is not one of {', '.join(facet.table)}",
            field=name,
        )
    if python is str:
        return value
    try:
        found = _READERS[python](value)
        if isinstance(facet, Money) and not _is_money(found, facet):
            raise ValueError(value)
        return found
    except (ValueError, ArithmeticError, AttributeError):
        raise InvalidArgument(
            f"参数 {name}（{field.doc.zh}）无法识别，示例：{field.doc.example}",
            f"{name} ({field.doc.en}) is not understood; example: {field.doc.example}",
            field=name,
        ) from None


def _is_money(value: Decimal, facet: Money) -> bool:
    if not value.is_finite() or abs(value) >= 10 ** (facet.digits - facet.scale):
        return False
    return value == round(value, facet.scale)


def _date(text: str) -> date:
    """yyyy-MM-dd, yyyy/M/d, yyyy.M.d or yyyyMMdd; a time behind it is ignored."""
    year, month, day = (int(part) for part in _whole(_DATE, text).groups())
    return date(year, month, day)


def _datetime(text: str) -> datetime:
    """As _date, and HH:mm or HH:mm:ss behind a blank or T; without it, midnight."""
    day = _date(text)
    if " " not in text and "T" not in text:
        return datetime(day.year, day.month, day.day)
    hour, minute, second = _whole(_TIME, text).groups(default="0")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), int(second))


def _whole(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return match


_READERS: dict[type, Callable[[str], Any]] = {
    int: int,
    Decimal: Decimal,
    bool: lambda text: {"1": True, "0": False, "true": True, "false": False}[text.lower()],
    date: _date,
    datetime: _datetime,
}

# --- records to rows -------------------------------------------------------------------------

_WRITERS: dict[type, str] = {
    str: "{0}",
    int: "str({0})",
    Decimal: "format({0}, 'f')",
    bool: "'1' if {0} else '0'",
    date: "{0}.isoformat()",
    datetime: "{0}.isoformat(' ', 'seconds')",
}


def _join(columns: Sequence[Column]) -> Callable[[Iterable[Any]], str]:
    """One generated expression for a row; the whole answer is looked at once, and cleaned only
    where it holds what would break a row, which is many times cheaper than cleaning each value."""
    names: dict[str, Any] = {}
    cells = []
    for number, column in enumerate(columns):
        if column.cell is not None:
            names[f"cell{number}"] = column.cell
            cells.append(f"cell{number}(r)")
            continue
        kind = column.field.type
        assert isinstance(kind, Scalar), f"{column.field.name} is not a simple value"
        value = f"r.{column.field.name}"
        text = _WRITERS[kind.python].format(value)
        if kind.python is str:
            cells.append(value if column.field.required else f"({value} or '')")
        elif column.field.required:
            cells.append(f"({text})")
        else:
            cells.append(f"('' if {value} is None else {text})")
    source = f"lambda r: ({', '.join(cells)},)"
    row: Callable[[Any], tuple[str, ...]] = eval(source, names)  # built from the contract alone
    marks = len(columns) - 1

    def join(records: Iterable[Any]) -> str:
        rows = [row(record) for record in records]
        text = "".join(["|".join(cells) + "?" for cells in rows])
        count = len(rows)
        if text.isprintable() and text.count("|") == marks * count and text.count("?") == count:
            return text
        return _cleaned(rows, marks)

    return join


def _cleaned(rows: Sequence[tuple[str, ...]], marks: int) -> str:
    """The rows' text where a value holds something unprintable, or one of the delimiters."""
    text = "".join([_FIELD.join(cells) + _ROW for cells in rows])
    if text.count(_FIELD) != marks * len(rows) or text.count(_ROW) != len(rows):
        # A value holds a control character that looks like our marks: clean each one.
        text = "".join([_FIELD.join(map(clean, cells)) + _ROW for cells in rows])
    text = text.replace("|", "｜").replace("?", "？")
    text = text.replace("\r\n", " ").replace("\n", " ").replace("\r", " ")
    return _UNPRINTABLE.sub(" ", text).replace(_FIELD, "|").replace(_ROW, "?")
