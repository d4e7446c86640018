"""``yilian registry CONFIG``: the UDDI registry and its page."""

from __future__ import annotations

from yilian.commands.options import ConfigFile, StopWithStdin


def registry(config: ConfigFile, stop_with_stdin: StopWithStdin = False) -> None:
    """注册中心（UDDI）/ The UDDI registry and its page."""
    from registry.app import create_app
    from registry.config import RegistryConfig
    from yilian.config import load
    from yilian.serve import serve

    settings = load(config, RegistryConfig)
    serve(
        create_app(settings),
        settings.listen.host,
        settings.listen.port,
        what="registry",
        stop_with_stdin=stop_with_stdin,
    )
