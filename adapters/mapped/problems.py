"""What is wrong with a mapping: all of it at once, each by file, line and key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.toml_lines import Way, find_line


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a mapping file: ``key`` as ``NumberSource.QueryNumberSource.sql``."""

    file: str
    line: int
    key: str

    @property
    def zh(self) -> str:
        return f"{self.file} 第 {self.line} 行 {self.key}"

    @property
    def en(self) -> str:
        return f"{self.file} line {self.line}, {self.key}"


@dataclass(frozen=True, slots=True)
class Problem:
    spot: Spot
    zh: str
    en: str


class WrongMapping(ValueError):
    """Everything that is wrong with one mapping file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        self.zh = "映射文件有误：\n" + "\n".join(f"    {p.spot.zh}：{p.zh}" for p in problems)
        self.en = "the mapping is wrong:\n" + "\n".join(
            f"    {p.spot.en}: {p.en}" for p in problems
        )
        super().__init__(f"{self.zh} / {self.en}")


class Text:
    """The mapping file's text, and where things stand in it."""

    def __init__(self, file: Path, text: str) -> None:
        self._file = str(file)
        self._text = text

    def spot(self, *way: str | int) -> Spot:
        path: Way = tuple(way)
        return Spot(self._file, find_line(self._text, path), ".".join(map(str, way)) or "-")
