"""The gateway's whole configuration, one section a file, checked at start, every key described.

docs/gateway.md has the table of keys; tests/gateway/test_config.py holds it to these files.
"""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, model_validator

from gateway_config.admission import Admission
from gateway_config.audit import Audit
from gateway_config.callers import Caller
from gateway_config.checks import check_all
from gateway_config.dialled import Dialled
from gateway_config.forward import Forward, Registry
from gateway_config.hospitals import Hospital
from gateway_config.limits import Limits
from gateway_config.listen import Listen, Tls
from gateway_config.policies import Policy
from gateway_config.policy import Policies
from gateway_config.proxy import Proxy
from gateway_config.section import MIB, BaseUrl, Key, Section, base_url, is_host
from gateway_config.sides import Side

__all__ = [
    "MIB",
    "Admission",
    "Audit",
    "BaseUrl",
    "Caller",
    "Dialled",
    "Forward",
    "GatewayConfig",
    "Hospital",
    "Limits",
    "Listen",
    "Policy",
    "Proxy",
    "Registry",
    "Side",
    "Tls",
    "base_url",
    "is_host",
]


#: from SIGTERM until a gateway behind a proxy takes no more connections
_DRAIN_SECONDS = 5.0


class GatewayConfig(Section):
    """A gateway's whole configuration file."""

    listen: Listen = Field(
        default_factory=Listen, description="监听（明文）。Where it listens, plain HTTP."
    )
    tls: Tls | None = Field(default=None, description="监听（TLS）。Where it listens, TLS.")
    dialled: Dialled | None = Field(
        default=None,
        description="监听（节点拨入）。Where nodes dial in, for mode = reverse.",
    )
    registry: Registry = Field(description="注册中心。The registry.")
    forward: Forward = Field(default_factory=Forward, description="转发。Forwarding.")
    limits: Limits = Field(default_factory=Limits, description="限度。Limits.")
    admission: Admission = Field(
        default_factory=Admission, description="准入。How much is admitted at once."
    )
    sides: dict[Key, Side] = Field(
        default_factory=dict, description="访问网关的各侧。Sides from which it is seen."
    )
    hospitals: dict[Key, Hospital] = Field(
        default_factory=dict,
        description="医院与网闸；未列出的直接连接。Hospitals and gates; one not listed: direct.",
    )
    callers: dict[Key, Caller] = Field(
        default_factory=dict, description="调用方。Who may be known as a caller."
    )
    policies: tuple[Policy, ...] = Field(
        default=(),
        description=(
            "准入规则，先匹配者决定；都不匹配则拒绝。"
            "Who may call what; the first match decides, and what matches none is refused."
        ),
    )
    audit: Audit | None = Field(default=None, description="审计。The record of every call.")
    proxy: Proxy | None = Field(default=None, description="前置 HAProxy。A HAProxy in front.")

    @model_validator(mode="after")
    def _it_fits_together(self) -> GatewayConfig:
        check_all(self)
        return self

    @cached_property
    def decisions(self) -> Policies:
        """The policies, prepared for deciding calls."""
        return Policies(self.policies, tuple(self.callers))

    @property
    def drain_seconds(self) -> float:
        """For how long it serves on after SIGTERM: HAProxy as it is rendered needs up to 3 s to
        find that out (gateway_config/haproxy.py), and more where it is busy."""
        if self.listen.drain_seconds is not None:
            return self.listen.drain_seconds
        return _DRAIN_SECONDS if self.proxy is not None and self.proxy.workers else 0.0

    @property
    def own_tls(self) -> Tls | None:
        """[tls] where this process itself ends TLS; None where a proxy does, or nobody."""
        return self.tls if self.tls is not None and self.tls.at == "gateway" else None
