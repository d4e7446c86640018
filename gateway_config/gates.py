"""What the administrator of each hospital's gate types into the device, drawn from the model.

Two directions: calls that come in to the hospital's node, and calls that its own callers make out
to the gateway. Both stand in the hospital's table, since one device lets both through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway_config.hospitals import MapRow
from gateway_config.model import GatewayConfig
from gateway_config.section import Network, host_and_port

#: what stands in a cell that the configuration does not say
UNSAID = ""

INWARDS = "外→内 in"
OUTWARDS = "内→外 out"


class GateRow(NamedTuple):
    """One line of a gate's table, all as text. ``idle_seconds`` and ``max_body_bytes`` are empty
    where the configuration leaves them to the device."""

    hospital: str
    name: str
    mode: str
    direction: str
    outer_ip: str
    outer_port: str
    inner_ip: str
    inner_port: str
    protocol: str
    permitted_sources: str
    idle_seconds: str
    window: str
    max_body_bytes: str
    keep_alive: str
    purpose: str


def gate_rows(config: GatewayConfig, hospital: str | None = None) -> Iterator[GateRow]:
    """Every hospital's lines, or one's, in the order of the file."""
    for code in config.hospitals:
        if hospital is None or code == hospital:
            yield from _inwards(config, code)
            yield from _outwards(config, code)


def _inwards(config: GatewayConfig, code: str) -> Iterator[GateRow]:
    hospital = config.hospitals[code]
    for row in hospital.map:
        yield _mapped(code, hospital.name, row)
    if hospital.mode == "reverse" and config.dialled is not None:
        host, _ = _gateway(config, None)
        first, last = config.dialled.port, config.dialled.port + config.listen.workers - 1
        port = str(first) if first == last else f"{first}-{last}"
        yield _row(
            code, hospital.name, "reverse", OUTWARDS, outer=(host, port), protocol="TCP",
            sources="节点 the node", keep_alive="yes",
            purpose="节点拨出，调用由此返回 the node dials out; calls come back over it",
        )  # fmt: skip
    if hospital.ferry is not None:
        ferry = hospital.ferry
        size = str(ferry.max_bytes)
        for folder, direction, purpose in (
            (ferry.out_folder, INWARDS, "请求文件 request files"),
            (ferry.in_folder, OUTWARDS, "应答文件 answer files"),
        ):
            yield _row(
                code, hospital.name, "ferry", direction, outer=(str(folder), UNSAID),
                protocol=f"文件 files *{ferry.extension}", max_body_bytes=size, purpose=purpose,
            )  # fmt: skip


def _mapped(code: str, name: str, row: MapRow) -> GateRow:
    ends = {"gate": "HTTPS → HTTP", "node": "TCP (HTTPS)", None: "TCP (HTTP)"}
    return _row(
        code,
        name,
        "map",
        INWARDS,
        outer=_split(row.outer),
        inner=_split(row.inner),
        protocol=ends[row.tls_ends],
        sources=_list(row.allowed_sources),
        idle_seconds=f"{row.idle_seconds:g}" if row.idle_seconds else UNSAID,
        window=row.window or "00:00-24:00",
        max_body_bytes=str(row.max_body_bytes) if row.max_body_bytes else UNSAID,
        keep_alive="yes" if row.keep_alive else "no",
        purpose="网关调用节点 the gateway calls the node",
    )


def _outwards(config: GatewayConfig, code: str) -> Iterator[GateRow]:
    for name, caller in config.callers.items():
        if caller.hospital == code:
            host, port = _gateway(config, caller.side)
            yield _row(
                code,
                config.hospitals[code].name,
                config.hospitals[code].mode,
                OUTWARDS,
                outer=(host, port),
                protocol="TCP (HTTPS)"
                if _base(config, caller.side)[0] == "https"
                else "TCP (HTTP)",
                sources=_list(caller.networks),
                keep_alive="yes",
                purpose=f"{caller.name or name} 调用网关 calls the gateway",
            )


def _row(
    code: str,
    name: str,
    mode: str,
    direction: str,
    *,
    outer: tuple[str, str],
    inner: tuple[str, str] = (UNSAID, UNSAID),
    protocol: str,
    sources: str = UNSAID,
    idle_seconds: str = UNSAID,
    window: str = "00:00-24:00",
    max_body_bytes: str = UNSAID,
    keep_alive: str = UNSAID,
    purpose: str,
) -> GateRow:
    return GateRow(
        code, name, mode, direction, *outer, *inner, protocol, sources, idle_seconds, window,
        max_body_bytes, keep_alive, purpose,
    )  # fmt: skip


def _gateway(config: GatewayConfig, side: str | None) -> tuple[str, str]:
    _, host, port = _base(config, side)
    return host, port


def _base(config: GatewayConfig, side: str | None) -> tuple[str, str, str]:
    """Scheme, host and port at which a side reaches the gateway."""
    listen, tls = config.listen, config.tls
    url = config.sides[side].base_url if side else listen.public_url
    if url is None and tls is not None:
        url = tls.public_url or f"https://{_bracketed(tls.host)}:{tls.port}"
    parts = urlsplit(url or f"http://{_bracketed(listen.host)}:{listen.port}")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, parts.hostname or "", str(port)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _split(endpoint: str) -> tuple[str, str]:
    host, port = host_and_port(endpoint)
    return host, str(port)


def _list(networks: Sequence[Network]) -> str:
    """Networks as an administrator writes them: a single address without its /32."""
    return " ".join(
        str(one.network_address) if one.num_addresses == 1 else str(one) for one in networks
    )
