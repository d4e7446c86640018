"""One call explained without making it: which rule decides, and the way that it would take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from gateway import table_file
from gateway.admission.policy import operations_of
from gateway.binding import Binding, route_of
from gateway.gates import Gates
from gateway.paths import NotCanonical, canonical
from gateway_config.callers import Caller
from gateway_config.faces import Faces
from gateway_config.model import GatewayConfig
from gateway_config.policy import decide
from gateway_config.section import Rate
from services.soap.version import SOAP_1_2
from yilian.bindings import bindings_from
from yilian.loading import load
from yilian.refused import Refused


@dataclass
class Explained:
    """Lines of name and value; whether the call passes, and what to say where it does not."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    passes: bool = True
    zh: str = ""
    en: str = ""

    def add(self, name: str, value: str) -> None:
        self.lines.append((name, value))

    def stop(self, zh: str, en: str) -> None:
        """The first reason to refuse is the one that counts."""
        if self.passes:
            self.passes, self.zh, self.en = False, zh, en


def explained(
    file: Path, caller: str, url: str, operation: str | None, *, offline: bool = False
) -> Explained:
    """What happens to this call. Refused where the question itself is wrong: no such caller, a
    path that is none, or no way to learn the bindings."""
    config = load(file, GatewayConfig)
    entry = config.callers.get(caller)
    if entry is None:
        known = ", ".join(config.callers) or "—"
        raise Refused(
            f"{file} 的 [callers] 中没有 {caller}；有：{known}。",
            f"There is no {caller} in [callers] of {file}; there are: {known}.",
        )
    path = _path(url)
    bindings = _bindings(config, offline=offline)
    told = Explained()
    told.add("调用方 caller", f"{caller} {entry.name}".strip())
    told.add("证明 proofs", _proofs(entry))
    found = [one for one in bindings if _route(one) == path]
    hospital, service = _named(path, found)
    told.add("服务 service", f"{hospital} / {service} / {operation or '?wsdl'}")
    decision = decide(config, caller, hospital, service, operation)
    told.add("规则 policy", f"{decision.rule or '—'}: {decision.zh} / {decision.en}")
    if not decision.allowed:
        told.stop(decision.zh, decision.en)
    names = operations_of(service)
    if operation is not None and names is not None and operation not in names:
        told.stop(
            f"{service} 没有操作 {operation}，有：{'、'.join(names)}（区分大小写）",
            f"{service} has no operation {operation}; it has {', '.join(names)} (case matters)",
        )
    _way(told, config, found, path)
    _limits(told, config, entry, hospital, found)
    _wsdl_address(told, config, caller, entry, path)
    return told


def _path(url: str) -> str:
    try:
        return canonical(urlsplit(url).path).removesuffix(SOAP_1_2.path_suffix)
    except (NotCanonical, ValueError) as error:
        zh, _, en = str(error).partition(" / ")
        raise Refused(f"{url}：{zh}。", f"{url}: {en or zh}.") from None


def _bindings(config: GatewayConfig, *, offline: bool) -> Iterable[Binding]:
    if not offline:
        try:
            return bindings_from(config.registry.url)()
        except Exception as error:
            raise Refused(
                f"注册中心 {config.registry.url} 无法访问（{error}）。"
                "可用 --offline 依据 table_file。",
                f"The registry at {config.registry.url} cannot be asked ({error}). "
                "Use --offline to go by the table file.",
                exit_code=1,
            ) from error
    table = config.registry.table_file
    try:
        loaded = table_file.load(table) if table else None
    except table_file.TableFileError as error:
        raise Refused(f"路由表文件不可用：{error}", f"The table file is no use: {error}") from error
    if loaded is None:
        raise Refused(
            "没有路由表文件（registry.table_file），离线无从得知绑定。",
            "There is no table file (registry.table_file) to know the bindings from.",
        )
    return loaded[0]


def _route(binding: Binding) -> str | None:
    try:
        return route_of(binding)
    except ValueError:
        return None  # refused by the gateway too


def _named(path: str, found: list[Binding]) -> tuple[str, str]:
    """Hospital and service: as the registry has them, or else as the path says."""
    if found:
        return found[0].hospital, found[0].service
    _, hospital, *rest = path.split("/")
    return hospital, (rest[-1] if rest else "").removesuffix(".asmx")


def _proofs(entry: Caller) -> str:
    shown = {
        "certificate": lambda: (
            " ".join(filter(None, (entry.certificate.common_name, entry.certificate.sha256)))
            if entry.certificate
            else ""
        ),
        "basic": lambda: entry.basic.user if entry.basic else "",
        "username_token": lambda: entry.username_token.user if entry.username_token else "",
        "networks": lambda: " ".join(map(str, entry.networks)),
    }
    between = " 且 and " if entry.require == "all" else " 或 or "
    return between.join(f"{kind} ({shown[kind]()})" for kind in entry.proofs)


def _way(told: Explained, config: GatewayConfig, found: list[Binding], path: str) -> None:
    if not found:
        told.add("绑定 binding", "—")
        told.stop(f"注册中心没有地址为 {path} 的服务", f"the registry has no service at {path}")
        return
    gates = Gates(config.hospitals)
    usable = False
    for published in sorted(found, key=lambda one: one.access_point):
        told.add("绑定 binding", f"{published.access_point}（登记的 as published）")
        mode = gates.mode(published.hospital)
        try:
            reached = gates.reached(published)
        except ValueError as error:
            told.add("网闸 gate", f"{mode} ✗ {error}")
            zh, _, en = str(error).partition(" / ")
            reason = zh, en
            continue
        usable = True
        for one in reached:
            told.add("网闸 gate", _gate(mode, gates, one))
    if not usable:
        told.stop(*reason)


def _gate(mode: str, gates: Gates, reached: Binding) -> str:
    row = gates.row(reached)
    if row is None:
        words = {
            "direct": f"direct → {reached.access_point}",
            "reverse": "reverse：由节点拨出的连接返回 / over a connection that the node dialled",
            "ferry": "ferry：文件摆渡 / by files",
        }
        return words[mode]
    parts = [f"map {row.outer} → {row.inner}: {reached.access_point}"]
    if row.tls_ends:
        parts.append(f"TLS → {row.tls_ends}")
    if row.window:
        parts.append(f"开放 open {row.window}")
    if not row.keep_alive:
        parts.append("每次新连接 one call a connection")
    return "；".join(parts)


def _limits(
    told: Explained, config: GatewayConfig, entry: Caller, hospital: str, found: list[Binding]
) -> None:
    limits = config.limits
    told.add(
        "限度 limits",
        f"{limits.max_body_bytes} 字节 bytes，{limits.depth} 层 deep，"
        f"{limits.elements} 元素 elements，{config.forward.timeout_seconds:g} s",
    )
    of_hospital = config.hospitals.get(hospital)
    told.add("速率 rate", f"调用方 caller {_rate(entry.rate)}；"
             f"医院 hospital {_rate(of_hospital.rate if of_hospital else None)}")  # fmt: skip
    if of_hospital is not None:
        sizes = [row.max_body_bytes for row in of_hospital.map if row.max_body_bytes]
        if sizes and found:
            told.add("网闸正文上限 gate's body", f"{min(sizes)} 字节 bytes")


def _rate(rate: Rate | None) -> str:
    return f"{rate.per_second:g}/s，连发 burst {rate.burst}" if rate else "不限 unlimited"


def _wsdl_address(
    told: Explained, config: GatewayConfig, caller: str, entry: Caller, path: str
) -> None:
    faces = Faces(config)
    peers = [str(network.network_address) for network in entry.networks] or [""]
    sides = dict.fromkeys(
        (faces.side(caller, peer), faces.base_url(caller, peer, tls=bool(entry.certificate)))
        for peer in peers
    )
    for side, base in sides:
        shown = f"{base}{path}" if base else f"Host 头所示的地址 + {path} / as his Host header says"
        told.add("WSDL 中的地址 address", f"{shown}（{side or '—'}）")
