"""``yilian demo``: two hospitals, a registry and a gateway on this machine, and a walk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_PROJECT = Path(__file__).parents[2]
#: beside the project in a checkout; where the command was given, if it is installed elsewhere
FOLDER = (_PROJECT if (_PROJECT / "run").exists() else Path()) / "var" / "demo"


def demo(
    port: Annotated[
        int,
        typer.Option(
            min=1,
            max=65532,
            help="网关端口，另用后三个 / the gateway's; the next three too",
        ),
    ] = 8080,
    once: Annotated[bool, typer.Option("--once", help="走完即结束 / end after the walk")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="重建演示数据 / rebuild the demo data")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="演示数据的随机种子 / seed of the demo data")
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="数据、配置与日志 / data, configuration, logs")
    ] = FOLDER,
    scale: Annotated[
        float, typer.Option(min=0.001, max=1.0, help="数据量的比例 / share of the data to make")
    ] = 1.0,
) -> None:
    """两家演示医院：发布、查找、绑定、调用 / Two hospitals: publish, find, bind, invoke."""
    from yilian.demo.run import run

    raise typer.Exit(run(folder.absolute(), port, once=once, fresh=fresh, seed=seed, scale=scale))
