"""What must fit together across sections; each check names the key that is wrong.

Each yields its first finding as a WrongKey; pydantic stops at the first that is raised, so
``check_all`` raises one that carries them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gateway_config.section import WrongKey

if TYPE_CHECKING:
    from gateway_config.model import GatewayConfig


class WrongKeys(ValueError):
    """Several findings at once; yilian.config tells each with its own line."""

    def __init__(self, found: list[WrongKey]) -> None:
        super().__init__("; ".join(map(str, found)))
        self.found = found


def check_all(config: GatewayConfig) -> None:
    """Raises WrongKeys with everything that does not fit together."""
    found = [
        *_listening(config),
        *_dialled(config),
        *_sides(config),
        *_hospitals(config),
        *_maps(config),
        *_callers(config),
        *_proofs_of_two(config),
        *_policies(config),
        *_proxy(config),
    ]
    if found:
        raise WrongKeys(found)


def _listening(config: GatewayConfig) -> Iterator[WrongKey]:
    listen, tls = config.listen, config.tls
    if not listen.plain and config.own_tls is None:
        yield WrongKey(
            "不开明文就须有由网关终止的 [tls]，否则无处监听",
            "without plain HTTP there must be a [tls] that the gateway ends; "
            "it would listen nowhere",
            *("listen", "plain"),
        )
    if tls is None:
        return
    if tls.at == "gateway" and listen.plain and (listen.host, listen.port) == (tls.host, tls.port):
        yield WrongKey(
            "与 [listen] 是同一个端口", "it is the same port as that of [listen]", "tls", "port"
        )
    if tls.require_client_certificate and tls.client_ca_file is None:
        yield WrongKey(
            "要求客户端证书，却没有 client_ca_file",
            "client certificates are demanded, but there is no client_ca_file",
            *("tls", "require_client_certificate"),
        )
    if tls.at == "proxy" and config.proxy is None:
        yield WrongKey(
            "TLS 由代理终止，却没有 [proxy]",
            "the proxy is to end TLS, but there is no [proxy]",
            *("tls", "at"),
        )


def _dialled(config: GatewayConfig) -> Iterator[WrongKey]:
    if config.dialled is not None and config.dialled.tls and config.tls is None:
        yield WrongKey(
            "拨入要用 TLS，却没有 [tls]",
            "nodes are to dial by TLS, but there is no [tls]",
            *("dialled", "tls"),
        )


def _sides(config: GatewayConfig) -> Iterator[WrongKey]:
    taken: dict[object, str] = {}
    for name, side in config.sides.items():
        for index, network in enumerate(side.networks):
            other = taken.setdefault(network, name)
            if other != name:
                yield WrongKey(
                    f"{network} 已属于 {other} 一侧",
                    f"{network} belongs to the side {other} already",
                    *("sides", name, "networks", index),
                )


def _hospitals(config: GatewayConfig) -> Iterator[WrongKey]:
    for code, hospital in config.hospitals.items():
        for key in ("map", "reverse", "ferry"):
            given = bool(getattr(hospital, key))
            if given and hospital.mode != key:
                yield WrongKey(
                    f"有 {key}，但 mode 是 {hospital.mode}",
                    f"there is a {key}, but mode is {hospital.mode}",
                    *("hospitals", code, key),
                )
            if hospital.mode == key and not given:
                yield WrongKey(
                    f"mode 是 {key}，却没有 [hospitals.{code}.{key}]",
                    f"mode is {key}, but there is no [hospitals.{code}.{key}]",
                    *("hospitals", code, "mode"),
                )
        if hospital.networks and hospital.mode != "direct":
            yield WrongKey(
                f"mode 是 {hospital.mode}，不会直接连接节点，networks 无意义",
                f"mode is {hospital.mode}: no node is dialled directly, and networks mean nothing",
                *("hospitals", code, "networks"),
            )
        reverse = hospital.reverse
        if reverse and config.dialled is None:
            yield WrongKey(
                "没有 [dialled]，节点无处拨入",
                "there is no [dialled], so its node has nowhere to dial in",
                *("hospitals", code, "mode"),
            )
        if reverse and reverse.token_hash is None and reverse.certificate is None:
            yield WrongKey(
                "拨入的节点须有 token_hash 或 certificate",
                "the dialling node must have a token_hash or a certificate",
                *("hospitals", code, "reverse", "token_hash"),
            )
        if reverse and reverse.certificate and not _client_certificates(config):
            yield WrongKey(*_NO_CA, *("hospitals", code, "reverse", "certificate"))
        if reverse and reverse.certificate and config.dialled and not config.dialled.tls:
            yield WrongKey(
                "证书要在 TLS 中出示，而 dialled.tls 是 false",
                "a certificate is shown in TLS, and dialled.tls is false",
                *("hospitals", code, "reverse", "certificate"),
            )
        ferry = hospital.ferry
        if ferry and ferry.deadline_seconds > config.forward.timeout_seconds:
            yield WrongKey(
                f"比 forward.timeout_seconds（{config.forward.timeout_seconds:g}）长",
                f"it is longer than forward.timeout_seconds, {config.forward.timeout_seconds:g}",
                *("hospitals", code, "ferry", "deadline_seconds"),
            )
        if ferry and ferry.in_folder == ferry.out_folder:
            yield WrongKey(
                "与 out_folder 是同一个文件夹",
                "it is the same folder as out_folder",
                *("hospitals", code, "ferry", "in_folder"),
            )


def _maps(config: GatewayConfig) -> Iterator[WrongKey]:
    """An outer address belongs to one inner address of one hospital; anything else would send one
    hospital's calls to another one's node."""
    taken: dict[str, tuple[str, str]] = {}
    for code, hospital in config.hospitals.items():
        for index, row in enumerate(hospital.map):
            at = ("hospitals", code, "map", index)
            if row.outer in taken:
                other, inner = taken[row.outer]
                yield WrongKey(
                    f"{row.outer} 已映射到 {other} 的 {inner}",
                    f"{row.outer} is mapped to {inner} of {other} already",
                    *(*at, "outer"),
                )
            taken.setdefault(row.outer, (code, row.inner))
            if row.outer == row.inner:
                yield WrongKey(
                    "内外地址相同；不经映射请用 mode = direct",
                    "inner and outer address are the same; without a map, use mode = direct",
                    *(*at, "inner"),
                )


_NO_CA = (
    "凭客户端证书，却没有 [tls] client_ca_file，证书无从验证",
    "it goes by client certificate, but without [tls] client_ca_file none can be checked",
)


def _client_certificates(config: GatewayConfig) -> bool:
    return config.tls is not None and config.tls.client_ca_file is not None


def _callers(config: GatewayConfig) -> Iterator[WrongKey]:
    for name, caller in config.callers.items():
        if not caller.proofs:
            yield WrongKey(
                "没有任何证明方式：须有 certificate、basic、username_token 或 networks 之一",
                "no proof: one of certificate, basic, username_token or networks is needed",
                *("callers", name),
            )
        if caller.certificate and not _client_certificates(config):
            yield WrongKey(*_NO_CA, *("callers", name, "certificate"))
        if caller.hospital is not None and caller.hospital not in config.hospitals:
            yield _unknown("hospitals", caller.hospital, config, "callers", name, "hospital")
        if caller.side is not None and caller.side not in config.sides:
            yield _unknown("sides", caller.side, config, "callers", name, "side")


def _proofs_of_two(config: GatewayConfig) -> Iterator[WrongKey]:
    """One proof that fits two callers says nothing about who it is."""
    taken: dict[tuple[object, ...], str] = {}
    for name, caller in config.callers.items():
        proofs: list[tuple[tuple[object, ...], tuple[str | int, ...]]] = []
        if caller.certificate:
            certificate = caller.certificate
            proofs.append(
                (("certificate", certificate.common_name, certificate.sha256), ("certificate",))
            )
        if caller.basic:
            proofs.append((("basic", caller.basic.user), ("basic", "user")))
        if caller.username_token:
            proofs.append(
                (("username_token", caller.username_token.user), ("username_token", "user"))
            )
        if caller.networks and (caller.require == "any" or caller.proofs == ("networks",)):
            proofs += [
                (("networks", network), ("networks", index))
                for index, network in enumerate(caller.networks)
            ]
        for proof, where in proofs:
            other = taken.setdefault(proof, name)
            if other != name:
                yield WrongKey(
                    f"{other} 也凭同一证明，无法分辨是谁",
                    f"{other} gives the same proof, so nobody could tell who it is",
                    *("callers", name, *where),
                )


def _policies(config: GatewayConfig) -> Iterator[WrongKey]:
    names: set[str] = set()
    for index, policy in enumerate(config.policies):
        if policy.name in names:
            yield WrongKey(
                f"规则名称 {policy.name} 重复",
                f"there is a policy {policy.name} already",
                *("policies", index, "name"),
            )
        names.add(policy.name)
        for place, caller in enumerate(policy.callers):
            if caller != "*" and caller not in config.callers:
                yield _unknown("callers", caller, config, "policies", index, "callers", place)
        for place, hospital in enumerate(policy.hospitals):
            if hospital != "*" and hospital not in config.hospitals:
                yield _unknown("hospitals", hospital, config, "policies", index, "hospitals", place)


def _proxy(config: GatewayConfig) -> Iterator[WrongKey]:
    proxy = config.proxy
    if proxy is None:
        return
    for key in ("name", "address"):
        seen: set[str] = set()
        for index, worker in enumerate(proxy.workers):
            value = getattr(worker, key)
            if value in seen:
                yield WrongKey(
                    f"{value} 重复", f"{value} is there twice", "proxy", "workers", index, key
                )
            seen.add(value)
    if proxy.workers and proxy.port is None and (config.tls is None or config.tls.at != "proxy"):
        yield WrongKey(
            '代理无处监听：须有 proxy.port，或 [tls] at = "proxy"',
            'the proxy listens nowhere: give proxy.port, or at = "proxy" in [tls]',
            *("proxy", "workers"),
        )
    if proxy.workers and all(worker.backup for worker in proxy.workers):
        yield WrongKey(
            "工作网关全是 backup", "every worker is a backup", *("proxy", "workers", 0, "backup")
        )


def _unknown(section: str, name: str, config: GatewayConfig, *where: str | int) -> WrongKey:
    known = ", ".join(getattr(config, section)) or "—"
    return WrongKey(
        f"[{section}] 中没有 {name}；有：{known}",
        f"there is no {name} in [{section}]; there are: {known}",
        *where,
    )
