"""The hospitals and their gates: [hospitals.CODE], its map, reverse connection and ferry."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway_config.section import (
    KIB,
    MIB,
    Beside,
    CheckedNetwork,
    Endpoint,
    Rate,
    Section,
)

Mode = Literal["direct", "map", "reverse", "ferry"]
_HASH = (
    r"^scrypt\$[0-9]{1,10}\$[0-9]{1,4}\$[0-9]{1,4}\$[A-Za-z0-9+/=]{4,128}\$[A-Za-z0-9+/=]{4,256}$"
)
PasswordHash = Annotated[str, Field(pattern=_HASH)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class MapRow(Section):
    """One line of the gate's own mapping table: an outer address for an inner one."""

    outer: Endpoint = Field(
        description=(
            "网闸外侧的地址:端口，网关连接它。The gate's outer address:port; the gateway dials it."
        )
    )
    inner: Endpoint = Field(
        description=(
            "节点在院内的地址:端口，即它登记的地址；网关从不直接连接它。"
            "The node's own address:port inside, which it publishes; the gateway never dials it."
        )
    )
    allowed_sources: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "网闸上允许的来源（网关的地址），供填写网闸之用。"
            "Sources that the gate permits, the gateways' addresses; for the gate's own table."
        ),
    )
    idle_seconds: float | None = Field(
        default=None,
        gt=0,
        le=86400,
        description=(
            "网闸切断空闲连接的时间（秒）；网关保留的连接只用到其八成。"
            "After how many idle seconds the gate cuts a connection; the gateway keeps its own "
            "for at most four fifths of that."
        ),
    )
    max_body_bytes: int | None = Field(
        default=None,
        ge=1024,
        le=1024 * MIB,
        description=(
            "网闸放行的最大正文（字节）；不填则以 limits 为准。"
            "Largest body that the gate lets through, bytes; without it, what [limits] says."
        ),
    )
    keep_alive: bool = Field(
        default=True,
        description=(
            "网闸是否允许一个连接多次调用。"
            "Whether the gate lets a connection carry more than one call."
        ),
    )
    tls_ends: Literal["gate", "node"] | None = Field(
        default=None,
        description=(
            "TLS 在哪里终止：gate 为网闸（外侧 https，内侧 http），node 为节点；"
            "不填则与登记的地址相同。"
            "Where TLS ends: at the gate (https outside, http inside) or at the node; "
            "without it, as the node has published."
        ),
    )
    window: str | None = Field(
        default=None,
        pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]$",
        description=(
            "网闸每天开放的时段，如 06:00-23:30；不填为全天。"
            "When the gate is open each day, such as 06:00-23:30; without it, always."
        ),
    )


class Reverse(Section):
    """A hospital whose gate lets only the inside open connections: its node dials out to us."""

    token_hash: PasswordHash | None = Field(
        default=None,
        description=(
            "节点拨入时所用令牌的散列（yilian hash-password）。"
            "Hash of the token that the dialling node shows (yilian hash-password)."
        ),
    )
    certificate: Fingerprint | None = Field(
        default=None,
        description=(
            "节点拨入时客户端证书的 SHA-256（小写十六进制）。"
            "SHA-256 of the dialling node's client certificate, lower-case hexadecimal."
        ),
    )
    connections: int = Field(
        default=4, ge=1, le=256, description="节点保持的连接数。Connections that the node keeps."
    )
    queue: int = Field(
        default=64,
        ge=0,
        le=100_000,
        description="没有空闲连接时可等待的调用数。Calls that may wait for a free connection.",
    )
    wait_seconds: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="一次调用最多等待多久（秒）。How long a call waits for one, seconds.",
    )


class Ferry(Section):
    """A hospital whose gate passes only files."""

    out_folder: Beside = Field(
        description="请求文件写入的文件夹。Folder into which requests are written."
    )
    in_folder: Beside = Field(description="应答文件到达的文件夹。Folder in which answers arrive.")
    extension: str = Field(
        default=".xml",
        pattern=r"^\.[A-Za-z0-9]{1,16}$",
        description="网闸放行的扩展名。File extension that the gate lets through.",
    )
    key_file: Beside = Field(
        description=(
            "两端共有的签名密钥文件（HMAC-SHA-256）。"
            "File with the key that both ends share, for HMAC-SHA-256."
        )
    )
    deadline_seconds: float = Field(
        default=30.0,
        gt=0,
        le=86400,
        description="多久没有应答即放弃（秒）。When an answer is given up, seconds.",
    )
    max_bytes: int = Field(
        default=4 * MIB,
        ge=KIB,
        le=1024 * MIB,
        description="一个文件的上限（字节）。Largest file, bytes.",
    )
    most_waiting: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="同时等待摆渡应答的调用数。Calls that may wait for answers at a time.",
    )


class Hospital(Section):
    """One hospital of the alliance, and how its gate is crossed."""

    name: str = Field(
        default="",
        max_length=255,
        description="医院名称，用于表格与提示。The hospital's name, for tables and messages.",
    )
    mode: Mode = Field(
        default="direct",
        description=(
            "direct 直接连接登记的地址；map 按网闸映射表；reverse 由节点拨出；ferry 文件摆渡。"
            "direct: the published address; map: by the gate's table; reverse: the node dials "
            "out; ferry: by files."
        ),
    )
    networks: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "mode = direct 时节点可在的网段，只连接其中的地址；不填则按 forward.networks。"
            "For mode = direct: the networks in which its nodes may be, no other address is "
            "dialled; without it, forward.networks."
        ),
    )
    rate: Rate | None = Field(
        default=None,
        description="所有调用方合计的速率。Rate of all callers together to this hospital.",
    )
    calls: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description=(
            "同时去往本院的调用数上限；不填则按 admission.calls_per_hospital。"
            "Calls to it at the same time; without it, admission.calls_per_hospital."
        ),
    )
    check_contract: bool | None = Field(
        default=None,
        description=(
            "是否在网关按契约核对参数；不填则按 admission.check_contract。"
            "Whether arguments are checked here; without it, admission.check_contract."
        ),
    )
    map: tuple[MapRow, ...] = Field(
        default=(), description="网闸映射表（mode = map）。The gate's table, for mode = map."
    )
    reverse: Reverse | None = Field(
        default=None, description="反向连接（mode = reverse）。For mode = reverse."
    )
    ferry: Ferry | None = Field(
        default=None, description="文件摆渡（mode = ferry）。For mode = ferry."
    )
