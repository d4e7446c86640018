"""What a request may be: [limits]. Of a connection, of its head, of its body, of its XML."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import KIB, MIB, Section


class Limits(Section):
    """Bounds that hold for every caller, before anybody is asked who he is."""

    max_connections: int = Field(
        default=4000,
        ge=1,
        le=1_000_000,
        description=(
            "每个工作进程的连接数上限。Connections at a time, each worker process for itself."
        ),
    )
    max_connections_per_peer: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description=(
            "每个工作进程上同一来源地址的连接数上限（[proxy] trusted 除外）。"
            "Connections from one source address, each worker process for itself, save those of "
            "[proxy] trusted."
        ),
    )
    head_seconds: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="收完请求头的时限（秒）。Time for a request's head, seconds.",
    )
    body_seconds: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="收完请求正文的时限（秒）。Time for a request's body, seconds.",
    )
    max_head_bytes: int = Field(
        default=32 * KIB,
        ge=1024,
        le=MIB,
        description="请求头上限（字节）。Largest request head, bytes.",
    )
    max_headers: int = Field(
        default=64, ge=8, le=1000, description="请求头的行数上限。Header lines of a request."
    )
    max_body_bytes: int = Field(
        default=10 * MIB,
        ge=1024,
        le=1024 * MIB,
        description="请求正文上限（字节）。Largest request body, bytes.",
    )
    held_bytes: int = Field(
        default=256 * MIB,
        ge=MIB,
        le=1024 * 1024 * MIB,
        description=(
            "每个工作进程同时收着的大报文（超过 64 KB）合计上限（字节）；同一来源至多一半。"
            "Large bodies (beyond 64 KB) that a worker holds at a time, bytes in all; of one "
            "source address half of it."
        ),
    )
    depth: int = Field(
        default=64, ge=8, le=1000, description="XML 嵌套层数上限。Depth of elements in elements."
    )
    elements: int = Field(
        default=200_000,
        ge=10,
        le=100_000_000,
        description="XML 元素总数上限。Elements of one message.",
    )
    attributes: int = Field(
        default=64, ge=4, le=10_000, description="每个元素的属性数上限。Attributes of one element."
    )
    name_length: int = Field(
        default=256,
        ge=32,
        le=65536,
        description=(
            "元素名、属性名、前缀的长度上限（字符）。"
            "Length of an element's or attribute's name or prefix, characters."
        ),
    )
    text_bytes: int = Field(
        default=10 * MIB,
        ge=1024,
        le=1024 * MIB,
        description=(
            "一段文本或一个属性值的上限（UTF-8 字节）。"
            "Longest text or attribute value, bytes of UTF-8."
        ),
    )
    namespaces: int = Field(
        default=64,
        ge=8,
        le=10_000,
        description="一条报文中命名空间声明数上限。Namespace declarations of one message.",
    )
    parse_off_loop_bytes: int = Field(
        default=64 * KIB,
        ge=KIB,
        le=1024 * MIB,
        description=(
            "大于此值的正文在事件循环之外解析（字节）。"
            "Bodies larger than this are parsed off the event loop, bytes."
        ),
    )
