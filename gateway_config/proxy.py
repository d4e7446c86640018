"""A HAProxy in front of one or several gateways: [proxy]."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import Beside, Endpoint, Host, IpAddress, Key, Port, Section


class Worker(Section):
    """One gateway process behind the proxy."""

    name: Key = Field(description="工作网关的名称。The worker's name.")
    address: Endpoint = Field(
        description=(
            "它的 [listen] 地址:端口，代理须能到达。"
            "Its [listen] address:port, which the proxy must reach."
        )
    )
    backup: bool = Field(
        default=False,
        description="仅在其他都不可用时使用。Used only when no other one is up.",
    )


class Proxy(Section):
    """The front: who may hand on a caller's identity, and what is rendered for HAProxy."""

    trusted: tuple[IpAddress, ...] = Field(
        default=("127.0.0.1",),
        description=(
            "代理的来源地址；只有来自这里且带有共享密钥的身份头才可信。"
            "Addresses of the proxies; identity headers count only from there, and only with the "
            "shared secret."
        ),
    )
    secret_file: Beside = Field(
        description=(
            "与代理共享的密钥文件：第一行，至少 32 个字母、数字或 _ . ~ + / = -。"
            "File with the secret shared with the proxy: its first line, 32 letters, digits or "
            "_ . ~ + / = - at least."
        )
    )
    host: Host = Field(
        default="0.0.0.0",
        description="代理的明文监听地址。Address on which the proxy serves plain HTTP.",
    )
    port: Port | None = Field(
        default=None,
        description="代理的明文监听端口；不填则不开。Its port for plain HTTP; without it, none.",
    )
    rate_per_source: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="每个来源地址每秒请求数上限。Requests a second of one source address.",
    )
    connections_per_worker: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="发往每个工作网关的连接数上限。Connections to each worker.",
    )
    log: str = Field(
        default="stdout",
        pattern=r"^[A-Za-z0-9_./:@-]{1,255}$",
        description=(
            "代理日志去处：stdout、/dev/log 或 地址:端口。"
            "Where the proxy logs to: stdout, /dev/log or address:port."
        ),
    )
    run_as: str = Field(
        default="haproxy",
        pattern=r"^[a-z_][a-z0-9_-]{0,31}$|^$",
        description=(
            "代理以哪个用户和组运行；空为启动它的用户。"
            "User and group that the proxy runs as; empty: whoever starts it."
        ),
    )
    admin_socket: str = Field(
        default="/run/haproxy/admin.sock",
        pattern=r"^/[A-Za-z0-9_./-]{1,100}$",
        description=(
            "代理的管理套接字，用于不丢连接的重载。"
            "The proxy's admin socket, by which a reload keeps its listeners."
        ),
    )
    workers: tuple[Worker, ...] = Field(default=(), description="工作网关。The gateways behind it.")
