"""The ``yilian`` command: its subcommands, one file each in yilian/commands/."""

from __future__ import annotations

import sys

import typer

from yilian.commands import adapter, audit, gateway, registry, uddi, wsdl
from yilian.commands.call import call
from yilian.commands.codec import codec
from yilian.commands.demo import demo
from yilian.commands.hash_password import hash_password
from yilian.commands.node import node
from yilian.commands.pacs import pacs
from yilian.refused import Refused

app = typer.Typer(
    name="yilian",
    help="医联 Yilian：医联体面向服务的中间件 / SOA middleware for a hospital alliance",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (demo, node, call, codec, pacs):
    app.command()(command)
app.command("hash-password")(hash_password)
app.add_typer(adapter.app)
app.add_typer(audit.app)
app.add_typer(gateway.app)
app.add_typer(registry.app)
app.add_typer(wsdl.app)
app.add_typer(uddi.app)


def main() -> None:
    """Entry point. What is refused is one sentence and an exit code, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # Under LANG=C, or a GBK terminal, a rare character is a "?" and not the end of a run.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="yilian")
    except Refused as refused:
        print(refused, file=sys.stderr)
        raise SystemExit(refused.exit_code) from None
