"""What is allowed in a configuration and still should be looked at: ``yilian gateway check``."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from gateway_config.model import GatewayConfig, Policy

#: what the rules for such boundaries demand at least
_SIX_MONTHS = 180


class Advice(NamedTuple):
    """``where``: the way to the key that it is about."""

    where: tuple[str | int, ...]
    zh: str
    en: str


def advice(config: GatewayConfig) -> Iterator[Advice]:
    """Everything worth a second look, in the order of the sections."""
    yield from _listening(config)
    yield from _sides(config)
    yield from _gates(config)
    yield from _callers(config)
    yield from _policies(config)
    yield from _audit(config)


def _listening(config: GatewayConfig) -> Iterator[Advice]:
    listen = config.listen
    public = not _is_loopback(listen.host)
    passwords = any(one.basic or one.username_token for one in config.callers.values())
    if listen.plain and public and passwords and config.proxy is None:
        yield Advice(
            ("listen", "plain"),
            "口令会以明文经过网络；能用 TLS 的调用方请走 [tls]",
            "passwords cross the network in the clear; let callers who can use [tls]",
        )
    if listen.plain and public and config.proxy is not None:
        yield Advice(
            ("listen", "host"),
            "工作网关应只让代理到达：请在防火墙上只放行 proxy.trusted",
            "only the proxy should reach a worker: let the firewall permit proxy.trusted alone",
        )
    if public and not listen.watchers:
        yield Advice(
            ("listen", "watchers"),
            "任何人都可读 /、/health 与 /metrics：医院、服务、调用方名称、计数",
            "whoever asks may read /, /health and /metrics: hospitals, services, callers' names, "
            "counters",
        )
    if public and not config.registry.page_url and not _is_loopback_url(config.registry.url):
        yield Advice(
            ("registry", "page_url"),
            "没有 page_url：找不到服务的调用方会被告知 registry.url，这可能是内网地址",
            "no page_url: who asks for a service that there is not is told registry.url, which may "
            "be an inner address",
        )
    if config.drain_seconds == 0 and config.proxy is not None and config.proxy.workers:
        yield Advice(
            ("listen", "drain_seconds"),
            "为 0：网关停止的瞬间，代理转来的调用可能失败；不填即为 5 秒",
            "0: a call that the proxy sends in the moment when the gateway ends may fail; without "
            "it, 5",
        )
    if public and not listen.public_url and not config.sides:
        yield Advice(
            ("listen", "public_url"),
            "没有 public_url 也没有 [sides]：WSDL 中的地址取自请求的 Host 头",
            "neither public_url nor [sides]: the address in WSDLs is the asker's Host header",
        )


def _sides(config: GatewayConfig) -> Iterator[Advice]:
    used = {caller.side for caller in config.callers.values()}
    for name, side in config.sides.items():
        if not side.networks and name not in used:
            yield Advice(
                ("sides", name),
                "没有 networks，也没有调用方指明它：从不使用",
                "it has no networks and no caller names it: it is never used",
            )
        for other, their in config.sides.items():
            for index, network in enumerate(side.networks):
                wider = [one for one in their.networks if one != network and _within(network, one)]
                if other != name and wider:
                    yield Advice(
                        ("sides", name, "networks", index),
                        f"在 {other} 的 {wider[0]} 之内：以较小的网段 {network} 为准",
                        f"it lies within {wider[0]} of {other}: the smaller one, {network}, counts",
                    )


def _gates(config: GatewayConfig) -> Iterator[Advice]:
    workers = config.listen.workers
    for code, hospital in config.hospitals.items():
        if hospital.calls is not None and hospital.calls % workers:
            most = -(-hospital.calls // workers) * workers
            yield Advice(
                ("hospitals", code, "calls"),
                f"{workers} 个工作进程均分，向上取整：同时最多 {most} 次调用",
                f"{workers} workers divide it, rounded up: up to {most} calls at the same time",
            )
        for index, row in enumerate(hospital.map):
            at = ("hospitals", code, "map", index)
            if not row.allowed_sources:
                yield Advice(
                    (*at, "allowed_sources"),
                    "没有写明网闸允许的来源：请填网关的地址，网闸上也只放行它",
                    "no permitted source: name the gateways' addresses, and permit only them",
                )
            if row.max_body_bytes and row.max_body_bytes > config.limits.max_body_bytes:
                yield Advice(
                    (*at, "max_body_bytes"),
                    f"大于 limits.max_body_bytes（{config.limits.max_body_bytes}），以后者为准",
                    f"larger than limits.max_body_bytes ({config.limits.max_body_bytes}), "
                    "which counts",
                )


def _callers(config: GatewayConfig) -> Iterator[Advice]:
    if not config.callers:
        yield Advice(
            ("callers",),
            "没有 [callers]：没有人能证明身份，全部拒绝",
            "there are no [callers]: nobody can be known, so everything is refused",
        )
    for name, caller in config.callers.items():
        if caller.proofs == ("networks",):
            yield Advice(
                ("callers", name, "networks"),
                "仅凭来源网段：该网段内任何人、经地址转换到此的任何人都可冒充",
                "known by source network alone: whoever sends from there, or is translated to "
                "there, is taken for this caller",
            )
        for index, network in enumerate(caller.networks):
            if network.prefixlen == 0:
                yield Advice(
                    ("callers", name, "networks", index),
                    "包含所有地址，等于没有这一证明",
                    "it holds every address, which proves nothing",
                )
        allowed = [one for one in config.policies if one.allow and _covers(one.callers, (name,))]
        if config.policies and not allowed:
            yield Advice(
                ("callers", name),
                "没有规则允许此调用方做任何事",
                "no policy allows this caller anything",
            )


def _policies(config: GatewayConfig) -> Iterator[Advice]:
    if not config.policies:
        yield Advice(
            ("policies",),
            "没有 [[policies]]：默认拒绝，所有调用都会被拒绝",
            "there are no [[policies]]: the default is to refuse, so every call is refused",
        )
    for index, policy in enumerate(config.policies):
        earlier = next((one for one in config.policies[:index] if _never_past(one, policy)), None)
        if earlier is not None:
            yield Advice(
                ("policies", index, "name"),
                f"永远轮不到：规则“{earlier.name}”已先匹配它的全部调用",
                f"never reached: the policy “{earlier.name}” matches all its calls first",
            )
        if policy.allow and all(
            words == ("*",)
            for words in (policy.callers, policy.hospitals, policy.services, policy.operations)
        ):
            yield Advice(
                ("policies", index, "name"),
                "每个已知调用方都可调用一切",
                "every known caller may call everything",
            )


def _audit(config: GatewayConfig) -> Iterator[Advice]:
    if config.audit is None:
        yield Advice(
            ("audit",),
            "没有 [audit]：调用不留审计记录",
            "there is no [audit]: no call is on record",
        )
        return
    if config.audit.name == "gateway" and config.proxy and len(config.proxy.workers) > 1:
        yield Advice(
            ("audit", "name"),
            "有多台网关：请各取名称，否则汇总审计时会混在一起",
            "there are several gateways: give each a name, or their audits cannot be collected "
            "side by side",
        )
    if config.audit.keep_days < _SIX_MONTHS:
        yield Advice(
            ("audit", "keep_days"),
            "少于六个月，不合等级保护要求",
            "less than the six months that the rules for such a boundary demand",
        )


def _never_past(earlier: Policy, later: Policy) -> bool:
    """Whether whatever the later policy matches is matched by the earlier one."""
    return all(
        _covers(getattr(earlier, words), getattr(later, words))
        for words in ("callers", "hospitals", "services", "operations")
    )


def _covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    return wide == ("*",) or (narrow != ("*",) and set(narrow) <= set(wide))


def _within(inner: object, outer: object) -> bool:
    same = getattr(inner, "version", 0) == getattr(outer, "version", 1)
    return same and inner.subnet_of(outer)  # type: ignore[attr-defined]


def _is_loopback_url(url: str) -> bool:
    return _is_loopback(urlsplit(url).hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
