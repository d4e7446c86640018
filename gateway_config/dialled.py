"""Where nodes dial in: [dialled], for hospitals with mode = "reverse"."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import Host, Port, Section


class Dialled(Section):
    """The port for nodes behind a gate that lets only the inside open connections."""

    host: Host = Field(
        default="127.0.0.1",
        description="节点拨入的监听地址。Address to listen on for nodes that dial in.",
    )
    port: Port = Field(
        default=8090,
        description=(
            "节点拨入的监听端口；第 n 个工作进程用其后第 n 个。"
            "Port to listen on for them; worker number n, from 0, uses the nth after it."
        ),
    )
    tls: bool = Field(
        default=False,
        description=(
            "拨入是否须用 [tls] 的证书加密；跨出一个机房时应打开。"
            "Whether they dial by TLS, with the certificate of [tls]; on for anything beyond one "
            "machine room."
        ),
    )
    ping_seconds: float = Field(
        default=20.0,
        ge=0.1,
        le=3600,
        description=(
            "空闲连接多久问一次对方是否还在（秒）；须短于网闸静默切断的时间。"
            "How often an idle connection is asked whether the other end is there, seconds; "
            "shorter than the time after which a gate cuts it silently."
        ),
    )
