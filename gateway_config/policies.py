"""The policies: [[policies]]. Their order counts; what they decide is in policy.py."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from gateway_config.section import Section

Word = Annotated[str, Field(pattern=r"^(?:\*|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?)$")]
Words = Annotated[tuple[Word, ...], Field(min_length=1)]


class Policy(Section):
    """Who may (or may not) call what, where. ``["*"]`` stands for every one."""

    name: str = Field(
        min_length=1,
        max_length=100,
        description=(
            "规则名称，拒绝时在日志和审计中说明。"
            "The rule's name, by which log and audit say who decided."
        ),
    )
    callers: Words = Field(
        description='[callers] 中的名称，或 ["*"]。Names of [callers], or ["*"].'
    )
    hospitals: Words = Field(
        description='被调用的医院，或 ["*"]。Hospitals that are called, or ["*"].'
    )
    services: Words = Field(
        description='服务名，如 LabResults，或 ["*"]。Services such as LabResults, or ["*"].'
    )
    operations: Words = Field(
        description='操作名，如 GetLabResult，或 ["*"]。Operations such as GetLabResult, or ["*"].'
    )
    allow: bool = Field(
        default=True,
        description="false 为明确拒绝。false: what matches is refused.",
    )

    @field_validator("callers", "hospitals", "services", "operations")
    @classmethod
    def _every_one_or_some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in value and len(value) > 1:
            raise ValueError('"*" 须单独使用 / "*" stands alone')
        if len(set(value)) < len(value):
            raise ValueError("有重复 / the same one twice")
        return value
