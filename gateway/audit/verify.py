"""Is the trail whole? Every stream's lines are followed from the first to the last.

What is found has a severity: ``broken`` means that what the trail says cannot be trusted there;
``note`` is something that a reader should know and that happens by rule, such as a line torn by a
crash (its call was not answered) or a file removed when its days were over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from gateway.audit.anchors import Anchor, anchors_file, is_genuine, read_anchors
from gateway.audit.files import TrailFile, files_in
from gateway.audit.line import GENESIS, Line, NotALine, read_line

#: how many findings of one stream are told; after the first ones the rest follows from them
MOST_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Literal["broken", "note"]
    file: str
    line: int  # in the file, from 1; 0: the file as a whole
    zh: str
    en: str


@dataclass(slots=True)
class StreamReport:
    stream: str
    files: int = 0
    lines: int = 0
    calls: int = 0
    anchors: int = 0
    first: str = ""  # time of the first line
    last: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not any(found.severity == "broken" for found in self.findings)


class Lines(Protocol):
    """A file of the trail, or what takes its place."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    def lines(self) -> Iterator[bytes]: ...


def verify(folder: Path, key: bytes | None, extra: Iterable[Anchor] = ()) -> list[StreamReport]:
    """Every stream in ``folder``, checked. ``key`` makes the anchors count, those beside the files
    and ``extra`` ones from logs; without it only the chain is checked. OSError."""
    # Before the files are looked for: a gateway that goes on writing makes another anchor, or
    # begins another file, in between.
    beside = [anchor for path in folder.glob("*.anchors") for anchor in read_anchors(path)]
    by_stream: dict[str, list[TrailFile]] = {}
    for file in files_in(folder):
        by_stream.setdefault(file.stream, []).append(file)
    return verify_lines(by_stream, key, [*extra, *beside])


def verify_lines(
    by_stream: Mapping[str, Sequence[Lines]], key: bytes | None, anchors: Iterable[Anchor]
) -> list[StreamReport]:
    """The same for lines from wherever they are kept."""
    of: dict[str, list[Anchor]] = {}
    for anchor in anchors if key is not None else ():
        of.setdefault(anchor.stream, []).append(anchor)
    return [
        _Reader(stream, by_stream.get(stream, ()), key, of.get(stream, [])).read()
        for stream in sorted(by_stream.keys() | of.keys())
    ]


class _Reader:
    def __init__(
        self, stream: str, files: Sequence[Lines], key: bytes | None, anchors: list[Anchor]
    ) -> None:
        self._files = files
        self._report = StreamReport(stream, files=len(files))
        self._genuine: dict[int, Anchor] = {}
        self._n, self._h = -1, GENESIS
        self._began = False
        self._began_after: tuple[str, int, str] | None = None  # file, n, the hash before
        self._removed: dict[tuple[str, str], str] = {}  # last number and hash: when it went
        where = str(anchors_file(Path(), stream))
        for anchor in anchors:
            assert key is not None
            if not is_genuine(anchor, key):
                self._find(
                    "broken",
                    where,
                    0,
                    f"第 {anchor.n} 号的锚点不是用这把密钥做的",
                    f"the anchor at number {anchor.n} was not made with this key",
                )
            elif self._genuine.setdefault(anchor.n, anchor).h != anchor.h:
                self._find(
                    "broken",
                    where,
                    0,
                    f"第 {anchor.n} 号有两个不同的锚点",
                    f"two anchors differ at number {anchor.n}",
                )
        self._report.anchors = len(self._genuine)

    def read(self) -> StreamReport:
        number = None
        for file in self._files:
            if number is not None and file.number != number + 1:
                self._find(
                    "broken",
                    file.name,
                    0,
                    f"第 {number + 1} 至 {file.number - 1} 个文件不在了",
                    f"files {number + 1} to {file.number - 1} are gone",
                )
            number = file.number
            self._read_file(file)
        self._check_beginning()
        self._check_anchors()
        return self._report

    def _read_file(self, file: Lines) -> None:
        name = file.name
        torn_at = 0
        count = 0
        try:
            for count, raw in enumerate(file.lines(), 1):
                try:
                    line = read_line(raw, self._h)
                except NotALine as error:
                    if not torn_at:
                        torn_at = count
                        reason = str(error).partition(" / ")
                    continue
                if torn_at:
                    self._find("broken", name, torn_at, reason[0], reason[2])
                    torn_at = 0
                self._follow(name, count, raw, line)
        except OSError as error:
            why = error.strerror or str(error)
            self._find(
                "broken",
                name,
                count,
                f"文件无法读完：{why}",
                f"the file cannot be read to its end: {why}",
            )
            return
        if torn_at:
            self._find(
                "note",
                name,
                torn_at,
                "末尾有未写完的行（进程中断或磁盘写满），其调用没有得到答复",
                "ends in a line that was not finished (a crash or a full disk); its call was not "
                "answered",
            )

    def _follow(self, name: str, count: int, raw: bytes, line: Line) -> None:
        report = self._report
        if not self._began:
            self._began = True
            if line.n > 0:
                # Whether what came before went by rule is known when everything has been read:
                # the line that says so is a later one.
                previous = str(line.fields.get("after", ""))
                self._began_after = name, line.n, previous
                line = read_line(raw, previous)
            if not line.follows:
                self._changed(name, count, line)
        elif line.n != self._n + 1:
            missing = line.n - self._n - 1
            if missing > 0:
                self._find(
                    "broken",
                    name,
                    count,
                    f"第 {self._n + 1} 至 {line.n - 1} 号缺失（{missing} 行）",
                    f"numbers {self._n + 1} to {line.n - 1} are missing ({missing} lines)",
                )
            else:
                self._find(
                    "broken",
                    name,
                    count,
                    f"{self._n + 1} 号的位置上是 {line.n} 号（重复或次序被改）",
                    f"number {line.n} stands where {self._n + 1} belongs: repeated or reordered",
                )
        elif not line.follows:
            self._changed(name, count, line)
        self._n, self._h = line.n, line.h
        self._count(line.kind, line.fields)
        anchor = self._genuine.pop(line.n, None)
        if anchor is not None and anchor.h != line.h:
            self._find(
                "broken",
                name,
                count,
                f"第 {line.n} 号与当时的锚点不符：它或它之前的内容被改写过",
                f"number {line.n} is not what was anchored: it, or something before it, was "
                "rewritten",
            )
        report.lines += 1

    def _changed(self, name: str, count: int, line: Line) -> None:
        self._find(
            "broken",
            name,
            count,
            f"第 {line.n} 号或它的前一行被改过，散列不符",
            f"number {line.n}, or the line before it, was changed: the hash does not fit",
        )

    def _count(self, kind: str, fields: dict[str, Any]) -> None:
        report = self._report
        time = str(fields.get("t", ""))
        report.first = report.first or time
        report.last = time or report.last
        if kind == "call":
            report.calls += 1
        elif kind == "removed":
            self._removed[str(fields.get("last")), str(fields.get("hash"))] = time
        elif kind == "gap":
            self._find(
                "note",
                report.stream,
                0,
                f"{fields.get('since')} 起有 {fields.get('calls')} 次调用未能记录",
                f"{fields.get('calls')} calls since {fields.get('since')} could not be recorded",
            )

    def _check_beginning(self) -> None:
        if self._began_after is None:
            return
        name, n, previous = self._began_after
        when = self._removed.get((str(n - 1), previous))
        if when is not None:
            # Both moments, because whoever could forge the line that says so cannot help that what
            # came right behind the removed lines is of the same days as they were.
            self._find(
                "note",
                name,
                1,
                f"之前的 {n} 行已到保存期限，于 {when} 按规定删除；"
                f"现存第一行写于 {self._report.first}",
                f"the {n} lines before were removed at {when}, when their days were over; the "
                f"first one left is of {self._report.first}",
            )
        else:
            self._find(
                "broken",
                name,
                1,
                f"第 0 至 {n - 1} 号不在，也没有到期删除的记录",
                f"numbers 0 to {n - 1} are gone, and no line says that they were removed by rule",
            )

    def _check_anchors(self) -> None:
        for n in sorted(self._genuine):
            if n > self._n:
                self._find(
                    "broken",
                    self._files[-1].name if self._files else self._report.stream,
                    0,
                    f"锚点证明曾有第 {n} 号，而末尾只到 {self._n} 号：末尾被截去",
                    f"an anchor proves a number {n}, and the end is {self._n}: the end was cut off",
                )
                return

    def _find(
        self, severity: Literal["broken", "note"], file: str, line: int, zh: str, en: str
    ) -> None:
        if len(self._report.findings) < MOST_FINDINGS:
            self._report.findings.append(Finding(severity, file, line, zh, en))
