"""``yilian gateway``: run the SOAP-aware proxy; check, explain and show its configuration.

``yilian gateway CONFIG`` is ``yilian gateway run CONFIG``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from yilian.commands.options import ConfigFile, StopWithStdin
from yilian.refused import Refused


class _RunByDefault(TyperGroup):
    """A first word that names no subcommand is a configuration to run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="gateway",
    cls=_RunByDefault,
    help="网关：启动（可省略 run）、检查、说明 / The gateway: run (the word may be left out), "
    "check, explain",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
render = typer.Typer(
    name="render",
    help="由同一配置生成别的软件的配置 / Other software's configuration from the same file",
    no_args_is_help=True,
)
app.add_typer(render)


@app.command()
def run(config: ConfigFile, stop_with_stdin: StopWithStdin = False) -> None:
    """启动网关：查到服务并转发调用；SIGHUP 重读配置 / Start; SIGHUP: read the file again."""
    from yilian.gateway_process import run_gateway

    run_gateway(config, stop_with_stdin=stop_with_stdin)


@app.command()
def check(
    config: ConfigFile,
    strict: Annotated[
        bool, typer.Option("--strict", help="有提醒也算不通过 / fail on warnings too")
    ] = False,
) -> None:
    """检查配置：全部错误与提醒，各有行号与键 / All that is wrong, and what to look at."""
    from yilian.boundary.checking import findings
    from yilian.screen import Screen

    wrong, advice = findings(config)
    screen = Screen()
    for mark, style, found in (("✗", "red", wrong), ("!", "yellow", advice)):
        for one in sorted(found, key=lambda problem: problem.line):
            screen.line(f"{mark} {config}:{one.line} {one.key}: {one.zh}", style)
            screen.line(f"  {one.en}", "dim")
    if wrong or (strict and advice):
        raise Refused(
            f"{config}：{len(wrong)} 处错误，{len(advice)} 处提醒。",
            f"{config}: {len(wrong)} wrong, {len(advice)} to look at.",
            exit_code=1,
        )
    screen.line(f"✓ {config}：可以使用，{len(advice)} 处提醒 / usable, {len(advice)} to look at")


@app.command()
def explain(
    config: ConfigFile,
    caller: Annotated[str, typer.Argument(help="[callers] 中的名称 / a name of [callers]")],
    url: Annotated[str, typer.Argument(help="服务地址或路径 / the service's URL or path")],
    operation: Annotated[
        str | None, typer.Argument(help="操作名；省略为读取 WSDL / operation; none: its WSDL")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="不问注册中心，用 table_file / by the table file")
    ] = False,
) -> None:
    """说明一次调用由哪条规则决定、走哪个地址与网闸 / Which rule decides, and the way it takes."""
    from yilian.boundary.explaining import explained
    from yilian.screen import Screen

    screen = Screen()
    told = explained(config, caller, url, operation, offline=offline)
    for name, value in told.lines:
        screen.pair(name, value)
    if not told.passes:
        raise Refused(
            f"此调用会被拒绝：{told.zh}", f"This call would be refused: {told.en}", exit_code=1
        )


@app.command()
def gates(
    config: ConfigFile,
    hospital: Annotated[
        str | None, typer.Option("--hospital", help="只列这家医院 / this hospital alone")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="以 CSV 输出 / as CSV")] = False,
) -> None:
    """每家医院网闸管理员要填写的映射表 / What each gate's administrator types into the device."""
    from gateway_config.gates import gate_rows
    from gateway_config.model import GatewayConfig
    from yilian.boundary.gates_shown import as_csv, as_tables
    from yilian.loading import load
    from yilian.screen import Screen

    settings = load(config, GatewayConfig)
    if hospital is not None and hospital not in settings.hospitals:
        known = ", ".join(settings.hospitals) or "—"
        raise Refused(
            f"{config} 的 [hospitals] 中没有 {hospital}；有：{known}。",
            f"There is no {hospital} in [hospitals] of {config}; there are: {known}.",
        )
    rows = list(gate_rows(settings, hospital))
    if csv:
        typer.echo(as_csv(rows), nl=False)
        return
    screen = Screen()
    screen.print(*as_tables(rows))
    if not rows:
        screen.line("没有需要填写的映射 / there is nothing to type in")


@render.command()
def haproxy(
    config: ConfigFile,
    output: Annotated[
        Path | None, typer.Option(help="写到文件，仅本人可读 / to a file that only you may read")
    ] = None,
) -> None:
    """HAProxy 2.6 的配置：TLS、身份、均衡、限度 / HAProxy 2.6 in front of the gateways."""
    from yilian.boundary.rendering import haproxy_of, written

    text = haproxy_of(config)
    if output is None:
        typer.echo(text, nl=False)
    else:
        written(output, text)


@app.command()
def keys(
    write: Annotated[
        Path | None, typer.Option(help="更新此文档中的表格 / replace the table in this document")
    ] = None,
) -> None:
    """配置的每一个键（Markdown）/ Every key of the configuration, as Markdown."""
    from gateway_config.keys import replaced, table

    if write is None:
        typer.echo(table(), nl=False)
        return
    write.write_text(replaced(write.read_text("utf-8")), "utf-8")
