"""What the commands print: beautiful on a terminal, plain everywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from typing import Any

from rich.box import ROUNDED
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

#: columns where nobody tells us, as in a log file
PLAIN_WIDTH = 118


class Screen:
    """Standard output. Where it is no terminal: no colours, no control codes, no moving bars."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
        self.console = Console(width=width, highlight=False, soft_wrap=False, emoji=False)

    @property
    def width(self) -> int:
        return self.console.width

    @property
    def live(self) -> bool:
        return self.console.is_terminal

    def print(self, *things: Any) -> None:
        """Texts as they are, without markup, and any rich renderable."""
        for thing in things:
            self.console.print(thing, markup=False)

    def line(self, text: str, style: str = "") -> None:
        """One logical line that is never wrapped by us: addresses and commands are copied."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def pair(self, name: str, value: str, width: int = 34) -> None:
        """A name and what belongs to it, in columns; the value is never wrapped by us."""
        blank = " " * max(1, width - cell_len(name))
        self.console.print(Text(f"  {name}{blank}", style="dim") + Text(value), soft_wrap=True)

    def progress(self) -> Progress:
        """A bar for what takes longer than a second; silent where it could not move."""
        return Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=28),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.live,
        )


def table(columns: list[str], rows: list[list[str]], *, whole: Collection[str] = ()) -> Table:
    """A table with a rounded box; long cells are folded, never cut. Those of the columns in
    ``whole``, which somebody copies or types in, stay in one line: the others make room."""
    made = Table(box=ROUNDED, header_style="bold cyan", border_style="dim", pad_edge=True)
    for column in columns:
        made.add_column(Text(column), overflow="fold", no_wrap=column in whole)
    for row in rows:
        made.add_row(*map(Text, row))
    return made
