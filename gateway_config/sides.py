"""The sides from which the gateway is seen: [sides.NAME]."""

from __future__ import annotations

from pydantic import Field

from gateway_config.section import BaseUrl, CheckedNetwork, Section


class Side(Section):
    """One side of a gate: who asks from these networks reaches the gateway at ``base_url``."""

    networks: tuple[CheckedNetwork, ...] = Field(
        default=(),
        description=(
            "属于这一侧的来源网段；有重叠时以更小的网段为准。"
            "Source networks of this side; of two that overlap the smaller one counts."
        ),
    )
    base_url: BaseUrl = Field(
        description=(
            "这一侧访问网关的地址，写入它取得的 WSDL。"
            "The gateway's address as this side reaches it, written into the WSDLs that it gets."
        )
    )
