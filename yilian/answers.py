"""A SOAP answer as people read it: delimited rows split into columns, records as a table.

Column headings in Chinese come from the contracts where the operation is one of ours; any other
service's answer is shown under its own names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from services import delimited, his_service
from services.catalogue import CONTRACTS
from services.contract import ListOf, Operation, RecordType, describe
from yilian.screen import table
from yilian.soap_client import SoapClient

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """``records`` and what stands beside them; a negative ``code`` is a legacy error."""

    records: Sequence[Record]
    beside: Record
    labels: Mapping[str, str]
    code: int = 0
    error: str = ""

    def chosen(self, *columns: str) -> Answer:
        """The same with these columns alone."""
        kept = [{name: record.get(name) for name in columns} for record in self.records]
        return Answer(kept, self.beside, self.labels, self.code, self.error)

    def fitting(self, width: int, limit: int, *columns: str) -> Answer:
        """``chosen``, without the last columns that ``limit`` records have no room for."""
        while len(columns) > 1:
            shown = self.chosen(*columns)
            widths = _widths(columns, _rows(columns, shown.records[:limit]), self.labels)
            if sum(widths) + 3 * len(widths) + 1 <= width:
                break
            columns = columns[:-1]
        return self.chosen(*columns)

    def shown(self, limit: int, width: int) -> list[Any]:
        """What to print: at most ``limit`` records, within ``width`` columns where possible."""
        things: list[Any] = []
        if self.beside:
            things.append(_sheet(self.beside, self.labels))
        if self.records:
            things.extend(_records(self.records[:limit], self.labels, width))
        left = len(self.records) - limit
        count = f"{len(self.records)} 条 / {len(self.records)} rows"
        more = f"… 还有 {left} 条 / {left} more；共 / in all " if left > 0 else ""
        if self.records or not self.beside:
            things.append(Text(f"  {more}{count}", style="dim"))
        return things


def answer_of(namespace: str, operation: str, raw: Any) -> Answer:
    """The answer of ``operation`` of the service with that namespace, as zeep gave it."""
    if isinstance(raw, Mapping) and isinstance(raw.get("str"), str | None) and "str" in raw:
        code = raw.get(f"{operation}Result")
        if isinstance(code, int):
            return _delimited(namespace, operation, code, raw["str"] or "")
    labels = _labels(namespace, operation)
    records = _list_in(raw)
    if records is not None:
        return Answer(records, {}, labels)
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            inner = _list_in(value)
            if inner is not None:
                beside = {key: one for key, one in raw.items() if key != name}
                return Answer(inner, beside, labels)
        return Answer([], raw, labels)
    return Answer([], {f"{operation}Result": raw}, labels) if raw is not None else _nothing(labels)


def _nothing(labels: Mapping[str, str]) -> Answer:
    return Answer([], {}, labels)


def _list_in(value: Any) -> list[Record] | None:
    """The records of a list, or of an ``ArrayOfX``, which holds a list and nothing else."""
    if isinstance(value, Mapping) and len(value) == 1:
        (inner,) = value.values()
        value = [] if inner is None else inner
    if isinstance(value, list) and all(isinstance(one, Mapping) for one in value):
        return value
    return None


def _delimited(namespace: str, operation: str, code: int, text: str) -> Answer:
    if code < 0:
        return Answer([], {}, {}, code, text)
    rows = delimited.split(text)
    names: Sequence[str] = [f"#{number + 1}" for number in range(max(map(len, rows), default=0))]
    labels: dict[str, str] = {}
    if namespace == his_service.NAMESPACE:
        for known in his_service.OPERATIONS:
            if known.name == operation:
                names = his_service.columns_of(operation)
                labels = {one.field.name: one.field.doc.zh for one in known.columns}
    return Answer([dict(zip(names, row, strict=False)) for row in rows], {}, labels, code)


def _labels(namespace: str, operation: str) -> dict[str, str]:
    for contract in CONTRACTS.values():
        description = describe(contract)
        if description.namespace == namespace:
            found = [one for one in description.operations if one.name == operation]
            return _field_labels(found[0]) if found else {}
    return {}


def _field_labels(operation: Operation) -> dict[str, str]:
    labels: dict[str, str] = {}

    def visit(kind: Any) -> None:
        if isinstance(kind, ListOf):
            visit(kind.item)
        elif isinstance(kind, RecordType):
            for field in kind.fields:
                labels.setdefault(field.name, field.doc.zh)
                visit(field.type)

    visit(operation.result)
    return labels


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "✓" if value else "–"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).replace("\r\n", "⏎").replace("\n", "⏎").replace("\r", "⏎")


def _short(label: str) -> str:
    # A label may explain itself in brackets, which a heading has no room for.
    return label.split("（")[0]


def _heading(name: str, labels: Mapping[str, str]) -> str:
    return f"{name}\n{_short(labels[name])}" if name in labels else name


def _rows(names: Sequence[str], records: Sequence[Record]) -> list[list[str]]:
    return [[_cell(record.get(name)) for name in names] for record in records]


def _widths(names: Sequence[str], rows: list[list[str]], labels: Mapping[str, str]) -> list[int]:
    """How wide each column would like to be."""
    return [
        max(
            cell_len(part)
            for part in [*_heading(name, labels).split("\n"), *(row[index] for row in rows)]
        )
        for index, name in enumerate(names)
    ]


def _records(records: Sequence[Record], labels: Mapping[str, str], width: int) -> list[Any]:
    names = list(dict.fromkeys(name for record in records for name in record))
    rows = _rows(names, records)
    widths = _widths(names, rows, labels)
    # A cell may be folded to half its width and is still read; less is a puzzle.
    if sum(min(one, max(12, one // 2)) + 3 for one in widths) + 1 <= width:
        return [table([_heading(name, labels) for name in names], rows)]
    return [_sheet(record, labels, index) for index, record in enumerate(records, 1)]


def _sheet(record: Record, labels: Mapping[str, str], index: int = 0) -> Any:
    """One record, a field a line."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    if index:
        grid.add_row(Text(f"── {index}", style="bold"), "", "")
    for name, value in record.items():
        grid.add_row(Text(name), Text(_short(labels.get(name, ""))), Text(_cell(value)))
    return Padding(grid, (0, 0, 0, 2))


def listing(client: SoapClient) -> Any:
    """A service's operations and their arguments."""
    rows = [[name, ", ".join(map(str, arguments))] for name, arguments in client.operations.items()]
    made = table(["操作 / operation", "参数 / arguments（?：可省 / optional）"], rows)
    made.title = Text(f"{client.name}  {client.address}")
    made.title_justify = "left"
    if any("." in argument.name for known in client.operations.values() for argument in known):
        made.caption = Text(
            "嵌套的参数这样写 / nested arguments: Patient.Name=张伟；"
            "列表从 0 编号 / lists count from 0: Items.OrderLine.0.ItemCode=BRT"
        )
        made.caption_justify = "left"
    return made
