"""The gateway's configuration: one pydantic model, checked at start, every key described.

docs/gateway.md has the table of keys; tests/gateway/test_config.py holds it to this file.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

MIB = 1024 * 1024
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?")


def is_host(text: str) -> bool:
    """Whether it is a host name, an IPv4 address, or an IPv6 address without brackets."""
    if ":" in text:
        try:
            IPv6Address(text)
        except ValueError:
            return False
        return True
    return len(text) <= 253 and _NAME.fullmatch(text) is not None


def base_url(text: str) -> str:
    """An http or https URL to which paths are appended, without its last slash.

    ValueError where it is anything else: another scheme, no host, a user, a query, a fragment.
    """
    try:
        url = urlsplit(text)
        port_ok = url.port is None or url.port > 0
    except ValueError as error:
        raise ValueError(f"不是有效的网址 / not a valid URL: {error}") from None
    if url.scheme not in ("http", "https"):
        raise ValueError("须以 http:// 或 https:// 开头 / must begin with http:// or https://")
    if not url.hostname or not is_host(url.hostname) or not port_ok:
        raise ValueError("网址中没有有效的主机和端口 / the URL has no valid host and port")
    if "@" in url.netloc or "?" in text or "#" in text:
        raise ValueError("不得含用户名、? 或 # / must hold no user name, ? or #")
    if re.search(r"[^!#-;=?-\[\]_a-z~]", text):
        raise ValueError("含有不允许的字符 / holds a character that is not allowed")
    return text.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(base_url)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Listen(_Section):
    """Where askers reach the gateway."""

    host: str = Field(
        default="127.0.0.1",
        description=(
            "监听地址；0.0.0.0 为所有网卡。Address to listen on; 0.0.0.0 is every interface."
        ),
    )
    port: int = Field(default=8080, ge=1, le=65535, description="监听端口。Port to listen on.")
    public_url: BaseUrl | None = Field(
        default=None,
        description=(
            "调用方看到的本网关地址，写入 WSDL；不填则取请求的 Host。"
            "The gateway's own address as askers see it, written into WSDLs; "
            "without it, what the asker's Host header says."
        ),
    )

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        if not is_host(value):
            raise ValueError("不是主机名或 IP 地址 / neither a host name nor an IP address")
        return value


class Registry(_Section):
    """Where the bindings come from, and how long they are trusted."""

    url: BaseUrl = Field(description="注册中心地址。The registry's address.")
    page_url: BaseUrl | None = Field(
        default=None,
        description=(
            "告诉调用方的注册中心页面；不填则同 url。"
            "The registry's page as told to askers; without it, url."
        ),
    )
    refresh_seconds: float = Field(
        default=5.0,
        ge=0.5,
        le=3600,
        description="多久重读一次绑定（秒）。How often the bindings are read again, seconds.",
    )
    empty_grace_seconds: float = Field(
        default=600.0,
        ge=0,
        le=86400,
        description=(
            "注册中心忽然变空（例如重启后数据丢失）时，原有路由再保留多久（秒）；0 为立即清空。"
            "How long the known routes are kept when the registry suddenly lists nothing, "
            "seconds; 0 drops them at once."
        ),
    )
    table_file: Path | None = Field(
        default=None,
        description=(
            "最近一次路由表的存放文件，供注册中心不可用时启动；相对路径以本配置文件为准。"
            "File that keeps the last known routes for a start without the registry; "
            "a relative path starts at this configuration file."
        ),
    )

    @field_validator("table_file")
    @classmethod
    def _beside_the_configuration(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """``context={"folder": Path}`` at validation says where a relative path starts."""
        context: dict[str, Any] = info.context or {}
        folder = context.get("folder")
        return folder / value if value is not None and folder is not None else value


class Forward(_Section):
    """How calls are sent on to the nodes, and what size they may have."""

    connect_timeout_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description=(
            "与节点建立连接（含域名解析）的时限（秒）。"
            "Time to connect to a node, name look-up included, seconds."
        ),
    )
    timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description=(
            "一次转发的总时限（秒），也是读完一个请求的时限。"
            "Time for one forwarded call in all, seconds; also for reading one request."
        ),
    )
    idle_seconds: float = Field(
        default=50.0,
        gt=0,
        le=3600,
        description=(
            "空闲连接保留多久（秒）；须短于网闸静默切断的时间（常为 60 秒起）。"
            "How long an idle connection is kept, seconds; shorter than the time after which "
            "a gate cuts it silently (often from 60)."
        ),
    )
    max_request_bytes: int = Field(
        default=10 * MIB,
        ge=1024,
        le=1024 * MIB,
        description="请求正文上限（字节）。Largest request body, bytes.",
    )
    max_answer_bytes: int = Field(
        default=32 * MIB,
        ge=1024,
        le=1024 * MIB,
        description="应答正文上限（字节）。Largest answer body, bytes.",
    )


class GatewayConfig(_Section):
    """A gateway's whole configuration file."""

    listen: Listen = Field(default_factory=Listen, description="监听。Where it listens.")
    registry: Registry = Field(description="注册中心。The registry.")
    forward: Forward = Field(default_factory=Forward, description="转发。Forwarding.")
