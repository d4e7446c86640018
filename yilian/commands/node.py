"""``yilian node CONFIG``: one hospital's node, which serves its contracts and publishes them."""

from __future__ import annotations

from yilian.commands.options import ConfigFile, StopWithStdin


def node(config: ConfigFile, stop_with_stdin: StopWithStdin = False) -> None:
    """医院节点：提供服务并向注册中心发布 / A hospital's node: serves and publishes."""
    from yilian.config import NodeConfig, load, read_password
    from yilian.dialling import Dialling
    from yilian.host import app_of, call_paths
    from yilian.node import assemble
    from yilian.serve import serve

    settings = load(config, NodeConfig)
    if settings.registry:
        read_password(settings.registry.password_file)  # refused now, not once it is publishing
    code = settings.hospital.code
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
