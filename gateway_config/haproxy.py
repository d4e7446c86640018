"""HAProxy's configuration (Debian's 2.6) drawn from a gateway's: TLS, identity, balancing, limits.

HAProxy ends TLS, says in headers of its own who asks, and spreads calls over the workers. What
decides about a call (caller, message, policy, audit) stays with the gateways. The headers cannot
be forged: all that begin with ``X-Yilian-`` are taken off what comes in, and the gateways believe
them only from ``proxy.trusted`` and with the shared secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import ceil

from gateway_config import identity_headers as names
from gateway_config.callers import Caller
from gateway_config.haproxy_faults import error_lines
from gateway_config.model import GatewayConfig
from gateway_config.proxy import Proxy
from gateway_config.section import WrongKey

#: seconds over which a caller's rate is measured here; the gateways measure exactly
_WINDOW = 10
#: how long calls under way may take at a reload, seconds, beyond what a call may take
_GRACE = 30
_OWN_HEAD = 4096


def haproxy(config: GatewayConfig, secret: str) -> str:
    """The whole file. It holds ``secret``, so only root should be able to read it.

    WrongKey where the configuration says too little: no [proxy], no workers, or a certificate
    and key in files that HAProxy cannot find together.
    """
    proxy = config.proxy
    if proxy is None:
        raise WrongKey(
            "没有 [proxy]；HAProxy 前置所需的键见 docs/scale-out.md",
            "there is no [proxy]; docs/scale-out.md shows the keys that HAProxy in front needs",
            "proxy",
        )
    if not proxy.workers:
        raise WrongKey(
            "没有 [[proxy.workers]]", "there are no [[proxy.workers]]", "proxy", "workers"
        )
    parts = [
        _HEAD,
        *_global(config, proxy),
        *_defaults(config, proxy),
        *_tables(),
        *_frontend(config, proxy, secret),
        *_backend(config, proxy),
    ]
    return "\n".join(parts) + "\n"


_HEAD = """\
# 由 yilian gateway render haproxy 生成；请改网关的配置再生成，不要改此文件。
# 含共享密钥：只许 root 读取（chmod 600）。
# Made by yilian gateway render haproxy: change the gateway's configuration and make it again.
# It holds the shared secret: let root alone read it (chmod 600).
"""


def _global(config: GatewayConfig, proxy: Proxy) -> Iterator[str]:
    limits = config.limits
    yield "global"
    yield f"    log {proxy.log} format raw local0 info"
    if proxy.run_as:
        yield f"    user {proxy.run_as}"
        yield f"    group {proxy.run_as}"
    yield f"    stats socket {proxy.admin_socket} mode 600 level admin expose-fd listeners"
    yield f"    maxconn {_connections(config, proxy)}"
    yield f"    hard-stop-after {ceil(config.forward.timeout_seconds) + _GRACE}s"
    yield f"    tune.bufsize {max(16384, limits.max_head_bytes + _OWN_HEAD)}"
    yield f"    tune.http.maxhdr {limits.max_headers + 16}"
    if config.tls is not None and config.tls.at == "proxy":
        if config.tls.certificate_file.suffix == ".crt":
            yield "    ssl-load-extra-del-ext"
        yield "    tune.ssl.default-dh-param 2048"
    yield ""


def _connections(config: GatewayConfig, proxy: Proxy) -> int:
    return config.limits.max_connections * len(proxy.workers)


def _defaults(config: GatewayConfig, proxy: Proxy) -> Iterator[str]:
    forward, limits = config.forward, config.limits
    call = ceil(forward.timeout_seconds + limits.body_seconds) + 5
    yield "defaults"
    yield "    mode http"
    yield "    log global"
    yield "    option dontlognull"
    yield "    option http-keep-alive"
    yield "    # at a reload callers keep their connections until they have asked once more"
    yield "    option idle-close-on-response"
    yield "    # HTTP/1 alone, as at the gateway itself: no other framing to be translated"
    yield "    option disable-h2-upgrade"
    yield "    option redispatch"
    yield "    # a connection that fails is tried elsewhere; a call that was sent is never repeated"
    yield "    retries 3"
    yield "    retry-on conn-failure"
    yield "    http-reuse safe"
    yield f"    timeout http-request {_ms(limits.head_seconds)}"
    yield "    timeout http-keep-alive 60s"
    yield f"    timeout client {_ms(limits.body_seconds)}"
    yield "    timeout client-fin 5s"
    yield "    timeout connect 2s"
    yield "    timeout queue 5s"
    yield f"    timeout server {call}s"
    yield "    timeout check 3s"
    yield ""


def _tables() -> Iterator[str]:
    """Rates and connections by source address, and rates by client certificate."""
    yield "backend by_source"
    yield "    stick-table type ipv6 size 200k expire 60s store http_req_rate(1s),conn_cur"
    yield ""
    yield "backend by_certificate"
    yield f"    stick-table type string len 64 size 50k expire 60s store http_req_rate({_WINDOW}s)"
    yield ""


def _frontend(config: GatewayConfig, proxy: Proxy, secret: str) -> Iterator[str]:
    limits = config.limits
    yield "frontend callers"
    if proxy.port is not None:
        yield f"    bind {_bind(proxy.host, proxy.port)}"
    yield from _tls(config)
    yield f"    maxconn {_connections(config, proxy)}"
    yield "    # never a query, a header or a body; nor a path that is not canonical"
    yield f"    log-format {_log_format()}"
    yield "    unique-id-format %[uuid()]"
    yield from error_lines()
    yield "    tcp-request connection track-sc0 src table by_source"
    yield (
        "    tcp-request connection reject if "
        f"{{ sc_conn_cur(0) gt {limits.max_connections_per_peer} }}"
    )
    canonical = "^(/[A-Za-z0-9._~-]{1,64}){1,4}$"
    yield f"    http-request set-var(txn.path) path if {{ path -m reg {canonical} }}"
    yield "    http-request set-var(txn.sha256) ssl_c_der,sha2(256),hex,lower if { ssl_c_used }"
    yield "    # who asks is said by this proxy alone"
    yield "    http-request del-header x-yilian- -m beg"
    if config.listen.watchers:
        watchers = " ".join(map(str, config.listen.watchers))
        yield "    # the gateways' own pages are for the watchers"
        yield (
            "    http-request deny deny_status 404 if { path / /health /metrics } "
            f"!{{ src {watchers} }}"
        )
    most = f"{{ sc_http_req_rate(0) gt {proxy.rate_per_source} }}"
    yield f"    http-request deny deny_status 429 if {most}"
    yield "    http-request track-sc1 var(txn.sha256) table by_certificate if { ssl_c_used }"
    for name, caller in config.callers.items():
        yield from _caller_rate(name, caller)
    set_header = "    http-request set-header"
    yield f"{set_header} {names.SECRET} {secret}"
    yield f"{set_header} {names.SOURCE} %[src]"
    yield f"{set_header} {names.TLS} 1 if {{ ssl_fc }}"
    yield f"{set_header} {names.SHA256} %[var(txn.sha256)] if {{ ssl_c_used }}"
    yield "    # of a subject with several common names none counts, as at the gateway itself"
    yield (
        f"{set_header} {names.COMMON_NAME} %[ssl_c_s_dn(cn)] if {{ ssl_c_used }} "
        "!{ ssl_c_s_dn(cn,2) -m found } { ssl_c_s_dn(cn) -m reg ^[^[:cntrl:]]+$ }"
    )
    yield "    default_backend gateways"
    yield ""


def _tls(config: GatewayConfig) -> Iterator[str]:
    tls = config.tls
    if tls is None or tls.at != "proxy":
        return
    certificate = tls.certificate_file
    together = {certificate, certificate.with_name(certificate.name + ".key")}
    if certificate.suffix == ".crt":
        together.add(certificate.with_suffix(".key"))
    if tls.key_file not in together:
        raise WrongKey(
            "HAProxy 要求私钥与证书在同一个 PEM 文件，或名为 证书文件名.key（.crt 可配同名 .key）",
            "HAProxy wants the key in the certificate's PEM file, or beside it as "
            "CERTIFICATE.key (for a .crt, the same name with .key)",
            *("tls", "key_file"),
        )
    line = f"    bind {_bind(tls.host, tls.port)} ssl crt {tls.certificate_file} alpn http/1.1"
    line += f" ssl-min-ver TLSv{tls.minimum}"
    if tls.client_ca_file is not None:
        wanted = "required" if tls.require_client_certificate else "optional"
        line += f" ca-file {tls.client_ca_file} verify {wanted}"
    yield line


def _caller_rate(name: str, caller: Caller) -> Iterator[str]:
    """The rate of a caller who is known by certificate alone, over all gateways together."""
    if caller.rate is None or caller.certificate is None or caller.proofs != ("certificate",):
        return
    most = ceil(caller.rate.per_second * _WINDOW + caller.rate.burst)
    conditions = [f"{{ sc_http_req_rate(1) gt {most} }}"]
    if caller.certificate.sha256 is not None:
        conditions.append(f"{{ var(txn.sha256) -m str {caller.certificate.sha256} }}")
    if caller.certificate.common_name is not None:
        known = caller.certificate.common_name.encode("utf-8").hex().upper()
        conditions.append(f"{{ ssl_c_s_dn(cn),hex -m str {known} }}")
    yield f"    # {name}"
    yield f"    http-request deny deny_status 429 if {' '.join(conditions)}"


def _backend(config: GatewayConfig, proxy: Proxy) -> Iterator[str]:
    yield "backend gateways"
    yield "    balance leastconn"
    yield "    option httpchk"
    yield "    http-check send meth GET uri /health ver HTTP/1.1 hdr Host yilian"
    yield "    http-check expect status 200"
    yield (
        "    default-server check inter 2s fastinter 500ms fall 2 rise 2 "
        f"maxconn {proxy.connections_per_worker} pool-purge-delay 20s"
    )
    for worker in proxy.workers:
        backup = " backup" if worker.backup else ""
        yield f"    server {worker.name} {worker.address}{backup}"


def _log_format() -> str:
    """One JSON object a line; ``path`` only where it is canonical."""
    fields = {
        "time": "%[date,utime(%Y-%m-%dT%H:%M:%SZ)]",
        "event": "proxy",
        "id": "%ID",
        "peer": "%ci",
        "method": "%HM",
        "path": "%[var(txn.path)]",
        "status": "%ST",
        "ended": "%ts",
        "worker": "%s",
        "queued_ms": "%Tw",
        "connect_ms": "%Tc",
        "answer_ms": "%Tr",
        "ms": "%Ta",
        "sent_bytes": "%B",
        "connections": "%ac",
        "tls": "%sslv",
        "certificate": "%[var(txn.sha256)]",
    }
    return "'" + json.dumps(fields) + "'"


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ms(seconds: float) -> str:
    return f"{ceil(seconds * 1000)}ms"
