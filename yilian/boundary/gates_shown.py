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

_COLUMNS = ["", "方向 direction", "外侧 outer IP:port", "内侧 inner IP:port", "协议 protocol",
            "允许来源 sources", "空闲 idle s", "时段 window"]  # fmt: skip


def as_tables(rows: Sequence[GateRow]) -> Iterator[Any]:
    """A title, a table and what each of its lines is for, hospital by hospital."""
    for code, lines in groupby(rows, key=lambda row: row.hospital):
        of_one = list(lines)
        title = f"{of_one[0].name or code}  {code}  mode = {of_one[0].mode}"
        yield Text(title, style="bold")
        cells = [_cells(number, row) for number, row in enumerate(of_one, 1)]
        yield table(_COLUMNS, cells, whole=_COLUMNS[2:4])
        for number, row in enumerate(of_one, 1):
            yield Text(f"  {number} {row.purpose}", style="dim")
        yield ""


def _cells(number: int, row: GateRow) -> list[str]:
    outer = _address(row.outer_ip, row.outer_port)
    inner = _address(row.inner_ip, row.inner_port)
    rest = [row.protocol, row.permitted_sources, row.idle_seconds, row.window]
    return [str(number), row.direction, outer, inner, *(cell or "—" for cell in rest)]


def _address(host: str, port: str) -> str:
    if not host:
        return "—"
    return f"{host}:{port}" if port and ":" not in host else f"[{host}]:{port}" if port else host


def as_csv(rows: Sequence[GateRow]) -> str:
    """All of it, with a header line, for a spreadsheet or a device that takes CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(GateRow._fields)
    writer.writerows(rows)
    return text.getvalue()
