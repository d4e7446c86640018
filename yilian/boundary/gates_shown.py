"""The gates' tables, on a screen or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from gateway_config.gates import GateRow
from yilian.screen import table

_COLUMNS = {
    "direction": "方向 direction",
    "outer_ip": "外侧地址 outer IP",
    "outer_port": "端口 port",
    "inner_ip": "内侧地址 inner IP",
    "inner_port": "端口 port",
    "protocol": "协议 protocol",
    "permitted_sources": "允许来源 permitted sources",
    "idle_seconds": "空闲 idle s",
    "window": "时段 window",
    "purpose": "用途 purpose",
}


def as_tables(rows: Sequence[GateRow]) -> Iterator[Any]:
    """A title and a table for each hospital."""
    for code, lines in groupby(rows, key=lambda row: row.hospital):
        of_one = list(lines)
        title = f"{of_one[0].name or code}  {code}  mode = {of_one[0].mode}"
        yield Text(title, style="bold")
        cells = [[getattr(row, column) or "—" for column in _COLUMNS] for row in of_one]
        yield table(list(_COLUMNS.values()), cells)


def as_csv(rows: Sequence[GateRow]) -> str:
    """All of it, with a header line, for a spreadsheet or a device that takes CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(GateRow._fields)
    writer.writerows(rows)
    return text.getvalue()
