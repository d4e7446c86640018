"""``yilian audit``: is the gateway's record whole, and who called what."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from yilian.refused import Refused

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.audit.anchors import Anchor
    from gateway.audit.verify import StreamReport

app = typer.Typer(
    name="audit",
    help="网关审计：校验与查询 / the gateway's audit trail: verify and search",
    no_args_is_help=True,
)

Where = Annotated[
    Path,
    typer.Argument(
        help="审计文件夹，或网关的 TOML 配置 / the audit folder, or the gateway's configuration",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        help="密钥文件；不填则按配置，或文件夹中的 audit.key / the key; by default as the "
        "configuration says, or audit.key in the folder"
    ),
]


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Outcome(StrEnum):
    """As in gateway/audit/entry.py."""

    OK = "ok"
    FAULT = "fault"
    REFUSED = "refused"
    LEFT = "left"


@app.command("verify")
def verify_trail(
    where: Where,
    key_file: KeyFile = None,
    anchors: Annotated[
        list[Path] | None,
        typer.Option(
            help="存于别处的网关日志，取其锚点 / a gateway log kept elsewhere, for its anchors"
        ),
    ] = None,
) -> None:
    """逐行校验散列链与锚点 / Follow the chain of hashes line by line, and check the anchors.

    退出码 0：完整；1：被改、缺失或次序不对 / exit status 0: whole; 1: changed, missing, reordered.
    """
    from gateway.audit.verify import verify

    folder, key_path = _where(where, key_file)
    key = _key(key_path, wanted=key_file is not None)
    extra: list[Anchor] = []
    for path in anchors or ():
        extra += _anchors(path)
    try:
        reports = verify(folder, key, extra)
    except OSError as error:
        raise _unreadable(error) from error
    if not reports:
        raise Refused(
            f"{folder} 中没有审计文件", f"there are no audit files in {folder}", exit_code=1
        )
    _tell(reports, key_path if key is not None else None)
    if not all(report.whole for report in reports):
        raise typer.Exit(1)


@app.command("search")
def search_trail(
    where: Where,
    since: Annotated[
        str, typer.Option(help="起，ISO 8601，本地时间或带时区 / from, ISO 8601")
    ] = "",
    until: Annotated[str, typer.Option(help="止（不含）/ until, exclusive")] = "",
    request_id: Annotated[str, typer.Option(help="请求号 / X-Request-Id")] = "",
    caller: Annotated[str, typer.Option(help="调用方 / caller")] = "",
    hospital: Annotated[str, typer.Option(help="医院代码 / hospital's code")] = "",
    service: Annotated[str, typer.Option(help="服务 / service")] = "",
    operation: Annotated[str, typer.Option(help="操作 / operation")] = "",
    patient: Annotated[
        str, typer.Option(help="病人标识号，明文；按散列查找 / patient id; found by its hash")
    ] = "",
    outcome: Annotated[Outcome | None, typer.Option(help="结果 / outcome")] = None,
    fault: Annotated[str, typer.Option(help="故障代码 / fault code")] = "",
    limit: Annotated[int, typer.Option(min=1, help="最多几条 / at most")] = 1000,
    format: Annotated[Format, typer.Option(help="输出 / output")] = Format.TABLE,
    collected: Annotated[
        str,
        typer.Option(
            help="在汇总库中查各台网关的；不填则查本机的文件 / all gateways', in the database "
            "that collect fills (SQLAlchemy URL); without it, the files here"
        ),
    ] = "",
    key_file: KeyFile = None,
) -> None:
    """查询调用记录；不带条件即全部 / Look for calls; without criteria, all of them."""
    from gateway.audit.entry import patient_mark
    from gateway.audit.search import Wanted, search

    folder, key_path = _where(where, key_file)
    marks: tuple[str, ...] = ()
    if patient:
        # As the trail may have been set at the time: plain, or hashed.
        key = _key(key_path, wanted=True)
        assert key is not None
        marks = patient_mark("plain", key)(patient), patient_mark("hash", key)(patient)
    wanted = Wanted(
        since=_time("--since", since),
        until=_time("--until", until),
        request_id=request_id,
        caller=caller,
        hospital=hospital,
        service=service,
        operation=operation,
        patients=marks,
        outcome=outcome.value if outcome is not None else "",
        fault=fault,
    )
    try:
        if collected:
            from gateway.audit.collected import search_in

            with _database("--collected", collected) as engine:
                found = list(islice(search_in(engine, wanted), limit + 1))
        else:
            found = list(islice(search(folder, wanted), limit + 1))
    except OSError as error:
        raise _unreadable(error) from error
    _show(found[:limit], format)
    if len(found) > limit:
        print(
            f"… 还有更多，--limit 现为 {limit} / there are more than --limit {limit}",
            file=sys.stderr,
        )


@app.command("collect")
def collect_trail(
    where: Where,
    to: Annotated[
        str,
        typer.Option(help="数据库地址 / SQLAlchemy URL", show_default=False),
    ],
    check: Annotated[
        bool, typer.Option("--check", help="之后校验库中的副本 / then verify the copies")
    ] = False,
    key_file: KeyFile = None,
) -> None:
    """把新的审计行抄入数据库表 yilian_audit，可反复运行 / Copy new lines into a database table."""
    from gateway.audit.collected import collect, streams_in
    from gateway.audit.verify import verify_lines

    folder, key_path = _where(where, key_file)
    try:
        # Before anything is copied: lines that are written meanwhile may be anchored, and not here.
        beside = [a for path in sorted(folder.glob("*.anchors")) for a in _anchors(path)]
        with _database("--to", to) as engine:
            for stream, lines in collect(folder, engine).items():
                print(f"{stream}: +{lines}")
            if check:
                key = _key(key_path, wanted=key_file is not None)
                reports = verify_lines(streams_in(engine), key, beside)
                _tell(reports, key_path if key is not None else None)
                if not all(report.whole for report in reports):
                    raise typer.Exit(1)
    except OSError as error:
        raise _unreadable(error) from error


@contextmanager
def _database(option: str, url: str) -> Iterator[Engine]:
    """The database that an option names; Refused where that is no address, or it refuses."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        engine = create_engine(url)
    except (ArgumentError, ImportError) as error:
        raise Refused(
            f"{option} 不是可用的数据库地址：{error}",
            f"{option} is no usable database URL: {error}",
        ) from None
    try:
        yield engine
    except SQLAlchemyError as error:
        shown = engine.url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", None) or error).strip()
        raise Refused(
            f"数据库 {shown} 未接受：{reason}",
            f"the database {shown} refused: {reason}",
            exit_code=1,
        ) from error
    finally:
        engine.dispose()


_COLUMNS = [
    *("时间 time (UTC)", "请求号 id", "调用方 caller", "医院 hospital"),
    *("操作 operation", "结果 outcome", "ms"),
]
_ALL = [
    *("t", "id", "peer", "caller", "hospital", "service", "operation", "patient"),
    *(
        "outcome",
        "fault",
        "step",
        "rule",
        "in",
        "out",
        "ms",
        "node",
        "stream",
        "n",
        "times",
        "reason",
    ),
]


def _show(found: list[dict[str, Any]], format: Format) -> None:
    from yilian.screen import Screen, table

    if format is Format.JSON:
        for line in found:
            print(json.dumps(line, ensure_ascii=False))
    elif format is Format.CSV:
        out = io.StringIO()
        writer = csv.DictWriter(out, _ALL, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in line.items()} for line in found)
        print(out.getvalue(), end="")
    elif found:
        Screen().print(table(_COLUMNS, [_row(line) for line in found], whole=_COLUMNS[1:2]))
    else:
        Screen().line("没有符合条件的调用 / no such call")


def _row(line: dict[str, Any]) -> list[str]:
    """A call for the screen: what was called and what became of it together, for want of room."""

    def said(*names: str, between: str = " ") -> str:
        return between.join(str(line[name]) for name in names if line.get(name))

    return [
        str(line.get("t", ""))[:19].replace("T", " "),
        *(said("id"), said("caller"), said("hospital")),
        said("service", "operation", between="."),
        said("outcome", "fault", "step"),
        str(line.get("ms", "")),
    ]


def _cell(value: Any) -> Any:
    """What a spreadsheet shows and does not compute: a patient's id is what a caller sent."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value


def _tell(reports: list[StreamReport], key_path: Path | None) -> None:
    from yilian.screen import Screen, table

    screen = Screen()
    rows = [
        [
            "✓ 完整 whole" if report.whole else "✗ 有问题 broken",
            report.stream,
            str(report.files),
            str(report.lines),
            str(report.calls),
            str(report.anchors),
            f"{report.first}\n{report.last}",
        ]
        for report in reports
    ]
    columns = [
        "",
        "流 stream",
        "文件 files",
        "行 lines",
        "调用 calls",
        "锚点 anchors",
        "起止 from to",
    ]
    screen.print(table(columns, rows))
    if key_path is None:
        screen.line("没有密钥，只查了链，未查锚点 / without the key only the chain was checked")
    for report in reports:
        for found in report.findings:
            mark = "✗" if found.severity == "broken" else "·"
            place = found.file + (f":{found.line}" if found.line else "")
            screen.line(f"{mark} {place}: {found.zh}\n  {found.en}")


def _where(where: Path, key_file: Path | None) -> tuple[Path, Path]:
    """The folder, and where the key should be."""
    from gateway_config.model import GatewayConfig
    from yilian.config import load

    if where.is_dir():
        return where, key_file or where / "audit.key"
    if not where.exists():
        raise Refused(f"没有 {where}", f"there is no {where}")
    settings = load(where, GatewayConfig)
    if settings.audit is None:
        raise Refused(f"{where} 没有 [audit] 一节", f"{where} has no section [audit]")
    if not settings.audit.folder.is_dir():
        raise Refused(
            f"没有审计文件夹 {settings.audit.folder}", f"no audit folder {settings.audit.folder}"
        )
    return settings.audit.folder, key_file or settings.audit.key_path


def _key(path: Path, *, wanted: bool) -> bytes | None:
    from gateway.audit.anchors import load_key

    try:
        return load_key(path)
    except FileNotFoundError:
        if not wanted:
            return None
        raise Refused(f"没有密钥文件 {path}", f"there is no key file {path}") from None
    except OSError as error:
        raise _unreadable(error) from error
    except ValueError as error:
        zh, _, en = str(error).partition(" / ")
        raise Refused(zh, en) from None


def _anchors(path: Path) -> list[Anchor]:
    from gateway.audit.anchors import read_anchors

    try:
        return list(read_anchors(path))
    except OSError as error:
        raise _unreadable(error) from error


def _time(option: str, text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise Refused(
            f"{option} 应为 ISO 8601，如 2026-11-21T08:00，现为 {text!r}",
            f"{option} should be ISO 8601 such as 2026-11-21T08:00, not {text!r}",
        ) from None


def _unreadable(error: OSError) -> Refused:
    return Refused(
        f"无法读取 {error.filename}：{error.strerror}",
        f"cannot read {error.filename}: {error.strerror}",
        exit_code=1,
    )
