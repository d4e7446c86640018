"""Arguments and options that several subcommands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Argument(help="TOML 配置文件 / TOML configuration file")]
StopWithStdin = Annotated[
    bool,
    typer.Option(
        "--stop-with-stdin",
        help="标准输入关闭时退出，用于由别的程序启动时 / end when standard input closes",
    ),
]
