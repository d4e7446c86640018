"""Where the bindings come from, and how calls are sent on: [registry] and [forward]."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import MIB, BaseUrl, Beside, CheckedNetwork, Section


class Registry(Section):
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
    table_file: Beside | None = Field(
        default=None,
        description=(
            "最近一次路由表的存放文件，供注册中心不可用时启动；相对路径以本配置文件为准。"
            "File that keeps the last known routes for a start without the registry; "
            "a relative path starts at this configuration file."
        ),
    )


class Forward(Section):
    """How calls are sent on to the nodes."""

    networks: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "直接连接的节点可在的网段；不填则登记什么地址就连接什么地址。"
            "Networks in which nodes may be that are dialled directly; without it, whatever "
            "address is published is dialled."
        ),
    )
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
        description="一次转发的总时限（秒）。Time for one forwarded call in all, seconds.",
    )
    try_share: float = Field(
        default=0.3,
        ge=0.01,
        le=1,
        description=(
            "同一服务有多个地址时，可重发的调用在一个地址上等待多久没有答复即同时试另一个："
            "占剩余时间的比例；1 为从不。"
            "Where a service has several addresses: the share of its time after which a call that "
            "may be repeated, and has had no answer from one, is made at another as well; 1: never."
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
    max_answer_bytes: int = Field(
        default=32 * MIB,
        ge=1024,
        le=1024 * MIB,
        description="应答正文上限（字节）。Largest answer body, bytes.",
    )
    break_after: int = Field(
        default=5,
        ge=1,
        le=1000,
        description=(
            "同一地址连续失败几次后暂停向它转发。"
            "After how many failures in a row no more calls go to an address for a while."
        ),
    )
    break_seconds: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description=(
            "暂停多久后用一次调用试探（秒）；探测成功则提前。"
            "How long, seconds, until one call tries it again; a probe that succeeds is sooner."
        ),
    )
    probe_seconds: float = Field(
        default=2.0,
        gt=0,
        le=600,
        description=(
            "多久探测一次暂停的、以及同一服务多个地址中的每一个（秒）。"
            "How often an address is probed that is paused, or one of several, seconds."
        ),
    )
