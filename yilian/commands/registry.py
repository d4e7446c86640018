"""``yilian registry``: run the UDDI registry and its page; see who changed what.

``yilian registry CONFIG`` is ``yilian registry run CONFIG``.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from yilian.commands.default_word import defaulting
from yilian.commands.options import ConfigFile, StopWithStdin
from yilian.refused import Refused

app = typer.Typer(
    name="registry",
    cls=defaulting("run"),
    help="注册中心（UDDI）：启动（可省略 run）、变更记录 / The UDDI registry: run (the word may be "
    "left out), who changed what",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

MigrateOnly = Annotated[
    bool,
    typer.Option(
        "--migrate-only",
        help="只升级数据库，然后退出 / upgrade the database, and end",
    ),
]

Where = Annotated[
    str,
    typer.Argument(
        help="注册中心的地址或配置文件 / the registry's address, or its configuration",
        metavar="CONFIG|URL",
    ),
]
Key = Annotated[str, typer.Argument(help="实体的键 / an entity's key", metavar="[KEY]")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="最多几行 / lines at most")]
Wait = Annotated[float, typer.Option(min=1, max=300, help="每次最多等几秒 / seconds a time")]
Once = Annotated[bool, typer.Option("--once", help="见到变更即结束 / end at the first change")]
AsJson = Annotated[bool, typer.Option("--json", help="每行一个 JSON / one JSON a line")]


@app.command()
def run(
    config: ConfigFile,
    stop_with_stdin: StopWithStdin = False,
    migrate_only: MigrateOnly = False,
) -> None:
    """启动注册中心（UDDI）与页面 / Start the UDDI registry and its page."""
    from registry.app import create_app
    from registry.config import RegistryConfig
    from yilian.config import load
    from yilian.metrics import metrics_route
    from yilian.registry_metrics import RegistryMetrics
    from yilian.serve import serve

    settings = load(config, RegistryConfig)
    with _told_in_one_sentence(settings.store.url):
        if migrate_only:
            print(_migrate(settings.store.url))
            return
        made = create_app(settings)
    made.router.routes.insert(0, metrics_route(RegistryMetrics(made.state)))
    # What was made at start stays: no collection needs to go through it again, which took a
    # registry of any size some 30 ms every few hundred questions.
    gc.collect()
    gc.freeze()
    serve(
        made,
        settings.listen.host,
        settings.listen.port,
        what="registry",
        stop_with_stdin=stop_with_stdin,
        on_end=made.state.watch.end,
    )


@app.command()
def history(where: Where, key: Key = "", limit: Limit = 50, as_json: AsJson = False) -> None:
    """谁在何时改了什么，新的在前 / Who changed what and when, the newest first."""
    from yilian.commands.registry_log import show_history

    show_history(where, key, limit, as_json)


@app.command()
def watch(where: Where, wait: Wait = 30.0, once: Once = False, as_json: AsJson = False) -> None:
    """等待变更并逐行显示 / Wait for changes and show them."""
    from yilian.commands.registry_log import follow

    follow(where, wait, once, as_json)


def _migrate(url: str) -> str:
    from registry.tables import open_engine
    from registry.upgrading import upgrade

    engine = open_engine(url)
    try:
        done = upgrade(engine)
    finally:
        engine.dispose()
    if done.before == done.after:
        return f"✓ 数据库已是修订 {done.after} / the database is at revision {done.after} already"
    before = done.before or "空 empty"
    return f"✓ 数据库已升级：{before} → {done.after} / the database was upgraded"


@contextmanager
def _told_in_one_sentence(url: str) -> Iterator[None]:
    """What keeps a database from being opened, without a traceback or its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError

    from registry.failures import described
    from registry.upgrading import NewerDatabase

    try:
        yield
    except NewerDatabase as newer:
        raise Refused(newer.zh, newer.en, exit_code=1) from None
    except SQLAlchemyError as error:
        where = make_url(url).render_as_string(hide_password=True)
        what = described(error)
        raise Refused(
            f"打不开注册中心的数据库 {where}：{what}。"
            "请检查 [store] 的 url、目录权限与数据库是否运行。",
            f"The registry's database {where} cannot be opened: {what}. Check url in [store], the "
            "folder's permissions, and whether the database runs.",
            exit_code=1,
        ) from None
