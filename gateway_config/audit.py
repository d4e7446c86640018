"""The record of every call: [audit]."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from gateway_config.section import MIB, Beside, Section


class Audit(Section):
    """Where every call is on record, for how long, and what happens when it cannot be."""

    folder: Beside = Field(description="审计文件所在的文件夹。Folder of the audit's files.")
    name: str = Field(
        default="gateway",
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$",
        description=(
            "本网关在审计中的名称；多台网关须各不相同。"
            "This gateway's name in the audit; of several gateways each has its own."
        ),
    )
    patient: Literal["hash", "plain", "none"] = Field(
        default="hash",
        description=(
            "病人标识号如何记录：加密钥的散列、明文、不记。"
            "How a patient's id is recorded: as a keyed hash, plain, or not at all."
        ),
    )
    key_file: Beside | None = Field(
        default=None,
        description=(
            "散列与链的密钥文件；不填则为文件夹中的 audit.key，首次启动时建立。"
            "File with the key of hashes and chain; without it, audit.key in the folder, made at "
            "the first start."
        ),
    )
    keep_days: int = Field(
        default=200,
        ge=1,
        le=36500,
        description="保留天数（不少于六个月）。Days that it is kept; six months at least.",
    )
    rotate_bytes: int = Field(
        default=64 * MIB,
        ge=64 * 1024,
        le=64 * 1024 * MIB,
        description="一个文件写到多大即换（字节）。Size at which a new file is begun, bytes.",
    )
    on_failure: Literal["refuse", "answer"] = Field(
        default="refuse",
        description=(
            "写不了审计时：拒绝调用，或照常应答并告警。"
            "When it cannot be written: calls are refused, or answered with an alarm."
        ),
    )
    sync: Literal["write", "fsync"] = Field(
        default="write",
        description=(
            "应答之前：交给操作系统（进程被杀不丢），或落盘（断电不丢）。"
            "Before an answer: handed to the system (survives a killed process), or on the disk "
            "(survives a power cut)."
        ),
    )
    min_free_bytes: int = Field(
        default=64 * MIB,
        ge=0,
        description=(
            "磁盘剩余少于此数（字节）即视为写不了，先于真正写满。"
            "With less than this free on the disk, bytes, it counts as unwritable, before it is."
        ),
    )
    anchor_seconds: float = Field(
        default=60.0,
        ge=1,
        le=86400,
        description=(
            "多久在日志与 .anchors 文件中记一次锚点（秒）。"
            "How often an anchor is written to the log and the .anchors file, seconds."
        ),
    )

    @property
    def key_path(self) -> Path:
        return self.key_file or self.folder / "audit.key"
