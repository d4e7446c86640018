"""``yilian gateway CONFIG``: the SOAP-aware proxy between hospitals."""

from __future__ import annotations

from yilian.commands.options import ConfigFile, StopWithStdin


def gateway(config: ConfigFile, stop_with_stdin: StopWithStdin = False) -> None:
    """网关：在注册中心查到服务并转发调用 / The gateway: finds services and forwards calls."""
    from gateway.app import Gateway
    from gateway_config.model import GatewayConfig
    from yilian.bindings import bindings_from
    from yilian.config import load
    from yilian.serve import serve

    settings = load(config, GatewayConfig)
    running = Gateway(settings, bindings_from(settings.registry.url))
    serve(
        running.app,
        settings.listen.host,
        settings.listen.port,
        what="gateway",
        stop_with_stdin=stop_with_stdin,
        http=running.protocol,
    )
