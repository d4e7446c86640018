"""Calls that come back to the gateway that sent them.

A node that publishes the gateway's own address, under whatever name leads there, would have each
call go round until every place is taken. Addresses that are known to be ours are refused as
bindings (gateway/routes.py); what gets past that is known by the header Via.
"""

from __future__ import annotations

from hashlib import sha256

from gateway.head import Head, Refused
from gateway_config.model import GatewayConfig
from services.faults import SourceUnavailable


def via(config: GatewayConfig) -> str:
    """The Via of what this gateway sends; the same for all gateways and workers that serve one
    registry, since what one of them sends is for none of them."""
    return f"1.1 yilian-{sha256(config.registry.url.encode()).hexdigest()[:16]}"


def refuse_own(head: Head, own: str) -> None:
    """Refused where the call has been through here already."""
    if head.via is not None and own in head.via:
        raise Refused(
            500,
            SourceUnavailable(
                f"{head.path} 登记的地址指回网关自身，请该院信息科更正登记的节点地址",
                f"the address published for {head.path} leads back to the gateway; that "
                "hospital's IT department has to correct the address of its node",
            ),
            step="connection",
            rule="loop",
        )
