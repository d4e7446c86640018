"""``yilian registry CONFIG``: the UDDI registry and its page."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from yilian.commands.options import ConfigFile, StopWithStdin
from yilian.refused import Refused

MigrateOnly = Annotated[
    bool,
    typer.Option(
        "--migrate-only",
        help="只升级数据库，然后退出 / upgrade the database, and end",
    ),
]


def registry(
    config: ConfigFile,
    stop_with_stdin: StopWithStdin = False,
    migrate_only: MigrateOnly = False,
) -> None:
    """注册中心（UDDI）/ The UDDI registry and its page."""
    from registry.app import create_app
    from registry.config import RegistryConfig
    from yilian.config import load
    from yilian.serve import serve

    settings = load(config, RegistryConfig)
    with _told_in_one_sentence(settings.store.url):
        if migrate_only:
            print(_migrate(settings.store.url))
            return
        app = create_app(settings)
    # What was made at start stays: no collection needs to go through it again, which took a
    # registry of any size some 30 ms every few hundred questions.
    gc.collect()
    gc.freeze()
    serve(
        app,
        settings.listen.host,
        settings.listen.port,
        what="registry",
        stop_with_stdin=stop_with_stdin,
        on_end=app.state.watch.end,
    )


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
