"""The callers, and how each proves who he is: [callers.NAME]."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gateway_config.hospitals import Fingerprint, PasswordHash
from gateway_config.section import Beside, CheckedNetwork, Key, Rate, Section, WrongKey


class Certificate(Section):
    """A client certificate, known by its common name, its fingerprint, or both."""

    common_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=255,
        description="客户端证书的 CN。The client certificate's common name.",
    )
    sha256: Fingerprint | None = Field(
        default=None,
        description=(
            "客户端证书（DER）的 SHA-256，小写十六进制。"
            "SHA-256 of the client certificate (DER), lower-case hexadecimal."
        ),
    )

    @model_validator(mode="after")
    def _something(self) -> Certificate:
        if self.common_name is None and self.sha256 is None:
            raise WrongKey(
                "须有 common_name 或 sha256", "common_name or sha256 must be there", "common_name"
            )
        return self


class Basic(Section):
    """HTTP Basic."""

    user: str = Field(
        min_length=1,
        max_length=255,
        pattern=r"^[^:\x00-\x1f\x7f]+$",
        description="HTTP Basic 用户名，不含冒号。User name of HTTP Basic, without a colon.",
    )
    password_hash: PasswordHash = Field(
        description="口令散列（yilian hash-password）。Hash of the password (yilian hash-password)."
    )


class UsernameToken(Section):
    """WS-Security UsernameToken. The digest needs the password itself, hence a file."""

    user: str = Field(
        min_length=1,
        max_length=255,
        description="WS-Security UsernameToken 的用户名。User name of the UsernameToken.",
    )
    password_file: Beside = Field(
        description="口令文件，第一行为口令。File whose first line is the password."
    )


class Caller(Section):
    """Somebody who may call, with the proofs that he can give. At least one is needed."""

    name: str = Field(
        default="",
        max_length=255,
        description="调用方名称，用于日志与提示。The caller's name, for log and messages.",
    )
    hospital: Key | None = Field(
        default=None,
        description=(
            "调用方所在的医院（[hospitals] 中的代码）。The caller's hospital, of [hospitals]."
        ),
    )
    side: Key | None = Field(
        default=None,
        description=(
            "调用方在哪一侧（[sides] 中的名称）；不填则按来源网段。"
            "The side he asks from, of [sides]; without it, by source network."
        ),
    )
    certificate: Certificate | None = Field(
        default=None, description="客户端证书。By client certificate."
    )
    basic: Basic | None = Field(default=None, description="HTTP Basic。By HTTP Basic.")
    username_token: UsernameToken | None = Field(
        default=None, description="WS-Security UsernameToken。By WS-Security UsernameToken."
    )
    networks: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "来源网段；经过地址转换的来源不足为凭。"
            "Source networks; behind an address translation they prove little."
        ),
    )
    require: Literal["any", "all"] = Field(
        default="any",
        description=(
            "上述证明满足其一，还是全部。Whether one of the proofs is enough, or all are needed."
        ),
    )
    rate: Rate | None = Field(
        default=None,
        description="此调用方的速率；超出时拒绝。This caller's rate; what is beyond it is refused.",
    )

    @property
    def proofs(self) -> tuple[str, ...]:
        """The kinds of proof of this entry, by key."""
        kinds = ("certificate", "basic", "username_token", "networks")
        return tuple(kind for kind in kinds if getattr(self, kind))
