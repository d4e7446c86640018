"""``yilian adapter``: look at a hospital's database, check what reads it, show its SQL."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from yilian.commands.options import ConfigFile
from yilian.refused import Refused

app = typer.Typer(
    name="adapter",
    help="医院数据库：查看、检查、说明 / A hospital's database: inspect, check, explain",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

SourceName = Annotated[str | None, typer.Option("--source", help="来源名称 / name of the source")]


@app.command()
def inspect(
    url: Annotated[str, typer.Argument(help="SQLAlchemy URL，如 sqlite:///his.db")],
    write: Annotated[
        Path | None, typer.Option(help="写出建议的映射 / write the proposed mapping")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="列出全部表 / list every table")] = False,
    schema: Annotated[str | None, typer.Option(help="库模式 / schema of the database")] = None,
) -> None:
    """查看一个陌生的数据库并建议映射（只读）/ Look at an unknown database; propose a mapping."""
    from yilian.onboarding.inspecting import look
    from yilian.onboarding.inspection_shown import shown
    from yilian.onboarding.proposal import proposed
    from yilian.screen import Screen

    seen = look(url, schema)
    screen = Screen()
    screen.print(*shown(seen, every=every))
    mapping = proposed(seen)
    if write is None:
        screen.line(mapping)
        return
    if write.exists():
        raise Refused(f"{write} 已存在，没有覆盖。", f"{write} exists and was not overwritten.")
    write.write_text(mapping, "utf-8")
    screen.line(f"✓ {write}")


@app.command()
def check(
    config: ConfigFile,
    source: SourceName = None,
    patient: Annotated[
        list[str] | None, typer.Option(help="样本病人标识号，可多次 / patient ids to ask for")
    ] = None,
    write_test: Annotated[
        bool,
        typer.Option(
            "--write-test", help="在副本上试写（SQLite 自动复制）/ prove the writes on a copy"
        ),
    ] = False,
    this_is_a_test_copy: Annotated[
        bool,
        typer.Option(
            "--this-is-a-test-copy", help="url 指向测试副本，可以写 / the url may be written to"
        ),
    ] = False,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="当作今天的日期 / as of this day")
    ] = None,
) -> None:
    """按契约规则检查数据库（只读）；有不符则退出码为 1 / Check by the contracts' rules."""
    from yilian.onboarding.checking import check_source
    from yilian.onboarding.opening import chosen
    from yilian.onboarding.shown import shown
    from yilian.screen import Screen

    hospital, sources = chosen(config, source)
    screen = Screen()
    broken = False
    for name, source_config in sources.items():
        report = check_source(
            name,
            hospital,
            source_config,
            patients=patient or [],
            today=today.date() if today else date.today(),
            write_test=write_test,
            write_here=this_is_a_test_copy,
        )
        screen.print(*shown(report))
        broken = broken or report.broken
    if broken:
        raise Refused(
            f"{config} 有不合契约之处，见上表 ✗。", "Rules are broken: see ✗ above.", exit_code=1
        )
    screen.line("✓ 全部通过 / every rule that was looked at is kept")


@app.command()
def explain(
    config: ConfigFile,
    operation: Annotated[str, typer.Argument(help="操作 / operation")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="参数 / arguments: key=value", metavar="[KEY=VALUE]…")
    ] = None,
) -> None:
    """打印一个操作将执行的 SQL / Print the SQL that an operation runs."""
    from services.catalogue import CONTRACTS
    from services.contract import describe
    from yilian.commands.call import pairs_of
    from yilian.onboarding.explaining import explained, find
    from yilian.onboarding.opening import chosen, only_read, opened
    from yilian.screen import Screen

    hospital, sources = chosen(config, None)
    given = pairs_of(arguments or [])
    screen = Screen()
    for name, source_config in sources.items():
        found = find(source_config.offers, operation)
        if found is None:
            continue
        with opened(name, hospital, only_read(source_config)) as one:
            for title, sql in explained(one.adapter, *found, given):
                screen.line(title, "dim")
                screen.line(f"{sql}\n" if sql else "")
        return
    offers = [contract for one in sources.values() for contract in one.offers]
    known = [one.name for contract in offers for one in describe(CONTRACTS[contract]).operations]
    raise Refused(
        f"{config} 没有操作 {operation}；有：{'、'.join(known)}。",
        f"{config} offers no {operation}; there are: {', '.join(known)}.",
    )
