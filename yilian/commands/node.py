"""``yilian node CONFIG``: one hospital's node, which serves its contracts and publishes them."""

from __future__ import annotations

from typing import Annotated

import typer

from yilian.commands.options import ConfigFile, StopWithStdin


def node(
    config: ConfigFile,
    stop_with_stdin: StopWithStdin = False,
    publish_only: Annotated[
        bool,
        typer.Option(
            "--publish-only",
            help="只登记，不启动；用于节点自己连不到注册中心时 / publish and end, for a node that "
            "cannot reach the registry itself",
        ),
    ] = False,
) -> None:
    """医院节点：提供服务并向注册中心发布 / A hospital's node: serves and publishes."""
    from yilian.config import NodeConfig, load, read_password
    from yilian.dialling import Dialling
    from yilian.host import app_of, call_paths
    from yilian.node import assemble
    from yilian.publishing import publish_once
    from yilian.serve import serve

    settings = load(config, NodeConfig)
    if settings.registry:
        read_password(settings.registry.password_file)  # refused now, not once it is publishing
    code = settings.hospital.code
    if publish_only:
        node = assemble(settings)
        publish_once(node)
        print(f"✓ {code}: {len(node.endpoints)} 个服务已登记 / services published")
        return
    dialling = Dialling(code, settings.reverse) if settings.reverse else None
    node = assemble(settings)
    serve(
        app_of(node, dialling),
        settings.listen.host,
        settings.listen.port,
        what=f"node {code}",
        stop_with_stdin=stop_with_stdin,
        calls=call_paths(node),
        dialling=dialling,
    )
