"""Where the gateway listens: [listen], plain HTTP, and [tls]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateway_config.section import BaseUrl, Beside, CheckedNetwork, Host, Port, Section


class Listen(Section):
    """Where askers reach the gateway, by plain HTTP."""

    host: Host = Field(
        default="127.0.0.1",
        description=(
            "监听地址；0.0.0.0 为所有网卡。Address to listen on; 0.0.0.0 is every interface."
        ),
    )
    port: Port = Field(default=8080, description="监听端口。Port to listen on.")
    public_url: BaseUrl | None = Field(
        default=None,
        description=(
            "调用方看到的本网关地址，写入 WSDL；不填则取请求的 Host。"
            "The gateway's own address as askers see it, written into WSDLs; "
            "without it, what the asker's Host header says."
        ),
    )
    watchers: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "可读取网关自己的页面（/、/health、/metrics）的来源网段；不填则谁都可读。"
            "Source networks that may read the gateway's own pages (/, /health, /metrics); without "
            "it, whoever asks."
        ),
    )
    plain: bool = Field(
        default=True,
        description=(
            "是否开放明文 HTTP；false 时只有 [tls]。"
            "Whether plain HTTP is served at all; with false, [tls] alone."
        ),
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="工作进程数，通常为处理器核数。Worker processes, usually one a core.",
    )
    drain_seconds: float | None = Field(
        default=None,
        ge=0,
        le=300,
        description=(
            "收到 SIGTERM 后照常服务多久（秒），其间 /health 为 503，让前面的代理先移开；"
            "不填则有 [[proxy.workers]] 时为 5，否则为 0。"
            "How long it serves on after SIGTERM, seconds, with /health at 503, so that a proxy in "
            "front turns away first; without it, 5 where there are [[proxy.workers]], else 0."
        ),
    )


class Tls(Section):
    """TLS, with client certificates where the client can."""

    host: Host = Field(
        default="127.0.0.1",
        description="TLS 监听地址。Address to listen on for TLS.",
    )
    port: Port = Field(default=8443, description="TLS 监听端口。Port to listen on for TLS.")
    certificate_file: Beside = Field(
        description=(
            "服务器证书链（PEM，本证书在前）。The server's certificate chain, PEM, its own first."
        )
    )
    key_file: Beside = Field(
        description="服务器私钥（PEM，不加密）。The server's private key, PEM, not encrypted."
    )
    client_ca_file: Beside | None = Field(
        default=None,
        description=(
            "签发客户端证书的 CA（PEM）；不填则不要求客户端证书。"
            "The CAs that sign client certificates, PEM; without it none is asked for."
        ),
    )
    require_client_certificate: bool = Field(
        default=False,
        description=(
            "没有客户端证书的 TLS 连接是否拒绝。"
            "Whether a TLS connection without a client certificate is refused."
        ),
    )
    minimum: Literal["1.2", "1.3"] = Field(
        default="1.2", description="最低 TLS 版本。The oldest TLS version taken."
    )
    public_url: BaseUrl | None = Field(
        default=None,
        description=(
            "经 TLS 访问者看到的地址，写入 WSDL；不填则取请求的 Host。"
            "The address that askers over TLS see, written into WSDLs; "
            "without it, what the asker's Host header says."
        ),
    )
    at: Literal["gateway", "proxy"] = Field(
        default="gateway",
        description=(
            "TLS 由谁终止：网关自己，或前面的 HAProxy（见 [proxy]）。"
            "Who ends TLS: the gateway itself, or the HAProxy in front of it (see [proxy])."
        ),
    )
