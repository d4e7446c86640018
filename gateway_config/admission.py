"""How much is admitted at once, and whether arguments are checked here: [admission]."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import Section


class Admission(Section):
    """What holds for all hospitals; [hospitals.CODE] may say otherwise for one."""

    check_contract: bool = Field(
        default=False,
        description=(
            "是否在网关按契约核对参数（节点总会核对）。"
            "Whether arguments are checked against the contract here; a node always does."
        ),
    )
    calls: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description=(
            "同时转发的调用数上限（各工作进程均分）。"
            "Calls forwarded at the same time; workers divide them."
        ),
    )
    calls_per_hospital: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description=(
            "其中去往同一医院的上限（各工作进程均分）。"
            "Of these, calls to one hospital; workers divide them."
        ),
    )
    queue: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description=(
            "名额用尽时可等待的调用数；调用方之间公平轮候。"
            "Calls that may wait when all are taken; callers take fair turns."
        ),
    )
    queue_seconds: float = Field(
        default=5.0,
        gt=0,
        le=600,
        description="一次调用最多等待多久（秒）。How long a call waits at most, seconds.",
    )
